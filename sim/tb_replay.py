# SPDX-License-Identifier: BSD-3-Clause
"""Any module: recorded streams go in, recorded streams must come out.

Beats are read from streams.json in the folder of the run, {prefix: [beat in hexadecimal, ...]}. They make one
frame, which is played twice without a pause: at full rate, and while every port stalls at random. If there is
a before.json, it has the beats that come out before those of the first frame.
"""

import json
from pathlib import Path

import cocotb

from sim.streams import Bench


def read(name: str) -> dict[str, list[int]]:
    """Return the beats in a file, by prefix; none if there is no such file."""
    file = Path(name)
    content = json.loads(file.read_text()) if file.exists() else {}
    return {prefix: [int(beat, 16) for beat in beats] for prefix, beats in content.items()}


async def replay(bench: Bench) -> None:
    """Play the frame twice and compare all that comes out, and see nothing more come."""
    await bench.reset()
    recorded, before = read("streams.json"), read("before.json")
    expected = {prefix: before.get(prefix, []) + 2 * recorded[prefix] for prefix in bench.sinks}
    for _ in range(2):
        bench.send({prefix: recorded[prefix] for prefix in bench.sources})
    await bench.drain({prefix: len(beats) for prefix, beats in expected.items()})
    await bench.cycles(40)
    for prefix, sink in bench.sinks.items():
        for number, (got, wanted) in enumerate(zip(sink.received, expected[prefix], strict=True)):
            assert got == wanted, f"{prefix}, beat {number}: got {got:#x}, expected {wanted:#x}"


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
