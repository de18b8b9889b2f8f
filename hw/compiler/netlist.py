# SPDX-License-Identifier: BSD-3-Clause
"""Synthesize a compiled top with Yosys, instance by instance: what it really takes.

    python -m hw.compiler.netlist build/bbcu_nano_x2-pynq-z2

Every instance of the top is a module of its own in the netlist, synthesized for its parameters and with its
weights, so that the sum over the instances is the whole design. The numbers go to
`report/post_synth_resources.json` and into the report.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from hw.compiler import BuildError
from hw.compiler.build_folder import BuildFolder
from hw.compiler.report import write_report
from hw.compiler.top import WHOLE, Top
from hw.modules import ToolError
from hw.yosys import Area, count, run_script

EXCHANGE = "scratchpad -set abc9.xaiger 1"
"""Lets abc9 write a module for ABC as Yosys did before 0.70, in a time that depends on that module alone.

The writer of 0.70 prepares all cells of the design for each module that it writes: hours for hundreds of
instances. The areas differ by half a percent.
"""


def synthesize_top(folder: Path, top: Top, work: Path) -> dict[str, Area]:
    """Return the area of every node of a stitched top, and of the whole under `WHOLE`.

    Args:
        folder: `stitched/`.
        top: its description.
        work: where netlist.json and Yosys' log go.

    Raises:
        ToolError: Yosys is missing or refuses the design.
    """
    work.mkdir(parents=True, exist_ok=True)
    kept = sorted({instance.module for instance in top.instances} | {"stream_fork"})
    commands = [
        "read_verilog -lib +/xilinx/cells_sim.v",
        *(f"read_verilog -sv -defer -I{folder} {folder / source}" for source in top.sources),
        f"hierarchy -check -top {top.name}",
        "setattr -mod -set keep_hierarchy 1 " + " ".join(_names(kept)),
        EXCHANGE,
        "synth_xilinx -family xc7 -abc9 -flatten -noiopad -noclkbuf",
        "tee -q -o stat.json stat -json",
        "write_json netlist.json",
    ]
    for file in top.files:  # the design opens them by their bare names
        link = work / file
        link.unlink(missing_ok=True)
        link.symlink_to((folder / file).resolve())
    run_script(commands, work)
    modules = json.loads((work / "stat.json").read_text())["modules"]
    modules = {name.removeprefix("\\"): entry["num_cells_by_type"] for name, entry in modules.items()}
    cells = json.loads((work / "netlist.json").read_text())["modules"][top.name]["cells"]
    melted = [i.name for i in top.instances if cells.get(i.name, {}).get("type") not in modules]
    if melted:
        raise ToolError(f"Yosys kept no module for {', '.join(melted[:3])}; its log is {work / 'yosys.log'}")
    areas = {i.node: count(modules[cells[i.name]["type"]]) for i in top.instances}
    whole: Counter[str] = Counter()
    for cell in cells.values():
        whole.update(modules.get(cell["type"], {cell["type"]: 1}))
    return {**areas, WHOLE: count(whole)}


def _names(modules: Sequence[str]) -> Iterator[str]:
    """Yield patterns of the names that Yosys gives to modules with parameters, and of those without."""
    for module in modules:
        yield from (module, f"*\\{module}", f"*\\{module}\\*")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m hw.compiler.netlist FOLDER (that make compile wrote)", file=sys.stderr)
        return 2
    build = BuildFolder(Path(arguments[0]).resolve())
    try:
        top = build.top()
        print(f"{top.name}: synthesizing {len(top.instances)} instances with Yosys; this takes minutes")
        start = time.monotonic()
        areas = synthesize_top(build.stitched, top, build.path / "synth")
        print(f"{time.monotonic() - start:.0f} s")
        content = {node: {**asdict(area), "cells": dict(area.cells)} for node, area in areas.items()}
        build.write("post_synth_resources", content)
        print(write_report(build))
    except (BuildError, ToolError) as error:
        print(f"netlist: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
