# SPDX-License-Identifier: BSD-3-Clause
"""The testbench of the shell as Yosys reads it, for the same tests: do simulator and synthesis agree?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hw.yosys import read_commands, run_script
from sim.runner import Build, build


def build_netlist(
    top: str, parameters: Mapping[str, int | str], folders: tuple[Path, ...], folder: Path
) -> Build:
    """Compile what Yosys makes of a module: one flat module of its cells, read back by Verilator.

    Args:
        top: the module.
        parameters: its parameters.
        folders: where modules are looked for.
        folder: for the netlist.

    Raises:
        ToolError: a tool is missing or refuses the module.
        AssertionError: Yosys cuts or extends what is connected to a port.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = run_script(
        [
            *read_commands(top, parameters, folders),
            "proc",
            "flatten",
            "opt_clean",
            "check -assert",
            f"rename -top {top}",
            f"write_verilog -noattr {top}.sv",
        ],
        folder,
    )
    resized = [line for line in log.splitlines() if "Resizing cell port" in line]
    assert not resized, resized[0]
    return replace(build(top, {}, folders=(folder,)), parameters=dict(parameters))
