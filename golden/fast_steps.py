# SPDX-License-Identifier: BSD-3-Clause
"""What `golden.fast_plan` makes a plan of: steps, their operations, buffers, and views of what they made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False)
class Buffer:
    """Rows of a tensor in one form, of which a band keeps those lines that are still read.

    Attributes:
        form: STREAM, WORDS, PAIRS or SUMS.
        maker: the step that writes it.
        planes: rows per line and phase.
        readers: (step, lines of the step per line of this buffer, whether it reads the lines around it too).
        home: the buffer in whose place this one is stored: itself, or one that its maker reads as the last.
    """

    form: int
    maker: Step
    planes: int
    readers: list[tuple[Step, int, bool]] = field(default_factory=list)
    home: Buffer | None = None

    def __post_init__(self) -> None:
        self.home = self.home or self


@dataclass(eq=False)
class Operation:
    """One operation of a step.

    Attributes:
        code: see `golden.fast_ops`.
        constants: int64 (lines, phases, C, any): per channel, with a period in lines and in phases.
        buffer: what it reads or writes.
        shift, low, high: scalars.
        weight: of a convolution, whose `constants` are the output channels.
        table: of TABLE, int32.
    """

    code: int
    constants: np.ndarray
    buffer: Buffer | None = None
    shift: int = 0
    low: int = 0
    high: int = 0
    weight: np.ndarray | None = None
    table: np.ndarray | None = None


@dataclass(eq=False)
class Step:
    """What is computed in one go, row by row: see `golden.fast_ops`.

    Attributes:
        factor, channels: of the tensor that it makes.
        operations: in order.
        wide: whether the scratch holds sums of 32 bits now, or a stream of 16.
        differing: n = 9 * C_in if the sums are numbers d of differing bits, to be read as n - 2 * d; else 0.
        buffers: the forms in which its result is stored; of WORDS there may be several.
    """

    factor: int
    channels: int
    operations: list[Operation]
    wide: bool
    differing: int = 0
    buffers: list[Buffer] = field(default_factory=list)

    def add(self, code: int, constants: np.ndarray | None = None, **fields) -> Operation:
        """Append an operation."""
        constants = np.zeros((1, 1, self.channels, 0), np.int64) if constants is None else constants
        operation = Operation(code, constants, **fields)
        self.operations.append(operation)
        return operation

    def shuffle(self, factor: int) -> None:
        """Make the result pixel-shuffled: every constant moves with its channel."""
        for operation in self.operations:
            operation.constants = shuffled(operation.constants, factor)
        self.factor *= factor
        self.channels //= factor * factor


@dataclass
class View:
    """A tensor as rows of a stored one: row (y, phase, c) is row `table[y % n, phase, c]` of line y // n.

    Attributes:
        step: makes the stored tensor.
        table: int64 (n, phases, C, 1).
        threshold: of a tensor of bits: bit = value >= threshold; int64 as `table`. None for other tensors.
    """

    step: Step
    table: np.ndarray
    threshold: np.ndarray | None = None

    @property
    def plain(self) -> bool:
        """True if it is the stored tensor itself."""
        shape = (1, self.step.factor, self.step.channels, 1)
        return self.table.shape == shape and np.array_equal(self.table.ravel(), np.arange(self.table.size))

    def moved(self, move) -> View:
        """Return the view with `move` applied to what it has per row."""
        return View(self.step, move(self.table), None if self.threshold is None else move(self.threshold))


def shuffled(array: np.ndarray, factor: int) -> np.ndarray:
    """Apply a pixel shuffle: (lines, phases, C, any) -> (lines * r, phases * r, C / r^2, any), r = factor."""
    line = np.arange(array.shape[0] * factor)[:, None, None]
    phase = np.arange(array.shape[1] * factor)[None, :, None]
    channel = np.arange(array.shape[2] // factor**2) * factor**2 + line % factor * factor + phase % factor
    return array[line // factor, phase // factor, channel]
