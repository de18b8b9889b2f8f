# SPDX-License-Identifier: BSD-3-Clause
"""Drivers and monitors for the streams of the library, and the bench that clocks them.

Signals are sampled at the falling edge, where they are settled, and driven after the rising edge: no race, on
any simulator. One coroutine serves all ports of a design, so a cycle costs two awaits however many there are.
The drivers of cocotbext-axi, which simulate the board's AXI, are not used here: without `tlast` they make a
frame object of every beat, and they leave the last data on an idle bus, where these drive noise.
"""

from __future__ import annotations

import json
import os
import random
from collections import deque
from collections.abc import Callable, Iterable

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge


class Stall:
    """A random stall pattern: bursts of busy and idle cycles.

    Args:
        rng: source of randomness.
        share: long-run share of stalled cycles, 0..1.
        burst: mean length of a stall in cycles, at least 1.
    """

    def __init__(self, rng: random.Random, share: float = 0.0, burst: float = 1.0) -> None:
        self.rng = rng
        self.stop = 1 / burst
        self.start = 1.0 if share >= 1 else min(1.0, share / (1 - share) / burst)
        self.stalled = False

    def __call__(self) -> bool:
        """Return whether the next cycle is stalled."""
        self.stalled = self.rng.random() < (1 - self.stop if self.stalled else self.start)
        return self.stalled


class Source:
    """Drives a stream into the design, with noise on tdata while tvalid is low.

    Attributes:
        queue: beats that wait; append to it at any time.
        sent: the beats that the design has taken, in order, as seen on its port.
        stall: decides each idle cycle whether to offer nothing.
    """

    def __init__(self, dut, prefix: str, rng: random.Random) -> None:
        self.tdata = getattr(dut, f"{prefix}_tdata")
        self.tvalid = getattr(dut, f"{prefix}_tvalid")
        self.tready = getattr(dut, f"{prefix}_tready")
        self.prefix = prefix
        self.bits = len(self.tdata)
        self.rng = rng
        self.queue: deque[int] = deque()
        self.sent: list[int] = []
        self.stall: Callable[[], bool] = Stall(rng)
        self.offered = False
        self.tvalid.value = 0

    def clear(self) -> None:
        """Forget everything, as a reset of the sender does."""
        self.queue.clear()
        self.sent.clear()
        self.offered = False
        self.tvalid.value = 0

    def sample(self) -> None:
        """Note what moves at the coming edge."""
        if self.offered and int(self.tready.value):
            self.sent.append(int(self.tdata.value))
            self.queue.popleft()
            self.offered = False

    def drive(self) -> None:
        """Offer the next beat, or noise."""
        if self.offered:
            return
        self.offered = bool(self.queue) and not self.stall()
        self.tdata.value = self.queue[0] if self.offered else self.rng.getrandbits(self.bits)
        self.tvalid.value = int(self.offered)


class Sink:
    """Takes a stream from the design and watches its handshake.

    Attributes:
        received: the beats taken, in order.
        cycles: the number of the cycle in which each was taken.
        stall: decides each cycle whether tready is low.
    """

    def __init__(self, dut, prefix: str, rng: random.Random) -> None:
        self.tdata = getattr(dut, f"{prefix}_tdata")
        self.tvalid = getattr(dut, f"{prefix}_tvalid")
        self.tready = getattr(dut, f"{prefix}_tready")
        self.prefix = prefix
        self.bits = len(self.tdata)
        self.received: list[int] = []
        self.cycles: list[int] = []
        self.stall: Callable[[], bool] = Stall(rng)
        self.held: int | None = None  # data that was valid and not taken
        self.ready = False
        self.cycle = 0
        self.tready.value = 0

    def clear(self) -> None:
        """Forget everything, as a reset of the receiver does."""
        self.received.clear()
        self.cycles.clear()
        self.held = None

    def sample(self) -> None:
        """Note what moves at the coming edge, and check that nothing valid was taken back or changed."""
        self.cycle += 1
        valid = self.tvalid.value
        assert valid.is_resolvable, f"{self.prefix}_tvalid is {valid}"
        data = int(self.tdata.value) if valid else None
        if self.held is not None:
            assert data is not None, f"{self.prefix}_tvalid fell before the beat was taken"
            assert data == self.held, (
                f"{self.prefix}_tdata changed while stalled: {self.held:#x} to {data:#x}"
            )
        self.held = data
        if data is not None and self.ready:
            self.received.append(data)
            self.cycles.append(self.cycle)
            self.held = None

    def drive(self) -> None:
        """Raise or lower tready."""
        self.ready = not self.stall()
        self.tready.value = int(self.ready)


