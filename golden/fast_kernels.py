# SPDX-License-Identifier: BSD-3-Clause
"""The compiled part of `golden.fast`: it carries out a plan (see `golden.fast_plan`) on a band of rows.

A step makes one row of a tensor after the other, and of a row LANES pixels at a time: its first operation
fills a scratch of one vector per channel, the following ones work on that scratch, the last ones write it to
memory in one or several forms. The scratch stays in the first-level cache, so sums, requantized values and the
like never reach memory.

Rows are planar: row (y, phase, channel) of a buffer holds that channel of the pixels phase, phase + f, ... of
line y, where f is the factor of the tensor. So all rows are as long as those of the input, and pixel shuffle
and nearest-neighbour upsampling only mean reading another row.
"""

from __future__ import annotations

import hashlib
from collections import namedtuple
from pathlib import Path

import numpy as np
from numba import njit

from golden.fast_simd import (
    LANES,
    add_products,
    add_saturating,
    count_ones,
    load,
    load_splat16,
    load_splat32,
    load_splat64,
    maximum,
    minimum,
    pointer,
    saturate_int16,
    select,
    splat16,
    splat32,
    splat64,
    store,
    to_int32,
    to_int64,
    total_ones,
)

PAD = LANES
"""Elements between two rows, which are what lies outside the image."""

GROUP = 4
"""Output channels that `_count_differing` computes at a time: each word that it loads serves so many."""

PAIR_GROUP = 3
"""The same for `_sum_products`; an RGB tail has 3."""

# Operations, and what an operation is: one row of this many numbers.
IMAGE, XNOR, INT8, LOAD, LOAD_SUM, WIDEN, REQUANT, REQUANT_WIDE, JOIN, BASE = range(10)
STREAM, WORDS, PAIRS, SUMS, OUTPUT = range(10, 15)

(
    CODE,  # one of the above
    ROWS,  # the operation's constants differ between `rows` lines and `phases` phases; the line that it
    PHASES,  # reads is y // rows
    CONSTANTS,  # where they start, and how many there are
    STRIDE,
    BUFFER,  # that it reads or writes
    CHANNELS,  # of the scratch
    PLANES,  # of the buffer: channels, or words of 32 channels
    FACTOR,  # of the buffer's tensor
    SHIFT,
    LOW,  # saturation
    HIGH,
    FIELDS,
) = range(13)

# What the kernels read: `steps` (first operation, end, factor), `ops`, `constants` (int64) and weights.
Program = namedtuple("Program", "steps ops constants weights")

# What they work on, per thread: pools of rows; `buffers` (first element, lines, rows per line) in them; the
# scratch; `valid`, a row of -1 inside the image and 0 outside; and where each operation of a step reads now.
Memory = namedtuple(
    "Memory", "words streams sums buffers acc value base line valid taps constant_at row_at"
)


@njit
def _count_differing(words, taps, x, row_size, planes, weights, at, channels, acc):
    """XNOR convolution: the number of bits that differ between 9 windows of words and the weights."""
    for channel in range(0, channels, GROUP):
        a = b = c = d = splat32(0)
        for plane in range(planes):
            e = f = g = h = splat32(0)
            for tap in range(9):
                v = load(words, taps[tap] + plane * row_size + x)
                e += count_ones(v ^ load_splat32(weights, at))
                f += count_ones(v ^ load_splat32(weights, at + 1))
                g += count_ones(v ^ load_splat32(weights, at + 2))
                h += count_ones(v ^ load_splat32(weights, at + 3))
                at += GROUP
            a += total_ones(e)
            b += total_ones(f)
            c += total_ones(g)
            d += total_ones(h)
        store(acc, channel * LANES, a)
        store(acc, (channel + 1) * LANES, b)
        store(acc, (channel + 2) * LANES, c)
        store(acc, (channel + 3) * LANES, d)


