# SPDX-License-Identifier: BSD-3-Clause
"""A board in simulation: registers and memory of the whole programmable logic, as a processor sees them.

    with BoardSimulator(Path("build/bbcu_nano_x2-pynq-z2/shell")) as board:
        board.read(0)

`host.backend_board_sim` puts the driver on it.
"""

from __future__ import annotations

import itertools
import mmap
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.modules import ToolError
from sim.board_build import build, read_shell

MEMORY_BASE = 0x1000_0000
PAGE = 4096

_REQUEST = struct.Struct("<IIIIQ")
_REPLY = struct.Struct("<IIQII")
_BROKEN = 0xFFFFFFFF
_RESPONSES = {0: "OKAY", 1: "EXOKAY", 2: "SLVERR", 3: "DECERR"}


@dataclass(frozen=True)
class Environment:
    """How the board around the logic behaves.

    Attributes:
        seed: of the stalls, and of what registers and memories hold before the reset.
        stall: probability, 0..0.95, that the memory is not ready in a cycle, or has nothing to give; above 0,
            latencies and the processor's accesses are random too.
        memory: bytes of memory.
    """

    seed: int = 0
    stall: float = 0.0
    memory: int = 128 << 20


class BoardSimulator:
    """The programmable logic of a build in Verilator, between a processor and a memory.

    All of it stands still while no method runs.

    Attributes:
        clock_hz: the clock that the design was built for.
        cycle: cycles since the start.
    """

    def __init__(
        self, folder: Path, environment: Environment | None = None, behavioural: bool = True
    ) -> None:
        """Compile the simulation, unless it is in the cache, and start it.

        Args:
            folder: `shell/` of a build.
            environment: how the rest of the board behaves; None never stalls.
            behavioural: simulate twins of the popcounts, which are equal and far faster.

        Raises:
            ToolError: there is no design in the folder, Verilator is missing, or the design does not compile.
        """
        environment = environment or Environment()
        shell = read_shell(folder)
        program = build(folder, behavioural)
        self.clock_hz, self.cycle = int(shell["clock_hz"]), 0
        self._base = int(shell["base_address"])
        self._sequence = itertools.count(1)
        self._last: dict[int, int] = {}  # what a register read when it was last read
        self._regions: dict[int, int] = {}
        self._closed = False
        self._file = tempfile.NamedTemporaryFile(prefix="bitmend-board-")  # noqa: SIM115  closed in close()
        self._file.truncate(environment.memory)
        self._size = environment.memory
        self._memory = np.frombuffer(mmap.mmap(self._file.fileno(), environment.memory), np.uint8)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        numbers = (MEMORY_BASE, environment.memory, environment.seed, environment.stall)
        self._process = subprocess.Popen(
            [str(program), self._file.name, *map(str, numbers)],
            cwd=folder / shell["files_folder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for us, not for the board
        )

    def read(self, offset: int) -> int:
        """Return a register.

        Raises:
            ToolError: the logic answers with an error or not at all, or has broken a rule of AXI.
        """
        self._last[offset] = self._do("R", self._base + offset)
        return self._last[offset]

    def write(self, offset: int, value: int) -> None:
        """Write a register. Errors: `read`."""
        self._do("W", self._base + offset, value & 0xFFFFFFFF)

    def watch(self, offset: int, cycles: int) -> int:
        """Let up to so many cycles pass, until a register is not what it was when it was last read.

        Returns:
            What it is. Errors: `read`.
        """
        last = self._last.get(offset, 0)
        self._last[offset] = self._do("P", self._base + offset, last, cycles)
        return self._last[offset]

    def advance(self, cycles: int) -> None:
        """Let cycles pass. Errors: `read`."""
        self._do("A", c=cycles)

    def allocate(self, size: int) -> tuple[int, np.ndarray]:
        """Return memory that the logic may touch: its address, and its bytes as the logic sees them.

        Raises:
            ToolError: there is none left.
        """
        room = -(-size // PAGE) * PAGE
        start = MEMORY_BASE
        for address, length in sorted(self._regions.items()):
            if address - start >= room + PAGE:
                break
            start = address + length + PAGE  # a page between two regions belongs to nobody
        if start + room > MEMORY_BASE + self._size:
            raise ToolError(f"the simulated board has no {size:,} bytes left of its {self._size:,}")
        self._regions[start] = room
        self._do("M", start, size)
        at = start - MEMORY_BASE
        return start, self._memory[at : at + size]

    def free(self, address: int) -> None:
        """Give memory back. The logic must not touch it any more."""
        if self._regions.pop(address, None) is not None and not self._closed:
            self._do("F", address)

    def inject(self, writes: bool, response: int, after: int = 0) -> None:
        """Have the memory answer a burst with an error.

        Args:
            writes: of writes, else of reads.
            response: 2 (SLVERR) or 3 (DECERR).
            after: this many bursts are answered before.
        """
        self._do("I", int(writes), response, after)

    def hold(self, channel: int, stop: bool) -> None:
        """Have the memory stop or go on: 0 with reads, 1 with writes, 2 with the responses to writes."""
        self._do("H", channel, int(stop))

    def close(self) -> None:
        """End the simulation; calling it twice does no harm."""
        if self._closed:
            return
        self._closed = True
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log, self._file):
            pipe.close()

    def __enter__(self) -> BoardSimulator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _do(self, kind: str, a: int = 0, b: int = 0, c: int = 0) -> int:
        """Send a request and return the value of its reply.

        Requests and replies are short enough that a pipe has all or nothing of one. So an exception from a
        signal handler may come anywhere here, and the next request still finds its own reply.
        """
        if self._closed:
            raise ToolError("the simulated board is closed")
        sequence = next(self._sequence) & 0xFFFFFFFF
        try:
            os.write(self._process.stdin.fileno(), _REQUEST.pack(sequence, ord(kind), a, b, c))
        except BrokenPipeError:
            raise self._crash() from None
        while True:
            data = os.read(self._process.stdout.fileno(), _REPLY.size)
            if len(data) < _REPLY.size:
                raise self._crash()
            answered, result, cycle, value, _ = _REPLY.unpack(data)
            if result == _BROKEN:
                raise self._crash()
            if answered == sequence:
                break
        self.cycle = cycle
        if result:
            what = "read" if kind in "RP" else "write"
            raise ToolError(f"a {what} at 0x{a:08x} was answered with {_RESPONSES[result]}")
        return value

    def _crash(self) -> ToolError:
        code = self._process.wait()
        self._log.seek(0)
        lines = [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        said = [line for line in lines if "rror" in line][-1:] or lines[-1:] or ["it said nothing"]
        return ToolError(f"the simulated board has stopped (code {code}): {said[0]}")
