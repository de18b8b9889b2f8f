# SPDX-License-Identifier: BSD-3-Clause
"""Simulate a whole compiled network, cycle by cycle: frames in, frames out.

simulator = TopSimulator(Path("build/bbcu_nano_x2-pynq-z2/stitched"))
result = simulator.run([frame, frame], Ports(stall_in=0.3, seed=1))
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from hw.compiler.top import Instance, Top, read_top
from hw.modules import ToolError
from sim.deadlock import Snapshot, explain
from sim.top_build import build, fifos

MAX_STALL = 0.95

_SETTLE = 20_000
"""Cycles without a beat that no module and no stalled port ever causes: a mood of a port lasts 512 cycles at
most, the next is as bad with a probability of 1/4, and 30 bad ones in a row do not happen."""

_ABANDONED = 3  # exit code of the program when the other end of a pipe is gone

Rows = Callable[[int, int], object]
"""Called as rows(frame, done) whenever another row of a result is complete."""


@dataclass(frozen=True)
class Ports:
    """How the world outside the top module behaves.

    Attributes:
        stall_in, stall_size, stall_out: probabilities, 0..0.95, that s_axis and s_size offer nothing new and
            that m_axis is not ready in a cycle. Now and then a port goes through a time of no stalls, or of
            hardly anything else.
        period: at least so many cycles from one input pixel to the next; 0 sends them as fast as possible.
        seed: of the stalls, and of what registers and memories hold before the reset.
        timeout: cycles after which the simulation is given up; 0 never.
    """

    stall_in: float = 0.0
    stall_size: float = 0.0
    stall_out: float = 0.0
    period: int = 0
    seed: int = 0
    timeout: int = 0

    def __post_init__(self) -> None:
        """Raise ToolError if a value is out of range."""
        for name in ("stall_in", "stall_size", "stall_out"):
            if not 0 <= getattr(self, name) <= MAX_STALL:
                raise ToolError(f"{name} is {getattr(self, name)}, expected 0 to {MAX_STALL}")
        for name in ("period", "seed", "timeout"):
            if getattr(self, name) < 0:
                raise ToolError(f"{name} is {getattr(self, name)}, expected 0 or more")


@dataclass(frozen=True)
class Frame:
    """A restored frame.

    Attributes:
        image: (H * scale, W * scale, C) uint8.
        first_in, first_out, last_out: cycles after the reset in which the first beat of the frame was taken,
            and in which the first and the last beat of its result were.
    """

    image: np.ndarray
    first_in: int
    first_out: int
    last_out: int

    @property
    def cycles(self) -> int:
        """Cycles from the first beat in to the last beat out."""
        return self.last_out - self.first_in + 1


class Waits(NamedTuple):
    """In which share of the cycles a stream waits, from the first result to the last pixel.

    Attributes:
        empty: it is not valid.
        starved: for a beat: it is ready, not valid.
        blocked: for its reader: it is valid, not ready.
    """

    empty: float
    starved: float
    blocked: float


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        frames: one for each frame that was sent.
        cycles: until the last beat out.
        high_water: the most beats that were ever in a FIFO, by the name of its node.
        waits: how much each stream waits, by its tensor; empty if the last pixel came before a result.
    """

    frames: list[Frame]
    cycles: int
    high_water: dict[str, int]
    waits: dict[str, Waits]

    @property
    def images(self) -> list[np.ndarray]:
        """The restored images."""
        return [frame.image for frame in self.frames]

    @property
    def interval(self) -> float:
        """Cycles per frame of equal frames in the long run: from the end of the first to that of the last."""
        ends = [frame.last_out for frame in self.frames]
        return (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else float(self.cycles)


@dataclass
class Run:
    """A simulation under way; iterating it gives the frames in order.

    Attributes:
        cycles, high_water, waits: as in `Result`; known when all frames have come.
    """

    frames: Iterator[Frame]
    cycles: int = 0
    high_water: dict[str, int] = field(default_factory=dict)
    waits: dict[str, Waits] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Frame]:
        """Return the iterator of the frames."""
        return self.frames


