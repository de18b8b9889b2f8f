# SPDX-License-Identifier: BSD-3-Clause
"""Any module: recorded streams go in, recorded streams must come out.

Beats are read from streams.json in the folder of the run, {prefix: [beat in hexadecimal, ...]}. They make one
frame, which is played twice without a pause: at full rate, and while every port stalls at random.
"""

import json
from pathlib import Path

import cocotb

from sim.streams import Bench


async def replay(bench: Bench) -> None:
    """Play the frame twice and compare all that comes out, and see nothing more come."""
    await bench.reset()
    recorded = {
        p: [int(b, 16) for b in beats] for p, beats in json.loads(Path("streams.json").read_text()).items()
    }
    for _ in range(2):
        bench.send({prefix: recorded[prefix] for prefix in bench.sources})
    await bench.drain({prefix: 2 * len(recorded[prefix]) for prefix in bench.sinks})
    await bench.cycles(40)
    for prefix, sink in bench.sinks.items():
        for number, (got, expected) in enumerate(zip(sink.received, 2 * recorded[prefix], strict=True)):
            assert got == expected, f"{prefix}, beat {number}: got {got:#x}, expected {expected:#x}"


@cocotb.test()
async def full_rate(dut):
    """No port stalls."""
    await replay(Bench(dut))


@cocotb.test()
async def random_stalls(dut):
    """Every port stalls at random."""
    bench = Bench(dut)
    bench.set_stalls(0.4, 0.4, 3)
    await replay(bench)