class Bench:
    """A design with its clock, and sources and sinks on all its streams, found by their names.

    Streams are the ports `<prefix>_tdata/_tvalid/_tready`; those with a prefix s_... are driven, m_... taken.

    Attributes:
        parameters: of the design, as it was built; integers are checked against the design itself.
        rng: seeded by the runner.
        sources, sinks: by prefix.
        count: clock cycles so far.
    """

    def __init__(self, dut) -> None:
        self.dut = dut
        self.rng = random.Random(int(os.environ["BITMEND_SEED"]))
        self.parameters: dict = json.loads(os.environ["BITMEND_PARAMETERS"])
        for name, value in self.parameters.items():
            if isinstance(value, int):
                actual = int(getattr(dut, name).value)
                assert actual == value, f"parameter {name} is {actual} in the design, expected {value}"
        names = [name for name in dir(dut) if name.endswith("_tvalid")] or _ports(dut)
        prefixes = sorted(name.removesuffix("_tvalid") for name in names)
        self.sources = {p: Source(dut, p, self.rng) for p in prefixes if p.startswith("s_")}
        self.sinks = {p: Sink(dut, p, self.rng) for p in prefixes if p.startswith("m_")}
        self.count = 0
        dut.rst.value = 1
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        ports = [*self.sources.values(), *self.sinks.values()]
        while True:
            await FallingEdge(self.dut.clk)
            if not int(self.dut.rst.value):
                for port in ports:
                    port.sample()
            await RisingEdge(self.dut.clk)
            self.count += 1
            if not int(self.dut.rst.value):
                for port in ports:
                    port.drive()

    def set_stalls(self, source_share: float = 0.0, sink_share: float = 0.0, burst: float = 1.0) -> None:
        """Give every port its own random stalls."""
        for source in self.sources.values():
            source.stall = Stall(self.rng, source_share, burst)
        for sink in self.sinks.values():
            sink.stall = Stall(self.rng, sink_share, burst)

    async def cycles(self, number: int) -> None:
        """Wait for some clock cycles."""
        for _ in range(number):
            await RisingEdge(self.dut.clk)

    async def reset(self, number: int = 2) -> None:
        """Reset the design and empty all ports; everything under way is lost."""
        await RisingEdge(self.dut.clk)
        self.dut.rst.value = 1
        for port in (*self.sources.values(), *self.sinks.values()):
            port.clear()
        await self.cycles(number)
        for port in (*self.sources.values(), *self.sinks.values()):
            port.clear()
        self.dut.rst.value = 0

    def send(self, beats: dict[str, Iterable[int]]) -> None:
        """Queue beats on sources, by prefix."""
        for prefix, values in beats.items():
            self.sources[prefix].queue.extend(values)

    async def drain(self, expected: dict[str, int], patience: int = 5000) -> None:
        """Wait until each sink, by prefix, has received this many beats and all sources are empty.

        Raises:
            AssertionError: nothing moved for `patience` cycles, and what each port still waits for; or a sink
                has received far more than it should, which might go on for ever.
        """
        idle, before = 0, -1
        while any(s.queue for s in self.sources.values()) or any(
            len(self.sinks[p].received) < n for p, n in expected.items()
        ):
            await RisingEdge(self.dut.clk)
            moved = sum(len(s.sent) for s in self.sources.values())
            moved += sum(len(s.received) for s in self.sinks.values())
            idle, before = (idle + 1 if moved == before else 0), moved
            for prefix, n in expected.items():
                got = len(self.sinks[prefix].received)
                assert got <= 2 * n + patience, f"{prefix} has {got} beats, expected {n}, and no end"
            if idle > patience:
                waits = [f"{p} has {len(s.queue)} beats to send" for p, s in self.sources.items() if s.queue]
                for prefix, n in expected.items():
                    got = len(self.sinks[prefix].received)
                    waits += [f"{prefix} has {got} of {n} beats"] if got < n else []
                raise AssertionError(f"nothing moved for {patience} cycles: " + "; ".join(waits))


def _ports(dut) -> list[str]:
    """Names of all valid signals of a design, discovered from its ports."""
    return [handle._name for handle in dut if handle._name.endswith("_tvalid")]
