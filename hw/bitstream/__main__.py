# SPDX-License-Identifier: BSD-3-Clause
"""Make the bitstream of a compiled network, and the folder to copy to the board.

    python -m hw.bitstream build/bbcu_nano_x2-pynq-z2 [--flow auto|open|vivado] [--clock-mhz 100] [--tries 3]

Flows: "open" is Yosys, nextpnr and Project X-Ray, "vivado" is Vivado; "auto" takes the open tools if all are
there, else Vivado. hw/bitstream/tools.py says where they are looked for. Finished steps are not repeated.

    BUILD/bitstream/<model>.bit, .hwh   what pynq.Overlay loads
    BUILD/bitstream/<model>.zip         the folder for the board: bitstream, driver, network, notebook
    BUILD/bitstream/deploy/             the same, not packed
    BUILD/bitstream/synthesis/, seed-*/ netlist, placement and logs
    BUILD/report/bitstream.json         utilisation, clock, slowest path, times, SHA-256

Exit codes: 0 done; 1 the clock was not reached (nothing is deployed); 2 bad input or a tool failed; 3 neither
tool set is complete: the design has been synthesized, and what is missing is listed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hw.bitstream import BitstreamError, MissingTools
from hw.bitstream.assemble import assemble
from hw.bitstream.constraints import divisors, next_slower
from hw.bitstream.deploy import deploy
from hw.bitstream.design import Design, read_design
from hw.bitstream.hwh import hwh
from hw.bitstream.place_route import Routed, close_timing
from hw.bitstream.report import report, text
from hw.bitstream.steps import Progress, locked
from hw.bitstream.synthesis import fits, step, synthesize, table
from hw.bitstream.tools import OpenTools, find_open, find_vivado
from hw.bitstream.vivado import build as build_vivado
from hw.compiler import BuildError
from hw.compiler.boards import find
from hw.compiler.build_folder import BuildFolder
from hw.files import write_text
from hw.shell.generate import generate

FLOWS = ("auto", "open", "vivado")


def make(options: argparse.Namespace, progress: Progress) -> int:
    """Do what the command line says; returns the exit code.

    Raises:
        BitstreamError, BuildError: bad input, or a tool failed.
    """
    design = _design(options)
    divisors(design.clock_hz)
    folder = design.build / "bitstream"
    bit = folder / f"{design.name}.bit"
    tools, vivado, missing = _tools(options.flow, design.part)
    for line in tools.describe() if tools else ():
        progress.say(line)
    area: dict[str, float] = {}
    seconds: dict[str, float] = {}
    if vivado is None:
        netlist, found = synthesize(design, folder / "synthesis", progress)
        seconds["synthesis"] = step(design, folder / "synthesis").seconds
        rows = fits(design, found)
        print(table(rows))
        area = {name: used for name, used, _ in rows}
        over = [name for name, used, available in rows if used > available]
        if over:
            raise BitstreamError(f"{', '.join(over)}: more than {design.part} has; compile for fewer --fps")
    if tools:
        seeds = range(options.seed, options.seed + options.tries)
        routed = close_timing(tools, design, netlist, folder, seeds, progress)
        seconds["place and route"] = routed.seconds
        seconds["frames and .bit"] = assemble(tools, design, routed, bit, progress)
    elif vivado:
        progress.say(f"Vivado         {vivado}")
        routed = build_vivado(vivado, design, folder / "vivado", bit, progress)
        seconds["Vivado"] = routed.seconds
    else:
        print("synthesized, but there are no tools to make a bitstream with:", file=sys.stderr)
        for line in missing:
            print(f"  {line}", file=sys.stderr)
        return 3
    return _finish(design, "open" if tools else "vivado", routed, bit, seconds, area)


def _design(options: argparse.Namespace) -> Design:
    """Return the design; with --clock-mhz its shell is generated anew where it is for another clock."""
    design = read_design(options.build)
    if options.board and design.board != options.board:
        raise BitstreamError(
            f"{options.build} is for {design.board}, not for {options.board}; compile for that board"
        )
    if options.clock_mhz is not None and design.clock_hz != round(options.clock_mhz * 1e6):
        divisors(round(options.clock_mhz * 1e6))
        generate(BuildFolder(design.build), find(design.board), options.clock_mhz)
        design = read_design(options.build)
    return design


def _tools(flow: str, part: str) -> tuple[OpenTools | None, Path | None, tuple[str, ...]]:
    """Return the open tools or Vivado, or what is missing of both."""
    missing: tuple[str, ...] = ()
    if flow in ("auto", "open"):
        try:
            return find_open(part), None, ()
        except MissingTools as error:
            missing += error.lines
    if flow in ("auto", "vivado"):
        vivado = find_vivado()
        if vivado:
            return None, vivado, ()
        missing += ("Vivado: no vivado on PATH",)
    return None, None, missing


def _finish(
    design: Design, flow: str, routed: Routed, bit: Path, seconds: dict[str, float], area: dict[str, float]
) -> int:
    """Write the hardware description, the report and, if the clock is reached, the deploy folder."""
    write_text(bit.with_suffix(".hwh"), hwh(design))
    content = report(design, flow, routed, bit, seconds, area)
    BuildFolder(design.build).write("bitstream", content)
    print(text(content))
    if not content["timing_closed"]:
        slower = next_slower(routed.fmax_mhz)
        print(
            f"bitstream: {design.clock_hz / 1e6:.6g} MHz not reached ({routed.fmax_mhz:.2f} MHz): try more "
            f"--tries, or --clock-mhz {slower:.6f}, which the board can make",
            file=sys.stderr,
        )
        return 1
    print(deploy(design, bit, content))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hw.bitstream", description=__doc__.split("\n")[0])
    parser.add_argument("build", type=Path, help="folder that make compile wrote")
    parser.add_argument("--board", help="the board that it must be for")
    parser.add_argument("--flow", choices=FLOWS, default="auto", help="tools to use (auto)")
    parser.add_argument("--clock-mhz", type=float, help="clock of the design; without it, that of the build")
    parser.add_argument("--seed", type=int, default=1, help="first seed for nextpnr (1)")
    parser.add_argument(
        "--tries", type=int, default=3, help="most seeds to try until the clock is reached (3)"
    )
    options = parser.parse_args(arguments)
    if options.tries < 1:
        parser.error(f"--tries is {options.tries}, expected 1 or more")
    try:
        with locked(read_design(options.build).build / "bitstream"):
            return make(options, Progress())
    except (BitstreamError, BuildError) as error:
        print(f"bitstream: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"bitstream: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
