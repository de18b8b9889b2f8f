# SPDX-License-Identifier: BSD-3-Clause
"""Compare compiled networks in a table.

python -m hw.compiler.table build/*-pynq-z2 --out docs/accelerators.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw.compiler import BuildError
from hw.compiler.build_folder import BuildFolder
from hw.files import write_text

_HEAD = """# Compiled networks

Written by `make accelerators`, which compiles every network in `models/` for the board: nano x2 at 20 frames
per second of 640 x 360 pixels, the others at the best rate that fits. Resources are what Yosys makes of each
instance where `make synth` has run, else those of the cost model ([its errors](synthesis/model.md)); the
budget is 85 % of the LUTs, less what the [shell](shell.md) takes. A frame goes through in so many
[strips](compiler.md#strips), and frames per second count all of them. Simulated cycles are those of frames of
{rows} rows, as wide as the hardware takes, against the compiler's estimate. None of this has run on hardware.

"""
_COLUMNS = (
    ("network", "---"),
    ("input", "---"),
    ("output", "---"),
    ("strips", "---:"),
    ("frames/s", "---:"),
    ("cycles per frame", "---:"),
    ("simulated", "---:"),
    ("LUT", "---:"),
    ("FF", "---:"),
    ("BRAM36", "---:"),
    ("DSP", "---:"),
    ("by", "---"),
    ("LUT per binary MAC", "---:"),
)
_FOOT = "\nDevice: {part}, {lut:,} LUT, {ff:,} FF, {bram36:g} BRAM36, {dsp} DSP, at {clock:g} MHz.\n"


def row(summary: Mapping[str, Any]) -> str:
    """Return the line of a network."""
    frame = summary["frame"]
    width, height, scale = frame["width"], frame["height"], frame["scale"]
    found = summary.get("simulated")
    simulated = f"{found['cycles'] / found['estimated_cycles'] - 1:+.1%}" if found else ""
    cells = (
        summary["name"].removesuffix("_top"),
        f"{width} x {height}",
        f"{width * scale} x {height * scale}",
        frame["strips"],
        f"**{summary['fps']:.1f}**",
        f"{summary['cycles_per_frame']:,}",
        simulated,
        *(f"{summary[key]:,g}" for key in ("lut", "ff", "bram36", "dsp")),
        summary["source"],
        "" if summary["lut_per_binary_mac"] is None else f"{summary['lut_per_binary_mac']:.2f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hw.compiler.table", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="folders that make compile wrote")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    options = parser.parse_args(arguments)
    try:
        builds = [BuildFolder(folder) for folder in options.folder]
        summaries = {build.path: build.read("summary") for build in builds}
        missing = [path for path, summary in summaries.items() if summary is None]
        if missing:
            raise BuildError(f"{missing[0]}: expected a folder that make compile wrote")
    except BuildError as error:
        print(f"table: {error}", file=sys.stderr)
        return 2
    first = next(iter(summaries.values()))
    rows = [s["simulated"]["frame"][0] for s in summaries.values() if "simulated" in s] or [0]
    heading = "".join("| " + " | ".join(cells) + " |\n" for cells in zip(*_COLUMNS, strict=True))
    text = _HEAD.format(rows=rows[0]) + heading + "".join(map(row, summaries.values()))
    text += _FOOT.format(part=first["part"], clock=first["clock_mhz"], **first["device"])
    write_text(options.out, text)
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
