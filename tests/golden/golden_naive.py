# SPDX-License-Identifier: BSD-3-Clause
"""The contract once more, as plain as possible: Python integers, one pixel at a time.

Written from docs/numerics.md, not from the code under test. Tensors are nested lists [y][x][c].
"""

import math
from fractions import Fraction

import numpy as np

FRACTION_BITS = {1: 0, 2: 4, 3: 16, 4: 6}


def floor_shift(value, shift):
    return value // 2**shift


def clip(value, low, high):
    return max(low, min(high, value))


def signed(value, bits):
    return clip(value, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def pixelwise(function, *tensors):
    """Apply function(channel, *values) to each element."""
    height, width, channels = len(tensors[0]), len(tensors[0][0]), len(tensors[0][0][0])
    return [
        [[function(c, *(t[y][x][c] for t in tensors)) for c in range(channels)] for x in range(width)]
        for y in range(height)
    ]


def conv(x, weight, outside):
    """3x3 convolution of integers; `weight` [o][i][j][c]."""
    height, width = len(x), len(x[0])

    def at(y, xx, o):
        acc = 0
        for i in range(3):
            for j in range(3):
                yy, xj = y + i - 1, xx + j - 1
                inside = 0 <= yy < height and 0 <= xj < width
                for c, w in enumerate(weight[o][i][j]):
                    acc += w * (x[yy][xj][c] if inside else outside)
        return acc

    return [[[at(y, xx, o) for o in range(len(weight))] for xx in range(width)] for y in range(height)]


def plus_minus(bits):
    return 1 if bits == 1 else -1


def conv_xnor(x, weight):
    weight = [[[[plus_minus(w) for w in taps] for taps in row] for row in kernel] for kernel in weight]
    return conv(pixelwise(lambda c, bit: plus_minus(bit), x), weight, -1)


def requant(x, layer):
    def one(c, acc):
        if acc > int(layer.threshold[c]):
            v = floor_shift(int(layer.a1[c]) * acc + int(layer.b1[c]), layer.shift)
        else:
            v = floor_shift(int(layer.a0[c]) * acc + int(layer.b0[c]), layer.shift)
        return signed(v, layer.bits)

    return pixelwise(one, x)


def pixel_shuffle(x, r):
    height, width, channels = len(x), len(x[0]), len(x[0][0]) // (r * r)
    out = [[[None] * channels for _ in range(width * r)] for _ in range(height * r)]
    for y in range(height):
        for xx in range(width):
            for c in range(channels):
                for i in range(r):
                    for j in range(r):
                        out[y * r + i][xx * r + j][c] = x[y][xx][c * r * r + i * r + j]
    return out


def nearest_up(x, r):
    return [[x[y // r][xx // r] for xx in range(len(x[0]) * r)] for y in range(len(x) * r)]


def axis_taps(position, size, factor):
    """Bilinear taps of one output position: [(input index, integer weight)], edge replicated."""
    source = Fraction(2 * position + 1, 2 * factor) - Fraction(1, 2)
    left = math.floor(source)
    unit = 2 ** (FRACTION_BITS[factor] // 2)
    right_weight = math.floor((source - left) * unit + Fraction(1, 2))  # to nearest; exact for 2 and 4
    return [(clip(left, 0, size - 1), unit - right_weight), (clip(left + 1, 0, size - 1), right_weight)]


def base(x, factor):
    height, width, channels = len(x), len(x[0]), len(x[0][0])

    def at(y, xx, c):
        rows, columns = axis_taps(y, height, factor), axis_taps(xx, width, factor)
        return sum(wy * wx * x[iy][ix][c] for iy, wy in rows for ix, wx in columns)

    return [
        [[at(y, xx, c) for c in range(channels)] for xx in range(width * factor)]
        for y in range(height * factor)
    ]


def output(acc, base_, layer, factor):
    def one(c, value, under):
        scaled = under * 2 ** (layer.shift - FRACTION_BITS[factor])
        return clip(floor_shift(scaled + int(layer.a[c]) * value + int(layer.b[c]), layer.shift), 0, 255)

    return pixelwise(one, acc, base_)


def conv_point(x, weight):
    return [
        [[sum(w * v for w, v in zip(row, pixel, strict=True)) for row in weight] for pixel in line]
        for line in x
    ]


def multiply(x, g, layer):
    def factor(y, xx, c):
        line = g[0] if len(g) == 1 else g[y]
        pixel = line[0] if len(line) == 1 else line[xx]
        return pixel[0] if len(pixel) == 1 else pixel[c]

    def one(y, xx, c):
        rounded = math.floor(Fraction(x[y][xx][c] * factor(y, xx, c), 2**layer.shift) + Fraction(1, 2))
        return signed(rounded, layer.bits)

    return [[[one(y, xx, c) for c in range(len(x[0][0]))] for xx in range(len(x[0]))] for y in range(len(x))]


def global_mean(x, layer):
    pixels = [pixel for line in x for pixel in line]
    means = [Fraction(sum(values), len(pixels)) * 2**layer.shift for values in zip(*pixels, strict=True)]
    return [[[signed(math.floor(mean + Fraction(1, 2)), layer.bits) for mean in means]]]


def apply(layer, inputs, scale):
    """The result of a layer, by the name of its class."""
    x = inputs[0]
    kind = type(layer).__name__
    if kind == "ConvInt8":
        return conv(x, layer.weight.tolist(), 0)
    if kind == "ConvXnor":
        return conv_xnor(x, layer.weight.tolist())
    if kind == "Requant":
        return requant(x, layer)
    if kind == "RSign":
        return pixelwise(lambda c, v: 1 if v >= int(layer.threshold[c]) else 0, x)
    if kind == "Join":
        return pixelwise(lambda c, v, i: signed(v + i, layer.bits), x, inputs[1])
    if kind == "PixelShuffle":
        return pixel_shuffle(x, layer.factor)
    if kind == "NearestUp":
        return nearest_up(x, layer.factor)
    if kind == "RepeatChannels":
        return [[[pixel[c % len(pixel)] for c in range(layer.channels)] for pixel in row] for row in x]
    if kind == "ConvPoint":
        return conv_point(x, layer.weight.tolist())
    if kind == "Table":
        return pixelwise(lambda c, v: int(layer.table[v + len(layer.table) // 2]), x)
    if kind == "Multiply":
        return multiply(x, inputs[1], layer)
    if kind == "GlobalMean":
        return global_mean(x, layer)
    if kind == "Compare":
        return pixelwise(lambda c, v: 1 if v >= inputs[1][0][0][c] else 0, x)
    if kind == "PlainOutput":
        return pixelwise(
            lambda c, v: clip(floor_shift(int(layer.a[c]) * v + int(layer.b[c]), layer.shift), 0, 255), x
        )
    if kind == "Base":
        return base(x, layer.factor)
    return output(x, inputs[1], layer, scale)


def run(network, image):
    """Every tensor of a network as int64 arrays, by name."""
    tensors = {"pixels": np.asarray(image).tolist()}
    for layer in network.layers:
        tensors[layer.name] = apply(layer, [tensors[name] for name in layer.inputs], network.scale)
    return {name: np.array(tensor, np.int64) for name, tensor in tensors.items()}
