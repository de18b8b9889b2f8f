# SPDX-License-Identifier: BSD-3-Clause
"""The folding of a network: as fast as asked, on a board's budget, with the least area.

A pace (cycles per pixel of the input) says which options of every unit are fast enough. The cheapest
choice among them, width converters and FIFOs included, is found exactly by variable elimination for given
prices of the resources; where a resource is over budget, its price rises. Frames that are too wide for
the block RAM are processed in vertical strips, which overlap by the network's receptive field.
docs/scheduling.md has the details.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qonnx.core.modelwrapper import ModelWrapper

from golden.inference import receptive_field
from golden.network import IntegerNetwork
from golden.tiling import tiles
from hw.compiler import BuildError, DoesNotFit
from hw.compiler.boards import Board
from hw.compiler.choice import Choice, cheapest, exact
from hw.compiler.config import Config
from hw.compiler.cost import Resources, resources
from hw.compiler.firing import UNITS
from hw.compiler.graph import build
from hw.compiler.lower import STEPS, Job
from hw.compiler.options import Cost, Option, Space, explore
from hw.compiler.vectors import waits

MAX_STRIPS = 16
"""Strips that a frame is cut into at most."""

NAMES = {"lut": "LUT", "ff": "FF", "bram18": "BRAM18", "dsp": "DSP"}


@dataclass(frozen=True)
class Goal:
    """What is asked for.

    Attributes:
        height, width: of a frame, in pixels of the input.
        board: the board.
        fps: frames per second; None asks for the most that fit.
        strips: how many strips a frame is cut into; None takes the fewest that fit.
        pinned: attributes of nodes that are given, in the form of `hw.compiler.config`.
    """

    height: int
    width: int
    board: Board
    fps: float | None = None
    strips: int | None = None
    pinned: Config = field(default_factory=dict)


@dataclass(frozen=True)
class Strips:
    """How a frame is cut: into so many strips, of so many columns at most, and in all, overlaps included."""

    number: int
    widest: int
    columns: int


@dataclass(frozen=True)
class Plan:
    """A folding and what it gives.

    Attributes:
        folding: attributes of all nodes, for `hw.compiler.lower.Job.folding`.
        strips: how a frame is cut; the hardware is compiled for the widest strip.
        pace: cycles per pixel.
        cycles_per_frame: of all strips of a frame, one frame behind the other.
        fps: frames per second at the clock of the board.
        nodes: resources of every node, of width converters and FIFOs, and of the chain of frame sizes.
        total: their sum.
        budget: what may be used.
        bottleneck: the nodes that work in every cycle, matrix-vector units first.
        fits: whether the total is within the budget.
    """

    folding: Config
    strips: Strips
    pace: int
    cycles_per_frame: int
    fps: float
    nodes: dict[str, Resources]
    total: Resources
    budget: Resources
    bottleneck: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the total is within the budget."""
        return not over(self.total, self.budget)

    def __str__(self) -> str:
        """One line about the plan."""
        cut = "whole frames" if self.strips.number == 1 else f"{self.strips.number} strips"
        used = ", ".join(f"{getattr(self.total, k)} {name}" for k, name in NAMES.items())
        return (
            f"{self.fps:.2f} frames/s in {cut} of up to {self.strips.widest} columns, "
            f"{self.pace} cycles per pixel, limited by {_some(self.bottleneck)}; {used}"
        )


def specialised(network: IntegerNetwork, height: int, width: int) -> ModelWrapper:
    """Return the graph of a network before its folding is set, without executing it on the way."""
    model = build(network, height, width)
    for step in STEPS:
        if step.name == "set_folding":
            break
        model = step.apply(copy.deepcopy(model), Job(network), {})
    return model


