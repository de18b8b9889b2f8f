# SPDX-License-Identifier: BSD-3-Clause
"""output_stage: base and residual to pixels, against golden.operators.output."""

import numpy as np

from golden import operators
from sim.elements import pack, unpack
from sim.harness import operator_tests


def draw(rng, parameters, height, width, extreme):
    """Return accumulators and a base of noise, or at the ends of their ranges."""
    shape = (height, width, parameters["CHANNELS"])
    limit = 1 << (parameters["ACC_BITS"] - 1)
    top = 255 << parameters["BASE_BITS"]
    if extreme:
        acc = rng.choice((-limit, -1, 0, 1, limit - 1), shape)
        base = rng.choice((0, 1, top - 1, top), shape)
    else:
        acc = rng.integers(-limit, limit, shape) >> int(rng.integers(0, parameters["ACC_BITS"] - 1))
        base = rng.integers(0, top + 1, shape)
    pe = parameters["PE"]
    return {
        "s_acc": pack(acc, pe, parameters["ACC_BITS"]),
        "s_base": pack(base, pe, 8 + parameters["BASE_BITS"]),
    }


def golden(parameters, inputs, height, width):
    """Return what the operator makes of both streams with the constants of this run."""
    constants = np.load("constants.npz")
    pe, base_bits = parameters["PE"], parameters["BASE_BITS"]
    shape = (height, width, parameters["CHANNELS"])
    acc = unpack(inputs["s_acc"], pe, parameters["ACC_BITS"], signed=True).reshape(shape)
    base = unpack(inputs["s_base"], pe, 8 + base_bits, signed=False).reshape(shape)
    pixels = operators.output(
        acc.astype(np.int32),
        base.astype(np.int32),
        constants["a"].astype(np.int32),
        constants["b"],
        parameters["SHIFT"],
        base_bits,
    )
    return {"m_axis": pack(pixels, pe, 8)}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw,
    golden,
    rate=lambda p, height, width: height * width * p["CHANNELS"] // p["PE"],
)
