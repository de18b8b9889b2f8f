# SPDX-License-Identifier: BSD-3-Clause
"""Any module: beats are offered in given cycles, and each must move in the cycle that a model says.

cycles.json in the folder of the run has, all by prefix: `offered`, cycles in which the beats of inputs
are offered; `taken` and `results`, cycles in which the model says that inputs are taken and outputs move
if nobody stalls them; `sizes`, beats of s_size, which are offered at once; and `off`, by how many cycles
the model may be wrong. Cycles count from an arbitrary one. Data is noise. Writes moved.json, the cycles
in which beats moved.
"""

import json
from pathlib import Path

import cocotb

from sim.streams import Bench


def watch(bench: Bench, port, beats: list[int]) -> list[int]:
    """Return a list that will have the cycles in which the beats of a port move, `beats` being its record."""
    cycles: list[int] = []
    sample = port.sample

    def watched() -> None:
        sample()
        if len(beats) > len(cycles):
            cycles.append(bench.count)

    port.sample = watched
    return cycles


@cocotb.test()
async def cycles(dut):
    """No port stalls but by the given cycles."""
    bench = Bench(dut)
    given = json.loads(Path("cycles.json").read_text())
    await bench.reset()
    moved = {p: watch(bench, port, port.sent) for p, port in bench.sources.items()}
    moved |= {p: watch(bench, port, port.received) for p, port in bench.sinks.items()}
    if given["sizes"]:
        bench.send({"s_size": given["sizes"]})
    await bench.cycles(6)
    start = bench.count + 2
    for prefix, offers in given["offered"].items():
        source = bench.sources[prefix]
        # the beat that is next in the queue is the first that has not been sent
        source.stall = lambda s=source, o=offers: bench.count - start < o[len(s.sent)]
        bench.send({prefix: [bench.rng.getrandbits(source.bits) for _ in offers]})
    await bench.drain({prefix: len(results) for prefix, results in given["results"].items()})
    relative = {prefix: [cycle - start for cycle in times] for prefix, times in moved.items()}
    Path("moved.json").write_text(json.dumps(relative))
    for prefix, expected in {**given["taken"], **given["results"]}.items():
        got = relative[prefix]
        assert len(got) == len(expected), f"{prefix}: {len(got)} beats moved, the model has {len(expected)}"
        errors = [g - e for g, e in zip(got, expected, strict=True)]
        worst = max(range(len(errors)), key=lambda i: abs(errors[i]))
        dut._log.info("%s: model off by %d to %d", prefix, min(errors), max(errors))
        assert abs(errors[worst]) <= given["off"], (
            f"{prefix}: beat {worst} moves in cycle {got[worst]}, the model says {expected[worst]}"
        )
