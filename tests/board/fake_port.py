# SPDX-License-Identifier: BSD-3-Clause
"""A board in Python: registers that behave as docs/registers.md says, jobs that the golden model does.

Each is restored with the statistics of the job before, if the network has any.

Fast, and with faults on request. Memory has a cache: what is not flushed or invalidated is not seen. What it
holds from before the first flush of a buffer comes over what the logic has written.
"""

from collections import deque

import numpy as np

from golden.statistics import initial, run_with
from host import RestoreError
from host import registers as reg
from host.accelerator import _JOB_REGISTERS, Job
from host.registers import (
    CLEAR_COUNTERS,
    HALTED,
    IDLE,
    JOBS_DONE,
    QUEUE_FULL,
    RESETTING,
    SOFT_RESET,
    START,
)

CLOCK_HZ = 100_000_000
CYCLES_PER_PIXEL = 4
DEPTH = 4
BASE = 0x1000_0000
STOPS = "stops"
FOR_EVER = 1 << 24  # cycles with jobs under way in which STATUS does not change and no register is written


class FakeBuffer:
    def __init__(self, port, address, size):
        self.port, self.address = port, address
        self.array = np.full(size, 0xA5, np.uint8)
        self.dirty = True
        self.memory = port.memory[address - BASE : address - BASE + size]

    def flush(self):
        self.memory[...] = self.array
        self.dirty = False

    def invalidate(self):
        self.array[...] = self.memory

    def free(self):
        self.port.regions.pop(self.address, None)
        self.dirty = False


