# SPDX-License-Identifier: BSD-3-Clause
"""Put the shell around a compiled network: writes `shell/` of a build.

    python -m hw.shell.generate build/bbcu_nano_x2-pynq-z2 [--clock-mhz 125]

    shell/bitmend_pl.sv   the network in the shell, with AXI ports
    shell/bitmend_top.sv  that beside the processor: a design without pins of its own
    shell/rtl/            the modules of the shell
    shell/shell.json      all that a driver and a bitstream flow need to know

`hw.compiler.compile` calls it as its last step. Exit code 2 after bad input.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hw.compiler import BuildError
from hw.compiler.boards import Board, find
from hw.compiler.build_folder import BuildFolder
from hw.compiler.top import SIZES, Top
from hw.files import write_text
from hw.modules import ROOT, RTL, SHELL_RTL, ToolError, sources
from hw.shell.registers import OFFSETS
from hw.shell.wrap import PL, TOP, parameters, pl_module, top_module

FOLDERS = (SHELL_RTL, RTL)
"""Where the modules of the shell are."""

DMA_BITS = 64
MHZ = (1.0, 400.0)
"""Clocks that make sense."""


def generate(build: BuildFolder, board: Board, clock_mhz: float | None = None) -> Path:
    """Write `shell/` of a build.

    Args:
        build: a compiled network.
        board: what it runs on.
        clock_mhz: clock of the design; None takes the board's.

    Returns:
        The folder.

    Raises:
        BuildError: there is no network in the build, or it does not go with the shell.
    """
    top = build.top()
    clock_hz = round((board.clock_mhz if clock_mhz is None else clock_mhz) * 1e6)
    values = parameters(top, clock_hz, board.base_address)
    folder = build.shell
    modules = _copy(sources("bitmend_shell", FOLDERS), folder / "rtl", build.stitched / "rtl")
    write_text(folder / f"{PL}.sv", pl_module(top, values))
    write_text(folder / f"{TOP}.sv", top_module())
    description = _description(build, top, board, values)
    description["sources"] = [
        *(f"../stitched/{source}" for source in top.sources),
        *modules,
        f"{PL}.sv",
        f"{TOP}.sv",
    ]
    write_text(folder / "shell.json", json.dumps(description, indent=1) + "\n")
    return folder


def _copy(files: list[Path], to: Path, stitched: Path) -> list[str]:
    """Copy the modules that the network does not bring along; returns their names relative to `shell/`."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    there = {path.name for path in stitched.glob("*.sv")}
    own = [path for path in files if path.name not in there]
    for path in own:
        shutil.copy(path, to / path.name)
    return [f"rtl/{path.name}" for path in own]


def _description(build: BuildFolder, top: Top, board: Board, values: dict[str, int]) -> dict:
    design = build.read("design")
    speed = {}
    if design:
        pixels = design["frame"]["height"] * design["frame"]["strip_width"]
        speed["cycles_per_pixel"] = design["cycles_per_strip"] / pixels
    return {
        "name": top.name,
        "hash": top.hash,
        "board": board.name,
        "part": board.part,
        "clock_hz": values["CLOCK_HZ"],
        "scale": top.scale,
        "channels": top.channels,
        "max_width": top.max_width,
        "max_height": values["MAX_HEIGHT"],
        "base_address": board.base_address,
        "address_range": board.address_range,
        "dma_bits": DMA_BITS,
        **speed,
        "stages": [*(stream.tensor for stream in top.streams), SIZES],
        "ends": [*([stream.source, stream.target] for stream in top.streams), ["", ""]],
        "registers": OFFSETS,
        "top": TOP,
        "pl": PL,
        "files_folder": "../stitched",
    }


def _board_of(build: BuildFolder) -> Board:
    design = build.read("design")
    if not design:
        raise BuildError(
            f"{build.path}: has no report/design.json, expected the folder of a compiled network"
        )
    return find(design["board"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m hw.shell.generate", description="Put the shell around a compiled network."
    )
    parser.add_argument("build", type=Path, help="folder of a compiled network")
    parser.add_argument("--clock-mhz", type=float, help="clock of the design; without it, the board's")
    options = parser.parse_args(arguments)
    clock = options.clock_mhz
    try:
        if clock is not None and not MHZ[0] <= clock <= MHZ[1]:
            raise BuildError(f"--clock-mhz is {clock:g}, expected a clock between {MHZ[0]:g} and {MHZ[1]:g}")
        build = BuildFolder(options.build)
        folder = generate(build, _board_of(build), clock)
    except (BuildError, ToolError) as error:
        print(f"shell: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"shell: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
