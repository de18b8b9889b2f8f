# SPDX-License-Identifier: BSD-3-Clause
"""Why nothing moves any more in a stitched top: which FIFO is too short.

A tensor that is read twice is forked, and both branches meet again in a join. The join needs a beat of each:
until the slow branch gives its first one, the FIFO of the other fills. If it is full before, the fork stops,
and nothing reaches the slow branch any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hw.compiler.top import Instance, Stream, Top
from hw.modules import ToolError


@dataclass(frozen=True)
class Snapshot:
    """A top in which nothing moves.

    Attributes:
        cycle: when.
        beats_in, beats_out: beats taken at s_axis and given at m_axis.
        states: (valid, ready) of every stream by its signal, and of s_size.
        held: beats in every FIFO, by the name of its node.
    """

    cycle: int
    beats_in: int
    beats_out: int
    states: dict[str, tuple[bool, bool]]
    held: dict[str, int]


class Deadlock(ToolError):
    """Nothing moves any more. The message is one line that names the cause.

    Attributes:
        snapshot: the state of all streams.
        table: the same as text, a line for each.
        fifo: name of the node whose FIFO is full; "" if that is not the cause.
    """

    def __init__(self, message: str, snapshot: Snapshot, table: str, fifo: str = "") -> None:
        super().__init__(message)
        self.snapshot, self.table, self.fifo = snapshot, table, fifo


@dataclass(frozen=True)
class _Reason:
    """What is wrong at a join: `fifo` is the full one, `closed` says whether it leads to that very join."""

    text: str
    fifo: str = ""
    closed: bool = False

    @property
    def rank(self) -> tuple[bool, bool]:
        return (not self.closed, not self.fifo)


@dataclass
class _Graph:
    """The top as a graph, with the states of its streams."""

    top: Top
    snapshot: Snapshot
    nodes: dict[str, Instance] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = {instance.node: instance for instance in self.top.instances}

    def into(self, node: str) -> list[Stream]:
        return [stream for stream in self.top.streams if stream.target == node]

    def out_of(self, node: str) -> list[Stream]:
        return [stream for stream in self.top.streams if stream.source == node]

    def empty(self, stream: Stream) -> bool:
        return not self.snapshot.states[stream.signal][0]

    def waits(self, stream: Stream) -> bool:
        return self.snapshot.states[stream.signal] == (True, False)

    def full(self, node: str) -> bool:
        """Whether a node is a FIFO, or a nearest_up, that takes nothing."""
        instance = self.nodes.get(node)
        return bool(instance and instance.depth) and all(self.waits(stream) for stream in self.into(node))


def explain(top: Top, snapshot: Snapshot) -> Deadlock:
    """Return the error for a top in which nothing moves: the join that starves, and the FIFO that is full.

    Args:
        top: what the top consists of.
        snapshot: its state.
    """
    graph = _Graph(top, snapshot)
    reasons = [reason for node in graph.nodes for reason in _starved(graph, node)]
    reasons.sort(key=lambda reason: reason.rank)  # stable: of equals the first in the graph
    reason = (reasons or [_Reason(_elsewhere(graph))])[0]
    message = f"{top.name}: deadlock at cycle {snapshot.cycle}: {reason.text}"
    return Deadlock(message, snapshot, _table(graph), reason.fifo)


def _starved(graph: _Graph, node: str) -> Iterator[_Reason]:
    """Give the reason why a join has a beat on one side and none on the other."""
    streams = graph.into(node)
    for empty in streams:
        if graph.empty(empty) and any(graph.waits(stream) for stream in streams):
            reason = _walk_back(graph, empty, node)
            yield replace(reason, text=f"join '{node}' waits for '{empty.target_port}'; {reason.text}")


def _walk_back(graph: _Graph, stream: Stream, join: str) -> _Reason:
    """Follow an empty stream back to the fork that has stopped, and its other branch forward."""
    while stream.source:
        node = stream.source
        blocked = [other for other in graph.out_of(node) if graph.waits(other)]
        if blocked:  # a fork, one copy of whose last beat is not taken yet
            return _walk_forward(graph, blocked[0], node, join)
        empty = [other for other in graph.into(node) if graph.empty(other)]
        if not empty:
            return _Reason(f"'{node}' takes no beat, though one is there: did it get the size of its frame?")
        stream = empty[0]
    return _Reason("no more beats come at s_axis")


def _walk_forward(graph: _Graph, stream: Stream, fork: str, join: str) -> _Reason:
    """Follow a blocked stream to where it ends; name the full FIFO on the way with the most room."""
    full: list[Instance] = []
    while True:
        node = stream.target
        if not node:
            return _Reason(f"'{fork}' has stopped because m_axis is not ready")
        if graph.full(node):
            full.append(graph.nodes[node])
        onward = [other for other in graph.out_of(node) if graph.waits(other)]
        if node == join or not onward:
            break
        stream = onward[0]
    if not full:
        text = f"'{fork}' has stopped, and there is no FIFO from it to '{node}': insert one"
        return _Reason(text, closed=node == join)
    fifo = max(full, key=lambda instance: instance.depth)
    text = f"FIFO '{fifo.node}' is full (depth {fifo.depth}): make it deeper"
    return _Reason(text, fifo.node, node == join)


def _elsewhere(graph: _Graph) -> str:
    """Return what can be said when no join starves: the first node that takes no beat and gives none."""
    for stream in graph.top.streams:
        node = stream.target
        if node and graph.waits(stream) and all(graph.empty(other) for other in graph.out_of(node)):
            return f"'{node}' takes no beat at '{stream.target_port}' and gives none"
    snapshot = graph.snapshot
    return f"every stream is empty after {snapshot.beats_in} beats in and {snapshot.beats_out} out"


def _table(graph: _Graph) -> str:
    """Return the state of every stream, a line for each."""
    words = {
        (False, False): "empty, not ready",
        (False, True): "empty",
        (True, False): "waits",
        (True, True): "moves",
    }
    lines = [f"{graph.snapshot.beats_in} beats in, {graph.snapshot.beats_out} beats out"]
    for stream in graph.top.streams:
        source, target = stream.source or "s_axis", stream.target or "m_axis"
        held = graph.snapshot.held.get(stream.target)
        room = f" ({held} of {graph.nodes[stream.target].depth} beats)" if held is not None else ""
        lines.append(f"{words[graph.snapshot.states[stream.signal]]:16} {source} -> {target}{room}")
    lines.append(f"{words[graph.snapshot.states['s_size']]:16} s_size")
    return "\n".join(lines)
