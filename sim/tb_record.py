# SPDX-License-Identifier: BSD-3-Clause
"""Records the ports of a design cycle by cycle while a script plays: the source of timing diagrams."""

import json
import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge


@cocotb.test()
async def record(dut):
    """Play `script.json` from the current directory and write `trace.json`.

    The script is a list of cycles, each a dict of port values to set from then on. A list of beats for a
    stream, {"s_axis": [beats]}, is offered as a sender does: each beat stays until it is taken.
    """
    with open("script.json") as file:
        script = json.load(file)
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    queues: dict[str, list[int]] = {}
    for name in _ports(dut, "s_", "_tvalid") + _ports(dut, "m_", "_tready"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    trace = []
    for cycle in script:
        for name, value in cycle.items():
            if isinstance(value, list):
                queues.setdefault(name, []).extend(value)
            else:
                getattr(dut, name).value = value
        for prefix, queue in queues.items():
            getattr(dut, f"{prefix}_tvalid").value = int(bool(queue))
            if queue:
                getattr(dut, f"{prefix}_tdata").value = queue[0]
        await FallingEdge(dut.clk)
        row = {handle._name: str(handle.value) for handle in dut if _is_port(handle._name)}
        trace.append(row)
        for prefix, queue in queues.items():
            if queue and int(getattr(dut, f"{prefix}_tready").value):
                queue.pop(0)
        await RisingEdge(dut.clk)
    with open(f"trace.json.{os.getpid()}", "w") as file:
        json.dump(trace, file)
    os.replace(file.name, "trace.json")


def _is_port(name: str) -> bool:
    return name.startswith(("s_", "m_")) and name.endswith(("_tdata", "_tvalid", "_tready"))


def _ports(dut, start: str, end: str) -> list[str]:
    return [h._name for h in dut if h._name.startswith(start) and h._name.endswith(end)]
