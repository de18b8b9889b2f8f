# SPDX-License-Identifier: BSD-3-Clause
"""What the shell takes of a 7-series device, by Yosys.

    python -m hw.shell.area [BUILD ...]

A line of Markdown for each build, by default for a shell with the largest settings of the shipped networks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hw.compiler import BuildError
from hw.compiler.top import read_top
from hw.modules import ToolError
from hw.shell.generate import FOLDERS
from hw.shell.wrap import parameters
from hw.yosys import Area, count, read_commands, run_script

_BASE = 0x43C0_0000


def area(values: dict[str, int], folder: Path | None = None) -> Area:
    """Synthesize `bitmend_shell`.

    Args:
        values: its parameters.
        folder: where Yosys runs, kept; None uses a temporary folder.

    Raises:
        ToolError: Yosys is missing or refuses a module.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return area(values, Path(name))
    folder.mkdir(parents=True, exist_ok=True)
    run_script(
        [
            *read_commands("bitmend_shell", values, FOLDERS),
            "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -abc9",
            "tee -q -o stat.json stat -json",
        ],
        folder,
    )
    return count(json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hw.shell.area", description="What the shell takes.")
    parser.add_argument("build", type=Path, nargs="+", help="folders of compiled networks")
    options = parser.parse_args(arguments)
    print("| build | taps | LUT | of them memory | FF | BRAM36 |\n|---|---:|---:|---:|---:|---:|")
    try:
        for build in options.build:
            values = parameters(read_top(build / "stitched"), 100_000_000, _BASE)
            found = area(values)
            print(
                f"| {build.name} | {values['TAPS']} | {found.lut} | {found.lut_ram} | {found.ff} | "
                f"{found.bram36:g} |"
            )
    except (BuildError, ToolError) as error:
        print(f"area: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
