# SPDX-License-Identifier: BSD-3-Clause
"""The operators of docs/numerics.md as pure functions: this code is the definition of every number.

Tensors are (H, W, C) with the channel fastest. Streams travel as int16 whatever their width, accumulators as
int32, bits as uint8 0 or 1. Outside the image `conv_int8` sees 0 and `conv_xnor` sees bit 0, that is -1. All
roundings are "add half, then shift": the half is part of the constant b, and the shift is an arithmetic one.
The operators with large intermediates work on some rows at a time.

Arguments are trusted here: shapes, kinds and ranges are what `IntegerNetwork` enforces when it is built.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from golden.packing import pack_words, popcount

BASE_FRACTION_BITS = {1: 0, 2: 4, 3: 16, 4: 6}
"""Fraction bits s_b of the `base` tensor, by upsampling factor: twice those of the weights of one axis."""

# Weights of (the pixel itself, its nearer neighbour) for the sub-pixels in the first half of a pixel, by
# factor; the second half mirrors the first. The sum is 1 << (BASE_FRACTION_BITS / 2).
_BASE_WEIGHTS = {2: ((3, 1),), 3: ((171, 85),), 4: ((5, 3), (7, 1))}

_WINDOW_VALUES = 1 << 20  # of a block of rows: few matrix products, in little memory


def saturate(v: np.ndarray, bits: int) -> np.ndarray:
    """Clip integers to signed `bits` (2..16), -2^(bits-1) .. 2^(bits-1) - 1: any shape, returns int16."""
    return np.clip(v, -(1 << (bits - 1)), (1 << (bits - 1)) - 1).astype(np.int16)


def _conv3x3(x: np.ndarray, weight: np.ndarray, outside: int, dtype: type[np.floating]) -> np.ndarray:
    """3x3 convolution as matrix products of 3x3 windows; exact if `dtype` holds every partial sum."""
    height, width, channels = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), constant_values=outside)
    windows = sliding_window_view(padded, (3, 3), axis=(0, 1))  # (H, W, C_in, 3, 3), no copy
    weight = weight.astype(dtype)
    acc = np.empty((height, width, weight.shape[0]), np.int32)
    rows = max(1, _WINDOW_VALUES // (width * channels * 9))
    for y in range(0, height, rows):
        block = windows[y : y + rows].astype(dtype)
        acc[y : y + rows] = np.tensordot(block, weight, axes=((3, 4, 2), (1, 2, 3)))
    return acc


def conv_int8(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """3x3 convolution, 0 outside the image: acc[y, x, o] = sum of w[o, i, j, c] * x[y+i-1, x+j-1, c].

    Args:
        x: (H, W, C_in), uint8 pixels 0..255, or a stream within -128..127.
        weight: (C_out, 3, 3, C_in) int8.

    Returns:
        (H, W, C_out) int32. Computed in float64, which is exact up to 2^53.
    """
    return _conv3x3(x, weight, 0, np.float64)


def conv_xnor_plain(bits: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Binary 3x3 convolution as a sum of +-1 products, with -1 outside the image.

    Args:
        bits: (H, W, C_in) of 0/1, where 1 means +1 and 0 means -1.
        weight: (C_out, 3, 3, C_in) of 0/1, likewise.

    Returns:
        m, (H, W, C_out) int32 within +-9*C_in, of the parity of 9*C_in. Computed in float32, which is exact
        up to 2^24.
    """
    return _conv3x3(2 * bits.astype(np.int8) - 1, 2 * weight.astype(np.int8) - 1, -1, np.float32)


