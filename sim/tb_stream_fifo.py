# SPDX-License-Identifier: BSD-3-Clause
"""stream_fifo: order, exact capacity, counters, a beat per cycle."""

from __future__ import annotations

import cocotb
from cocotb.triggers import FallingEdge

from sim.harness import operator_tests
from sim.streams import Bench


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


async def watch(bench, check):
    """Call check(inside, largest, dut) every cycle with the numbers that the traffic on the ports gives."""
    taken = passed = largest = 0
    while True:
        await FallingEdge(bench.dut.clk)
        dut = bench.dut
        check(taken - passed, largest, dut)
        taken += int(dut.s_axis_tvalid.value) & int(dut.s_axis_tready.value)
        passed += int(dut.m_axis_tvalid.value) & int(dut.m_axis_tready.value)
        largest = max(largest, taken - passed)


@cocotb.test()
async def counters(dut):
    """`count`, `high_water` and both handshake signals agree with the traffic in every cycle."""
    bench = Bench(dut)
    depth = bench.parameters["DEPTH"]

    def check(inside, largest, dut):
        assert int(dut.count.value) == inside, f"count {int(dut.count.value)}, inside are {inside}"
        assert int(dut.high_water.value) == largest, (
            f"high_water {int(dut.high_water.value)}, it was {largest}"
        )
        assert int(dut.s_axis_tready.value) == (inside < depth), f"tready with {inside} of {depth} beats"
        assert inside or not int(dut.m_axis_tvalid.value), "tvalid of an empty FIFO"

    for share in (0.05, 0.3, 0.6):
        await bench.reset()
        watcher = cocotb.start_soon(watch(bench, check))
        bench.set_stalls(0.5, share, 3)
        bench.send({"s_axis": [bench.rng.getrandbits(bench.parameters["WIDTH"]) for _ in range(6 * depth)]})
        await bench.drain({"m_axis": 6 * depth})
        watcher.cancel()


@cocotb.test()
async def capacity(dut):
    """A receiver that sleeps lets in exactly DEPTH beats, and then sees them without a pause."""
    bench = Bench(dut)
    depth = bench.parameters["DEPTH"]
    await bench.reset()
    sink = bench.sinks["m_axis"]
    sink.stall = lambda: True
    beats = [bench.rng.getrandbits(bench.parameters["WIDTH"]) for _ in range(3 * depth + 3)]
    bench.send({"s_axis": beats})
    await bench.cycles(depth + 10)
    assert len(bench.sources["s_axis"].sent) == depth
    assert int(dut.high_water.value) == int(dut.count.value) == depth
    sink.stall = lambda: False
    await bench.drain({"m_axis": len(beats)})
    assert sink.received == beats
    assert sink.cycles[-1] - sink.cycles[0] + 1 == len(beats), "a pause after the FIFO was full"
    assert int(dut.high_water.value) == depth


@cocotb.test()
async def latency(dut):
    """A beat through an empty FIFO shows at the output after 2 cycles, 1 if DEPTH is 2."""
    bench = Bench(dut)
    await bench.reset()
    for _ in range(bench.parameters["DEPTH"] + 2):
        bench.send({"s_axis": [1]})
        while not (int(dut.s_axis_tvalid.value) and int(dut.s_axis_tready.value)):
            await FallingEdge(dut.clk)
        cycles = 0
        while not int(dut.m_axis_tvalid.value):
            await FallingEdge(dut.clk)
            cycles += 1
        assert cycles == (1 if bench.parameters["DEPTH"] == 2 else 2), f"{cycles} cycles"
        await bench.cycles(4)