class FakePort:
    """What happens to a job that begins, `fault` says: None, STOPS, or the number of a bit in ERRORS."""

    slack = 0.0

    def __init__(self, network, limits=(64, 24), memory=1 << 20, taps=()):
        self.network, self.limits = network, limits
        self.statistics = initial(network)
        self.memory = np.random.default_rng(1).integers(0, 256, memory, np.uint8)
        self.regions = {}
        self.words = {offset: 0 for offset in _JOB_REGISTERS}
        self.taps = list(taps)  # (valid, ready) of each stream
        self.queue, self.started = deque(), []
        self.fault = lambda job: None
        self.fails, self.rate = None, CYCLES_PER_PIXEL
        self.left = self.cycle = self.done = self.errors = self.most = self.beats = self.counted = 0
        self.done_after_reset = self.still = 0
        self.buffers = []
        self.halted = self.resetting = False
        self.reset_sticks = False
        self.resets = 0
        self.closed = False
        self.overrides = {}
        self.on_wait = None

    # Port

    def read(self, offset):
        assert type(offset) is int
        if offset in self.overrides:
            return self.overrides[offset]
        network = self.network
        words = {
            reg.ID: reg.MAGIC,
            reg.VERSION: 1 << 16,
            reg.CONFIG: network.scale | network.channels << 4 | DEPTH << 8 | 3 << 16,
            reg.MAX_WIDTH: self.limits[0],
            reg.MAX_HEIGHT: self.limits[1],
            reg.STAGES: len(self.taps),
            reg.CLOCK_HZ: CLOCK_HZ,
            reg.STATUS: self.status(),
            reg.ERRORS: self.errors,
            JOBS_DONE: self.done,
            reg.ERROR_ADDR: 0x1234,
            reg.CYCLES_LO: self.counted & 0xFFFFFFFF,
            reg.READ_BEATS: self.beats,
        }
        for word in range(8):
            words[reg.HASH0 + 4 * word] = int(network.content_hash[8 * word : 8 * word + 8], 16)
        for index, (valid, ready) in enumerate(self.taps):
            for base, bit in ((reg.TAP_VALID, valid), (reg.TAP_READY, ready)):
                words[base + 4 * (index // 32)] = words.get(base + 4 * (index // 32), 0) | bit << index % 32
            counts = self.cycle if self.queue else 0
            words[reg.BLOCKED + 8 * index] = counts * (valid and not ready)
            words[reg.STARVED + 8 * index] = counts * (ready and not valid)
        return words.get(offset, self.words.get(offset, 0))

    def write(self, offset, value):
        assert type(offset) is int
        assert type(value) is int
        assert 0 <= value < 1 << 32
        self.still = 0
        if offset in self.words:
            self.words[offset] = value
        elif offset == reg.ERRORS:
            self.errors &= ~value
        elif offset == reg.CONTROL:
            if value & SOFT_RESET:
                self.queue.clear()
                self.halted, self.done, self.resetting, self.left = False, self.done_after_reset, True, 0
                self.resets += 1
                self.statistics = initial(self.network)
            if value & CLEAR_COUNTERS:
                self.beats = self.counted = 0
            if value & START:
                self.start()
        self.advance(2)

    def allocate(self, size):
        address = (
            BASE + (max((a + s for a, s in self.regions.items()), default=BASE) - BASE + 4095) // 4096 * 4096
        )
        if address - BASE + size > len(self.memory):
            raise RestoreError("no memory")
        self.regions[address] = size
        self.buffers.append(FakeBuffer(self, address, size))
        return self.buffers[-1]

    def now(self):
        return self.cycle / CLOCK_HZ

    def wait(self, seconds):
        if self.on_wait is not None:
            self.on_wait()
        if not self.queue and not self.resetting:
            self.cycle += round(seconds * CLOCK_HZ)
            return
        before = self.status()
        for _ in range(max(round(seconds * CLOCK_HZ / 64), 1)):
            self.advance(64)
            self.still += 64
            assert self.still < FOR_EVER, "the driver waits for ever"
            if self.status() != before:
                self.still = 0
                break

    def close(self):
        self.closed = True

    # The logic

    def status(self):
        number = len(self.queue)
        idle = not number and not self.resetting
        return (
            IDLE * idle
            | QUEUE_FULL * (number == DEPTH)
            | RESETTING * self.resetting
            | HALTED * self.halted
            | number << 8
        )

    def start(self):
        job = Job(*(self.words[offset] for offset in _JOB_REGISTERS))
        scale, channels = self.network.scale, self.network.channels
        columns, rows = job.width * scale, job.height * scale
        refused = 0
        if not (1 <= job.width <= self.limits[0] and 1 <= job.height <= self.limits[1]):
            refused = 1
        elif not (0 < job.out_width <= columns - job.crop_x and 0 < job.out_height <= rows - job.crop_y):
            refused = 2
        elif job.source_stride < job.width * channels or job.target_stride < job.out_width * channels:
            refused = 4
        elif len(self.queue) == DEPTH:
            refused = 8
        elif self.resetting or self.halted:
            refused = 16
        self.errors |= refused
        if not refused:
            self.queue.append(job)
            self.started.append(job)
            self.most = max(self.most, len(self.queue))

    def advance(self, cycles):
        self.cycle += cycles
        if self.resetting and not self.reset_sticks:
            self.resetting = False
        while self.queue and cycles > 0 and not self.halted:
            job = self.queue[0]
            if not self.left:
                self.left = job.width * job.height * self.rate
                self.fails = self.fault(job)
            if self.fails == STOPS:
                return
            step = min(cycles, self.left)
            self.left -= step
            self.counted += step
            self.beats += step
            cycles -= step
            if self.left:
                return
            if self.fails is not None:
                self.errors |= 1 << self.fails
                self.halted = True
                return
            self.execute(job)
            self.queue.popleft()
            self.done = (self.done + 1) & 0xFFFFFFFF

    def execute(self, job):
        channels = self.network.channels
        pixels = self.view(job.source, job.source_stride, job.height, job.width * channels)
        image = pixels.reshape(job.height, job.width, channels).copy()
        result, self.statistics = run_with(self.network, image, self.statistics)
        part = result[job.crop_y : job.crop_y + job.out_height, job.crop_x : job.crop_x + job.out_width]
        rows = self.view(job.target, job.target_stride, job.out_height, job.out_width * channels)
        rows[...] = part.reshape(job.out_height, -1)
        for buffer in self.buffers:
            if buffer.dirty:
                buffer.memory[...] = buffer.array

    def view(self, address, stride, rows, columns):
        """Bytes of the memory, inside a single region."""
        size = (rows - 1) * stride + columns
        assert any(a <= address and address + size <= a + s for a, s in self.regions.items()), hex(address)
        at = self.memory[address - BASE :]
        return np.lib.stride_tricks.as_strided(at, (rows, columns), (stride, 1))
