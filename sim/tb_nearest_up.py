# SPDX-License-Identifier: BSD-3-Clause
"""nearest_up against golden.operators.nearest_up, and its capacity as the FIFO of a skip branch."""

import cocotb
from cocotb.triggers import FallingEdge

from golden.operators import nearest_up
from sim.elements import pack, size_beat, unpack
from sim.harness import check, draw_frames, operator_tests, play
from sim.streams import Bench


def draw(rng, parameters, height, width, extreme):
    """Return the size, and noise or all ones and all zeros: a mover knows nothing of numbers."""
    bits, per_beat = parameters["BITS"], parameters["P"]
    number = height * width * parameters["CHANNELS"]
    top = (1 << bits) - 1
    values = rng.choice((0, top), number) if extreme else rng.integers(0, top + 1, number)
    return {
        "s_size": [size_beat(height, width, parameters["DIM_BITS"])],
        "s_axis": pack(values, per_beat, bits),
    }


def golden(parameters, inputs, height, width):
    """Return the larger frame."""
    bits, per_beat = parameters["BITS"], parameters["P"]
    x = unpack(inputs["s_axis"], per_beat, bits, signed=False)
    x = x.reshape(height, width, parameters["CHANNELS"])
    return {"m_axis": pack(nearest_up(x, parameters["FACTOR"]), per_beat, bits)}


def rate(parameters, height, width):
    """Return the cycles of a frame: one per beat of the output."""
    return height * width * parameters["FACTOR"] ** 2 * parameters["CHANNELS"] // parameters["P"]


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)


@cocotb.test()
async def capacity(dut):
    """While the output waits, exactly DEPTH beats go in, high_water says so, and none is lost."""
    bench = Bench(dut)
    depth = bench.parameters["DEPTH"]
    width = bench.parameters["MAX_WIDTH"]
    beats = width * bench.parameters["CHANNELS"] // bench.parameters["P"]
    source, sink = bench.sources["s_axis"], bench.sinks["m_axis"]
    for seen in (0, 7):
        await bench.reset()
        assert int(dut.high_water.value) == 0, "high_water is not 0 after a reset"
        frames = draw_frames(draw, bench, [(2, width)] * (depth // beats + 1))
        for frame in frames:
            bench.send(frame.inputs)
        sink.stall = lambda seen=seen: len(sink.received) >= seen
        await bench.cycles(2 * depth + 50)
        held = int(dut.high_water.value)
        assert held == depth, f"high_water is {held}, expected {depth}"
        if seen == 0:
            assert len(source.sent) == depth, f"{len(source.sent)} beats went in, expected {depth}"
        sink.stall = lambda: False
        out = rate(bench.parameters, 2, width) * len(frames)
        await bench.drain({"m_axis": out})
        await bench.cycles(40)
        check(bench, frames, golden)


@cocotb.test()
async def high_water(dut):
    """All of a frame of one pixel is held; then high_water follows the number of beats held."""
    bench = Bench(dut)
    await bench.reset()
    await play(bench, draw_frames(draw, bench, [(1, 1)]), golden)
    most = bench.parameters["CHANNELS"] // bench.parameters["P"]
    assert int(dut.high_water.value) == most, f"high_water {int(dut.high_water.value)}, expected {most}"
    bench.set_stalls(0.7, 0.1, 4)
    for frame in draw_frames(draw, bench, [(3, bench.parameters["MAX_WIDTH"])] * 2):
        bench.send(frame.inputs)
    for _ in range(1000):
        await FallingEdge(dut.clk)
        most = max(most, int(dut.held.value))
        assert int(dut.high_water.value) == most, f"high_water {int(dut.high_water.value)}, expected {most}"
