# SPDX-License-Identifier: BSD-3-Clause
"""What the driver needs of a board: registers, memory that both sides see, and time.

A board has them from PYNQ (`host.backend_pynq`), the simulated board from Verilator
(`host.backend_board_sim`). All else of the driver is the same code on both.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Buffer(Protocol):
    """Contiguous memory that the processor and the logic share, through a cache that the logic does not see.

    Attributes:
        array: its bytes as the processor sees them, (size,) uint8.
        address: where the logic finds the first of them.
    """

    array: np.ndarray
    address: int

    def flush(self) -> None:
        """Make what the processor has written visible to the logic."""

    def invalidate(self) -> None:
        """Make what the logic has written visible to the processor."""

    def free(self) -> None:
        """Give the memory back."""


class Port(Protocol):
    """A board, as the driver reaches it.

    Attributes:
        slack: seconds that the processor may be late for reasons of its own; added to every timeout.
    """

    slack: float

    def read(self, offset: int) -> int:
        """Return the register at an offset in bytes, a multiple of 4."""

    def write(self, offset: int, value: int) -> None:
        """Write 32 bits to the register at an offset in bytes, a multiple of 4."""

    def allocate(self, size: int) -> Buffer:
        """Return `size` bytes of contiguous memory; RestoreError if there are none left."""

    def now(self) -> float:
        """Return the time in seconds since some moment. In a simulation it is that of the simulated clock."""

    def wait(self, seconds: float) -> None:
        """Let time pass: `seconds`, or less if STATUS changes before."""

    def close(self) -> None:
        """Give back what is held."""
