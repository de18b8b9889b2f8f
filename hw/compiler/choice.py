# SPDX-License-Identifier: BSD-3-Clause
"""The cheapest options of all units at a pace, and what they take: the core of hw/compiler/folding.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hw.compiler.cost import Resources
from hw.compiler.elimination import Table, minimise
from hw.compiler.fifos import MIN_MARGIN, Depths, area_of, depths
from hw.compiler.ops import DIM_BITS
from hw.compiler.options import NOTHING, Option, Space, in_beats, out_beats
from hw.compiler.timing import FREE_DEPTH

KINDS = ("lut", "ff", "bram18", "dsp")

ROUNDS = 14
"""How often prices rise until everything is within the budget."""

RISE = 1.5
"""How much dearer a resource becomes, at least, of which too much was used."""

SAMPLES = 24, 48
"""Widths for which schedules say how many pixels wait; that is linear in the width."""

SAMPLE_ROWS = 16

SIZES = "frame sizes"
"""Name of what the chain of frame sizes takes."""

Prices = Mapping[str, float]


@dataclass(frozen=True)
class Waiting:
    """How many pixels wait on a stream, or in a NearestUp, for frames of a width: offset + slope * width.

    Attributes:
        streams: (offset, slope) by tensor; those of the graph before width converters.
        held: (offset, slope) by node.
    """

    streams: dict[str, tuple[float, float]]
    held: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Choice:
    """An option for every unit, and what it takes.

    Attributes:
        options: by unit.
        nodes: resources of nodes, width converters and FIFOs, and of the chain of frame sizes.
        total: their sum.
    """

    options: dict[str, Option]
    nodes: dict[str, Resources]
    total: Resources


def cheapest(space: Space, width: int, limit: float, budget: Resources) -> Choice:
    """Return the cheapest choice within a limit of cycles per pixel, within the budget if one is found.

    The area that is compared among those that fit is the sum of the shares of the budget.
    """
    prices = {key: 1 / max(1, getattr(budget, key)) for key in KINDS}
    fair = dict(prices)
    fast = {
        name: [o for o in options if o.busy <= limit] or [min(options, key=lambda o: o.busy)]
        for name, options in space.units.items()
    }
    best: Choice | None = None
    best_rank: tuple[float, float] = (np.inf, np.inf)
    waiting = waiting_of(space, _solve(space, fast, width, prices, None))
    for _ in range(ROUNDS):
        choice = total_of(space, _solve(space, fast, width, prices, waiting), waiting, width)
        shares = {key: getattr(choice.total, key) / max(1, getattr(budget, key)) for key in KINDS}
        rank = max(1.0, *shares.values()), scalar(choice.total, fair)
        if rank < best_rank:
            best, best_rank = choice, rank
        if max(shares.values()) <= 1:
            break
        for key, share in shares.items():
            if share > 1:
                prices[key] *= max(RISE, share**2)
    assert best is not None
    return best


def scalar(amount: Resources, prices: Prices) -> float:
    """Return what resources cost."""
    return sum(getattr(amount, key) * prices[key] for key in KINDS)


def _solve(
    space: Space, fast: Mapping[str, list[Option]], width: int, prices: Prices, waiting: Waiting | None
) -> dict[str, Option]:
    """Return the cheapest options for given prices; of those with the same beats only the cheapest counts."""
    kept: dict[str, list[Option]] = {}
    tables: list[Table] = []
    for name, options in fast.items():
        by_beats: dict[tuple, tuple[float, Option]] = {}
        for option in options:
            price = scalar(_own(space, option, width, waiting), prices)
            beats = option.stages[0].in_beats, option.stages[-1].out_beats
            if beats not in by_beats or price < by_beats[beats][0]:
                by_beats[beats] = price, option
        kept[name] = [option for _, option in by_beats.values()]
        tables.append(((name,), np.array([price for price, _ in by_beats.values()])))
    for tensor in space.tensors.values():
        before = [out_beats(option, tensor.name) for option in kept[tensor.writer]]
        after = [in_beats(option, tensor.name) for option in kept[tensor.reader]]
        known = {
            (b, a): scalar(_between(space, tensor.name, b, a, width, waiting, prices), prices)
            for b in set(before)
            for a in set(after)
        }
        tables.append(
            ((tensor.writer, tensor.reader), np.array([[known[b, a] for a in after] for b in before]))
        )
    picked = minimise({name: len(options) for name, options in kept.items()}, tables)
    return {name: kept[name][index] for name, index in picked.items()}


def _own(space: Space, option: Option, width: int, waiting: Waiting | None) -> Resources:
    total = NOTHING
    for stage in option.stages:
        total += space.module(
            option.modules[stage.name], width, _held(stage.name, stage.in_beats[0], width, waiting)
        )
    return total


def _held(node: str, beats: int, width: int, waiting: Waiting | None) -> int:
    if waiting is None or node not in waiting.held:
        return 0
    return _beats(waiting.held[node], beats, width)


def _beats(line: tuple[float, float], beats: int, width: int) -> int:
    return int(np.ceil((line[0] + line[1] * width) * beats)) + max(MIN_MARGIN, beats)


def _between(
    space: Space, name: str, before: int, after: int, width: int, waiting: Waiting | None, prices: Prices
) -> Resources:
    """Return the resources of width converter and FIFO on a stream, the FIFO on its cheaper side."""
    tensor = space.tensors[name]
    counts = tensor.channels // before, tensor.channels // after
    total = space.converter(tensor, *counts)
    if waiting is None or name not in waiting.streams:
        return total
    sides = [
        space.fifo(tensor.channels // b * tensor.bits, _beats(waiting.streams[name], b, width))
        for b in {before, after}
    ]
    return total + min(sides, key=lambda amount: scalar(amount, prices))


def waiting_of(space: Space, chosen: Mapping[str, Option]) -> Waiting:
    """Return how many pixels wait where, from schedules for two small widths."""
    graph = space.stages(chosen)
    small, large = (depths(graph, SAMPLE_ROWS, width) for width in SAMPLES)
    beats = {
        name: count for stage in graph for name, count in zip(stage.outputs, stage.out_beats, strict=True)
    }
    inputs = {stage.name: stage.in_beats[0] for stage in graph}
    streams: dict[str, tuple[float, float]] = {}
    for name in small.needed:
        if max(small.needed[name], large.needed[name]) > FREE_DEPTH:
            plain = name.removesuffix("/width")
            streams[plain] = _line(small.needed[name] / beats[name], large.needed[name] / beats[name])
    held = {
        name: _line(small.schedule.held[name] / inputs[name], large.schedule.held[name] / inputs[name])
        for name in small.schedule.held
    }
    return Waiting(streams, held)


def _line(small: float, large: float) -> tuple[float, float]:
    slope = (large - small) / (SAMPLES[1] - SAMPLES[0])
    return small - slope * SAMPLES[0], slope


def total_of(space: Space, chosen: dict[str, Option], waiting: Waiting, width: int) -> Choice:
    """Return what a choice takes, FIFOs by their linear estimate."""
    even = dict.fromkeys(KINDS, 1.0)
    nodes: dict[str, Resources] = {}
    for option in chosen.values():
        for stage in option.stages:
            held = _held(stage.name, stage.in_beats[0], width, waiting)
            nodes[stage.name] = space.module(option.modules[stage.name], width, held)
    for name in space.tensors:
        before, after = space.beats(name, chosen)
        nodes[f"{name}/between"] = _between(space, name, before, after, width, waiting, even)
    return _sum(space, chosen, nodes)


def exact(space: Space, choice: Choice, height: int, width: int) -> Choice:
    """Return what a choice takes, FIFOs by the schedule for the frame."""
    chosen = choice.options
    graph = space.stages(chosen)
    found: Depths = depths(graph, height, width, area_of(space.cost))
    nodes: dict[str, Resources] = {}
    for option in chosen.values():
        for stage in option.stages:
            nodes[stage.name] = space.module(option.modules[stage.name], width, found.up.get(stage.name, 0))
    for stage in graph:
        if stage.kind == "WidthConverter":
            widths = {"IN_WIDTH": stage.in_bits[0], "OUT_WIDTH": stage.out_bits[0]}
            nodes[stage.name] = space.cost("stream_width", widths)
        for name, bits in zip(stage.outputs, stage.out_bits, strict=True):
            if name in found.depths:
                nodes[f"{name}/fifo"] = space.fifo(bits, found.depths[name])
    return _sum(space, chosen, nodes)


def _sum(space: Space, chosen: Mapping[str, Option], nodes: dict[str, Resources]) -> Choice:
    sized = sum(
        "DIM_BITS" in module.parameters for option in chosen.values() for module in option.modules.values()
    )
    fork = space.cost("stream_fork", {"WIDTH": 2 * DIM_BITS})
    nodes = {name: amount for name, amount in nodes.items() if amount != NOTHING}
    nodes[SIZES] = sum([fork] * max(0, sized - 1), NOTHING)
    return Choice(dict(chosen), nodes, sum(nodes.values(), NOTHING))
