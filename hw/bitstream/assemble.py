# SPDX-License-Identifier: BSD-3-Clause
"""FASM to frames to .bit, with the tools of Project X-Ray."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hw.bitstream import BitstreamError, bitfile
from hw.bitstream.design import Design
from hw.bitstream.place_route import Routed
from hw.bitstream.steps import Progress, Step, key_of
from hw.bitstream.tools import OpenTools

_DATE, _TIME = "2000/01/01", "00:00:00"
"""Of the header: fixed, so that equal inputs give an equal file."""


def assemble(tools: OpenTools, design: Design, routed: Routed, path: Path, progress: Progress) -> float:
    """Write the .bit file of a routed design, unless it has been done.

    Args:
        path: of the .bit file.

    Returns:
        Seconds that it took.

    Raises:
        BitstreamError: a tool fails, or what it wrote is no .bit file for the part.
    """
    fasm = routed.folder / "design.fasm"
    part = tools.database / design.part / "part.yaml"
    key = key_of([fasm, part], part=design.part, header=header(design, routed))
    step = Step("frames and .bit", routed.folder / "assemble", key)

    def work(folder: Path) -> None:
        frames, raw = folder / "design.frames", folder / "raw"
        options = ["--part", design.part, "--db-root", str(tools.database)]
        command = [*tools.fasm2frames, *options, str(fasm), str(frames)]
        _run(command, tools, folder / "fasm2frames.log", frames)
        options = [f"--part_file={part}", f"--part_name={design.part}"]
        command = [str(tools.frames2bit), *options, f"--frm_file={frames}", f"--output_file={raw}"]
        _run(command, tools, folder / "xc7frames2bit.log", raw)
        bit = bitfile.check(raw.read_bytes(), design.part)
        bitfile.write_bit(
            path, replace(bit, design=header(design, routed), date=_DATE, time=_TIME), design.part
        )

    if not path.exists():
        (step.folder / "step.json").unlink(missing_ok=True)
    step.run(work, progress)
    return step.seconds


def header(design: Design, routed: Routed) -> str:
    """Return the name that goes into the header: design, network, clock and tool."""
    return (
        f"{design.name};Network={design.hash[:16]};ClockHz={design.clock_hz};Seed={routed.seed};"
        "Version=bitmend-open"
    )


def _run(command: Sequence[str], tools: OpenTools, log: Path, output: Path) -> None:
    """Run a tool that writes `output`.

    Raises:
        BitstreamError: it fails, or writes nothing.
    """
    output.unlink(missing_ok=True)
    with open(log, "w") as file:
        result = subprocess.run(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(tools.environment),
            check=False,
        )
    if result.returncode or not output.exists():
        lines = log.read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "no output"
        raise BitstreamError(f"{Path(command[0]).name}: {last} (exit code {result.returncode}; log: {log})")
