# SPDX-License-Identifier: BSD-3-Clause
"""stream_table: golden.operators.lookup, with the table from constants.npz in the folder of the run."""

import cocotb
import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, unpack
from sim.harness import Frame, operator_tests, play
from sim.streams import Bench
from sim.tb_rsign import archive, constants


def memory(table, bits):
    """Return the text of TABLE_FILE: an entry per line, that of the least value first."""
    return memory_lines(pack(table, 1, bits), bits)


def files(parameters, seed, extreme):
    """Return what a run with a random table needs: noise, or the ends of the range next to each other."""
    rng = np.random.default_rng(seed)
    size, limit = 1 << parameters["IN_BITS"], 1 << (parameters["BITS"] - 1)
    table = rng.choice((-limit, limit - 1, -1, 0), size) if extreme else rng.integers(-limit, limit, size)
    table = table.astype(np.int16)
    return {
        parameters["TABLE_FILE"]: memory(table, parameters["BITS"]),
        "constants.npz": archive(table=table),
    }


def draw(rng, parameters, height, width, extreme):
    """Return a beat per pixel: noise; or the ends of the table, and its middle."""
    limit = 1 << (parameters["IN_BITS"] - 1)
    shape = height * width * parameters["PE"]
    x = rng.choice((-limit, limit - 1, -1, 0, 1), shape) if extreme else rng.integers(-limit, limit, shape)
    return {"s_axis": pack(x, parameters["PE"], parameters["IN_BITS"])}


def golden(parameters, inputs, height, width):
    """Return the entries of the table."""
    x = unpack(inputs["s_axis"], parameters["PE"], parameters["IN_BITS"], signed=True)
    y = operators.lookup(x.reshape(height, width, -1), constants()["table"])
    return {"m_axis": pack(y, parameters["PE"], parameters["BITS"])}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=lambda parameters, height, width: height * width
)


@cocotb.test()
async def a_reset_of_one_cycle_empties_a_full_module(dut):
    """What stands still in front of a receiver that never takes is gone after the shortest reset."""
    bench = Bench(dut)
    await bench.reset()
    frames = [
        Frame(2, 3, draw(np.random.default_rng(seed), bench.parameters, 2, 3, False)) for seed in (0, 1)
    ]
    sink = bench.sinks["m_axis"]
    sink.stall = lambda: True
    bench.send(frames[0].inputs)
    await bench.cycles(20)
    assert len(bench.sources["s_axis"].sent) == 3
    await bench.reset(1)
    sink.stall = lambda: False
    await play(bench, frames[1:], golden)
