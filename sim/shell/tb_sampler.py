# SPDX-License-Identifier: BSD-3-Clause
"""shell_sampler: exactly the samples that its header promises, of taps that change in every cycle."""

from __future__ import annotations

import json
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge


class Bench:
    """The sampler, and what it should have counted: slot n of a round is n cycles after its begin."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.rng = random.Random(int(os.environ["BITMEND_SEED"]))
        parameters = json.loads(os.environ["BITMEND_PARAMETERS"])
        self.taps, self.period = parameters["TAPS"], parameters["PERIOD"]
        self.slot = self.rounds = 0
        self.counting = self.zero = self.wanted = False
        self.blocked, self.starved = [0] * self.taps, [0] * self.taps
        for name in ("busy", "clear", "read", "which", "taps_valid", "taps_ready"):
            getattr(dut, name).value = 0
        dut.rst.value = 1
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
        self.running = False

    async def reset(self) -> None:
        """Reset, and begin to predict."""
        for _ in range(3):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.slot, self.zero = 0, True
        cocotb.start_soon(self._predict())

    async def _predict(self) -> None:
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            if self.slot < self.taps:
                valid, ready = (int(s.value) >> self.slot & 1 for s in (dut.taps_valid, dut.taps_ready))
                if self.zero:
                    self.blocked[self.slot] = self.starved[self.slot] = 0
                elif self.counting:
                    self.blocked[self.slot] += valid & ~ready & 1
                    self.starved[self.slot] += ready & ~valid & 1
            self.wanted |= bool(int(dut.clear.value))
            self.slot += 1
            if self.slot == self.period:
                self.rounds = 0 if self.wanted else self.rounds + self.counting
                self.slot, self.zero = 0, self.wanted
                self.counting, self.wanted = bool(int(dut.busy.value)) and not self.wanted, False
            await RisingEdge(dut.clk)
            self.drive()

    def drive(self) -> None:
        """Give every tap any state, and busy now and then another one."""
        self.dut.taps_valid.value = self.rng.getrandbits(self.taps)
        self.dut.taps_ready.value = self.rng.getrandbits(self.taps)
        if self.rng.random() < 0.01:
            self.dut.busy.value = self.rng.randrange(2)

    async def pulse(self, name: str, answer: str) -> None:
        """Raise a signal for a cycle and wait for its answer."""
        getattr(self.dut, name).value = 1
        await RisingEdge(self.dut.clk)
        getattr(self.dut, name).value = 0
        for _ in range(3 * self.period):
            await FallingEdge(self.dut.clk)
            if int(getattr(self.dut, answer).value):
                return
        raise AssertionError(f"no {answer} within {3 * self.period} cycles")


@cocotb.test()
async def counts(dut):
    """Counters, read and cleared at any time while they count."""
    bench = Bench(dut)
    await bench.reset()
    for turn in range(40):
        for _ in range(bench.rng.randrange(3 * bench.period)):
            await RisingEdge(dut.clk)
        if turn % 7 == 6:
            await bench.pulse("clear", "cleared")
            await RisingEdge(dut.clk)
            continue
        tap = bench.rng.randrange(bench.taps)
        dut.which.value = tap
        # The answer holds all of the round before it, which ends with the slot that belongs to it
        await bench.pulse("read", "answer")
        word = int(dut.counts.value)
        early = bench.slot > tap  # the tap has been visited in the round since
        for name, got, want in (
            ("blocked", word & 0xFFFF_FFFF, bench.blocked[tap]),
            ("starved", word >> 32, bench.starved[tap]),
        ):
            assert 0 <= want - got <= int(early), (
                f"{name} of tap {tap}: {got}, expected {want} at slot {bench.slot}"
            )
        await RisingEdge(dut.clk)
    dut.busy.value = 0
    bench.drive = lambda: None
    for _ in range(3 * bench.period):
        await RisingEdge(dut.clk)
    total = 0
    for tap in range(bench.taps):
        dut.which.value = tap
        await bench.pulse("read", "answer")
        assert int(dut.counts.value) == bench.blocked[tap] | bench.starved[tap] << 32, tap
        total += bench.blocked[tap]
        await RisingEdge(dut.clk)
    assert int(dut.samples.value) == bench.rounds
    assert total > 0


@cocotb.test()
async def saturation(dut):
    """A counter stays at its largest value."""
    bench = Bench(dut)
    await bench.reset()
    bench.drive = lambda: None
    dut.busy.value = 1
    dut.taps_valid.value = 1
    for _ in range(2 * bench.period):
        await RisingEdge(dut.clk)
    dut.u_counts.g_block.memory[0].value = (0xFFFF_FFFE << 32) | 0xFFFF_FFFD
    for _ in range(5 * bench.period):
        await RisingEdge(dut.clk)
    dut.which.value = 0
    await bench.pulse("read", "answer")
    assert int(dut.counts.value) == (0xFFFF_FFFE << 32) | 0xFFFF_FFFF
