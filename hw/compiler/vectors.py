# SPDX-License-Identifier: BSD-3-Clause
"""What schedules make of vectors: statistics of the frame before, which are no part of the way of the pixels.

A vector is made of one frame and read by the next. It waits in a RepeatPixels until its frame comes, so a
stage that it meets sees pixels alone; and a GlobalMean is the end of a branch. docs/scheduling.md says why
that does not change what the FIFOs need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hw.compiler.firing import NEVER, RULES, Stage, Times, scan


def pixel_path(graph: Sequence[Stage]) -> list[Stage]:
    """Return the stages of a graph that see pixels, in its order, without the inputs that vectors come by.

    Where a repeated vector meets pixels, the detail `side` is the number of beats in which it comes for a
    pixel, where those are narrowest.
    """
    path: list[Stage] = []
    repeated: dict[str, int] = {}
    for stage in graph:
        if stage.kind == "RepeatPixels":
            repeated[stage.outputs[0]] = stage.out_beats[0]
        elif stage.inputs[0] in repeated:  # a width converter
            repeated[stage.outputs[0]] = max(repeated[stage.inputs[0]], *stage.out_beats)
        elif stage.kind == "GlobalMean":
            path.append(replace(stage, outputs=(), out_beats=(), out_bits=()))
        elif stage.inputs[-1] in repeated:
            kept = {name: getattr(stage, name)[:1] for name in ("inputs", "in_beats", "in_bits")}
            path.append(replace(stage, **kept, details={"side": repeated[stage.inputs[-1]]}))
        elif stage.scale:
            path.append(stage)
    return path


@dataclass(frozen=True)
class Wait:
    """How long after the last pixel of a frame the next frame can begin at a stage that meets a vector of it.

    Attributes:
        mean: the GlobalMean that takes the frame.
        stage: the stage that begins the next one.
        cycles: from the last beat that `mean` takes to the first repeated beat at `stage`.
        initial: from the end of the reset to the first repeated beat at `stage`.
    """

    mean: str
    stage: str
    cycles: float
    initial: float


def waits(graph: Sequence[Stage]) -> list[Wait]:
    """Return a wait for every GlobalMean and every stage that meets a vector which depends on it."""
    found = []
    for mean in graph:
        if mean.kind == "GlobalMean":
            steps = np.arange(mean.out_beats[0])
            step = mean.details["step"]
            divided = _begin(graph, {mean.outputs[0]: step + 3 + step * steps})
            initial = _begin(graph, {mean.outputs[0]: 5 + 2 * steps})
            found += [Wait(mean.name, name, time, initial[name]) for name, time in divided.items()]
    return found


def _begin(graph: Sequence[Stage], offered: dict[str, Times]) -> dict[str, float]:
    """Return when the first beat of a repeated vector is offered to each stage that meets one.

    Args:
        graph: all stages.
        offered: when the beats of one GlobalMean are; those of the others never make anything wait.
    """
    offered = {name: times.astype(float) for name, times in offered.items()}
    begun: dict[str, float] = {}
    ways = {stage.outputs[0] for stage in graph if stage.kind == "RepeatPixels"}
    for stage in graph:
        if stage.kind == "GlobalMean":
            offered.setdefault(stage.outputs[0], np.full(stage.out_beats[0], NEVER))
        elif stage.kind == "RepeatPixels":
            last = scan(offered[stage.inputs[0]], 1)[-1]
            offered[stage.outputs[0]] = last + 2 + np.arange(stage.out_beats[0])
        elif stage.inputs[0] in ways or not stage.scale:
            alone = replace(stage, scale=1)
            fired = RULES[stage.kind](alone, [offered[name] for name in stage.inputs], [(1, 1)], 0)
            offered |= zip(stage.outputs, fired.offered, strict=True)
            ways |= set(stage.outputs) if stage.scale else set()
        elif stage.inputs[-1] in ways:
            begun[stage.name] = offered[stage.inputs[-1]][0]
    return {name: time for name, time in begun.items() if time > NEVER}
