# SPDX-License-Identifier: BSD-3-Clause
"""When the beats of a stream move through one module of `hw/rtl/`: a model in cycles, vectorised over beats.

A firing rule takes the cycles in which the beats of its inputs are offered (tvalid high) and returns the
cycles in which they are taken, and those in which the beats of its outputs are offered, if every output
is taken at once. Latencies and intervals are those of the modules' headers; docs/scheduling.md compares
the rules with simulation. Times are float64 and whole numbers.

Everything is built of one recurrence, t[i] = max(earliest[i], t[i-1] + gap), which is a running maximum:
t[i] - i*gap = max over k <= i of (earliest[k] - k*gap).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

Times = np.ndarray
"""(beats,) float64: a cycle for every beat of a stream, never falling."""

UNITS = ("XnorMVU", "Int8MVU")
"""The matrix-vector units, which take several cycles for a beat."""

NEVER = -np.inf
"""As an earliest time: no condition."""

Sizes = Sequence[tuple[int, int]]
"""(height, width) of consecutive frames, in pixels of the first input of a module."""


@dataclass(frozen=True)
class Stage:
    """A node of the graph as its firing rule sees it.

    Attributes:
        name: of the node.
        kind: name of the operator, "Window".
        inputs, outputs: names of the tensors of its streams.
        in_beats, out_beats: beats of a pixel, of each input and output.
        in_bits, out_bits: width of a beat.
        scale: pixels of the first input that is no vector per pixel of the network's input, along one axis; 0
            of a stage that has vectors alone.
        factor: pixels of the output per pixel of that input, along one axis; 0 if the output is a vector.
        latency: from the beat that completes a result to the result.
        passes: of a matrix-vector unit, NF: how often it goes over a vector.
        details: what else the rule of its kind needs.
        start: of a `NearestUp` or `Base`, a cycle before which it offers nothing.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    in_beats: tuple[int, ...]
    out_beats: tuple[int, ...]
    in_bits: tuple[int, ...]
    out_bits: tuple[int, ...]
    scale: int = 1
    factor: int = 1
    latency: int = 1
    passes: int = 1
    details: dict[str, int] = field(default_factory=dict)
    start: float = NEVER

    @property
    def busy(self) -> int:
        """Cycles that a pixel of the network's input takes at least, per frame on average."""
        if self.kind in UNITS:
            cycles = self.in_beats[0] * self.passes
        else:
            cycles = max(*self.in_beats, *(beats * self.factor**2 for beats in self.out_beats))
        return cycles * self.scale**2


@dataclass(frozen=True)
class Fired:
    """When the beats of a stage move.

    Attributes:
        taken: of every input, when its beats are taken.
        offered: of every output, when its beats are offered.
        freed: of a `NearestUp`, when the place of each beat in its memory becomes free.
    """

    taken: tuple[Times, ...]
    offered: tuple[Times, ...]
    freed: Times | None = None


def scan(earliest: Times, gap: float | Times, after: float = NEVER) -> Times:
    """Return t[i] = max(earliest[i], t[i-1] + gap), where t[-1] is `after`.

    Args:
        earliest: (n,).
        gap: the same between all, at least 1, or (n,): of each from the one before.
        after: when the one before the first was.
    """
    if not len(earliest):
        return earliest
    offset = np.arange(1, len(earliest) + 1) * gap if np.isscalar(gap) else np.cumsum(gap)
    times = earliest - offset
    times[0] = max(times[0], after)
    np.maximum.accumulate(times, out=times)
    times += offset
    if np.isscalar(gap) and gap == int(gap):
        return times
    return np.ceil(times - 1e-6)  # gaps that are no whole numbers: an average rate


def _behind_skid(offered: Times, needed: Times) -> Times:
    """Return when a skid buffer of two beats takes what its owner takes from it in the cycles `needed`."""
    taken = offered.copy()
    np.maximum(taken[2:], needed[:-2] + 1, out=taken[2:])
    return taken


