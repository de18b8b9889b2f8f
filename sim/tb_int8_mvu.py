# SPDX-License-Identifier: BSD-3-Clause
"""int8_mvu: vectors of bytes times a matrix of int8; golden.operators says what comes out.

Of vectors of 9 * C elements conv_int8 does, as behind a window; of others conv_point.
"""

import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, unpack
from sim.harness import operator_tests
from sim.tb_rsign import archive, constants


def in_bits(parameters):
    """Return the bits of an input element."""
    return parameters.get("IN_BITS", 8)


def ends(parameters):
    """Return (lowest, largest) value of an input element."""
    half = 1 << (in_bits(parameters) - 1)
    return (-half, half - 1) if parameters.get("X_SIGNED", 0) else (0, 2 * half - 1)


def acc_bits(parameters, weight):
    """Return the least ACC_BITS that hold all results of a matrix, whatever the vector."""
    low, high = ends(parameters)
    weight = weight.astype(np.int64)
    largest = np.where(weight > 0, weight * high, weight * low).sum(1).max()
    smallest = np.where(weight > 0, weight * low, weight * high).sum(1).min()
    return 1 + max(int(largest).bit_length(), int(-smallest - 1).bit_length())


def random_matrix(rng, parameters, extreme):
    """Return (MH, MW) weights: noise, or the ends of the range in rows, in columns and at random."""
    shape = parameters["MH"], parameters["MW"]
    low = -127 if parameters.get("NARROW", 0) else -128
    if not extreme:
        return rng.integers(low, 128, shape)
    weight = rng.choice((low, -127, -1, 0, 1, 127), shape, p=(0.4, 0.05, 0.1, 0.1, 0.05, 0.3))
    for index, value in enumerate((low, 127, -1)):
        weight[rng.integers(shape[0])] = value  # a row, if no later one takes its place
        weight[:, index :: max(4, shape[1] // 2)] = value
    weight[-1] = low
    return weight


def memory_files(parameters, weight):
    """Return the files of a run: the memories of the design, and the matrix in constants.npz."""
    simd, pe, bits = (parameters[name] for name in ("SIMD", "PE", "ACC_BITS"))
    rows, length = weight.shape
    words = weight.reshape(rows // pe, pe, length // simd, simd).swapaxes(1, 2)  # nf, sf, p, i
    bias = 128 * weight.astype(np.int64).sum(1) % (1 << bits)
    return {
        "weights.mem": memory_lines(pack(words & 0xFF, pe * simd, 8), 8 * pe * simd),
        "bias.mem": memory_lines(pack(bias, pe, bits), bits * pe),
        "constants.npz": archive(weight=weight.astype(np.int8)),
    }


def draw(rng, parameters, height, width, extreme):
    """Return height * width vectors: noise; or the ends of the range, for or against the signs of a row."""
    low, high = ends(parameters)
    shape = (height * width, parameters["MW"])
    if extreme:
        weight = constants()["weight"]
        row = weight[rng.integers(0, len(weight), shape[0])] > 0
        kind = rng.integers(0, 4, (shape[0], 1))
        choice = np.where(kind == 2, rng.random(shape) < 0.5, np.where(kind == 3, True, row ^ (kind == 1)))
        x = np.where(choice, high, low)
    else:
        x = rng.integers(low, high + 1, shape)
    return {"s_axis": pack(x & ((1 << in_bits(parameters)) - 1), parameters["SIMD"], in_bits(parameters))}


def multiply(x, weight):
    """Return the results, (vectors, MH).

    A vector of 9 * C elements is a 3x3 image of C channels, and the result is what the convolution gives at
    its centre: all vectors side by side are one image. A vector of another length is a pixel.
    """
    count, length = x.shape
    if length % 9:
        return operators.conv_point(x[None], weight)[0]
    image = x.reshape(count, 3, 3, -1).swapaxes(0, 1).reshape(3, 3 * count, -1)
    return operators.conv_int8(image, weight.reshape(len(weight), 3, 3, -1))[1, 1::3]


def golden(parameters, inputs, height, width):
    """Return the results of every vector."""
    signed = bool(parameters.get("X_SIGNED", 0))
    elements = unpack(inputs["s_axis"], parameters["SIMD"], in_bits(parameters), signed)
    x = elements.reshape(-1, parameters["MW"])
    return {"m_axis": pack(multiply(x, constants()["weight"]), parameters["PE"], parameters["ACC_BITS"])}


def rate(parameters, height, width):
    """Return the cycles that the header promises: SF * NF for each vector."""
    return height * width * (parameters["MW"] // parameters["SIMD"]) * (parameters["MH"] // parameters["PE"])


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate, frames=4)
