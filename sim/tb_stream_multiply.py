# SPDX-License-Identifier: BSD-3-Clause
"""stream_multiply: golden.operators.multiply, with a factor per element or one per pixel."""

import cocotb
import numpy as np

from golden.operators import multiply
from sim.elements import pack, unpack
from sim.harness import Frame, operator_tests, play
from sim.streams import Bench


def per_beat(parameters):
    """Return the elements of a beat of s_g."""
    return parameters["PE"] if parameters["G_CHANNELS"] > 1 else 1


def draw(rng, parameters, height, width, extreme):
    """Return noise, of all magnitudes: products on both sides of the saturation, and next to its limits.

    Or the ends of the ranges, and what is near zero.
    """
    inputs = {}
    for prefix, name, channels, elements in (
        ("s_x", "X_BITS", parameters["CHANNELS"], parameters["PE"]),
        ("s_g", "G_BITS", parameters["G_CHANNELS"], per_beat(parameters)),
    ):
        limit = 1 << (parameters[name] - 1)
        shape = (height, width, channels)
        values = rng.integers(-limit, limit, shape) >> rng.integers(0, parameters[name], shape)
        if extreme:
            values = rng.choice(
                (-limit, 1 - limit, -1, 0, 1, limit - 1), shape, p=(0.3, 0.1, 0.1, 0.1, 0.1, 0.3)
            )
        inputs[prefix] = pack(values, elements, parameters[name])
    return inputs


def golden(parameters, inputs, height, width):
    """Return golden's products."""
    x = unpack(inputs["s_x"], parameters["PE"], parameters["X_BITS"], signed=True)
    g = unpack(inputs["s_g"], per_beat(parameters), parameters["G_BITS"], signed=True)
    y = multiply(
        x.reshape(height, width, -1), g.reshape(height, width, -1), parameters["SHIFT"], parameters["BITS"]
    )
    return {"m_axis": pack(y, parameters["PE"], parameters["BITS"])}


def rate(parameters, height, width):
    """Return the cycles per frame: one per beat of x."""
    return height * width * parameters["CHANNELS"] // parameters["PE"]


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)


@cocotb.test()
async def a_factor_is_held(dut):
    """A beat of s_g moves with the last beat of s_x that needs it: not sooner, and not without one."""
    bench = Bench(dut)
    await bench.reset()
    parameters = bench.parameters
    frame = Frame(2, 3, draw(np.random.default_rng(1), parameters, 2, 3, False))
    beats_x, beats_g = frame.inputs["s_x"], frame.inputs["s_g"]
    hold = len(beats_x) // len(beats_g)
    bench.send({"s_g": beats_g})
    await bench.cycles(10)
    for number, beat in enumerate(beats_x):
        assert len(bench.sources["s_g"].sent) == number // hold
        bench.send({"s_x": [beat]})
        await bench.cycles(10)
        assert len(bench.sources["s_x"].sent) == number + 1
    assert len(bench.sources["s_g"].sent) == len(beats_g)
    bench.send({"s_x": beats_x})
    await bench.cycles(10)
    assert len(bench.sources["s_x"].sent) == len(beats_x), "x moved without a factor"
    await bench.reset()
    await play(bench, [frame], golden)