def pipeline(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """A beat of every input in, a beat of every output out, one per cycle."""
    taken = scan(np.maximum.reduce(arrivals), 1)
    return Fired((taken,) * len(arrivals), (taken + stage.latency,) * len(stage.outputs))


def meet(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """A beat of the first input meets one of the second, which may hold for all beats of a pixel.

    With the detail `side` the second is a vector that is repeated in so many beats per pixel: it is there
    whenever it is needed, but not faster than that.
    """
    x, *others = arrivals
    gap = max(1.0, stage.details.get("side", 1) / stage.in_beats[0])
    if not others:
        taken = scan(x, gap)
        return Fired((taken,), (taken + stage.latency,))
    hold = stage.in_beats[0] // stage.in_beats[1]
    taken = scan(np.maximum(x, np.repeat(others[0], hold)), gap)
    return Fired((taken, taken[hold - 1 :: hold]), (taken + stage.latency,))


def global_mean(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """A beat in per cycle; what comes out is no stream of pixels, see hw/compiler/vectors.py."""
    return Fired((scan(arrivals[0], 1),), ())


def width_converter(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """stream_width: widen to the least common multiple of the widths, then narrow."""
    (arrival,) = arrivals
    middle = math.gcd(stage.in_beats[0], stage.out_beats[0])  # beats of a pixel between the two
    widen, narrow = stage.in_beats[0] // middle, stage.out_beats[0] // middle
    taken = scan(arrival, 1)
    wide = taken[widen - 1 :: widen] + (1 if widen > 1 else 0)
    if narrow == 1:
        return Fired((taken,), (wide if widen > 1 else taken + 1,))
    parts = np.full((len(wide), narrow), NEVER)
    parts[:, 0] = wide + 2
    parts = scan(parts.ravel(), max(1.0, pace / (stage.scale**2 * stage.out_beats[0])))
    if widen == 1:  # the register is free again when the last part but one has left it
        taken = wide.copy()
        np.maximum(taken[1:], parts[narrow - 2 :: narrow][:-1], out=taken[1:])
    return Fired((taken,), (parts,))


def matrix_vector(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """SF beats in, NF passes of SF cycles, a result after each pass; a replay buffer if both are above 1."""
    (arrival,) = arrivals
    steps, passes = stage.in_beats[0], stage.passes
    if passes == 1:
        taken = scan(arrival, 1)
        return Fired((taken,), (taken[steps - 1 :: steps] + stage.latency,))
    if steps == 1:
        taken = scan(arrival, passes)
        results = taken[:, None] + np.arange(passes)
        return Fired((taken,), (results.ravel() + stage.latency,))
    # A word is read a cycle after it came; the last read of a vector is at `end`. A word of the next vector
    # takes the place of one of this vector in the cycle after the last pass has read that.
    come = scan(arrival, 1).reshape(-1, steps)
    first_pass = (come + np.arange(steps, 0, -1)).max(axis=1)
    end = scan(first_pass + (passes - 1) * steps, passes * steps)
    taken = come.copy()
    np.maximum(taken[1:], end[:-1, None] - steps + 2 + np.arange(steps), out=taken[1:])
    results = end[:, None] - np.arange(passes - 1, -1, -1) * steps
    return Fired((scan(taken.ravel(), 1),), (results.ravel() + stage.latency,))


def window(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """Row 0 fills the memory, rows 1 and on come with column steps, the last row of steps needs no pixels.

    Those last steps go at the pace, as their receiver takes them, and row 0 of the next frame behind them.
    """
    (arrival,) = arrivals
    beats = stage.in_beats[0]
    slow = max(1.0, pace / (stage.scale**2 * beats))
    inside: list[Times] = []
    results: list[Times] = []
    position, last_pixel, last_step, flush = 0, NEVER, NEVER, np.empty(0)
    for height, width in sizes:
        row, total = width * beats, height * width * beats
        gap = 2 if row == 1 else 1
        come = arrival[position : position + total] + 1  # behind the skid buffer
        position += total
        first = come[:row].copy()
        shared = min(row, len(flush))
        np.maximum(first[:shared], flush[:shared], out=first[:shared])
        filled = scan(first, gap, last_pixel)
        gaps = np.full(total, float(gap))
        gaps[total - row :] = max(slow, gap)
        earliest = np.concatenate([come[row:], np.full(row, NEVER)])
        steps = scan(earliest, gaps, max(filled[-1] + 1 - gaps[0], last_step))
        alone = steps[-1] + np.ceil(gaps[-1] * np.arange(1, beats + 1))
        inside += [filled, steps[: total - row]]
        results += [steps[beats:], alone]
        last_pixel, last_step = (steps[total - row - 1] if height > 1 else filled[-1]), steps[-1]
        flush = steps[total - row :]
    return Fired((_behind_skid(arrival, np.concatenate(inside)),), (np.concatenate(results) + 2,))


def pixel_shuffle(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """A row enters the places in the order in which the row before leaves them.

    Reading starts when the last block of the row begins to enter. A frame of another width waits until the
    buffer is empty.
    """
    arrival, taken_all = arrivals[0], None
    beats, block = stage.in_beats[0], stage.details["block"]
    if not stage.details["order"]:  # a pixel is collected and sent on in another order
        taken_all = scan(arrival, 1)
        pixels = np.full((len(arrival) // beats, beats), NEVER)
        pixels[:, 0] = taken_all[beats - 1 :: beats] + 2
        arrival = scan(pixels.ravel(), 1)
    gap = max(1.0, pace / (stage.scale**2 * beats))
    entered: list[Times] = []
    left: list[Times] = []
    position, before, last_in, last_out = 0, 0, NEVER, NEVER
    for height, width in sizes:
        row = width * beats
        if width != before:
            last_in, before = max(last_in, last_out + 4), width
            places = np.full(row, NEVER)
        for _ in range(height):
            write = scan(np.maximum(arrival[position : position + row], places), 1, last_in)
            position += row
            earliest = np.full(row, NEVER)
            earliest[0] = write[row - block - 1] + 2
            earliest[block] = write[-1] + 1
            read = scan(earliest, gap, last_out)
            entered.append(write)
            left.append(read)
            last_in, last_out, places = write[-1], read[-1], read + 1
    taken = np.concatenate(entered)
    if (
        taken_all is not None
    ):  # a pixel is collected while the one before is kept and the one before that leaves
        gone = taken.reshape(-1, beats)[:, -1]
        taken = taken_all
        np.maximum(taken[2 * beats :: beats], gone[:-2], out=taken[2 * beats :: beats])
        taken = scan(taken, 1)
    return Fired((taken,), (np.concatenate(left) + 2,))


def nearest_up(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """A FIFO whose rows are read `factor` times, its pixels `factor` times each.

    With the detail `depth` it holds as many beats; without, any number.
    """
    (arrival,) = arrivals
    beats, factor, depth = stage.in_beats[0], stage.factor, stage.details.get("depth", 0)
    gap = max(1.0, pace / (stage.scale**2 * factor**2 * beats))
    freed = np.empty(len(arrival))
    entered = arrival.copy()
    left: list[Times] = []
    position, last_in, last_out = 0, NEVER, stage.start - 2 - gap
    for height, width in sizes:
        row = width * beats
        for _ in range(height):
            end = position + row
            earliest = arrival[position:end].copy()
            if depth and end > depth:
                start = max(position, depth)
                np.maximum(
                    earliest[start - position :],
                    freed[start - depth : end - depth],
                    out=earliest[start - position :],
                )
            entered[position:end] = scan(earliest, 1, last_in)
            first = np.full((factor, width, factor, beats), NEVER)
            first[0, :, 0] = entered[position:end].reshape(width, beats) + 1
            read = scan(first.ravel(), gap, last_out)
            freed[position:end] = read.reshape(factor, width, factor, beats)[-1, :, -1].ravel() + 1
            left.append(read)
            last_in, last_out, position = entered[end - 1], read[-1], end
    return Fired((entered,), (np.concatenate(left) + 2,), freed)


def base(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """Three rows of memory. An output row needs its own and, in its outer half, the one before or after."""
    (arrival,) = arrivals
    beats, factor = stage.in_beats[0], stage.factor
    if factor == 1:
        return pipeline(stage, arrivals, sizes, pace)
    gap = max(1.0, pace / (stage.scale**2 * factor**2 * beats))
    lead = (3 if factor == 2 else factor) * beats + 9  # from the last word that it needs to the first result
    entered: list[Times] = []
    left: list[Times] = []
    released = [NEVER] * 3  # when the rows before these left the memory
    position, last_in, last_out, opened = 0, NEVER, stage.start - gap, NEVER
    for height, width in sizes:
        row = width * beats
        complete: list[float] = []
        last_in = max(last_in, opened)
        first_row = len(entered)
        for y in range(height + 1):
            if y < height:
                earliest = arrival[position : position + row].copy()
                earliest[0] = max(earliest[0], released[first_row + y])
                entered.append(scan(earliest, 1, last_in))
                position, last_in = position + row, entered[-1][-1]
                complete.append(last_in)
            # Output rows that need no row after this one: the later half of row y - 1, the first of row y.
            parts = [(y - 1, part) for part in range(factor - factor // 2, factor)] if y else []
            parts += [(y, part) for part in range(factor - factor // 2)] if y < height else []
            for of, part in parts:
                earliest = np.full(row * factor, NEVER)
                earliest[0] = complete[min(y, height - 1)] + lead
                left.append(scan(earliest, gap, last_out))
                last_out = left[-1][-1]
                done = last_out - lead + factor * beats + 1
                if part == factor // 2 - 1 and of > 0:
                    released.append(done)
                if part == factor - 1 and of == height - 1:
                    released.append(done)
                if of == 0 and part == 0:
                    opened = left[-1][0] - lead
    return Fired((np.concatenate(entered),), (np.concatenate(left),))


def repeat_channels(stage: Stage, arrivals: Sequence[Times], sizes: Sizes, pace: float) -> Fired:
    """A pixel is collected; it leaves while the beats of the next one but the last are collected."""
    (arrival,) = arrivals
    beats, results = stage.in_beats[0], stage.out_beats[0]
    come = scan(arrival + 1, 1)
    parts = np.full((len(come) // beats, results), NEVER)
    parts[:, 0] = come[beats - 1 :: beats] + 1
    parts = scan(parts.ravel(), max(1.0, pace / (stage.scale**2 * results)))
    inside = come.copy()
    np.maximum(inside[beats - 1 :: beats], parts[::results] - 1, out=inside[beats - 1 :: beats])
    return Fired((_behind_skid(arrival, scan(inside, 1)),), (parts,))


Rule = Callable[[Stage, Sequence[Times], Sizes, float], Fired]

RULES: dict[str, Rule] = {
    "Window": window,
    "XnorMVU": matrix_vector,
    "Int8MVU": matrix_vector,
    "TwoPieceRequant": pipeline,
    "RSign": pipeline,
    "Join": pipeline,
    "Output": pipeline,
    "PlainOutput": pipeline,
    "Table": pipeline,
    "Multiply": meet,
    "Compare": meet,
    "GlobalMean": global_mean,
    "Fork": pipeline,
    "Fifo": pipeline,
    "WidthConverter": width_converter,
    "PixelShuffle": pixel_shuffle,
    "NearestUp": nearest_up,
    "RepeatChannels": repeat_channels,
    "Base": base,
}
"""The firing rule of every operator that sees pixels."""
