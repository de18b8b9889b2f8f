# SPDX-License-Identifier: BSD-3-Clause
"""stream_width, stream_widen, stream_narrow: the same bits in beats of another width."""

from __future__ import annotations

from math import lcm

import cocotb
import numpy as np

from sim.harness import operator_tests
from sim.streams import Bench


def draw(rng, parameters, height, width, extreme):
    """Return beats that fill one beat of the least common multiple per pixel; extreme: all ones or zeros."""
    bits = parameters["IN_WIDTH"]
    number = height * width * (lcm(bits, parameters["OUT_WIDTH"]) // bits)
    if extreme:
        return {"s_axis": [int(v) * ((1 << bits) - 1) for v in rng.integers(0, 2, number)]}
    noise = rng.bytes(number * ((bits + 7) // 8))
    step = (bits + 7) // 8
    return {"s_axis": [int.from_bytes(noise[i * step :][:step]) & (1 << bits) - 1 for i in range(number)]}


def golden(parameters, inputs, height, width):
    """Return all bits of the frame, the lowest of the first beat first, in beats of OUT_WIDTH."""
    narrow, wide = parameters["IN_WIDTH"], parameters["OUT_WIDTH"]
    frame = sum(beat << (narrow * i) for i, beat in enumerate(inputs["s_axis"]))
    number = len(inputs["s_axis"]) * narrow // wide
    return {"m_axis": [frame >> (wide * i) & (1 << wide) - 1 for i in range(number)]}


def rate(parameters, height, width):
    """Cycles of a frame: one per beat of the narrower side."""
    widths = parameters["IN_WIDTH"], parameters["OUT_WIDTH"]
    return height * width * (lcm(*widths) // min(widths))


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate, frames=4)


@cocotb.test()
async def input_without_a_pause(dut):
    """Where the input is not the wider side, a beat of it is taken in every cycle."""
    bench = Bench(dut)
    if bench.parameters["IN_WIDTH"] > bench.parameters["OUT_WIDTH"]:
        return
    await bench.reset()
    frame = draw(np.random.default_rng(1), bench.parameters, 5, 8, False)
    bench.send(frame)
    await bench.cycles(len(frame["s_axis"]) + 1)
    assert len(bench.sources["s_axis"].sent) == len(frame["s_axis"])
