# SPDX-License-Identifier: BSD-3-Clause
"""The shell on its testbench, as a driver sees it: registers, jobs, memory; and what must come of a job."""

from __future__ import annotations

import json
import os
import random
from dataclasses import astuple, dataclass, replace

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from hw.shell.registers import OFFSETS, REGISTERS
from sim.shell.axi3 import Memory, Mood
from sim.shell.axil import Registers

BASE, SIZE = 0x1000_0000, 1 << 16
"""Of the memory."""

REGISTER_BASE = 0x43C0_0000

BITS = {r.name: {f.name: f for f in r.fields} for r in REGISTERS if r.fields}
IDLE, QUEUE_FULL, RESETTING, HALTED = (
    1 << BITS["STATUS"][n].low for n in ("IDLE", "QUEUE_FULL", "RESETTING", "HALTED")
)
START, SOFT_RESET, CLEAR = (1 << BITS["CONTROL"][n].low for n in ("START", "SOFT_RESET", "CLEAR_COUNTERS"))


@dataclass(frozen=True)
class Job:
    """A job, in the order of its registers."""

    src_addr: int
    src_stride: int
    width: int
    height: int
    dst_addr: int
    dst_stride: int
    crop_x: int
    crop_y: int
    out_width: int
    out_height: int


NAMES = (
    "SRC_ADDR",
    "SRC_STRIDE",
    "WIDTH",
    "HEIGHT",
    "DST_ADDR",
    "DST_STRIDE",
    "CROP_X",
    "CROP_Y",
    "OUT_WIDTH",
    "OUT_HEIGHT",
)


