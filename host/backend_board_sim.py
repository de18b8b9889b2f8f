# SPDX-License-Identifier: BSD-3-Clause
"""The backend "board-sim": the driver against the whole programmable logic in simulation.

Registers and memory are those of `sim.board.BoardSimulator`: the same driver code as on the board, the RTL of
the bitstream, a model of processor and memory around it. Time is that of the simulated clock. Needs all of
`make setup`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from golden import IntegerNetwork
from host import RestoreError
from host import registers as reg
from host.backend import Options
from host.backend_board import AcceleratorBackend
from host.backend_sim import BOARD, BUILDS
from host.design import load_design

if TYPE_CHECKING:
    from sim.board import BoardSimulator


class SimBuffer:
    """See `host.port.Buffer`.

    The array is apart from the memory of the simulation, as a cache is: what is not flushed or invalidated is
    not seen on the other side, so that a driver which forgets it fails.
    """

    def __init__(self, simulator: BoardSimulator, size: int):
        self._simulator = simulator
        self.address, self._memory = simulator.allocate(size)
        self.array = np.full(size, 0xA5, np.uint8)

    def flush(self) -> None:
        """See `host.port.Buffer`."""
        self._memory[...] = self.array

    def invalidate(self) -> None:
        """See `host.port.Buffer`."""
        self.array[...] = self._memory

    def free(self) -> None:
        """See `host.port.Buffer`."""
        with _plain():
            self._simulator.free(self.address)


class SimPort:
    """See `host.port.Port`: a simulated board.

    Attributes:
        simulator: the simulation.
    """

    slack = 0.0

    def __init__(self, simulator: BoardSimulator, clock_hz: int):
        self.simulator, self._clock_hz = simulator, clock_hz

    def read(self, offset: int) -> int:
        """See `host.port.Port`."""
        with _plain():
            return self.simulator.read(offset)

    def write(self, offset: int, value: int) -> None:
        """See `host.port.Port`."""
        with _plain():
            self.simulator.write(offset, value)

    def allocate(self, size: int) -> SimBuffer:
        """See `host.port.Port`."""
        with _plain():
            return SimBuffer(self.simulator, size)

    def now(self) -> float:
        """See `host.port.Port`."""
        return self.simulator.cycle / self._clock_hz

    def wait(self, seconds: float) -> None:
        """See `host.port.Port`."""
        with _plain():
            self.simulator.watch(reg.STATUS, max(round(seconds * self._clock_hz), 1))

    def close(self) -> None:
        """See `host.port.Port`."""
        self.simulator.close()


@contextmanager
def _plain() -> Iterator[None]:
    """Turn the errors of the simulation into those of the host."""
    try:
        yield
    except RuntimeError as error:  # ToolError
        raise RestoreError(str(error)) from None


def open_board_sim(network: IntegerNetwork, options: Options) -> AcceleratorBackend:
    """Compile the simulation of a build, unless it is in the cache, and return the backend on it.

    Raises:
        RestoreError: there is no build, or a tool is missing, or it is not the build of the network.
    """
    name = network.meta.get("name") or "network"
    folder = options.build or BUILDS / f"{name}-{BOARD}"
    description = folder / "shell" / "shell.json"
    if not description.is_file():
        raise RestoreError(
            f"{folder}: no compiled design of '{name}' with its shell in it: run make compile MODEL={name}, "
            "or give the folder of a build with --build"
        )
    try:
        from sim.board import BoardSimulator
    except ImportError as error:
        raise RestoreError(f"the simulation needs {error.name}, which is missing: run make setup") from None
    design = load_design(description)
    with _plain():
        simulator = BoardSimulator(folder / "shell")
    port = SimPort(simulator, simulator.clock_hz)
    return AcceleratorBackend(network, port, design, options, f"simulated board with {folder}")
