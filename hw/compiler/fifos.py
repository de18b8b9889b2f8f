# SPDX-License-Identifier: BSD-3-Clause
"""Depths of all FIFOs, from a schedule instead of a simulation.

Pixels come at the pace of the busiest stage, every stream has unlimited room, and every stage fires by
its rule (hw/compiler/firing.py). That is one possible schedule. A FIFO gets the room for the most beats
that wait on its stream at once in this schedule, and a margin.

Why the hardware, which knows no schedule, then is at least as fast: its modules are deterministic, take a
beat or wait for it, and never do less when a beat comes earlier or room appears earlier. In such a graph
with bounded streams, executing everything as early as possible gives no beat later than any other
schedule that respects the bounds; this one respects them. So nothing waits for ever either. (Sriram and
Bhattacharyya, Embedded Multiprocessors, section 7.2, self-timed execution; Wiggers, Bekooij and Smit,
Efficient computation of buffer capacities for cyclo-static dataflow graphs, DAC 2007; Geilen and
Tripakis, The earlier the better, HSCC 2011.) docs/scheduling.md says where the rules differ from the
modules by some cycles, which the margin is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qonnx.core.modelwrapper import ModelWrapper

from golden import layers as L
from hw.compiler.config import Config
from hw.compiler.cost import Resources
from hw.compiler.firing import Stage
from hw.compiler.timing import FREE_DEPTH, WARM_UP_ROWS, Area, Schedule, memory_bits, schedule, stages

LUT_RAM_DEPTH = 33
"""A FIFO of fewer beats than this takes as many LUTs (stream_fifo.sv)."""

MIN_MARGIN = 4
"""Beats of margin, at least; a pixel if that is more."""

ROUNDS = 5
"""How often streams may turn out to need a FIFO only because of the latency of others."""

BRAM18_LUTS = 100
"""LUTs that are as dear as a block RAM of 18 kbit."""

MAX_ROWS = 4096
"""Rows of the longest schedule."""


@dataclass(frozen=True)
class Depths:
    """What a graph needs to keep.

    Attributes:
        needed: of every stream, the most beats that wait on it; 1 if it is never waited for.
        depths: of every stream that gets a FIFO, its depth.
        up: of every `NearestUp`, the beats that its memory must hold.
        schedule: from which this follows.
    """

    needed: dict[str, int]
    depths: dict[str, int]
    up: dict[str, int]
    schedule: Schedule


def depths(graph: Sequence[Stage], height: int, width: int, area: Area = memory_bits) -> Depths:
    """Return the depths for frames of a size, and of smaller ones.

    Args:
        graph: stages, with width converters between them where they are needed.
        height, width: of the largest frame.
        area: what a FIFO costs, called as area(bits, depth).
    """
    fifos: set[str] = set()
    rows = 2 * WARM_UP_ROWS
    for _ in range(ROUNDS):
        result, rows = _steady(graph, height, width, fifos, area, rows)
        more = {name for name, depth in result.depths.items() if depth > FREE_DEPTH} - fifos
        if not more:
            break
        fifos |= more
    beats = {
        name: count for stage in graph for name, count in zip(stage.outputs, stage.out_beats, strict=True)
    }
    chosen = {}
    for name, depth in result.depths.items():
        if depth > FREE_DEPTH:
            chosen[name] = max(depth + max(MIN_MARGIN, beats[name]), LUT_RAM_DEPTH)
    up = {}
    for stage in graph:
        if stage.name in result.held:
            up[stage.name] = result.held[stage.name] + max(MIN_MARGIN, stage.in_beats[0])
    return Depths(result.depths, chosen, up, result)


def _steady(
    graph: Sequence[Stage], height: int, width: int, fifos: set[str], area: Area, rows: int
) -> tuple[Schedule, int]:
    """Return a schedule of enough rows that all rows which are ever under way at once are in it."""
    while True:
        tall = min(height, rows)
        result = schedule(graph, [(tall, width)] * max(3, -(-3 * rows // tall)), fifos, area=area)
        under_way = result.first / (result.pace * width)
        if under_way + WARM_UP_ROWS <= 2 * rows or rows >= MAX_ROWS:
            return result, rows
        rows = int(under_way + WARM_UP_ROWS) // 2 + 1


def area_of(price: Callable[[str, Mapping[str, int | str]], Resources]) -> Area:
    """Return what a FIFO costs by a cost model: a block RAM of 18 kbit counts as `BRAM18_LUTS` LUTs."""

    def area(bits: int, depth: int) -> float:
        if depth <= FREE_DEPTH:
            return 0.0
        amount = price("stream_fifo", {"WIDTH": bits, "DEPTH": depth})
        return amount.lut + BRAM18_LUTS * amount.bram18

    return area


def decide(model: ModelWrapper, area: Area = memory_bits) -> Config:
    """Return the FIFO depths of a graph with width converters: `hw.compiler.lower.Job.fifos`.

    A depth of 2 means no FIFO, to FINN as well as here.
    """
    graph = stages(model)
    _, height, width, _ = model.get_tensor_shape(L.PIXELS)
    return as_config(graph, depths(graph, height, width, area))


def as_config(graph: Sequence[Stage], found: Depths) -> Config:
    """Return depths as a configuration: of every stage, inFIFODepths and outFIFODepths, and `depth`."""
    config: Config = {"Defaults": {}}
    for stage in graph:
        entry = {
            "inFIFODepths": [found.depths.get(name, FREE_DEPTH) for name in stage.inputs],
            "outFIFODepths": [found.depths.get(name, FREE_DEPTH) for name in stage.outputs],
        }
        if stage.name in found.up:
            entry["depth"] = found.up[stage.name]
        config[stage.name] = entry
    return config
