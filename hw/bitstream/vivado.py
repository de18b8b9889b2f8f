# SPDX-License-Identifier: BSD-3-Clause
"""Vivado: a non-project Tcl script for the same design, and how it is run.

The PS7 is the same primitive as in the open flow: no block design is needed, since the boot loader on the
board's card configures the processor. Nothing of this has been run with Vivado where bitmend is developed;
the tests run the script in a Tcl interpreter whose Vivado commands only check their arguments.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from hw.bitstream import BitstreamError, bitfile
from hw.bitstream.constraints import vivado_xdc
from hw.bitstream.design import Design
from hw.bitstream.place_route import Routed
from hw.bitstream.steps import Progress, Step, key_of
from hw.files import write_text

_SLACK = re.compile(r"^BITMEND_WNS (-?[\d.]+)", re.MULTILINE)
_USED = re.compile(
    r"^\|\s*(Slice LUTs|Slice Registers|Block RAM Tile|DSPs)\*?\s*\|\s*([\d.]+)\s*\|"
    r"(?:[^|\n]*\|)*?\s*(\d+)\s*\|\s*<?[\d.]+\s*\|$",
    re.MULTILINE,
)


def script(design: Design) -> str:
    """Return the Tcl script; it runs in the folder that holds `clock.xdc` and links to the memory files."""
    sources = "\n".join(f"read_verilog -sv {{{path}}}" for path in design.sources)
    folders = sorted({str(path.parent) for path in design.sources} | {str(design.files)})
    includes = " ".join(f"{{{folder}}}" for folder in folders)
    memories = "\n".join(f"read_mem {{{path}}}" for path in design.memory_files)
    return f"""\
# {design.name} for {design.board}: written by hw.bitstream.vivado, not by hand.
#
#     vivado -mode batch -source build.tcl
set_param general.maxThreads 8
create_project -in_memory -part {design.part}
set_property target_language Verilog [current_project]
{sources}
{memories}
read_xdc clock.xdc

synth_design -top {design.top} -part {design.part} -include_dirs [list {includes}] \\
    -verilog_define SYNTHESIS=1 -flatten_hierarchy rebuilt
write_checkpoint -force synthesized.dcp
report_utilization -file utilization_synthesis.txt

opt_design
place_design -directive Explore
phys_opt_design -directive AggressiveExplore
route_design -directive Explore
# Once more where the timing is not closed yet.
if {{[get_property SLACK [get_timing_paths -setup]] < 0}} {{
    phys_opt_design -directive AggressiveExplore
    route_design -tns_cleanup
}}
write_checkpoint -force routed.dcp

report_timing_summary -max_paths 10 -file timing.txt
report_utilization -file utilization.txt
report_utilization -hierarchical -file utilization_hierarchical.txt
report_drc -file drc.txt
puts "BITMEND_WNS [get_property SLACK [get_timing_paths -setup]]"

set_property BITSTREAM.GENERAL.COMPRESS FALSE [current_design]
write_bitstream -force -bin_file raw.bit
"""


def build(vivado: Path, design: Design, folder: Path, path: Path, progress: Progress) -> Routed:
    """Build the .bit file with Vivado, unless it has been done.

    Args:
        vivado: the program.
        folder: to work in.
        path: of the .bit file.

    Raises:
        BitstreamError: Vivado fails, or what it wrote is no .bit file for the part.
    """
    key = key_of([*design.sources, *design.memory_files], clock=design.clock_hz, vivado=str(vivado))
    step = Step("Vivado", folder, key)

    def work(where: Path) -> None:
        write_text(where / "clock.xdc", vivado_xdc(design))
        write_text(where / "build.tcl", script(design))
        log, raw = where / "console.log", where / "raw.bit"
        raw.unlink(missing_ok=True)
        command = [str(vivado), "-mode", "batch", "-nojournal", "-source", "build.tcl"]
        with open(log, "w") as file, progress.watching("Vivado", log, _meaning):
            run = subprocess.run(command, cwd=where, stdout=file, stderr=subprocess.STDOUT, check=False)
        if run.returncode or not raw.exists():
            lines = [
                line for line in log.read_text(errors="replace").splitlines() if line.startswith("ERROR")
            ]
            raise BitstreamError(
                f"Vivado: {(lines or ['no bitstream'])[0]} (exit code {run.returncode}; log: {log})"
            )
        content = raw.read_bytes()
        raw.unlink()
        bitfile.write_bit(path, bitfile.check(content, design.part), design.part)

    if not path.exists():
        (folder / "step.json").unlink(missing_ok=True)
    step.run(work, progress)
    return _result(design, folder, step.seconds)


def _result(design: Design, folder: Path, seconds: float) -> Routed:
    log = (folder / "console.log").read_text(errors="replace")
    slack = _SLACK.search(log)
    if not slack:
        raise BitstreamError(f"{folder / 'console.log'}: no line BITMEND_WNS; see the log")
    fmax = 1e3 / (design.period_ns - float(slack[1]))
    table = folder / "utilization.txt"
    text = table.read_text(errors="replace") if table.exists() else ""
    used = {name: (int(float(n)), int(of)) for name, n, of in _USED.findall(text)}
    return Routed(0, folder, round(fmax, 2), used, (), seconds)


def _meaning(line: str) -> str | None:
    return line if line.startswith(("Starting ", "Command: ", "Phase ")) else None
