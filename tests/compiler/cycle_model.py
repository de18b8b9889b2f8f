# SPDX-License-Identifier: BSD-3-Clause
"""A slow, simple simulation of a graph of stages with bounded streams, cycle by cycle and beat by beat.

It shares nothing with hw/compiler/firing.py but the description of a stage, and which of them see pixels. A
stage takes at most one beat of every input in a cycle and makes at most one step; whether it may follows from
how many of each there were.
"""

from collections import deque
from math import lcm

from hw.compiler.vectors import pixel_path


class Stream:
    """A register at each end; or one at the first, and a FIFO of `depth` beats if that is not 0."""

    def __init__(self, depth):
        self.room = 1 + max(1, depth)
        self.delay = 2 if depth else 0
        self.beats = deque()  # cycles from which they are there
        self.most = 0

    def ready(self):
        return len(self.beats) < self.room

    def push(self, cycle):
        self.beats.append(cycle + self.delay)
        self.most = max(self.most, len(self.beats) - (1 if self.delay else 0))

    def has(self, cycle):
        return bool(self.beats) and self.beats[0] <= cycle

    def __repr__(self):
        return f"{len(self.beats)} of {self.room}"


class Machine:
    """A stage: `takes` beats of each input and `steps` so far; results wait `latency` cycles."""

    def __init__(self, stage, sizes, ins, outs):
        self.stage, self.ins, self.outs = stage, ins, outs
        self.takes = self.steps = 0
        self.every = [stage.in_beats[0] // beats for beats in stage.in_beats]
        if stage.kind not in ("Multiply", "Compare", "Join", "Output"):
            self.every = [1]  # a beat of the first input for every beat of it
        self.latency = LATENCY.get(stage.kind, stage.latency)
        self.results = deque()
        self.plan = list(
            PLANS.get(stage.kind, one_to_one)(stage, sizes)
        )  # a step: (beats needed, makes a result)
        self.room = list(
            ROOM.get(stage.kind, little_room)(stage, sizes, self.plan)
        )  # a beat: steps before it

    def done(self):
        return self.steps == len(self.plan) and not self.results

    def cycle(self, now):
        moved = False
        room = self.takes < len(self.room) and self.steps >= self.room[self.takes]
        if room and all(stream.has(now) for stream in self.ins):
            self.takes += 1
            for stream, every in zip(self.ins, self.every, strict=True):
                if self.takes % every == 0:  # a factor stays until the last beat of its pixel
                    stream.beats.popleft()
            moved = True
        if self.steps < len(self.plan) and len(self.results) <= self.latency:
            needed, result = self.plan[self.steps]
            if self.takes >= needed:
                self.steps += 1
                if result:
                    self.results.append(now + self.latency - 1)
                moved = True
        if self.results and self.results[0] <= now and all(out.ready() for out in self.outs):
            self.results.popleft()
            for out in self.outs:
                out.push(now + 1)
            moved = True
        return moved


def pixels(sizes):
    return sum(height * width for height, width in sizes)


def one_to_one(stage, sizes):
    return ((i + 1, bool(stage.outputs)) for i in range(pixels(sizes) * stage.in_beats[0]))


def little_room(stage, sizes, plan):
    """A beat enters when the one before the last has been used."""
    used = [0] * (max(needed for needed, _ in plan) + 1)
    for index, (needed, _) in enumerate(plan):
        used[needed] = index + 1
    for needed in range(1, len(used)):
        used[needed] = max(used[needed], used[needed - 1])
    return [used[max(0, i - 1)] for i in range(pixels(sizes) * stage.in_beats[0])]


def window_plan(stage, sizes):
    start, beats = 0, stage.in_beats[0]
    for height, width in sizes:
        total = height * width * beats
        for i in range(total):
            yield start + min(total, i + (width + 1) * beats + 1), True
        start += total


def window_room(stage, sizes, plan):
    start, beats, before = 0, stage.in_beats[0], 0
    for height, width in sizes:
        row = width * beats
        for j in range(height * row):
            if j < row:  # behind the last row of the frame before
                yield min(start, start + j - before) if start else 0
            else:
                yield max(start, start + j - row - beats - 1)
        start += height * row
        before = row + beats


def mvu_plan(stage, sizes):
    words = stage.in_beats[0]
    for vector in range(pixels(sizes)):
        for number in range(stage.passes):
            for word in range(words):
                yield vector * words + (word + 1 if number == 0 else words), word == words - 1


def mvu_room(stage, sizes, plan):
    words, passes = stage.in_beats[0], stage.passes
    for vector in range(pixels(sizes)):
        for word in range(words):
            if words == 1 or passes == 1:
                yield max(0, vector * words * passes + word - (1 if passes == 1 else 0))
            else:
                yield max(0, (vector * passes - 1) * words + word + 1)


def shuffle_plan(stage, sizes):
    start = 0
    for height, width in sizes:
        row = width * stage.in_beats[0]
        for _ in range(height):
            for k in range(row):
                yield start + (row - stage.details["block"] + 1 if k < stage.details["block"] else row), True
            start += row


def shuffle_room(stage, sizes, plan):
    start, before = 0, 0
    for height, width in sizes:
        row = width * stage.in_beats[0]
        for y in range(height):
            for k in range(row):
                yield start if y == 0 and width != before else max(0, start - row + k + 1)
            start += row
            before = width


def nearest_order(stage, sizes):
    """(beat, first visit, last visit) of every step."""
    start, beats, factor = 0, stage.in_beats[0], stage.factor
    for height, width in sizes:
        for _ in range(height):
            for i in range(factor):
                for x in range(width):
                    for j in range(factor):
                        for k in range(beats):
                            yield start + x * beats + k, i == j == 0, i == j == factor - 1
            start += width * beats


def nearest_plan(stage, sizes):
    return ((beat + 1, True) for beat, _, _ in nearest_order(stage, sizes))


def nearest_room(stage, sizes, plan):
    freed = {beat: n + 1 for n, (beat, _, last) in enumerate(nearest_order(stage, sizes)) if last}
    depth = stage.details["depth"]
    for j in range(len(freed)):
        yield freed[j - depth] if j >= depth else 0


def base_plan(stage, sizes):
    start, beats, factor = 0, stage.in_beats[0], stage.factor
    for height, width in sizes:
        row = width * beats
        for y in range(height):
            for part in range(factor):
                after = part >= factor - factor // 2 and y < height - 1
                for _ in range(row * factor):
                    yield start + row * (y + 1 + after), True
        start += height * row


def base_room(stage, sizes, plan):
    """A row enters when the third one before it is not needed any more."""
    beats, factor, start = stage.in_beats[0], stage.factor, 0
    released, rows = [], []
    for height, width in sizes:
        part = width * factor * beats
        for y in range(height):
            last = factor if y == height - 1 else factor + factor // 2
            released.append(start + y * factor * part + last * part)
            rows.append(width * beats)
        start += height * factor * part
    for n, row in enumerate(rows):
        for _ in range(row):
            yield released[n - 3] if n >= 3 else 0


def width_plan(stage, sizes):
    before, after = stage.in_beats[0], stage.out_beats[0]
    for pixel in range(pixels(sizes)):
        for i in range(after):
            yield pixel * before + -(-(i + 1) * before // after), True


def width_room(stage, sizes, plan):
    before, after = stage.in_beats[0], stage.out_beats[0]
    whole = lcm(before, after)
    for j in range(pixels(sizes) * before):
        bits = j * (whole // before) - max(whole // before, whole // after)  # what must have left
        yield max(0, -(-bits // (whole // after)))


def repeat_plan(stage, sizes):
    for pixel in range(pixels(sizes)):
        for _ in range(stage.out_beats[0]):
            yield (pixel + 1) * stage.in_beats[0], True


def repeat_room(stage, sizes, plan):
    for pixel in range(pixels(sizes)):
        for _ in range(stage.in_beats[0]):
            yield max(0, (pixel - 1) * stage.out_beats[0])


PLANS = {
    "Window": window_plan,
    "XnorMVU": mvu_plan,
    "Int8MVU": mvu_plan,
    "PixelShuffle": shuffle_plan,
    "NearestUp": nearest_plan,
    "Base": base_plan,
    "WidthConverter": width_plan,
    "RepeatChannels": repeat_plan,
}
LATENCY = {
    "Window": 3,
    "WidthConverter": 2,
    "NearestUp": 3,
    "PixelShuffle": 3,
    "RepeatChannels": 2,
    "Base": 12,
}
"""Cycles, about, of those that do not say so in their stage."""

ROOM = {
    "Window": window_room,
    "XnorMVU": mvu_room,
    "Int8MVU": mvu_room,
    "PixelShuffle": shuffle_room,
    "NearestUp": nearest_room,
    "Base": base_room,
    "WidthConverter": width_room,
    "RepeatChannels": repeat_room,
}


def simulate(graph, sizes, depths, patience=2000):
    """Return (cycles until everything is through, or None if it stopped for ever; the streams).

    Vectors are always there: stages that have nothing else are left out.
    """
    graph = pixel_path(graph)
    streams = {name: Stream(depths.get(name, 0)) for stage in graph for name in stage.outputs}
    source = Stream(1 << 60)
    streams[graph[0].inputs[0]] = source
    first = graph[0]
    for _ in range(pixels(sizes) * first.in_beats[0]):
        source.beats.append(0)
    machines = []
    for stage in graph:
        scaled = [(height * stage.scale, width * stage.scale) for height, width in sizes]
        ins = [streams[name] for name in stage.inputs]
        machines.append(Machine(stage, scaled, ins, [streams[name] for name in stage.outputs]))
    result = streams[graph[-1].outputs[0]]
    now = idle = 0
    while not all(machine.done() for machine in machines):
        moved = False
        if result.beats:
            result.beats.popleft()
        for machine in reversed(machines):
            moved |= machine.cycle(now)
        now += 1
        idle = 0 if moved else idle + 1
        if idle > patience:
            return None, streams
    return now, streams
