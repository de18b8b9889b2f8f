# SPDX-License-Identifier: BSD-3-Clause
"""stream_skid: what goes in comes out, a beat per cycle."""

from sim.harness import operator_tests


def draw(rng, parameters, height, width, extreme):
    """Return one beat per pixel: noise, or all ones and all zeros."""
    ones = (1 << parameters["WIDTH"]) - 1
    values = rng.choice((0, ones), height * width) if extreme else rng.integers(0, ones + 1, height * width)
    return {"s_axis": [int(v) for v in values]}


def golden(parameters, inputs, height, width):
    """Return the input."""
    return {"m_axis": inputs["s_axis"]}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=lambda parameters, height, width: height * width
)
