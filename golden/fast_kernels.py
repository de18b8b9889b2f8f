# SPDX-License-Identifier: BSD-3-Clause
"""The arithmetic of `golden.fast`: each kernel does one operation on LANES pixels of all channels of a row.

`x` is the first of the pixels, `at` the first of the kernel's constants or weights, `row` the first element
of the first row that is read or written, `row_size` the distance between rows. `acc` and `value` are the
scratch: sums of 32 bits and values of 16. The arguments say nothing of sizes: the plan is trusted.
"""

from __future__ import annotations

from numba import njit

from golden.fast_ops import GROUP, LANES, PAIR_GROUP
from golden.fast_simd import (
    add_products,
    add_saturating,
    count_ones,
    load,
    load_splat16,
    load_splat32,
    load_splat64,
    maximum,
    minimum,
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


@njit
def count_differing(words, taps, row_size, x, planes, weights, at, channels, acc):
    """Binary convolution: count the bits that differ between the weights and 9 rows of words."""
    for channel in range(0, channels, GROUP):
        a = b = c = d = splat32(0)
        for plane in range(planes):
            e = f = g = h = splat32(0)  # of one word: sums that `total_ones` can take
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
def sum_products(words, taps, row_size, x, planes, weights, at, channels, acc):
    """int8 convolution, of 9 rows of pairs of channels."""
    for channel in range(0, channels, PAIR_GROUP):
        a = b = c = splat32(0)
        for plane in range(planes):
            d = e = f = splat32(0)  # of one pair: sums that need not wait for those of the pair before
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
def requant(acc, constants, at, channels, shift, low, high, value):
    """Requantize in 32 bits, by products of 16 bits: the plan has proven that all fits."""
    for channel in range(channels):
        v = load(acc, channel * LANES)
        above = v > load_splat32(constants, at)
        a = select(above, load_splat32(constants, at + 1), load_splat32(constants, at + 3))
        b = select(above, load_splat32(constants, at + 2), load_splat32(constants, at + 4))
        v = saturate_int16(add_products(b, a, v) >> splat32(shift))
        store(value, channel * LANES, minimum(maximum(v, splat16(low)), splat16(high)))
        at += 5


@njit
def requant_wide(acc, constants, at, channels, shift, low, high, value):
    """Requantize in 64 bits."""
    for channel in range(channels):
        v = load(acc, channel * LANES)
        above = v > load_splat32(constants, at)
        a = select(above, load_splat64(constants, at + 1), load_splat64(constants, at + 3))
        b = select(above, load_splat64(constants, at + 2), load_splat64(constants, at + 4))
        v = saturate_int16((a * to_int64(v) + b) >> splat64(shift))
        store(value, channel * LANES, minimum(maximum(v, splat16(low)), splat16(high)))
        at += 5


@njit
def join(streams, row, row_size, x, constants, at, channels, low, high, value):
    """Add rows of another tensor to the values; saturating to 16 bits first changes nothing."""
    for channel in range(channels):
        other = load(streams, row + constants[at + channel] * row_size + x)
        v = add_saturating(load(value, channel * LANES), other)
        store(value, channel * LANES, minimum(maximum(v, splat16(low)), splat16(high)))


@njit
def multiply(streams, row, row_size, x, constants, at, channels, shift, low, high, value):
    """Multiply by rows of another tensor, rounding half up."""
    half = (1 << shift) >> 1
    for channel in range(channels):
        other = to_int32(load(streams, row + constants[at + channel] * row_size + x))
        v = (to_int32(load(value, channel * LANES)) * other + splat32(half)) >> splat32(shift)
        store(value, channel * LANES, minimum(maximum(saturate_int16(v), splat16(low)), splat16(high)))


@njit
def lookup(weights, at, entries, channels, value):
    """Replace each value by an entry of a table; outside the image it may be anything."""
    for index in range(channels * LANES):
        value[index] = weights[at + min(max(value[index] + entries // 2, 0), entries - 1)]


@njit
def read(pool, row, row_size, x, constants, at, channels, scratch):
    """Fill the scratch with rows of a view."""
    for channel in range(channels):
        store(scratch, channel * LANES, load(pool, row + constants[at + channel] * row_size + x))


@njit
def write(scratch, channels, pool, row, row_size, x):
    """Write the scratch as it is."""
    for channel in range(channels):
        store(pool, row + channel * row_size + x, load(scratch, channel * LANES))


@njit
def widen(value, channels, acc):
    """Take values for sums."""
    for channel in range(channels):
        store(acc, channel * LANES, to_int32(load(value, channel * LANES)))


@njit
def write_bits(value, constants, at, channels, valid, words, row, row_size, x):
    """Compare with the thresholds, and write the results of 32 channels as one word; outside the image 0."""
    for plane in range((channels + 31) // 32):
        packed = splat32(0)
        for channel in range(plane * 32, min(plane * 32 + 32, channels)):
            ones = load(value, channel * LANES) >= load_splat16(constants, at)
            packed |= select(ones, load_splat32(constants, at + 1), splat32(0))
            at += 2
        store(words, row + plane * row_size + x, packed & load(valid, x))


@njit
def write_pairs(value, channels, valid, words, row, row_size, x):
    """Write two channels as one word; outside the image 0."""
    for plane in range((channels + 1) // 2):
        low = to_int32(load(value, 2 * plane * LANES)) & splat32(0xFFFF)
        high = to_int32(load(value, (2 * plane + 1) * LANES)) << splat32(16)
        store(words, row + plane * row_size + x, (low | high) & load(valid, x))


@njit
def bilinear(streams, near, far, row_size, x, constants, at_y, at_x, channels, base):
    """Interpolate between two lines of the image, which have copies of their ends on both sides."""
    near_y, far_y = splat32(constants[at_y]), splat32(constants[at_y + 1])
    near_x, far_x, side = splat32(constants[at_x]), splat32(constants[at_x + 1]), constants[at_x + 2]
    for channel in range(channels):
        at = near + channel * row_size + x
        here = to_int32(load(streams, at)) * near_x + to_int32(load(streams, at + side)) * far_x
        at = far + channel * row_size + x
        there = to_int32(load(streams, at)) * near_x + to_int32(load(streams, at + side)) * far_x
        store(base, channel * LANES, here * near_y + there * far_y)


@njit
def output(acc, base, constants, at, channels, base_shift, shift, line, row, row_size, x):
    """Make final pixels, still planar."""
    for channel in range(channels):
        scaled = to_int64(load(acc, channel * LANES)) * load_splat64(constants, at)
        raised = to_int64(load(base, channel * LANES)) << splat64(base_shift)
        v = (raised + scaled + load_splat64(constants, at + 1)) >> splat64(shift)
        store(line, row + channel * row_size + x, minimum(maximum(v, splat64(0)), splat64(255)))
        at += 2


@njit
def read_image(image, y, streams, row, row_size):
    """Copy one line of the image into planar rows, each with a copy of its ends on both sides."""
    width = image.shape[1]
    for channel in range(image.shape[2]):
        start = row + channel * row_size
        for x in range(width):
            streams[start + x] = image[y, x, channel]
        streams[start - 1] = streams[start]
        streams[start + width] = streams[start + width - 1]


@njit
def write_image(line, factor, row_size, image, y):
    """Interleave the planar rows of one line of the output."""
    channels = image.shape[2]
    for phase in range(factor):
        for channel in range(channels):
            start = (phase * channels + channel) * row_size
            for x in range(image.shape[1] // factor):
                image[y, x * factor + phase, channel] = line[start + x]