class TopSimulator:
    """A compiled network in Verilator.

    Attributes:
        top: what the top module consists of.
        folder: where it and its memory files are.
    """

    def __init__(self, folder: Path, behavioural: bool = True) -> None:
        """Compile the simulation, unless it is in the cache.

        Args:
            folder: `stitched/` of a build.
            behavioural: simulate twins of the popcounts, which are equal and far faster, not their structure.

        Raises:
            BuildError: there is no top in the folder.
            ToolError: Verilator is missing, or the top does not compile.
        """
        self.folder = Path(folder)
        self.top = read_top(self.folder)
        self._program = build(self.folder, behavioural)

    @property
    def fifos(self) -> list[Instance]:
        """The FIFOs whose high-water marks are measured, in their order."""
        return fifos(self.top)

    def idle_limit(self, ports: Ports) -> int:
        """Return the number of cycles without a beat in any stream that is a deadlock.

        A module is silent while it computes: a matrix-vector unit for SF * NF cycles at most. And nothing may
        move while an input pixel is held back.
        """
        units = (
            instance.parameters
            for instance in self.top.instances
            if {"MW", "MH", "SIMD", "PE"} <= set(instance.parameters)
        )
        products = [p["MW"] * p["MH"] // (p["SIMD"] * p["PE"]) for p in units]
        return _SETTLE + 2 * max(products, default=0) + ports.period

    def run(
        self, frames: Iterable[np.ndarray], ports: Ports | None = None, rows: Rows | None = None
    ) -> Result:
        """Send frames back to back and return their results. Arguments, errors: `stream`."""
        under_way = self.stream(frames, ports, rows)
        done = list(under_way)
        return Result(done, under_way.cycles, under_way.high_water, under_way.waits)

    def stream(
        self, frames: Iterable[np.ndarray], ports: Ports | None = None, rows: Rows | None = None
    ) -> Run:
        """Send frames back to back, and give each result when it is complete.

        Args:
            frames: (H, W, C) uint8, of any sizes up to the width of the top.
            ports: how the outside behaves; None never stalls.
            rows: called after each row of a result.

        Raises:
            ToolError: a frame does not fit the top, the timeout is over, or the module broke a rule: it read
                and wrote a memory at one address, changed a beat before it was taken, gave one too many.
            Deadlock: nothing moves any more; the message names the FIFO that is too short.
        """
        run = Run(iter(()))
        run.frames = self._frames(frames, ports or Ports(), rows, run)
        return run

    def _frames(
        self, frames: Iterable[np.ndarray], ports: Ports, rows: Rows | None, run: Run
    ) -> Iterator[Frame]:
        stalls = (ports.stall_in, ports.stall_size, ports.stall_out)
        numbers = (ports.seed, *stalls, ports.period, self.idle_limit(ports), ports.timeout)
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [str(self._program), *map(str, numbers)],
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
            writer = _Writer(process.stdin, frames, self.top)
            writer.start()
            try:
                yield from self._messages(process, writer, ports, rows, run)
            except EOFError:
                raise self._crash(process, log, writer) from None
            finally:
                process.kill()
                process.wait()
                writer.join()
                process.stdout.close()
        if writer.error:
            raise writer.error

    def _messages(
        self, process: subprocess.Popen, writer: _Writer, ports: Ports, rows: Rows | None, run: Run
    ) -> Iterator[Frame]:
        pipe, top = process.stdout, self.top
        done = 0
        while True:
            kind = _read(pipe, 1)
            if kind == b"R":
                frame, row = _unpack(pipe, "<II")
                if rows is not None:
                    rows(frame, row)
            elif kind == b"F":
                times = _unpack(pipe, "<QQQ")
                height, width = (side * top.scale for side in writer.sizes[done])
                shape = (height, width, top.channels)
                image = np.frombuffer(_read(pipe, height * width * top.channels), np.uint8).reshape(shape)
                done += 1
                yield Frame(image, *times)
            elif kind == b"E":
                (run.cycles,) = _unpack(pipe, "<Q")
                marks = _unpack(pipe, f"<{len(self.fifos)}I")
                run.high_water = {fifo.node: mark for fifo, mark in zip(self.fifos, marks, strict=True)}
                run.waits = self._waits(pipe)
                return
            elif kind == b"D":
                raise explain(top, self._snapshot(pipe))
            elif kind == b"T":
                cycle, beats_in, beats_out = _unpack(pipe, "<QQQ")
                raise ToolError(
                    f"{top.name}: not done after {cycle} cycles, {beats_in} beats in and {beats_out} out; "
                    f"allow more than {ports.timeout}"
                )
            else:
                cycle, length = _unpack(pipe, "<QI")
                text = _read(pipe, length).decode()
                raise ToolError(f"{top.name}: {text}, in cycle {cycle}; this is a bug of the module")

    def _waits(self, pipe: IO[bytes]) -> dict[str, Waits]:
        count = len(self.top.streams) + 1
        (samples,) = _unpack(pipe, "<Q")
        counts = [_unpack(pipe, f"<{count}I") for _ in range(3)]
        if not samples:
            return {}
        shares = [Waits(*(number / samples for number in numbers)) for numbers in zip(*counts, strict=True)]
        return {stream.tensor: share for stream, share in zip(self.top.streams, shares, strict=False)}

    def _snapshot(self, pipe: IO[bytes]) -> Snapshot:
        cycle, beats_in, beats_out = _unpack(pipe, "<QQQ")
        count = len(self.top.streams) + 1
        valid, ready = (np.frombuffer(_read(pipe, count), np.uint8).astype(bool) for _ in range(2))
        held = _unpack(pipe, f"<{len(self.fifos)}I")
        names = [*(stream.signal for stream in self.top.streams), "s_size"]
        states = {name: (bool(v), bool(r)) for name, v, r in zip(names, valid, ready, strict=True)}
        inside = {fifo.node: n for fifo, n in zip(self.fifos, held, strict=True)}
        return Snapshot(cycle, beats_in, beats_out, states, inside)

    def _crash(self, process: subprocess.Popen, log: IO[bytes], writer: _Writer) -> Exception:
        code = process.wait()
        if writer.error:
            return writer.error
        log.seek(0)
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        said = [line for line in lines if "rror" in line][:1] or lines[-1:] or ["it said nothing"]
        return ToolError(f"{self.top.name}: the simulation ended with code {code}: {said[0]}")


class _Writer(threading.Thread):
    """Sends frames to the program, which takes them as it needs them.

    Attributes:
        sizes: (height, width) of the frames that were sent.
        error: what was wrong with a frame, or with the iterable of frames.
    """

    def __init__(self, pipe: IO[bytes], frames: Iterable[np.ndarray], top: Top) -> None:
        super().__init__(daemon=True)
        self.pipe, self.frames, self.top = pipe, frames, top
        self.sizes: list[tuple[int, int]] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with self.pipe:
                self._send()
        except BrokenPipeError:
            pass  # the program has ended, and the reader finds out why

    def _send(self) -> None:
        try:
            for frame in self.frames:
                self._check(frame)
                self.sizes.append(frame.shape[:2])
                self.pipe.write(struct.pack("<II", *frame.shape[:2]) + np.ascontiguousarray(frame).tobytes())
                self.pipe.flush()
            self.pipe.write(struct.pack("<I", 0))
        except BrokenPipeError:
            raise
        except Exception as error:  # of the caller's iterable: it is raised again in the caller's thread
            self.error = error

    def _check(self, frame: np.ndarray) -> None:
        top, limit = self.top, (1 << self.top.dim_bits) - 1
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != top.channels or not frame.size:
            raise ToolError(
                f"{top.name}: a frame is {frame.shape} {frame.dtype}, expected (H, W, {top.channels}) uint8"
            )
        height, width, _ = frame.shape
        if width > top.max_width or height * top.scale > limit:
            raise ToolError(
                f"{top.name}: a frame has {width} x {height} pixels, expected at most {top.max_width} x "
                f"{limit // top.scale}; cut it into tiles, or compile for a wider frame"
            )


def _read(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _unpack(pipe: IO[bytes], form: str) -> tuple[Any, ...]:
    return struct.unpack(form, _read(pipe, struct.calcsize(form)))
