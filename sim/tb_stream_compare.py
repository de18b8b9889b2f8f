# SPDX-License-Identifier: BSD-3-Clause
"""stream_compare: golden.operators.compare, PE elements per beat."""

import numpy as np

from golden.operators import compare
from sim.elements import pack, unpack
from sim.harness import operator_tests


def draw(rng, parameters, height, width, extreme):
    """Return a beat of each input per pixel: noise; or the ends of the ranges, and x next to t."""
    x_half, t_half = (1 << (parameters[name] - 1) for name in ("X_BITS", "T_BITS"))
    shape = height * width * parameters["PE"]
    x, t = rng.integers(-x_half, x_half, shape), rng.integers(-t_half, t_half, shape)
    if extreme:
        t = rng.choice((-t_half, -x_half, -1, 0, 1, x_half - 1, x_half, t_half - 1), shape)
        t = np.where(rng.random(shape) < 0.5, t, x).clip(-t_half, t_half - 1)
        near = t + rng.integers(-1, 2, shape)
        x = np.where(rng.random(shape) < 0.7, near, rng.choice((-x_half, x_half - 1), shape))
        x = x.clip(-x_half, x_half - 1)
    return {
        "s_x": pack(x, parameters["PE"], parameters["X_BITS"]),
        "s_t": pack(t, parameters["PE"], parameters["T_BITS"]),
    }


def golden(parameters, inputs, height, width):
    """Return golden's bits."""
    x = unpack(inputs["s_x"], parameters["PE"], parameters["X_BITS"], signed=True)
    t = unpack(inputs["s_t"], parameters["PE"], parameters["T_BITS"], signed=True)
    return {"m_axis": pack(compare(x, t), parameters["PE"], 1)}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=lambda parameters, height, width: height * width
)
