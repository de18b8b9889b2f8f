# SPDX-License-Identifier: BSD-3-Clause
"""stream_join: golden.operators.join, PE elements per beat."""

from golden.operators import join
from sim.elements import pack, unpack
from sim.harness import operator_tests


def draw(rng, parameters, height, width, extreme):
    """Return one beat of each input per pixel: noise, or the ends of the ranges and what is near zero."""
    inputs = {}
    for prefix, bits in (("s_a", parameters["A_BITS"]), ("s_b", parameters["B_BITS"])):
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        shape = height * width * parameters["PE"]
        values = rng.choice((low, high, -1, 0), shape) if extreme else rng.integers(low, high + 1, shape)
        inputs[prefix] = pack(values, parameters["PE"], bits)
    return inputs


def golden(parameters, inputs, height, width):
    """Return the saturated sums."""
    pe = parameters["PE"]
    a = unpack(inputs["s_a"], pe, parameters["A_BITS"], signed=True)
    b = unpack(inputs["s_b"], pe, parameters["B_BITS"], signed=True)
    return {"m_axis": pack(join(a, b, parameters["BITS"]), pe, parameters["BITS"])}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=lambda parameters, height, width: height * width
)