def conv_xnor_packed(bits: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The same convolution on packed words: m = 2 * popcount(xnor(w, x)) - n, n = 9 * C_in.

    Counts the bits that differ, m = n - 2 * popcount(xor(w, x)): the unused bits of the last word are 0 in
    both and need no mask. Arguments and result as `conv_xnor_plain`, with which it shares no code.
    """
    height, width, channels = bits.shape
    words = pack_words(bits)
    image = np.zeros((height + 2, width + 2, words.shape[-1]), np.uint64)  # bit 0 outside the image
    image[1:-1, 1:-1] = words
    taps = pack_words(weight)  # (C_out, 3, 3, words)
    differ = np.zeros((height, width, weight.shape[0]), np.int32)
    for y in range(height):
        for dy in range(3):
            for dx in range(3):
                for word in range(words.shape[-1]):
                    row = image[y + dy, dx : dx + width, word]
                    differ[y] += popcount(row[:, None] ^ taps[:, dy, dx, word])
    return 9 * channels - 2 * differ


def requant(
    acc: np.ndarray,
    a1: np.ndarray,
    a0: np.ndarray,
    b1: np.ndarray,
    b0: np.ndarray,
    threshold: np.ndarray,
    shift: int,
    bits: int,
) -> np.ndarray:
    """Two affine pieces per channel: v = acc > t ? (a1*acc + b1) >> S : (a0*acc + b0) >> S, saturated.

    Args:
        acc: (H, W, C) integers within int32: pixels, an accumulator or a stream.
        a1, a0: (C,) int32 within 16 bits.
        b1, b0: (C,) int64 within 32 bits, the half 1 << (shift - 1) included.
        threshold: (C,) int32.
        shift: S, 0..31.
        bits: signed width of the result, 2..16.

    Returns:
        (H, W, C) int16. The intermediate stays below 2^47 and is held in 64 bits.
    """
    result = np.empty(acc.shape, np.int16)
    for y, row in enumerate(acc):
        above = row > threshold
        v = np.where(above, a1, a0) * row.astype(np.int64) + np.where(above, b1, b0)
        result[y] = saturate(v >> shift, bits)
    return result


def rsign(x: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Sign with a threshold per channel: bit = 1 iff x >= threshold; equality gives 1.

    Args:
        x: (H, W, C) int16 stream.
        threshold: (C,) int32.

    Returns:
        (H, W, C) uint8 of 0/1.
    """
    return (x >= threshold).astype(np.uint8)


def join(x: np.ndarray, i: np.ndarray, bits: int) -> np.ndarray:
    """Residual addition: x + i saturated to signed `bits`; x, i and the result are (H, W, C) int16."""
    return saturate(x.astype(np.int32) + i, bits)


def pixel_shuffle(x: np.ndarray, factor: int) -> np.ndarray:
    """Move channels into space: channel c*r*r + i*r + j of (y, x) -> channel c of (y*r + i, x*r + j).

    (H, W, C*r*r) -> (H*r, W*r, C) with r = factor, as torch.nn.PixelShuffle; the dtype stays.
    """
    height, width, channels = x.shape
    depth = channels // (factor * factor)
    blocks = x.reshape(height, width, depth, factor, factor)
    return blocks.transpose(0, 3, 1, 4, 2).reshape(height * factor, width * factor, depth)


def nearest_up(x: np.ndarray, factor: int) -> np.ndarray:
    """Repeat every pixel factor x factor times: (H, W, C) -> (H*factor, W*factor, C); the dtype stays."""
    return x.repeat(factor, axis=0).repeat(factor, axis=1)


def repeat_channels(x: np.ndarray, channels: int) -> np.ndarray:
    """Channel c of the result is channel c mod C_in of x: (H, W, C_in) -> (H, W, channels), same dtype."""
    return x[:, :, np.arange(channels) % x.shape[2]]


def _upsample_rows(x: np.ndarray, factor: int) -> np.ndarray:
    """Bilinear upsampling of the first axis, edge replicated, in integers: (N, ...) -> (N*factor, ...)."""
    before = np.concatenate([x[:1], x[:-1]])
    after = np.concatenate([x[1:], x[-1:]])
    out = np.empty((x.shape[0] * factor, *x.shape[1:]), np.int32)
    if factor % 2:
        out[factor // 2 :: factor] = x << (BASE_FRACTION_BITS[factor] // 2)  # the sub-pixel in the middle
    for phase, (near, far) in enumerate(_BASE_WEIGHTS[factor]):
        out[phase::factor] = near * x + far * before
        out[factor - 1 - phase :: factor] = near * x + far * after
    return out


def base(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Bilinear upsampling (align_corners=False, edge replicated) in fixed point.

    Weights of one axis: factor 2 (3, 1)/4 and factor 4 (5, 3)/8, (7, 1)/8 are exact; factor 3 uses
    (171, 85)/256 and 256/256, which is a third rounded to 8 bits; factor 1 is the input itself.

    Args:
        pixels: (H, W, C) uint8.
        factor: 1..4.

    Returns:
        (H*factor, W*factor, C) int32, the grey level times 2^s_b with s_b = BASE_FRACTION_BITS[factor]:
        0..255 << s_b.
    """
    x = pixels.astype(np.int32)
    if factor == 1:
        return x
    return _upsample_rows(_upsample_rows(x, factor).swapaxes(0, 1), factor).swapaxes(0, 1)


def output(
    acc: np.ndarray, base: np.ndarray, a: np.ndarray, b: np.ndarray, shift: int, base_bits: int
) -> np.ndarray:
    """Final pixels: Y = clip_u8(((base << (S - s_b)) + a*acc + b) >> S).

    Args:
        acc: (H, W, C) int32 accumulator or int16 stream.
        base: (H, W, C) int32, 0..255 << base_bits.
        a: (C,) int32 within 16 bits; negative where the network predicts what to subtract.
        b: (C,) int64 within 32 bits, the half 1 << (shift - 1) included.
        shift: S, base_bits..31.
        base_bits: s_b, the fraction bits of `base`.

    Returns:
        (H, W, C) uint8. The intermediate stays below 2^48 and is held in 64 bits.
    """
    v = base.astype(np.int64) << (shift - base_bits)
    v += a.astype(np.int64) * acc
    v += b
    v >>= shift
    return np.clip(v, 0, 255).astype(np.uint8)


def conv_point(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """1x1 convolution: acc[y, x, o] = sum of w[o, c] * x[y, x, c].

    Args:
        x: (H, W, C_in), uint8 pixels 0..255, or a stream within -128..127.
        weight: (C_out, C_in) int8.

    Returns:
        (H, W, C_out) int32. Computed in float64, which is exact up to 2^53.
    """
    return (x.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int32)


def lookup(x: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Any function of a narrow stream: table[x + 2^(n-1)], for x of n bits and 2^n entries.

    x is (H, W, C) int16, the table (2^n,) int16; the result is as x.
    """
    return table[x.astype(np.intp) + len(table) // 2]


def multiply(x: np.ndarray, g: np.ndarray, shift: int, bits: int) -> np.ndarray:
    """Product of two streams: (x * g + half) >> S saturated to signed `bits`, half = 1 << (S - 1) or 0.

    Args:
        x: (H, W, C) int16.
        g: int16, (H or 1, W or 1, C or 1): where it has 1 it is the same for all of x.
        shift: S, 0..30.
        bits: 2..16.

    Returns:
        (H, W, C) int16. The product and the half stay below 2^31.
    """
    half = 1 << shift >> 1
    return saturate((x.astype(np.int64) * g + half) >> shift, bits)


def rounded_mean(total: np.ndarray, count: int, shift: int, bits: int) -> np.ndarray:
    """Mean of integers: sat_b(floor(total * 2^F / count + 1/2)), without any other rounding.

    Args:
        total: (C,) exact sums of `count` values of 16 bits each; any integer dtype, or objects (Python's).
        count: N, at least 1.
        shift: F, fraction bits of the result, 0..15.
        bits: signed width of the result, 2..16.

    Returns:
        (1, 1, C) int16. In Python's integers, which have no limit.
    """
    limit = 1 << (bits - 1)
    means = (((int(value) << (shift + 1)) + count) // (2 * count) for value in total)
    return np.array([max(-limit, min(limit - 1, mean)) for mean in means], np.int16).reshape(1, 1, -1)


def global_mean(x: np.ndarray, shift: int, bits: int) -> np.ndarray:
    """Mean of each channel over all pixels, as `rounded_mean`: (H, W, C) int16 -> (1, 1, C) int16."""
    height, width = x.shape[:2]
    return rounded_mean(x.sum(axis=(0, 1), dtype=np.int64), height * width, shift, bits)


def compare(x: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Sign with the thresholds of this image: bit = 1 iff x >= threshold; equality gives 1.

    x is (H, W, C) int16, threshold (1, 1, C) int16; the result is (H, W, C) uint8 of 0/1.
    """
    return (x >= threshold).astype(np.uint8)
