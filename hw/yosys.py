# SPDX-License-Identifier: BSD-3-Clause
"""Yosys (the PyPI package pyosys) as a function: run a script, synthesize a module, count its cells."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hw.modules import RTL, ToolError, sources
from hw.weights import Literal

_LUTS = {f"LUT{n}": 1 for n in range(1, 7)} | {"LUT6_2": 1, "INV": 1}
_LUT_RAMS = {
    **dict.fromkeys(("SRL16E", "SRLC16E", "SRLC32E", "RAM32X1S", "RAM64X1S"), 1),
    **dict.fromkeys(("RAM32X1D", "RAM64X1D", "RAM128X1S"), 2),
    **dict.fromkeys(("RAM32M", "RAM64M", "RAM128X1D", "RAM256X1S"), 4),
}
_RUN = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for line in open(sys.argv[1]):
    design.run_pass(line.rstrip("\\n"))
"""


@dataclass(frozen=True)
class Area:
    """What a netlist takes of a 7-series device.

    Attributes:
        lut: LUT cells as Yosys emits them, each counted as a whole LUT6 whether or not a packer could pair it
            with another; memories and shift registers in LUTs included.
        ff: flip-flops.
        bram36: block RAMs of 36 kbit; one of 18 kbit counts as a half.
        dsp: DSP48E1.
        lut_ram: how many of `lut` are memories or shift registers.
        cells: number of cells by type.
    """

    lut: int
    ff: int
    bram36: float
    dsp: int
    lut_ram: int
    cells: Mapping[str, int]


def run_script(commands: Sequence[str], folder: Path) -> str:
    """Run Yosys commands in a folder and return the log.

    Raises:
        ToolError: pyosys is missing, or a command failed; the message holds Yosys' own error line.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise ToolError("Yosys is not installed: run make setup, or pip install 'bitmend[sim]'")
    script = folder / "script.ys"
    script.write_text("".join(line + "\n" for line in commands))
    path = folder / "yosys.log"  # written as it comes: a large design takes minutes
    with open(path, "w") as file:
        command = [sys.executable, "-c", _RUN, script.name]
        result = subprocess.run(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    log = path.read_text(errors="replace")
    if result.returncode:
        errors = [line for line in log.splitlines() if "ERROR" in line] or log.splitlines()[-1:]
        raise ToolError(f"Yosys: {' '.join(errors)}")
    return log


def read_commands(
    top: str,
    parameters: Mapping[str, int | str],
    folders: tuple[Path, ...] = (RTL,),
    *,
    models: bool = False,
) -> list[str]:
    """Return the commands that read module `top` with these parameters and all modules below it.

    Primitives that modules instantiate are black boxes, or with `models` the generic descriptions
    that come with Yosys.
    """
    commands = [f"read_verilog {'' if models else '-lib '}+/xilinx/cells_sim.v"]
    commands += [f"read_verilog -sv -defer {path}" for path in sources(top, folders)]
    values = [f"-chparam {k} {literal(v)}" for k, v in parameters.items()]
    return [*commands, f"hierarchy -check -top {top} {' '.join(values)}"]


def synthesize(
    top: str,
    parameters: Mapping[str, int | str],
    *,
    files: Mapping[str, str] | None = None,
    folder: Path | None = None,
    options: str = "-abc9",
) -> Area:
    """Synthesize a module for xc7 and return what it takes.

    Args:
        top: name of a module in `hw/rtl/`.
        parameters: its parameters.
        files: memory files by the names that the parameters give.
        folder: where to run, kept; None uses a temporary folder.
        options: of synth_xilinx.

    Raises:
        ToolError: Yosys is missing or refuses the module.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return synthesize(top, parameters, files=files, folder=Path(name), options=options)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    run_script(
        [
            *read_commands(top, parameters),
            f"synth_xilinx -family xc7 -flatten -noiopad -noclkbuf {options}",
            "tee -q -o stat.json stat -json",
        ],
        folder,
    )
    return count(json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"])


def count(cells: Mapping[str, int]) -> Area:
    """Sum cells by type into an `Area`."""
    lut_ram = sum(_LUT_RAMS.get(name, 0) * n for name, n in cells.items())
    return Area(
        lut=sum(_LUTS.get(name, 0) * n for name, n in cells.items()) + lut_ram,
        ff=sum(n for name, n in cells.items() if name.startswith(("FDRE", "FDSE", "FDCE", "FDPE"))),
        bram36=cells.get("RAMB36E1", 0) + cells.get("RAMB18E1", 0) / 2,
        dsp=cells.get("DSP48E1", 0),
        lut_ram=lut_ram,
        cells=dict(cells),
    )


def literal(value: int | str) -> str:
    """Write a parameter for Yosys, which takes neither strings nor negative numbers."""
    if isinstance(value, Literal):
        return value
    if isinstance(value, int):
        return str(value) if value >= 0 else f"32'sb{value & 0xFFFFFFFF:032b}"
    code = value.encode()
    return f"{8 * len(code)}'b" + "".join(f"{byte:08b}" for byte in code)
