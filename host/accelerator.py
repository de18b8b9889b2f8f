# SPDX-License-Identifier: BSD-3-Clause
"""The driver of the accelerator: checks, the job queue, timeouts, recovery.

It stands on a `Port` and nothing else, and is the same on the board and on the simulated board.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from golden import IntegerNetwork
from host import RestoreError
from host import registers as reg
from host.design import Design
from host.diagnosis import explain, look
from host.port import Port

_SETTLE = 50_000
"""Cycles in which the logic may be silent for reasons other than its rate: memory that is busy, a reset."""

_FACTOR = 8  # how much slower than the design says the logic may be
_IN_FLIGHT = 1024  # pixels that may be between the memory and the network
_SHORTEST, _LONGEST = 100e-6, 2e-3  # seconds from one look at the status to the next


class Job(NamedTuple):
    """A tile: which pixels to read, and which part of their result to write where.

    Attributes:
        source, source_stride: address of the first byte, and bytes from a row to the next.
        width, height: in pixels of the input.
        target, target_stride: of the result.
        crop_x, crop_y, out_width, out_height: the region of the result that is written, in its pixels.
    """

    source: int
    source_stride: int
    width: int
    height: int
    target: int
    target_stride: int
    crop_x: int
    crop_y: int
    out_width: int
    out_height: int


_JOB_REGISTERS = Job(
    reg.SRC_ADDR,
    reg.SRC_STRIDE,
    reg.WIDTH,
    reg.HEIGHT,
    reg.DST_ADDR,
    reg.DST_STRIDE,
    reg.CROP_X,
    reg.CROP_Y,
    reg.OUT_WIDTH,
    reg.OUT_HEIGHT,
)


@dataclass
class _Entry:
    """A job that is not finished, and whether it has failed before."""

    job: Job
    failed: bool = False


class Counters(NamedTuple):
    """What the logic has counted since `Accelerator.clear_counters`.

    Attributes:
        cycles: in which a job was under way.
        read_wait, write_wait: of these, in which the network waited for pixels, or for its result to leave.
        read_beats, write_beats: of 8 bytes, moved from and to memory.
    """

    cycles: int
    read_wait: int
    write_wait: int
    read_beats: int
    write_beats: int


class Accelerator:
    """The accelerator behind a port, ready for jobs.

    Jobs are numbered from 0 in the order in which they are submitted, and finish in that order. Leaving the
    object with jobs under way is not allowed: `abandon` them.

    Attributes:
        max_width, max_height: of a job, in pixels.
        clock_hz: the clock that the design was built for.
        finished: how many jobs have finished.
        mishaps: a line for each job that had to be repeated.
    """

    def __init__(self, port: Port, network: IntegerNetwork, design: Design | None = None):
        """Check that the hardware is there and runs this network, and make it idle.

        Raises:
            RestoreError: it is not, or does not.
        """
        self.port, self.design = port, design or Design()
        _check(port, network)
        self.max_width, self.max_height = port.read(reg.MAX_WIDTH), port.read(reg.MAX_HEIGHT)
        self.clock_hz = port.read(reg.CLOCK_HZ)
        self.finished = 0
        self.mishaps: list[str] = []
        self._jobs: deque[_Entry] = deque()  # submitted, not finished
        self._started = 0  # how many of these the hardware has
        self._done = 0  # JOBS_DONE as last seen
        self.reset()

    @property
    def busy(self) -> bool:
        """Whether jobs are not finished."""
        return bool(self._jobs)

    def submit(self, job: Job) -> int:
        """Queue a job and return its number. It starts as soon as the hardware has room."""
        self._jobs.append(_Entry(job))
        self._start_jobs()
        return self.finished + len(self._jobs) - 1

    def wait(self, number: int) -> None:
        """Wait until a job has finished.

        A job that fails or stops is repeated once, after a reset; those behind it start again too.

        Raises:
            RestoreError: a job has failed twice; the hardware is idle and takes new jobs.
        """
        seen, since = None, self.port.now()
        while self.finished <= number:
            status = self.port.read(reg.STATUS)
            self._retire()
            if status & reg.HALTED:
                self._failed()
                seen, since = None, self.port.now()
                continue
            self._start_jobs()
            if self.finished > number:
                return
            beats = self.finished, self.port.read(reg.READ_BEATS), self.port.read(reg.WRITE_BEATS)
            now = self.port.now()
            if beats != seen:
                seen, since = beats, now
            elif now - since > self._patience():
                self._stopped(now - since)
                seen, since = None, self.port.now()
                continue
            self.port.wait(self._pause())

    def abandon(self) -> None:
        """Forget all jobs and make the hardware idle, whatever it is doing.

        Raises:
            RestoreError: it does not get back to idle.
        """
        self._jobs.clear()
        self.reset()

    def reset(self) -> None:
        """Make the hardware idle; jobs that are not finished start again when it is asked for the next time.

        Raises:
            RestoreError: it does not get back to idle.
        """
        self._started = self._done = 0
        self.port.write(reg.CONTROL, reg.SOFT_RESET)
        deadline = self.port.now() + self.port.slack + self._seconds(_SETTLE)
        while True:
            status = self.port.read(reg.STATUS)
            if status & (reg.IDLE | reg.RESETTING | reg.HALTED) == reg.IDLE:
                break
            if self.port.now() > deadline:
                raise RestoreError(
                    f"the accelerator does not get back to idle (status 0x{status:x}), a transfer to memory "
                    "is still under way: load the bitstream again, or switch the board off and on"
                )
            self.port.wait(_SHORTEST)
        self._done = self.port.read(reg.JOBS_DONE)
        self.port.write(reg.ERRORS, 0xFFFFFFFF)

    def clear_counters(self) -> None:
        """Start counting anew."""
        self.port.write(reg.CONTROL, reg.CLEAR_COUNTERS)

    def counters(self) -> Counters:
        """Return what has been counted."""
        high = self.port.read(reg.CYCLES_HI)
        low = self.port.read(reg.CYCLES_LO)
        again = self.port.read(reg.CYCLES_HI)
        low = self.port.read(reg.CYCLES_LO) if again != high else low  # it has just gone over
        rest = (reg.READ_WAIT, reg.WRITE_WAIT, reg.READ_BEATS, reg.WRITE_BEATS)
        return Counters(again << 32 | low, *(self.port.read(offset) for offset in rest))

    def _start_jobs(self) -> None:
        while self._started < len(self._jobs):
            if self.port.read(reg.STATUS) & (reg.QUEUE_FULL | reg.HALTED):
                return
            job = self._jobs[self._started].job
            for offset, value in zip(_JOB_REGISTERS, job, strict=True):
                self.port.write(offset, value)
            self.port.write(reg.CONTROL, reg.START)
            errors = self.port.read(reg.ERRORS)
            if errors & reg.REFUSALS and not errors & ~reg.REFUSALS:
                self.abandon()
                raise RestoreError(f"the accelerator refused a job ({reg.error_text(errors)}): {job}")
            self._started += 1

    def _retire(self) -> None:
        done = self.port.read(reg.JOBS_DONE)
        number = (done - self._done) & 0xFFFFFFFF
        started = self._started
        if number > started:
            self.abandon()
            raise RestoreError(
                f"the accelerator says that {number} jobs are done, expected at most {started}: is "
                "another program using it?"
            )
        for _ in range(number):
            self._jobs.popleft()
        self._done, self._started, self.finished = done, self._started - number, self.finished + number

    def _patience(self) -> float:
        """Return for how many seconds not a single beat need move while a job is under way."""
        pixels = self._jobs[0].job.width + _IN_FLIGHT
        return self.port.slack + self._seconds(_SETTLE + _FACTOR * pixels * self.design.cycles_per_pixel)

    def _pause(self) -> float:
        job = self._jobs[0].job
        expected = self._seconds(job.width * job.height * self.design.cycles_per_pixel)
        return min(max(expected / 16, _SHORTEST), _LONGEST)

    def _seconds(self, cycles: float) -> float:
        return cycles / self.clock_hz

    def _failed(self) -> None:
        """The hardware has halted after an error: start again, or give up."""
        self._retire()
        errors, address = self.port.read(reg.ERRORS), self.port.read(reg.ERROR_ADDR)
        text = reg.error_text(errors & ~reg.REFUSALS)
        self._repeat(f"{text}, at address 0x{address:08x}")

    def _stopped(self, seconds: float) -> None:
        """Nothing has moved for too long: say why, and start again or give up."""
        why = explain(look(self.port, self.design, self._seconds(_SETTLE)))
        self._repeat(f"nothing moved for {round(seconds * self.clock_hz):,} cycles: {why}")

    def _repeat(self, reason: str) -> None:
        """Reset, and start the jobs again that are not finished: the first of them is the one that failed."""
        entry = self._jobs[0]
        job = entry.job
        reason = f"tile of {job.width} x {job.height} pixels failed: {reason}"
        try:
            self.reset()
        except RestoreError as error:
            self._jobs.clear()
            raise RestoreError(f"{reason}; then {error}") from None
        if entry.failed:
            self._jobs.clear()
            raise RestoreError(f"{reason}; twice, so it is given up; the accelerator is idle again")
        entry.failed = True
        self.mishaps.append(reason)
        self._start_jobs()


def _check(port: Port, network: IntegerNetwork) -> None:
    """Raise RestoreError unless the hardware is ours, of this version, and runs this network."""
    found = port.read(reg.ID)
    if found != reg.MAGIC:
        raise RestoreError(
            f"the board's logic answers with identity 0x{found:08x}, expected 0x{reg.MAGIC:08x}: its "
            "bitstream is not one of bitmend's; load the right one"
        )
    version = port.read(reg.VERSION)
    if version >> 16 != reg.VERSION_MAJOR:
        raise RestoreError(
            f"the bitstream has register version {version >> 16}.{version & 0xFFFF}, expected "
            f"{reg.VERSION_MAJOR}.x: use the driver that came with it, or build the bitstream again"
        )
    found_hash = "".join(f"{port.read(reg.HASH0 + 4 * word):08x}" for word in range(reg.HASH_WORDS))
    if found_hash != network.content_hash:
        raise RestoreError(
            f"the bitstream runs another network (hash {found_hash[:12]}) than the model "
            f"(hash {network.content_hash[:12]}): give the model and the bitstream of one deploy folder"
        )
    config = port.read(reg.CONFIG)
    shape = config & 0xF, config >> 4 & 0xF
    if shape != (network.scale, network.channels):
        raise RestoreError(
            f"the bitstream is for scale {shape[0]} and {shape[1]} channels, expected {network.scale} and "
            f"{network.channels}: build it again"
        )
