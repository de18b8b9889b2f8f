# SPDX-License-Identifier: BSD-3-Clause
"""Yosys for nextpnr: the complete design as one flat netlist of 7-series cells."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hw.bitstream import BitstreamError
from hw.bitstream.design import Design
from hw.bitstream.steps import Progress, Step, key_of
from hw.compiler.boards import find
from hw.modules import ROOT, ToolError
from hw.yosys import Area, count, run_script

LUT6_2_MAP = ROOT / "hw" / "lut6_2_map.v"
SYNTH = "synth_xilinx -family xc7 -flatten -abc9 -nosrl -noiopad -noclkbuf"
FLIP_FLOPS = "-cell $_DFFE_?P?P_ 01 -cell $_SDFFE_?P?P_ 01 -cell $_DLATCH_?P?_ 01"
"""What synth_xilinx takes for a xc7 in its step map_ffs."""
ENABLED, RESET = 8, 16
"""The fewest flip-flops that get an enable, or a reset, of their own."""
_PASS = re.compile(r"^[\d.]+ Executing (.*?) pass")


def commands(design: Design) -> list[str]:
    """Return the Yosys commands that make netlist.json and stat.json in the folder where they run.

    Three things that nextpnr cannot do, or not well, are kept away from it:
    - it knows LUT6_2 by name but loses the second output, so that every one becomes two LUTs here; the placer
      puts them together again where it fits;
    - it puts shift registers with different enables into one slice, which has one, and then cannot route
      them, so that they become flip-flops (-nosrl), of which there are plenty;
    - the flip-flops of a slice share clock enable and reset. A thousand small groups scatter the placement,
      so that an enable or reset of few flip-flops becomes logic in front of them, as Vivado's
      control_set_opt_threshold does.
    """
    folders = sorted({str(path.parent) for path in design.sources} | {str(design.files)})
    includes = " ".join(f"-I{folder}" for folder in folders)
    return [
        "read_verilog -lib +/xilinx/cells_sim.v",
        "read_verilog -lib +/xilinx/cells_xtra.v",
        *(f"read_verilog -sv -defer {includes} {path}" for path in design.sources),
        f"hierarchy -check -top {design.top}",
        f"{SYNTH} -run :map_ffs",
        f"dfflegalize {FLIP_FLOPS} -mince {ENABLED} -minsrst {RESET}",
        f"{SYNTH} -run map_ffs:",
        f"techmap -map {LUT6_2_MAP}",
        "opt_lut_ins -tech xilinx t:LUT* c:*u_rom* %d",  # a ROM keeps its address bits in order, for readback
        "clean",
        "tee -q -o stat.json stat -json",
        f"select {design.top}",
        "write_json -selected netlist.json",
    ]


def step(design: Design, folder: Path) -> Step:
    """Return the step that synthesizes a design."""
    try:
        tool = version("pyosys")
    except PackageNotFoundError:
        tool = "none"
    included = sorted(design.files.glob("*.svh"))
    files = [*design.sources, *included, *design.memory_files, LUT6_2_MAP]
    plain = [line for line in commands(design) if not line.startswith("read_verilog -sv")]
    return Step(
        "synthesis", folder, key_of(files, yosys=tool, commands=[line for line in plain if "/" not in line])
    )


def synthesize(design: Design, folder: Path, progress: Progress) -> tuple[Path, Area]:
    """Synthesize a design, unless it has been done.

    Returns:
        The netlist and what it takes of the device.

    Raises:
        BitstreamError: Yosys is missing or refuses it.
    """

    def work(path: Path) -> None:
        for file in design.memory_files:  # the design opens them by their bare names
            link = path / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file)
        (path / "yosys.log").unlink(missing_ok=True)
        try:
            with progress.watching("synthesis", path / "yosys.log", _meaning):
                run_script(commands(design), path)
        except ToolError as error:
            raise BitstreamError(f"{error} (log: {path / 'yosys.log'})") from None

    step(design, folder).run(work, progress)
    cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
    return folder / "netlist.json", count(cells)


def _meaning(line: str) -> str | None:
    match = _PASS.match(line)
    return match[1] if match else None


def fits(design: Design, area: Area) -> list[tuple[str, float, float]]:
    """Return (resource, used, available) of the board's device.

    Raises:
        BuildError: there is no such board.
    """
    has = find(design.board).has
    return [
        ("LUT", area.lut, has.lut),
        ("FF", area.ff, has.ff),
        ("BRAM36", area.bram36, has.bram18 / 2),
        ("DSP", area.dsp, has.dsp),
    ]


def table(rows: list[tuple[str, float, float]]) -> str:
    """Return a table of what is used and what there is."""
    lines = [f"{'':8}{'used':>9}{'of':>9}"]
    for name, used, available in rows:
        verdict = "" if used <= available else "  does not fit"
        lines.append(f"{name:8}{used:>9g}{available:>9g}{used / available:>7.0%}{verdict}")
    return "\n".join(lines)
