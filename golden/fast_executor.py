# SPDX-License-Identifier: BSD-3-Clause
"""The compiled loop of `golden.fast`: it carries out the steps of a plan on a band of lines."""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba import njit

from golden import fast_kernels as kernels
from golden.fast_ops import (
    BASE,
    BUFFER,
    CHANNELS,
    CODE,
    CONSTANTS,
    FACTOR,
    FIELDS,
    HIGH,
    IMAGE,
    INT8,
    JOIN,
    LANES,
    LOAD,
    LOAD_SUM,
    LOW,
    MULTIPLY,
    OUTPUT,
    PAD,
    PAIRS,
    PHASES,
    PLANES,
    REQUANT,
    REQUANT_WIDE,
    ROWS,
    SHIFT,
    STREAM,
    STRIDE,
    SUMS,
    TABLE,
    WIDEN,
    WORDS,
    XNOR,
    Memory,
    Program,
)
from golden.fast_simd import pointer


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
def _aim(program, memory, first, end, y, phase, height, row_size):
    """Find what the operations first..end - 1 of a step read and write in one row: constants and buffers."""
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
        if code in (XNOR, INT8):
            source, planes = ops[op + FACTOR], ops[op + PLANES]
            y_in, phase_in, height_in = y // rows, phase // rows, height * source
            _aim_taps(memory.taps, start, lines, source, planes, y_in, phase_in, height_in, row_size)


@njit
def _interpolate(program, memory, op, y, phase, factor, x, height, row_size):
    """Find the two lines of the image that a line of the output lies between, and interpolate."""
    constants, channels = program.constants, program.ops[op + CHANNELS]
    start, lines, rows_per_line = _buffer(memory, program.ops[op + BUFFER])
    at_y = program.ops[op + CONSTANTS] + y % factor * 3
    at_x = program.ops[op + CONSTANTS] + phase * 3
    near = y // factor
    far = min(max(near + constants[at_y + 2], 0), height - 1)
    near = start + near % lines * rows_per_line * row_size
    far = start + far % lines * rows_per_line * row_size
    kernels.bilinear(memory.streams, near, far, row_size, x, constants, at_y, at_x, channels, memory.base)


@njit
def _execute(program, memory, op, at, row, phase, row_size, x):
    """Carry out one operation on LANES pixels."""
    ops, constants, weights = program.ops, program.constants, program.weights
    words, streams, acc, value, valid = memory.words, memory.streams, memory.acc, memory.value, memory.valid
    code, channels, planes = ops[op + CODE], ops[op + CHANNELS], ops[op + PLANES]
    shift, low, high = ops[op + SHIFT], ops[op + LOW], ops[op + HIGH]
    if code == XNOR:
        kernels.count_differing(words, memory.taps, row_size, x, planes, weights, at, channels, acc)
    elif code == REQUANT:
        kernels.requant(acc, constants, at, channels, shift, low, high, value)
    elif code == JOIN:
        kernels.join(streams, row, row_size, x, constants, at, channels, low, high, value)
    elif code == WORDS:
        kernels.write_bits(value, constants, at, channels, valid, words, row, row_size, x)
    elif code == STREAM:
        kernels.write(value, channels, streams, row, row_size, x)
    elif code == LOAD:
        kernels.read(streams, row, row_size, x, constants, at, channels, value)
    elif code == WIDEN:
        kernels.widen(value, channels, acc)
    elif code == PAIRS:
        kernels.write_pairs(value, channels, valid, words, row, row_size, x)
    elif code == INT8:
        kernels.sum_products(words, memory.taps, row_size, x, planes, weights, at, channels, acc)
    elif code == REQUANT_WIDE:
        kernels.requant_wide(acc, constants, at, channels, shift, low, high, value)
    elif code == OUTPUT:
        row, line, base = phase * channels * row_size, memory.line, memory.base
        kernels.output(acc, base, constants, at, channels, low, shift, line, row, row_size, x)
    elif code == MULTIPLY:
        kernels.multiply(streams, row, row_size, x, constants, at, channels, shift, low, high, value)
    elif code == TABLE:
        kernels.lookup(weights, at, high, channels, value)
    elif code == SUMS:
        kernels.write(acc, channels, memory.sums, row, row_size, x)
    elif code == LOAD_SUM:
        kernels.read(memory.sums, row, row_size, x, constants, at, channels, acc)


@njit
def _run_row(program, memory, step, y, height, columns, image, result):
    """Make one line of the tensor of a step."""
    ops, row_size = program.ops, columns + PAD
    first, end, factor = program.steps[step * 3], program.steps[step * 3 + 1], program.steps[step * 3 + 2]
    if ops[first * FIELDS + CODE] == IMAGE:
        start, lines, rows_per_line = _buffer(memory, ops[first * FIELDS + BUFFER])
        kernels.read_image(image, y, memory.streams, start + y % lines * rows_per_line * row_size, row_size)
        return
    for phase in range(factor):
        _aim(program, memory, first, end, y, phase, height, row_size)
        for x in range(0, columns, LANES):
            for index in range(first, end):
                op, at, row = index * FIELDS, memory.constant_at[index - first], memory.row_at[index - first]
                if ops[op + CODE] == BASE:
                    _interpolate(program, memory, op, y, phase, factor, x, height, row_size)
                else:
                    _execute(program, memory, op, at, row, phase, row_size, x)
    if ops[(end - 1) * FIELDS + CODE] == OUTPUT:
        kernels.write_image(memory.line, factor, row_size, result, y)


def run_band(program, memory, ends, columns, image, result):
    """Carry out a plan on a band of lines.

    Args:
        program: the plan.
        memory: what this thread works on; its contents do not matter, but for what lies outside the image.
        ends: int64 (rounds + 1, steps); in round k, step s makes its lines ends[k - 1, s] to ends[k, s] - 1.
        columns: width of the image, rounded up to a multiple of LANES.
        image: the input, (H, W, C) uint8.
        result: the output, (H*scale, W*scale, C) uint8, of which some lines are written.
    """
    # Counting references to arrays, as Numba does, took most of the time: pointers have none.
    p = Program(
        pointer(program.steps), pointer(program.ops), pointer(program.constants), pointer(program.weights)
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
    """Compile on first use, to run without the GIL, and keep the code on disk where there is a place for it.

    The name under which it is kept changes with any of the sources, since Numba itself looks only at the file
    of the function to tell whether what it kept is out of date.
    """
    digest = hashlib.sha256()
    for name in ("fast_simd", "fast_ops", "fast_kernels", "fast_executor"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    function.__qualname__ += "_" + digest.hexdigest()[:16]
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither this folder nor the user's cache folder can be written
        return njit(nogil=True)(function)


run_band = _compiled(run_band)