class Bench:
    """The design with its memory and its registers.

    Attributes:
        rng: seeded by the runner.
        memory: the DDR.
        expected: what it should hold when all is done.
        count: clock cycles so far.
        read_wait, write_wait: cycles in which the network waited for pixels, and results were not taken.
        holding: share of cycles in which the network stands still.
    """

    def __init__(self, dut) -> None:
        self.dut = dut
        self.rng = random.Random(int(os.environ["BITMEND_SEED"]))
        self.p: dict = json.loads(os.environ["BITMEND_PARAMETERS"])
        self.memory = Memory(dut, BASE, SIZE, self.rng, self.p["OUTSTANDING"])
        self.expected = bytearray(self.memory.content)
        self.registers = Registers(dut, self.rng)
        self.count = 0
        self.read_wait = self.write_wait = 0
        self.holding = 0.0
        dut.hold.value = 0
        dut.rst.value = 1
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            if not int(dut.rst.value):
                self.memory.sample()
                self.registers.sample()
                self.read_wait += int(dut.pixels_tready.value) & ~int(dut.pixels_tvalid.value)
                self.write_wait += int(dut.result_tvalid.value) & ~int(dut.result_tready.value)
            await RisingEdge(dut.clk)
            self.count += 1
            if not int(dut.rst.value):
                self.memory.drive()
                self.registers.drive()
                if self.holding:
                    dut.hold.value = int(self.rng.random() < self.holding)

    async def cycles(self, number: int) -> None:
        """Wait for some clock cycles."""
        for _ in range(number):
            await RisingEdge(self.dut.clk)

    async def reset(self) -> None:
        """Reset the design and wait until it is idle."""
        await self.cycles(3)
        self.dut.rst.value = 0
        await self.wait(IDLE)

    async def read(self, name: str, offset: int = 0) -> int:
        """Read a register by its name."""
        data, response = (await self.registers.read(REGISTER_BASE + OFFSETS[name] + offset))[0]
        assert response == 0, f"{name}: response {response}"
        return data

    async def write(self, name: str, value: int, strobes: int = 0xF) -> None:
        """Write a register by its name."""
        response = await self.registers.write(REGISTER_BASE + OFFSETS[name], [value], strobes)
        assert response == 0, f"{name}: response {response}"

    async def wait(self, bits: int, value: int | None = None, patience: int = 60000) -> int:
        """Read STATUS until some bits are set, or equal `value`."""
        end = self.count + patience
        while True:
            status = await self.read("STATUS")
            if status & bits == (bits if value is None else value):
                return status
            assert self.count < end, f"STATUS is {status:#x} after {patience} cycles, expected {bits:#x}"

    async def start(self, job: Job) -> int:
        """Write the registers of a job, start it, and return ERRORS."""
        for name, value in zip(NAMES, astuple(job), strict=True):
            await self.write(name, value)
        await self.write("CONTROL", START)
        return await self.read("ERRORS")

    async def submit(self, job: Job) -> None:
        """Start a job as soon as there is room in the queue, and expect its result."""
        await self.wait(QUEUE_FULL, 0)
        self.expect(job)
        errors = await self.start(job)
        assert errors == 0, f"{job} was refused: ERRORS {errors:#x}"

    def random_mood(self) -> None:
        """Give memory, network and registers another temper."""
        rng = self.rng
        self.memory.mood = Mood(rng.choice((0, 0, 0.2, 0.6, 0.9)), rng.choice((0, 3, 30)), rng.random() < 0.3)
        self.holding = rng.choice((0, 0, 0.3, 0.8))
        self.registers.stall = rng.choice((0, 0.3, 0.7))
        if not self.holding:
            self.dut.hold.value = 0

    def calm(self) -> None:
        """Let nobody stall."""
        self.memory.mood, self.holding, self.registers.stall = Mood(delay=0), 0.0, 0.0
        self.dut.hold.value = 0

    def expect(self, job: Job) -> None:
        """Write what must come of a job to `expected`."""
        image, scale, channels = self.frame(job), self.p["SCALE"], self.p["CHANNELS"]
        result = 255 - image.repeat(scale, 0).repeat(scale, 1)
        region = result[job.crop_y :, job.crop_x :][: job.out_height, : job.out_width]
        for y, row in enumerate(region):
            at = job.dst_addr + y * job.dst_stride - BASE
            self.expected[at : at + job.out_width * channels] = row.tobytes()

    def frame(self, job: Job) -> np.ndarray:
        """Return the frame of a job, (height, width, channels)."""
        channels, rows = self.p["CHANNELS"], []
        for y in range(job.height):
            at = job.src_addr + y * job.src_stride - BASE
            rows.append(np.frombuffer(self.memory.content[at : at + job.width * channels], np.uint8))
        return np.stack(rows).reshape(job.height, job.width, channels)

    def check(self) -> None:
        """Compare all of the memory with what it should hold."""
        if self.memory.content == self.expected:
            return
        wrong = [i for i, (a, b) in enumerate(zip(self.memory.content, self.expected, strict=True)) if a != b]
        i = wrong[0]
        got, want = self.memory.content[i], self.expected[i]
        raise AssertionError(
            f"{len(wrong)} bytes differ, the first at {BASE + i:#x}: {got:#x}, expected {want:#x}"
        )

    def random_job(self, place: int = 0, places: int = 1, tiny: bool | None = None) -> Job:
        """Return a possible job whose result goes to one of several parts of the upper half of the memory."""
        rng, scale, channels = self.rng, self.p["SCALE"], self.p["CHANNELS"]
        if rng.random() < 0.4 if tiny is None else tiny:
            width, height = rng.choice(((1, 1), (1, rng.randint(1, 9)), (rng.randint(1, 9), 1), (2, 2)))
        else:
            width, height = rng.randint(1, self.p["MAX_WIDTH"]), rng.randint(1, 8)
        full_w, full_h = scale * width, scale * height
        crop_x, crop_y = (rng.choice((0, rng.randrange(n))) for n in (full_w, full_h))
        out_w = rng.choice((full_w - crop_x, rng.randint(1, full_w - crop_x), 1))
        out_h = rng.choice((full_h - crop_y, rng.randint(1, full_h - crop_y), 1))
        part = SIZE // 2 // places
        out_h = min(out_h, part // (out_w * channels))
        src = self._rows(width * channels, height, BASE, SIZE // 2)
        dst = self._rows(out_w * channels, out_h, BASE + SIZE // 2 + place * part, part)
        return Job(*src, width, height, *dst, crop_x, crop_y, out_w, out_h)

    def _rows(self, row: int, number: int, start: int, size: int) -> tuple[int, int]:
        """Return an address and a stride so that some rows fit."""
        room = (size - row) // max(number - 1, 1)
        assert room >= row, f"{number} rows of {row} bytes do not fit into {size}"
        stride = self.rng.choice(
            (row, min(room, row + self.rng.randint(0, 9)), self.rng.randint(row, min(room, 2 * row + 200)))
        )
        address = start + self.rng.randint(0, size - row - stride * (number - 1))
        return (address & ~127 if address & ~127 >= start and self.rng.random() < 0.2 else address), stride


def changed(job: Job, **values: int) -> Job:
    """Return a job with other values."""
    return replace(job, **values)