@njit
def _sum_products(words, taps, x, row_size, planes, weights, at, channels, acc):
    """int8 convolution of 9 windows of pairs of channels."""
    for channel in range(0, channels, PAIR_GROUP):
        a = b = c = splat32(0)
        for plane in range(planes):
            d = e = f = splat32(0)  # sums of their own, so that planes need not wait for each other
            for tap in range(9):
                v = load(words, taps[tap] + plane * row_size + x)
                d = add_products(d, v, load_splat32(weights, at))
                e = add_products(e, v, load_splat32(weights, at + 1))
                f = add_products(f, v, load_splat32(weights, at + 2))
                at += PAIR_GROUP
            a += d
            b += e
            c += f
        store(acc, channel * LANES, a)
        store(acc, (channel + 1) * LANES, b)
        store(acc, (channel + 2) * LANES, c)


@njit
def _requant(acc, constants, at, channels, shift, low, high, value):
    """Requantize in 32 bits, with one instruction for products of 16 bits; the plan has proven that all fits."""
    for channel in range(channels):
        v = load(acc, channel * LANES)
        above = v > load_splat32(constants, at)
        a = select(above, load_splat32(constants, at + 1), load_splat32(constants, at + 3))
        b = select(above, load_splat32(constants, at + 2), load_splat32(constants, at + 4))
        v = saturate_int16(add_products(b, a, v) >> splat32(shift))
        store(value, channel * LANES, minimum(maximum(v, splat16(low)), splat16(high)))
        at += 5


@njit
def _requant_wide(acc, constants, at, channels, shift, low, high, value):
    """The same in 64 bits."""
    for channel in range(channels):
        v = load(acc, channel * LANES)
        above = v > load_splat32(constants, at)
        a = select(above, load_splat64(constants, at + 1), load_splat64(constants, at + 3))
        b = select(above, load_splat64(constants, at + 2), load_splat64(constants, at + 4))
        v = saturate_int16((a * to_int64(v) + b) >> splat64(shift))
        store(value, channel * LANES, minimum(maximum(v, splat16(low)), splat16(high)))
        at += 5


@njit
def _join(streams, row, x, row_size, constants, at, channels, low, high, value):
    """Add another tensor; saturating to 16 bits first changes nothing."""
    for channel in range(channels):
        other = load(streams, row + constants[at + channel] * row_size + x)
        v = add_saturating(load(value, channel * LANES), other)
        store(value, channel * LANES, minimum(maximum(v, splat16(low)), splat16(high)))


