# SPDX-License-Identifier: BSD-3-Clause
"""Why the logic has stopped: which stage takes nothing any more, from the state of every stream.

A stream waits if its beat is not taken (valid, not ready) and is empty if it has none (not valid). From the
output the search goes back along empty streams, and at a fork that has stopped forward along waiting ones,
until a stage has beats at all inputs and gives none: that one has stopped.
"""

from __future__ import annotations

from typing import NamedTuple

from host import registers as reg
from host.design import Design, Stage
from host.port import Port


class Tap(NamedTuple):
    """A stream, seen twice.

    Attributes:
        stage: which.
        valid, ready: now.
        blocked, starved: samples since the first look in which it was valid and not ready, or ready and not
            valid.
    """

    stage: Stage
    valid: bool
    ready: bool
    blocked: int = 0
    starved: int = 0

    @property
    def waits(self) -> bool:
        """Whether its beat is not taken."""
        return self.valid and not self.ready and not self.starved

    @property
    def empty(self) -> bool:
        """Whether it has no beat."""
        return not self.valid and not self.blocked


def look(port: Port, design: Design, pause: float) -> list[Tap]:
    """Read the state of every stream, and its counters before and after a pause in seconds."""
    number = port.read(reg.STAGES)
    stages = design.stages
    if len(stages) != number:
        stages = tuple(Stage(f"stream {index}", "", "") for index in range(number))
    before = [_counters(port, index) for index in range(number)]
    port.wait(pause)
    words = range(0, number, 32)
    live = [[port.read(base + word // 8) for word in words] for base in (reg.TAP_VALID, reg.TAP_READY)]
    taps = []
    for index, stage in enumerate(stages):
        counts = (now - then for now, then in zip(_counters(port, index), before[index], strict=True))
        state = (bool(bits[index // 32] >> index % 32 & 1) for bits in live)
        taps.append(Tap(stage, *state, *counts))
    return taps


def _counters(port: Port, index: int) -> tuple[int, int]:
    offset = reg.PER_TAP * index
    return port.read(reg.BLOCKED + offset), port.read(reg.STARVED + offset)


def explain(taps: list[Tap]) -> str:
    """Return in one line what has stopped.

    Args:
        taps: of all streams; the last one is that of the frame sizes.
    """
    if not taps:
        return "the design does not say where"
    *streams, size = taps
    if not any(tap.stage.source or tap.stage.target for tap in streams):
        return _by_order(streams)
    output = [tap for tap in streams if not tap.stage.target]
    if any(tap.waits for tap in output):
        return "the memory takes no results (write DMA)"
    seen: set[str] = set()
    at = next((tap for tap in output if tap.empty), None)
    while at is not None:
        node = at.stage.source
        if not node:
            return "no pixels come from the memory (read DMA)"
        if node in seen:
            break
        seen.add(node)
        blocked = [tap for tap in streams if tap.stage.source == node and tap.waits]
        if blocked:
            return _forward(streams, blocked[0])
        inputs = [tap for tap in streams if tap.stage.target == node]
        at = next((tap for tap in inputs if tap.empty), None)
        if at is None:
            lack = "; it has not got the size of its frame" if size.empty and not size.ready else ""
            return f"stage '{node}' takes no beat, though one is there{lack}"
    return _by_order(streams)


def _forward(streams: list[Tap], at: Tap) -> str:
    """Follow a stream that waits to the stage that does not take it."""
    for _ in streams:
        node = at.stage.target
        onward = [tap for tap in streams if tap.stage.source == node and tap.waits]
        if not node or not onward:
            break
        at = onward[0]
    if not at.stage.target:
        return "the memory takes no results (write DMA)"
    return f"stage '{at.stage.target}' takes no beat from '{at.stage.source}', which is therefore blocked"


def _by_order(streams: list[Tap]) -> str:
    """Say what can be said without knowing what leads where: streams are numbered from input to output."""
    waiting = [tap for tap in streams if tap.waits]
    if waiting:
        return f"nothing takes the beats of stream '{waiting[-1].stage.name}'"
    return "no stream has a beat that is not taken: no pixels come from the memory (read DMA)"
