# SPDX-License-Identifier: BSD-3-Clause
"""What a plan tells the kernels of `golden.fast`: the codes of its operations, the layout of its tables.

A step makes one row of a tensor after the other, and of a row LANES pixels at a time: its first operation
fills a scratch of one vector per channel, the following ones work on that scratch, the last ones write it to
memory in one or several forms. The scratch stays in the first-level cache, so sums, requantized values and
the like never reach memory.

Rows are planar: row (y, phase, channel) of a buffer holds that channel of the pixels phase, phase + f, ... of
line y, where f is the factor of the tensor. So all rows are as long as those of the input, and pixel shuffle
and nearest-neighbour upsampling only mean reading another row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LANES = 32
"""Pixels that the kernels work on at a time."""

PAD = LANES
"""Elements between two rows. They are what lies outside the image, except in rows of the image itself."""

GROUP = 4
"""Output channels that a binary convolution computes at a time: each word that it loads serves so many."""

PAIR_GROUP = 3
"""The same for an int8 convolution; an RGB tail has 3."""

# Operations that fill the scratch, of 32-bit sums or 16-bit values, or change it ...
IMAGE, XNOR, INT8, LOAD, LOAD_SUM, WIDEN, REQUANT, REQUANT_WIDE, JOIN, BASE, TABLE, MULTIPLY = range(12)
# ... and that write it: as a stream, as words of 32 bits or of 2 values, as sums, as pixels of the output.
STREAM, WORDS, PAIRS, SUMS, OUTPUT = range(12, 17)

# An operation is a row of FIELDS numbers in `Program.ops`.
(
    CODE,  # one of the above
    ROWS,  # its constants have this period in lines; the line that it reads is y // rows
    PHASES,  # their period in phases
    CONSTANTS,  # where they start
    STRIDE,  # and how many there are for each of the rows * phases cases
    BUFFER,  # the number of the buffer that it reads or writes
    CHANNELS,  # of the scratch
    PLANES,  # rows per line and phase of the buffer
    FACTOR,  # of the buffer's tensor
    SHIFT,  # S
    LOW,  # saturation; of OUTPUT: S - s_b, which brings the base to S
    HIGH,  # of TABLE: number of entries
    FIELDS,
) = range(13)


class Program(NamedTuple):
    """What the kernels read.

    Attributes:
        steps: int64 (steps, 3): first operation, end, factor of the tensor.
        ops: int64 (operations, FIELDS).
        constants: int64; per channel, of REQUANT t, a1, b1, a0, b0, of WORDS threshold and bit, of OUTPUT a
            and b, of LOAD, JOIN and MULTIPLY the row; per phase, of BASE near, far, side.
        weights: int32, words of bits, pairs of int8 and tables, in the order in which they are read.
    """

    steps: np.ndarray
    ops: np.ndarray
    constants: np.ndarray
    weights: np.ndarray


class Memory(NamedTuple):
    """What one thread works on.

    Attributes:
        words, streams, sums: pools of rows, int32, int16 and int32. `words` begins with rows of 0, read where
            a window leaves the image at its top or bottom.
        buffers: int64 (buffers, 3): first element in the pool, lines kept (used in turn), rows per line.
        acc, value: the scratch, LANES int32 or int16 per channel.
        base: int32, the same for the bilinear base.
        line: uint8, a line of the output, planar.
        valid: int32 per column, -1 inside the image and 0 outside.
        taps: int64 (9,), where the rows of the present convolution's window are.
        constant_at, row_at: int64 per operation of a step, where its present constants and its row are.
    """

    words: np.ndarray
    streams: np.ndarray
    sums: np.ndarray
    buffers: np.ndarray
    acc: np.ndarray
    value: np.ndarray
    base: np.ndarray
    line: np.ndarray
    valid: np.ndarray
    taps: np.ndarray
    constant_at: np.ndarray
    row_at: np.ndarray