def cut(height: int, width: int, number: int, halo: int) -> Strips:
    """Return how a frame is cut into strips that overlap by the receptive field on each side."""
    plan = list(tiles(height, width, (height, -(-width // number)), halo))
    widths = [tile.right - tile.left for tile in plan]
    return Strips(len(plan), max(widths), sum(widths))


def over(total: Resources, budget: Resources) -> list[str]:
    """Return the resources of which there is not enough."""
    return [key for key in NAMES if getattr(total, key) > getattr(budget, key)]


def plan(
    network: IntegerNetwork, goal: Goal, price: Cost = resources, model: ModelWrapper | None = None
) -> Plan:
    """Return the cheapest folding that meets a goal, with the fewest strips.

    Args:
        network: the network.
        goal: what is asked for.
        price: the cost model.
        model: the graph of `specialised`, if there is one already; its size does not matter.

    Raises:
        DoesNotFit: no folding meets the goal.
        BuildError: what is pinned does not exist.
    """
    model = model if model is not None else specialised(network, 8, 8)
    space = explore(model, goal.pinned, price)
    return _Search(space, goal, receptive_field(network)).run()


class _Search:
    """The search for a plan."""

    def __init__(self, space: Space, goal: Goal, halo: int) -> None:
        self.space, self.goal, self.budget = space, goal, goal.board.budget
        if goal.strips is not None and not 1 <= goal.strips <= goal.width:
            raise BuildError(f"strips is {goal.strips}, expected 1 to the width, {goal.width}")
        numbers = [goal.strips] if goal.strips is not None else range(1, min(MAX_STRIPS, goal.width) + 1)
        found = {cuts.number: cuts for cuts in (cut(goal.height, goal.width, n, halo) for n in numbers)}
        self.cuts = list(found.values())
        self.clock = goal.board.clock_mhz * 1e6
        first = {name: options[0] for name, options in space.units.items()}
        self.pause = max((wait.cycles for wait in waits(space.stages(first))), default=0)
        self.fastest = {name: min(o.busy for o in options) for name, options in space.units.items()}

    def run(self) -> Plan:
        """Return the plan for the goal."""
        if self.goal.fps is None:
            best = self._fastest()
            if best is None:
                raise DoesNotFit(self._crowded(self._smallest()), None)
            return best
        closest: Plan | None = None
        for cuts in self.cuts:
            limit = self._limit(cuts, self.goal.fps)
            if limit < max(self.fastest.values()):
                continue
            found = self._plan(cuts, limit)
            if found.fits:
                return found
            if closest is None or self._excess(found) < self._excess(closest):
                closest = found
        best = self._fastest()
        asked = f"{self.goal.fps:g} frames/s of {self.goal.width} x {self.goal.height}"
        if closest is None:
            name = max(self.fastest, key=self.fastest.__getitem__)
            limit = self._limit(self.cuts[0], self.goal.fps)
            why = f"'{name}' takes {self.fastest[name]} cycles per pixel at best, and there are {limit:.2f}"
        else:
            why = self._crowded(closest)
        rest = f"the best that fits is {best}" if best is not None else "nothing fits at any rate"
        raise DoesNotFit(f"{asked} do not fit on {self.goal.board.name}: {why}; {rest}", best)

    def _limit(self, cuts: Strips, fps: float) -> float:
        """Return the cycles that a pixel may take."""
        pauses = cuts.number * self.pause
        return max(0.0, self.clock / fps - pauses) / (self.goal.height * cuts.columns)

    def _cycles(self, cuts: Strips, pace: int) -> int:
        """Return the cycles of a frame, with the longest pauses before its strips that vectors may cause."""
        return pace * self.goal.height * cuts.columns + math.ceil(cuts.number * self.pause)

    def _excess(self, found: Plan) -> float:
        return max(getattr(found.total, k) / max(1, getattr(found.budget, k)) for k in NAMES)

    def _smallest(self) -> Plan:
        return self._plan(self.cuts[-1], float("inf"))

    def _crowded(self, found: Plan) -> str:
        """Say of which resources there is not enough, and who takes most of them."""
        parts = []
        for key in over(found.total, found.budget):
            most = sorted(found.nodes, key=lambda name: -getattr(found.nodes[name], key))[:3]
            takers = ", ".join(f"{name} {getattr(found.nodes[name], key)}" for name in most)
            used, there = getattr(found.total, key), getattr(found.budget, key)
            parts.append(f"{used} {NAMES[key]} of {there} (most of them: {takers})")
        cuts = f"{found.strips.number} strips" if found.strips.number > 1 else "whole frames"
        slow = _some(found.bottleneck)
        return f"at {found.pace} cycles per pixel, set by {slow}, {cuts} take " + " and ".join(parts)

    def _plan(self, cuts: Strips, limit: float) -> Plan:
        """Return the best folding within a limit of cycles per pixel; it may not fit."""
        choice = cheapest(self.space, cuts.widest, limit, self.budget)
        choice = exact(self.space, choice, self.goal.height, cuts.widest)
        if over(choice.total, self.budget):  # the estimate of the FIFOs was a little short
            tight = _less(self.budget, choice.total)
            again = exact(
                self.space, cheapest(self.space, cuts.widest, limit, tight), self.goal.height, cuts.widest
            )
            choice = choice if over(again.total, self.budget) else again
        return self._describe(choice, cuts)

    def _describe(self, choice: Choice, cuts: Strips) -> Plan:
        chosen: Mapping[str, Option] = choice.options
        pace = max(option.busy for option in chosen.values())
        cycles = self._cycles(cuts, pace)
        busy = [stage for o in chosen.values() for stage in o.stages if stage.busy == pace]
        folding: Config = {"Defaults": {}}
        for option in chosen.values():
            folding |= option.settings
        return Plan(
            folding=folding,
            strips=cuts,
            pace=pace,
            cycles_per_frame=cycles,
            fps=self.clock / cycles,
            nodes=choice.nodes,
            total=choice.total,
            budget=self.budget,
            bottleneck=tuple(stage.name for stage in sorted(busy, key=lambda stage: stage.kind not in UNITS)),
        )

    def _paces(self) -> list[int]:
        slowest = max(self.fastest.values())
        return sorted({o.busy for options in self.space.units.values() for o in options if o.busy >= slowest})

    def _fits(self, cuts: Strips, pace: int) -> bool:
        return not over(cheapest(self.space, cuts.widest, pace, self.budget).total, self.budget)

    def _fastest(self) -> Plan | None:
        """Return the fastest plan that fits, of all numbers of strips, or None."""
        best: Plan | None = None
        for cuts in self.cuts:
            for pace in self._candidates(cuts, best):
                found = self._plan(cuts, pace)
                if found.fits and (best is None or found.fps > best.fps):
                    best = found
                    break
            if best is not None and not self._can_be_faster(best):
                break
        return best

    def _can_be_faster(self, best: Plan) -> bool:
        """Whether more strips may help: only if a faster pace than the best so far fits the narrowest."""
        faster = [pace for pace in self._paces() if pace < best.pace]
        return bool(faster) and self._fits(self.cuts[-1], faster[-1])

    def _candidates(self, cuts: Strips, best: Plan | None) -> Iterator[int]:
        """Yield paces from the fastest that seems to fit and would be the best so far, a few."""
        least = 0.0 if best is None else best.fps
        paces = [pace for pace in self._paces() if self.clock / self._cycles(cuts, pace) > least]
        if not paces or not self._fits(cuts, paces[-1]):
            return
        low, high = 0, len(paces) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._fits(cuts, paces[middle]) else (middle + 1, high)
        yield from paces[low : low + 3]


def _less(budget: Resources, used: Resources) -> Resources:
    """Return a budget that is smaller by twice what was used too much."""
    return Resources(
        **{k: getattr(budget, k) - 2 * max(0, getattr(used, k) - getattr(budget, k)) for k in NAMES}
    )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
