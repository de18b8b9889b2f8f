# SPDX-License-Identifier: BSD-3-Clause
"""repeat_pixels: every pixel of a frame is the vector."""

import cocotb
import numpy as np

from sim.elements import pack, size_beat, unpack
from sim.harness import check, draw_frames, operator_tests
from sim.streams import Bench


def draw(rng, parameters, height, width, extreme):
    """Return the size, and noise or all ones and all zeros: a mover knows nothing of numbers."""
    bits, number = parameters["BITS"], parameters["CHANNELS"]
    top = (1 << bits) - 1
    values = rng.choice((0, top), number) if extreme else rng.integers(0, top + 1, number)
    return {
        "s_size": [size_beat(height, width, parameters["DIM_BITS"])],
        "s_axis": pack(values, parameters["P"], bits),
    }


def golden(parameters, inputs, height, width):
    """Return the frame."""
    bits, per_beat = parameters["BITS"], parameters["P"]
    vector = unpack(inputs["s_axis"], per_beat, bits, signed=False)
    return {"m_axis": pack(np.broadcast_to(vector, (height, width, len(vector))), per_beat, bits)}


def rate(parameters, height, width):
    """Return the cycles of a frame: one per beat, and two at least."""
    return max(2, height * width * parameters["CHANNELS"] // parameters["P"])


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate, frames=16)


@cocotb.test()
async def one_ahead(dut):
    """While a frame waits, one vector and one size beyond its own are taken, and no more."""
    bench = Bench(dut)
    await bench.reset()
    sink, source = bench.sinks["m_axis"], bench.sources["s_axis"]
    beats = bench.parameters["CHANNELS"] // bench.parameters["P"]
    frames = draw_frames(draw, bench, [(2, 3)] * 4)
    sink.stall = lambda: len(sink.received) >= 1
    for frame in frames:
        bench.send(frame.inputs)
    await bench.cycles(8 * beats + 50)
    assert len(source.sent) == 2 * beats, f"{len(source.sent)} beats entered, expected {2 * beats}"
    assert len(bench.sources["s_size"].sent) == 2
    sink.stall = lambda: False
    await bench.drain({"m_axis": 4 * 6 * beats})
    await bench.cycles(40)
    check(bench, frames, golden)


@cocotb.test()
async def latency(dut):
    """The first beat comes 2 cycles after the vector, or 3 after the size, whichever is later."""
    bench = Bench(dut)
    sink = bench.sinks["m_axis"]
    for late in ("s_size", "s_axis"):
        await bench.reset()
        (frame,) = draw_frames(draw, bench, [(2, 2)])
        early = "s_axis" if late == "s_size" else "s_size"
        bench.send({early: frame.inputs[early]})
        await bench.drain({})
        await bench.cycles(5)
        assert not sink.received, "a frame without a vector, or without a size"
        bench.send({late: frame.inputs[late]})
        await bench.drain({})
        end = sink.cycle
        await bench.drain({"m_axis": 4 * bench.parameters["CHANNELS"] // bench.parameters["P"]})
        promised = 3 if late == "s_size" else 2
        assert sink.cycles[0] - end == promised, f"{sink.cycles[0] - end} cycles after {late}"
        check(bench, [frame], golden)
