# SPDX-License-Identifier: BSD-3-Clause
"""A plan as the arrays that the kernels of `golden.fast` read, and memory and schedule for an image size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from golden.fast_ops import (
    FIELDS,
    GROUP,
    LANES,
    PAD,
    PAIR_GROUP,
    PAIRS,
    STREAM,
    SUMS,
    WORDS,
    XNOR,
    Memory,
    Program,
)
from golden.fast_plan import Plan
from golden.fast_steps import Buffer, Operation, Step
from golden.packing import pack_bytes

_POOLS = {WORDS: "words", PAIRS: "words", STREAM: "streams", SUMS: "sums"}
_DTYPES = {"words": np.int32, "streams": np.int16, "sums": np.int32}
_ALIGNMENT = 64  # bytes: a register, and a cache line


class Assembler:
    """Writes the steps of a plan as a `Program`.

    Attributes:
        program: the result.
        buffers: all buffers of the plan, in the order of their numbers.
    """

    def __init__(self, plan: Plan) -> None:
        self.buffers = [buffer for step in plan.steps for buffer in step.buffers]
        self._number = {buffer: number for number, buffer in enumerate(self.buffers)}
        self._constants: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        operations, steps = [], []
        for step in plan.steps:
            first = len(operations)
            operations += [self._operation(step, operation) for operation in step.operations]
            steps.append((first, len(operations), step.factor))
        self.program = Program(
            np.array(steps, np.int64),
            np.array(operations, np.int64).reshape(-1, FIELDS),
            _joined(self._constants, np.int64),
            _joined(self._weights, np.int32),
        )

    def _operation(self, step: Step, operation: Operation) -> tuple[int, ...]:
        buffer = operation.buffer
        lines, phases = operation.constants.shape[:2]
        stride = None
        if operation.table is not None:  # one for all channels, and for all rows
            pool, values, stride = self._weights, operation.table, 0
        elif operation.weight is None:
            pool, values = self._constants, operation.constants
        elif operation.code == XNOR:
            pool, values = self._weights, _bit_blocks(operation)
        else:
            pool, values = self._weights, _pair_blocks(operation)
        start = sum(array.size for array in pool)
        pool.append(values.ravel())
        return (
            operation.code,
            lines,
            phases,
            start,
            values.size // (lines * phases) if stride is None else stride,
            self._number[buffer] if buffer else 0,
            step.channels,
            buffer.planes if buffer else 0,
            buffer.maker.factor if buffer else 0,
            operation.shift,
            operation.low,
            operation.high,
        )


def _joined(arrays: list[np.ndarray], dtype: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _blocks(operation: Operation, group: int) -> np.ndarray:
    """Order the weights as the kernels read them: (lines, phases, channel groups, C_in, 9 taps, group)."""
    channel = operation.constants[..., 0]
    channel = np.pad(channel, ((0, 0), (0, 0), (0, -channel.shape[2] % group)), mode="edge")
    weight = operation.weight.reshape(len(operation.weight), 9, -1)[channel]
    lines, phases, channels, _, inputs = weight.shape
    return weight.reshape(lines, phases, channels // group, group, 9, inputs).transpose(0, 1, 2, 5, 4, 3)


def _bit_blocks(operation: Operation) -> np.ndarray:
    bits = np.moveaxis(_blocks(operation, GROUP), 3, -1)
    packed = pack_bytes(bits)
    padding = [(0, 0)] * (packed.ndim - 1) + [(0, -packed.shape[-1] % 4)]
    words = np.ascontiguousarray(np.pad(packed, padding)).view("<u4").astype(np.uint32).view(np.int32)
    return np.moveaxis(words, -1, 3)


def _pair_blocks(operation: Operation) -> np.ndarray:
    weight = _blocks(operation, PAIR_GROUP).astype(np.int32)
    weight = np.pad(weight, [(0, 0)] * 3 + [(0, weight.shape[3] % 2)] + [(0, 0)] * 2)
    return weight[:, :, :, ::2] & 0xFFFF | weight[:, :, :, 1::2] << 16


@dataclass(frozen=True)
class Band:
    """Some lines of an image, ready to be computed by one thread.

    Attributes:
        ends: see `golden.fast_executor.run_band`.
        memory: of the thread.
    """

    ends: np.ndarray
    memory: Memory


def make_band(plan: Plan, assembler: Assembler, height: int, width: int, first: int, last: int) -> Band:
    """Prepare the lines first..last - 1 of an image of this size.

    Lines of the tensors in between that lie around the band are computed too, by this band's thread for
    itself: threads never wait for each other.
    """
    ends = _schedule(plan, height, first, last)
    return Band(ends, _memory(plan, assembler.buffers, ends, width))


def _schedule(plan: Plan, height: int, first: int, last: int) -> np.ndarray:
    """Return how far each step gets in each round: as far as the output's lines of that round need it."""
    goal = np.arange(first, last + 1)[:, None]
    starts, ends = {}, {}
    for step in reversed(plan.steps):
        limit = height * step.factor
        readers = [reader for buffer in step.buffers for reader in buffer.readers]
        if not readers:
            starts[step], ends[step] = first * step.factor, goal[1:, 0] * step.factor
            continue
        starts[step] = min(_first_read(starts[reader], ratio, window) for reader, ratio, window in readers)
        reached = [(ends[reader] - 1) // ratio + (2 if window else 1) for reader, ratio, window in readers]
        ends[step] = np.minimum(np.max(reached, axis=0), limit)
    columns = [np.concatenate([[starts[step]], ends[step]]) for step in plan.steps]
    return np.ascontiguousarray(np.stack(columns, axis=1), np.int64)


def _first_read(line, ratio: int, window: bool):
    """Return the first line that a step reads for this line of its own and all later ones."""
    return np.maximum(line // ratio - window, 0)


def _memory(plan: Plan, buffers: list[Buffer], ends: np.ndarray, width: int) -> Memory:
    """Allocate a thread's memory: of each buffer as many lines as are alive at a time, used in turn."""
    columns = -(-width // LANES) * LANES
    row_size = columns + PAD
    column = {step: number for number, step in enumerate(plan.steps)}
    lines = dict.fromkeys(buffers, 1)
    for home in buffers:
        if home.home is home:
            readers = [reader for buffer in buffers if buffer.home is home for reader in buffer.readers]
            made = ends[1:, column[home.maker]]
            needed = [_first_read(ends[:-1, column[step]], ratio, window) for step, ratio, window in readers]
            if home is plan.result:
                needed.append(np.full_like(made, ends[0, column[home.maker]]))  # all lines are kept
            lines[home] = int(np.max(made - np.min(needed, axis=0)))
    zeros = max((buffer.planes for buffer in buffers if _POOLS[buffer.form] == "words"), default=0)
    sizes = {"words": PAD + zeros * row_size, "streams": PAD, "sums": PAD}
    start = {}
    table = np.zeros((len(buffers), 3), np.int64)
    for number, buffer in enumerate(buffers):
        pool, rows = _POOLS[buffer.form], buffer.planes * buffer.maker.factor
        if buffer.home is buffer:
            start[buffer] = sizes[pool]
            sizes[pool] += lines[buffer] * rows * row_size
        table[number] = start[buffer.home], lines[buffer.home], rows
    channels = max(step.channels for step in plan.steps) + max(GROUP, PAIR_GROUP)
    output = plan.steps[-1]
    valid = _zeros(columns, np.int32)
    valid[:width] = -1
    return Memory(
        **{pool: _zeros(size, _DTYPES[pool]) for pool, size in sizes.items()},
        buffers=table,
        acc=_zeros(channels * LANES, np.int32),
        value=_zeros(channels * LANES, np.int16),
        base=_zeros(channels * LANES, np.int32),
        line=_zeros(output.factor * output.channels * row_size, np.uint8),
        valid=valid,
        taps=np.zeros(9, np.int64),
        constant_at=np.zeros(max(len(step.operations) for step in plan.steps), np.int64),
        row_at=np.zeros(max(len(step.operations) for step in plan.steps), np.int64),
    )


def _zeros(size: int, dtype: type[np.generic]) -> np.ndarray:
    """Return an aligned array, with some elements after it for vectors that begin before its end."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros((size + LANES) * itemsize + _ALIGNMENT, np.uint8)
    offset = -raw.ctypes.data % _ALIGNMENT
    return raw[offset : offset + (size + LANES) * itemsize].view(dtype)
