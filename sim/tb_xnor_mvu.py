# SPDX-License-Identifier: BSD-3-Clause
"""xnor_mvu: vectors of bits times a matrix of bits; golden's binary convolutions say what comes out."""

import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, unpack
from sim.harness import operator_tests


def memory_files(parameters, weight):
    """Return the files of a run: the memory of the design, and the (MH, MW) bits of `weight` as text."""
    simd, pe = parameters["SIMD"], parameters["PE"]
    rows, length = weight.shape
    words = weight.reshape(rows // pe, pe, length // simd, simd).swapaxes(1, 2)  # nf, sf, p, i
    return {
        "weights.mem": memory_lines(pack(words, pe * simd, 1), pe * simd),
        "matrix.txt": "".join("".join(map(str, row)) + "\n" for row in weight),
    }


def read_matrix():
    """Return the (MH, MW) bits of the matrix."""
    with open("matrix.txt") as file:
        return np.array([[int(bit) for bit in line.strip()] for line in file], np.uint8)


def draw(rng, parameters, height, width, extreme):
    """Return height * width vectors: noise, or rows of the matrix and their opposites: m is +-MW."""
    shape = (height * width, parameters["MW"])
    bits = rng.integers(0, 2, shape)
    if extreme:
        matrix = read_matrix()
        bits = matrix[rng.integers(0, len(matrix), shape[0])] ^ rng.integers(0, 2, (shape[0], 1))
    return {"s_axis": pack(bits, parameters["SIMD"], 1)}


def multiply(bits, matrix):
    """Return m, (vectors, MH).

    A vector of 9 * C bits is a 3x3 image of C channels, and m is what the convolution gives at its centre:
    all vectors side by side are one image. Other lengths are the sum of +-1 products as it stands.
    """
    count, length = bits.shape
    if length % 9:
        return (2 * bits - 1) @ (2 * matrix.astype(np.int64).T - 1)
    image = bits.reshape(count, 3, 3, -1).swapaxes(0, 1).reshape(3, 3 * count, -1).astype(np.uint8)
    weight = matrix.reshape(len(matrix), 3, 3, -1)
    plain = operators.conv_xnor_plain(image, weight)[1, 1::3]
    assert np.array_equal(plain, operators.conv_xnor_packed(image, weight)[1, 1::3]), (
        "golden disagrees with itself"
    )
    return plain


def golden(parameters, inputs, height, width):
    """Return m of every vector."""
    bits = unpack(inputs["s_axis"], parameters["SIMD"], 1, signed=False).reshape(-1, parameters["MW"])
    m = multiply(bits, read_matrix())
    return {"m_axis": pack(m, parameters["PE"], parameters["MW"].bit_length() + 1)}


def rate(parameters, height, width):
    """Return the cycles that the header promises: SF * NF for each vector."""
    return height * width * (parameters["MW"] // parameters["SIMD"]) * (parameters["MH"] // parameters["PE"])


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate, frames=4)
