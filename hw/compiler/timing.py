# SPDX-License-Identifier: BSD-3-Clause
"""The schedule of a graph: when every beat of every stream moves, without simulating the hardware.

Every stage fires by its rule (hw/compiler/firing.py) on streams of unlimited capacity. What limits the rate
inside the modules, rows of memory among it, is part of the rules. From the schedule follow the latency of the
first output, the cycles of a frame, and how many beats wait on each stream: hw/compiler/fifos.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from golden import layers as L
from hw.compiler.firing import RULES, UNITS, Fired, Sizes, Stage, Times
from hw.compiler.ops import StreamOp
from hw.compiler.transforms import stream_nodes, vectors
from hw.compiler.vectors import pixel_path, waits

LATENCY = {
    **{"TwoPieceRequant": 7, "RSign": 1, "Join": 2, "Output": 6, "Fork": 1, "Fifo": 2},
    **{"PlainOutput": 7, "Table": 2, "Multiply": 5, "Compare": 1},
}
"""Cycles from a beat in to its beat out, of operators whose latency does not depend on their parameters."""

FIFO_LATENCY = LATENCY["Fifo"]

FREE_DEPTH = 2
"""Beats that wait on a stream without a FIFO: registers at its ends hold them. FINN takes 2 for no FIFO."""

ESTIMATE_ROWS = 24
"""Rows of the schedules from which the cycles of a frame follow, at least."""

WARM_UP_ROWS = 4
"""Rows of a schedule beyond those that are under way in the graph at once."""


@dataclass
class Edge:
    """A stream between two stages.

    Attributes:
        tensor: its name.
        bits: width of a beat.
        offered: when its beats are offered by their stage.
        taken: when they are taken by the next one.
    """

    tensor: str
    bits: int
    offered: Times
    taken: Times

    def depth(self, offered: float = 0, taken: float = 0) -> int:
        """Return the capacity that lets every beat in when it is offered, with both ends shifted."""
        later = taken - offered
        if (self.taken[:-1] + later < self.offered[1:]).all():
            return 1
        gone = np.searchsorted(self.taken, self.offered - later, side="left")
        return 1 + int((np.arange(len(gone)) - gone).max())


@dataclass
class Hop:
    """A stream, and the stage behind it if that has just one input and one output.

    Attributes:
        edge: the stream.
        stage: the stage.
        fired: when it fires.
        fire: fires it again: called as fire(stage, offered), with other details or another input.
    """

    edge: Edge
    stage: Stage | None = None
    fired: Fired | None = None
    fire: Callable[[Stage, Times], Fired] | None = None


@dataclass(frozen=True)
class Schedule:
    """What a schedule says.

    Attributes:
        pace: cycles per pixel of the network's input, those of the busiest stage.
        first: when the first beat of output is offered, counted from the first pixel.
        finished: when the last beat of each frame is.
        depths: of every stream between two stages, the beats of capacity that it asks for.
        held: of every `NearestUp`, the beats that its memory holds at most.
        ended: of every `GlobalMean`, when it takes the last beat of each frame.
        begun: of every stage that meets a vector, when it takes the first beat of each frame.
    """

    pace: float
    first: float
    finished: tuple[float, ...]
    depths: dict[str, int]
    held: dict[str, int]
    ended: dict[str, Times]
    begun: dict[str, Times]


@dataclass(frozen=True)
class Estimate:
    """Cycles of a graph.

    Attributes:
        first: from the first pixel to the first beat of output.
        frame: from the first pixel to the last beat of output of a single frame.
        steady: from one frame to the next if no pixel is late. That includes the pause in which a frame waits
            for the statistics of the one before; a graph with beats to spare may make up for some of it.
        utilisation: of every stage, the share of cycles in which it works.
    """

    first: int
    frame: int
    steady: int
    utilisation: dict[str, float]


Area = Callable[[int, int], float]
"""Called as area(bits, depth): what a FIFO costs."""


def memory_bits(bits: int, depth: int) -> float:
    """Return the bits that a FIFO holds: an `Area`."""
    return bits * depth if depth > FREE_DEPTH else 0


def stages(model: ModelWrapper) -> list[Stage]:
    """Return the stages of a graph of our operators, in its order, without its FIFOs."""
    height = model.get_tensor_shape(L.PIXELS)[1]
    behind = {node.output[0]: node.input[0] for node in stream_nodes(model, "Fifo")}
    ones = vectors(model)
    nodes = [node for node in stream_nodes(model) if node.output[0] not in behind]
    graph = [stage_of(getCustomOp(node), height, node.input[0] in ones) for node in nodes]
    return [replace(stage, inputs=tuple(behind.get(name, name) for name in stage.inputs)) for stage in graph]


def fifo_depths(model: ModelWrapper) -> dict[str, int]:
    """Return the depth of every FIFO of a graph, by the stream that goes into it."""
    return {node.input[0]: getCustomOp(node)["depth"] for node in stream_nodes(model, "Fifo")}


def stage_of(op: StreamOp, height: int, vector: bool = False) -> Stage:
    """Return the stage of a node in a graph for frames of a height; `vector`: its first input is one."""
    node = op.onnx_node
    kind = op.kind
    ins, outs = op.inputs(), op.outputs()
    out_beats = tuple(port.channels // port.elements for port in outs)
    details: dict[str, int] = {}
    latency = LATENCY.get(kind, 1)
    if kind == "PixelShuffle":
        details = {"block": op["Factor"] * out_beats[0], "order": op["Order"]}
    if kind == "GlobalMean":
        details = {"step": ins[0].datatype.bitwidth() + op["Shift"] + 5}
    if kind in UNITS:
        latency = mvu_latency(kind, op["MW"] // op["SIMD"], op["SIMD"], dict(op.rtl().parameters))
    frame = op["ImgDim"][0]
    return Stage(
        name=node.name,
        kind=kind,
        inputs=tuple(node.input[: len(ins)]),
        outputs=tuple(node.output),
        in_beats=tuple(port.channels // port.elements for port in ins),
        out_beats=out_beats,
        in_bits=tuple(port.bits for port in ins),
        out_bits=tuple(port.bits for port in outs),
        scale=0 if vector and kind != "RepeatPixels" else frame // height,
        factor=0 if kind == "GlobalMean" else outs[0].height // frame,
        latency=latency,
        passes=op["MH"] // op["PE"] if kind in UNITS else 1,
        details=details,
    )


def mvu_latency(kind: str, steps: int, simd: int, parameters: Mapping[str, int | str]) -> int:
    """Return the cycles from the last beat of a vector to its first result; see the modules' headers."""
    if kind == "XnorMVU":
        inside, delay = 3 + int(math.log2(simd)) // 2, 5 + math.ceil(math.log2(simd)) // 2
    else:
        longest = 1 if parameters.get("PACK", 1) and not parameters.get("NARROW", 0) else 4
        chain = min(simd, longest)
        depth = chain + 2 + math.ceil(math.log2(-(-simd // chain)))
        inside, delay = depth + 2, depth + 2
    return inside + (2 if steps < 4 else -(-(delay + 1) // (steps - 1)))


def pace(graph: Sequence[Stage]) -> int:
    """Return the cycles per pixel of the network's input that the busiest stage takes."""
    return max(stage.busy for stage in graph)


def source(sizes: Sizes, beats: int, gap: float) -> Times:
    """Return when the beats of frames are offered: a pixel each `gap` cycles, its beats evenly between."""
    total = sum(height * width for height, width in sizes) * beats
    return np.floor(np.arange(total) * (gap / beats))


def schedule(
    graph: Sequence[Stage],
    sizes: Sizes,
    fifos: Set[str] = frozenset(),
    throttled: bool = True,
    area: Area = memory_bits,
) -> Schedule:
    """Fire all stages of a graph for some frames, one after the other without a pause.

    Vectors are there when they are needed; stages that have nothing else do not fire.
    Where two streams meet, the earlier one waits. If it comes through stages that it alone goes through, they
    may wait in its place; the beats are kept where that costs least.

    Args:
        graph: its stages, in order.
        sizes: (height, width) of the frames, in pixels of the network's input.
        fifos: streams with a FIFO, which has a latency.
        throttled: whether pixels come, and are made, at the pace of the graph; else as fast as possible.
        area: what a FIFO costs.
    """
    gap = pace(graph)
    graph = pixel_path(graph)
    depths: dict[str, int] = {}
    held: dict[str, int] = {}
    ended: dict[str, Times] = {}
    begun: dict[str, Times] = {}
    producers = {name: (stage, i) for stage in graph for i, name in enumerate(stage.outputs)}
    first = graph[0]
    offered: dict[str, Times] = {
        first.inputs[0]: source(sizes, first.in_beats[0], gap if throttled else first.in_beats[0])
    }
    ways: dict[str, list[Hop]] = {}
    for stage in graph:
        scaled = [(height * stage.scale, width * stage.scale) for height, width in sizes]
        arrivals = [offered[name] + FIFO_LATENCY * (name in fifos) for name in stage.inputs]
        fired = RULES[stage.kind](stage, arrivals, scaled, gap if throttled else 0)
        if stage.kind == "GlobalMean" or "side" in stage.details:
            ends = np.cumsum([height * width for height, width in scaled]) * stage.in_beats[0]
            ended[stage.name] = fired.taken[0][ends - 1]
            begun[stage.name] = fired.taken[0][[0, *ends[:-1]]]
        hops = []
        for name, bits, taken in zip(stage.inputs, stage.in_bits, fired.taken, strict=True):
            way = ways.pop(name, []) if name in producers else []
            hops.append([*way, Hop(Edge(name, bits, offered.pop(name), taken))])
        single = len(stage.inputs) == len(stage.outputs) == 1
        if len(stage.inputs) == 2:
            for way, name, beats in zip(hops, stage.inputs, stage.in_beats, strict=True):
                latency = FIFO_LATENCY * (name in fifos)
                if not throttled:
                    continue
                _begin_late(way, latency, gap / (stage.scale**2 * beats))
                edge = way[-1].edge
                _keep(way, math.floor((edge.taken - edge.offered).min()) - latency, area)
        if single:
            hop = hops[0][-1]
            hop.stage, hop.fired = stage, fired
            hop.fire = partial(_fire, FIFO_LATENCY * (stage.inputs[0] in fifos), scaled, gap)
            ways[stage.outputs[0]] = hops[0]
        else:
            for way in hops:
                _settle(way, depths, held)
        offered.update(zip(stage.outputs, fired.offered, strict=True))
    for way in ways.values():
        _settle(way, depths, held)
    last = graph[-1]
    (result,) = offered.values()
    ends = np.cumsum([h * w * (last.scale * last.factor) ** 2 * last.out_beats[0] for h, w in sizes])
    depths.pop(first.inputs[0])
    finished = tuple(float(result[end - 1]) for end in ends)
    return Schedule(gap, float(result[0]), finished, depths, held, ended, begun)


def estimate(graph: Sequence[Stage], height: int, width: int, fifos: Set[str] = frozenset()) -> Estimate:
    """Return the cycles of frames of a size; pixels come as fast as they are taken.

    Once every stage has begun, each further row takes as long as the busiest stage takes for it. So schedules
    of some rows are enough for any number of them.
    """
    row = width * pace(graph)
    tall = min(height, ESTIMATE_ROWS)
    while True:
        single = schedule(graph, [(tall, width)], fifos, throttled=False)
        if tall == height or single.first < (tall - WARM_UP_ROWS) * row:
            break
        tall = min(height, 2 * tall)
    several = schedule(graph, [(tall, width)] * 3, fifos, throttled=False)
    more = (height - tall) * row
    late, pause = 0.0, 0.0
    for wait in waits(graph):
        begun = several.begun[wait.stage]
        late = max(late, wait.initial - begun[0])
        pause = max(pause, several.ended[wait.mean][0] + wait.cycles - begun[1])
    return Estimate(
        first=math.ceil(single.first + late),
        frame=math.ceil(single.finished[0] + late) + more + 1,
        steady=math.ceil(several.finished[2] - several.finished[1] + pause) + more,
        utilisation={stage.name: stage.busy / pace(graph) for stage in graph},
    )


def _fire(latency: int, sizes: Sizes, gap: float, stage: Stage, offered: Times) -> Fired:
    return RULES[stage.kind](stage, [offered + latency], sizes, gap)


def _begin_late(way: list[Hop], latency: int, gap: float) -> None:
    """Let a stage that makes many pixels of one begin as late as its results are needed.

    It could make its first rows before it can go on at that rate, and they would have to be kept.

    Args:
        way: streams up to one where two streams meet.
        latency: of the last of them.
        gap: cycles between the beats of the last of them, on average.
    """
    index = next((i for i, hop in enumerate(way) if hop.stage and hop.stage.factor > 1), None)
    if index is None or way[index].stage.kind == "PixelShuffle":
        return
    end = way[-1].edge
    needed = (end.taken - np.arange(len(end.taken)) * gap).min() - latency
    later = math.floor(needed - end.offered[0])
    for _ in range(2):
        if later <= 0:
            return
        stage = way[index].stage
        stage = replace(stage, start=way[index].fired.offered[0][0] + later)
        times, offered = [], way[index].edge.offered
        for hop in way[index:-1]:
            fired = hop.fire(stage if hop is way[index] else hop.stage, offered)
            times.append((offered, fired))
            (offered,) = fired.offered
        excess = math.ceil((offered + latency - end.taken).max())
        if excess <= 0:
            for hop, (before, fired) in zip(way[index:-1], times, strict=True):
                hop.edge.offered, hop.edge.taken, hop.fired = before, fired.taken[0], fired
            end.offered = offered
            return
        later -= excess


def _held(fired: Fired, later: float = 0) -> int:
    """Return the beats that a NearestUp holds at most, if all its reads are that much later."""
    return Edge("", 0, fired.taken[0], fired.freed).depth(0, later - 1)  # freed is a cycle after the read


def _keep(way: list[Hop], slack: int, area: Area) -> None:
    """Let beats that come `slack` cycles too early for all of them wait where that costs least."""
    if slack <= 0 or len(way) < 2:
        return
    end = way[-1].edge
    late = area(end.bits, end.depth(offered=slack))
    best, where, inside = area(end.bits, end.depth()), None, False
    for index, hop in enumerate(way[:-1]):
        edge = hop.edge
        here = area(edge.bits, edge.depth(taken=slack)) - area(edge.bits, edge.depth()) + late
        if here < best:
            best, where, inside = here, index, False
        if hop.stage.kind == "NearestUp":
            before, after = (area(edge.bits, _held(hop.fired, later)) for later in (0, slack))
            here = after - before + late
            if here <= best or (where == index and not inside):
                best, where, inside = here, index, True
    if where is None:
        return
    for index, hop in enumerate(way):
        if index > where:
            hop.edge.offered = hop.edge.offered + slack
        reads = index >= where and hop.stage is not None
        writes = reads and not (inside and index == where)
        if writes:
            hop.edge.taken = hop.edge.taken + slack
        if reads and hop.fired.freed is not None:
            taken = hop.fired.taken[0] + (slack if writes else 0)
            hop.fired = Fired((taken,), hop.fired.offered, hop.fired.freed + slack)


def _settle(way: list[Hop], depths: dict[str, int], held: dict[str, int]) -> None:
    """Note what the streams of a way ask for; their times are not needed any more."""
    for hop in way:
        depths[hop.edge.tensor] = hop.edge.depth()
        if hop.fired is not None and hop.fired.freed is not None:
            held[hop.stage.name] = _held(hop.fired)