@njit
def _pack(value, constants, at, channels, valid, x, words, row, row_size):
    """Compare with the thresholds, and put the results of 32 channels into one word; outside the image 0."""
    for plane in range((channels + 31) // 32):
        packed = splat32(0)
        for channel in range(plane * 32, min(plane * 32 + 32, channels)):
            ones = load(value, channel * LANES) >= load_splat16(constants, at)
            packed |= select(ones, load_splat32(constants, at + 1), splat32(0))
            at += 2
        store(words, row + plane * row_size + x, packed & load(valid, x))


@njit
def _pair(value, channels, valid, x, words, row, row_size):
    """Put two channels into one word; outside the image 0."""
    for plane in range((channels + 1) // 2):
        low = to_int32(load(value, 2 * plane * LANES)) & splat32(0xFFFF)
        high = to_int32(load(value, (2 * plane + 1) * LANES)) << splat32(16)
        store(words, row + plane * row_size + x, (low | high) & load(valid, x))


@njit
def _output(acc, base, constants, at, channels, base_shift, shift, line, row, row_size, x):
    """Final pixels, planar."""
    for channel in range(channels):
        v = to_int64(load(acc, channel * LANES)) * load_splat64(constants, at) + load_splat64(constants, at + 1)
        v = (v + (to_int64(load(base, channel * LANES)) << splat64(base_shift))) >> splat64(shift)
        v = minimum(maximum(v, splat64(0)), splat64(255))
        store(line, row + channel * row_size + x, v)
        at += 2


@njit
def _base(streams, near, far, x, row_size, constants, at_y, at_x, channels, base):
    """Bilinear interpolation between a pixel and its neighbours, in rows that end in copies of their ends."""
    near_y, far_y = splat32(constants[at_y]), splat32(constants[at_y + 1])
    near_x, far_x, side = splat32(constants[at_x]), splat32(constants[at_x + 1]), constants[at_x + 2]
    for channel in range(channels):
        at = near + channel * row_size + x
        here = to_int32(load(streams, at)) * near_x + to_int32(load(streams, at + side)) * far_x
        at = far + channel * row_size + x
        there = to_int32(load(streams, at)) * near_x + to_int32(load(streams, at + side)) * far_x
        store(base, channel * LANES, here * near_y + there * far_y)


@njit
def _buffer(memory, number):
    return memory.buffers[number * 3], memory.buffers[number * 3 + 1], memory.buffers[number * 3 + 2]


@njit
def _aim_taps(taps, start, lines, factor, planes, y, phase, height, row_size):
    """Find the 9 rows of a window: neighbours in x are in another phase, and perhaps one element aside."""
    for dy in range(3):
        line = y + dy - 1
        for dx in range(3):
            tap = phase + dx - 1
            side = -1 if tap < 0 else 1 if tap >= factor else 0
            row = (line % lines * factor + tap - side * factor) * planes
            inside = 0 <= line < height
            taps[dy * 3 + dx] = start + row * row_size + side if inside else PAD


@njit
def _aim(program, memory, first, end, y, phase, factor, height, row_size):
    """Find what the operations first..end of a step read and write in one row: constants and buffers."""
    ops = program.ops
    for index in range(first, end):
        op = index * FIELDS
        code, rows, phases = ops[op + CODE], ops[op + ROWS], ops[op + PHASES]
        constants = ops[op + CONSTANTS] + (y % rows * phases + phase % phases) * ops[op + STRIDE]
        memory.constant_at[index - first] = constants
        start, lines, rows_per_line = _buffer(memory, ops[op + BUFFER])
        if code >= STREAM:
            row = y % lines * rows_per_line + phase * ops[op + PLANES]
        else:
            row = y // rows % lines * rows_per_line
        memory.row_at[index - first] = start + row * row_size
        if code == XNOR or code == INT8:
            source = ops[op + FACTOR]
            y_in, phase_in, height_in = y // rows, phase // rows, height * source
            planes = ops[op + PLANES]
            _aim_taps(memory.taps, start, lines, source, planes, y_in, phase_in, height_in, row_size)


@njit
def _execute(program, memory, op, at, row, y, phase, factor, x, height, row_size):
    """Carry out one operation on LANES pixels."""
    ops = program.ops
    code, channels = ops[op + CODE], ops[op + CHANNELS]
    acc, value, constants = memory.acc, memory.value, program.constants
    if code == XNOR:
        weights = program.weights
        _count_differing(memory.words, memory.taps, x, row_size, ops[op + PLANES], weights, at, channels, acc)
    elif code == REQUANT:
        _requant(acc, constants, at, channels, ops[op + SHIFT], ops[op + LOW], ops[op + HIGH], value)
    elif code == JOIN:
        _join(memory.streams, row, x, row_size, constants, at, channels, ops[op + LOW], ops[op + HIGH], value)
    elif code == WORDS:
        _pack(value, constants, at, channels, memory.valid, x, memory.words, row, row_size)
    elif code == STREAM:
        for channel in range(channels):
            store(memory.streams, row + channel * row_size + x, load(value, channel * LANES))
    elif code == LOAD:
        for channel in range(channels):
            v = load(memory.streams, row + constants[at + channel] * row_size + x)
            store(value, channel * LANES, v)
    elif code == WIDEN:
        for channel in range(channels):
            store(acc, channel * LANES, to_int32(load(value, channel * LANES)))
    elif code == PAIRS:
        _pair(value, channels, memory.valid, x, memory.words, row, row_size)
    elif code == INT8:
        weights = program.weights
        _sum_products(memory.words, memory.taps, x, row_size, ops[op + PLANES], weights, at, channels, acc)
    elif code == REQUANT_WIDE:
        _requant_wide(acc, constants, at, channels, ops[op + SHIFT], ops[op + LOW], ops[op + HIGH], value)
    elif code == SUMS:
        for channel in range(channels):
            store(memory.sums, row + channel * row_size + x, load(acc, channel * LANES))
    elif code == LOAD_SUM:
        for channel in range(channels):
            v = load(memory.sums, row + constants[at + channel] * row_size + x)
            store(acc, channel * LANES, v)
    elif code == BASE:
        at_y = ops[op + CONSTANTS] + y % factor * 3
        start, lines, rows_per_line = _buffer(memory, ops[op + BUFFER])
        near = y // factor
        far = min(max(near + constants[at_y + 2], 0), height - 1)
        near = start + near % lines * rows_per_line * row_size
        far = start + far % lines * rows_per_line * row_size
        at_x = ops[op + CONSTANTS] + phase * 3
        _base(memory.streams, near, far, x, row_size, constants, at_y, at_x, channels, memory.base)
    elif code == OUTPUT:
        row = phase * channels * row_size
        _output(acc, memory.base, constants, at, channels, ops[op + LOW], ops[op + SHIFT], memory.line, row, row_size, x)


@njit
def _load_image(image, y, streams, row, row_size):
    """Copy one line of the image into planar rows, each with a copy of its end on both sides."""
    width = image.shape[1]
    for channel in range(image.shape[2]):
        start = row + channel * row_size
        for x in range(width):
            streams[start + x] = image[y, x, channel]
        streams[start - 1] = streams[start]
        streams[start + width] = streams[start + width - 1]


@njit
def _store_image(line, factor, row_size, image, y):
    """Interleave the planar rows of one line of the output."""
    channels = image.shape[2]
    for phase in range(factor):
        for channel in range(channels):
            start = (phase * channels + channel) * row_size
            for x in range(image.shape[1] // factor):
                image[y, x * factor + phase, channel] = line[start + x]


@njit
def _run_row(program, memory, step, y, height, columns, image, result):
    ops, row_size = program.ops, columns + PAD
    first, end, factor = program.steps[step * 3], program.steps[step * 3 + 1], program.steps[step * 3 + 2]
    if ops[first * FIELDS + CODE] == IMAGE:
        start, lines, rows_per_line = _buffer(memory, ops[first * FIELDS + BUFFER])
        _load_image(image, y, memory.streams, start + y % lines * rows_per_line * row_size, row_size)
        return
    for phase in range(factor):
        _aim(program, memory, first, end, y, phase, factor, height, row_size)
        for x in range(0, columns, LANES):
            for index in range(first, end):
                at, row = memory.constant_at[index - first], memory.row_at[index - first]
                _execute(program, memory, index * FIELDS, at, row, y, phase, factor, x, height, row_size)
    if ops[(end - 1) * FIELDS + CODE] == OUTPUT:
        _store_image(memory.line, factor, row_size, result, y)


def run_band(program, memory, ends, columns, image, result):
    """Carry out a plan on a band of rows.

    Args:
        program, memory: see above.
        ends: (rounds + 1, steps) int64; round k makes the lines ends[k - 1, s] to ends[k, s] - 1 of every step s.
        columns: width of the image, rounded up to a multiple of LANES.
        image: the input, (H, W, C) uint8.
        result: the output, of which some lines are written.
    """
    p = Program(
        pointer(program.steps),
        pointer(program.ops),
        pointer(program.constants),
        pointer(program.weights),
    )
    m = Memory(
        pointer(memory.words),
        pointer(memory.streams),
        pointer(memory.sums),
        pointer(memory.buffers),
        pointer(memory.acc),
        pointer(memory.value),
        pointer(memory.base),
        pointer(memory.line),
        pointer(memory.valid),
        pointer(memory.taps),
        pointer(memory.constant_at),
        pointer(memory.row_at),
    )
    for round_ in range(1, len(ends)):
        for step in range(ends.shape[1]):
            for y in range(ends[round_ - 1, step], ends[round_, step]):
                _run_row(p, m, step, y, image.shape[0], columns, image, result)


def _compiled(function):
    """Compile without the GIL and keep the code on disk, under a name that changes with any of the sources.

    Numba looks only at the file of the function itself to tell whether what it kept is out of date.
    """
    folder = Path(__file__).parent
    sources = b"".join((folder / name).read_bytes() for name in ("fast_simd.py", "fast_kernels.py"))
    function.__qualname__ += "_" + hashlib.sha256(sources).hexdigest()[:16]
    return njit(cache=True, nogil=True)(function)


run_band = _compiled(run_band)
