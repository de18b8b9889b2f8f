# SPDX-License-Identifier: BSD-3-Clause
"""repeat_channels against golden.operators.repeat_channels."""

from golden.operators import repeat_channels
from sim.elements import pack, unpack
from sim.harness import operator_tests


def draw(rng, parameters, height, width, extreme):
    """Return noise, or all ones and all zeros: a mover knows nothing of numbers."""
    bits = parameters["BITS"]
    number = height * width * parameters["CHANNELS"]
    top = (1 << bits) - 1
    values = rng.choice((0, top), number) if extreme else rng.integers(0, top + 1, number)
    return {"s_axis": pack(values, parameters["P"], bits)}


def golden(parameters, inputs, height, width):
    """Return the frame with more channels."""
    bits = parameters["BITS"]
    x = unpack(inputs["s_axis"], parameters["P"], bits, signed=False)
    x = x.reshape(height, width, parameters["CHANNELS"])
    repeated = repeat_channels(x, parameters["OUT_CHANNELS"])
    return {"m_axis": pack(repeated, parameters["OUT_P"], bits)}


def rate(parameters, height, width):
    """Return the cycles of a frame: one per beat of the busier side."""
    beats = parameters["CHANNELS"] // parameters["P"]
    return height * width * max(beats, parameters["OUT_CHANNELS"] // parameters["OUT_P"])


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)
