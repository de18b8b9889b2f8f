# SPDX-License-Identifier: BSD-3-Clause
"""stream_fork: both branches get every beat, each at its own pace, up to two beats apart."""

from __future__ import annotations

import cocotb

from sim.harness import operator_tests
from sim.streams import Bench
from sim.tb_stream_skid import draw


def golden(parameters, inputs, height, width):
    """Return the input, twice."""
    return {"m_a": inputs["s_axis"], "m_b": inputs["s_axis"]}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=lambda parameters, height, width: height * width
)


@cocotb.test()
async def run_ahead(dut):
    """A branch that is not taken from holds the other back after exactly two beats, and loses none."""
    bench = Bench(dut)
    for asleep, awake in (("m_a", "m_b"), ("m_b", "m_a")):
        await bench.reset()
        bench.set_stalls()
        bench.sinks[asleep].stall = lambda: True
        beats = [bench.rng.getrandbits(bench.parameters["WIDTH"]) for _ in range(9)]
        bench.send({"s_axis": beats})
        await bench.cycles(20)
        assert bench.sinks[asleep].received == []
        assert bench.sinks[awake].received == bench.sources["s_axis"].sent == beats[:2]
        bench.sinks[asleep].stall = lambda: False
        await bench.drain({asleep: 9, awake: 9})
        assert bench.sinks[asleep].received == bench.sinks[awake].received == beats
