# SPDX-License-Identifier: BSD-3-Clause
"""nextpnr: placement and routing, seed after seed until the timing closes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.bitstream import BitstreamError
from hw.bitstream.constraints import clock_net, nextpnr_xdc
from hw.bitstream.design import Design
from hw.bitstream.steps import Progress, Step, key_of
from hw.bitstream.timing import timing
from hw.bitstream.tools import OpenTools
from hw.files import write_text

_FMAX = re.compile(r"Max frequency for clock\s+'([^']*)': ([\d.]+) MHz")
_USED = re.compile(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%")
_PROGRESS = re.compile(r"^Info:\s+(Packing \w+|at (?:initial placer )?iter(?:ation)? .*|Routing.*|\d+ \|.*)")


@dataclass(frozen=True)
class Routed:
    """A routed design.

    Attributes:
        seed: it was found with.
        folder: holds `design.fasm`, `placed.json`, `nextpnr.log`.
        fmax_mhz: of the clock, by our own analysis (`timing`), or Vivado's.
        used: element type -> (used, available), as nextpnr counts: SLICE_LUTX are halves of a LUT6.
        critical_path: the slowest path, a record per segment: delay in ns, kind, from, to, their pins.
        seconds: it took.
        nextpnr_mhz: what nextpnr says, which leaves paths out; None without it.
    """

    seed: int
    folder: Path
    fmax_mhz: float
    used: Mapping[str, tuple[int, int]]
    critical_path: Sequence[Mapping[str, Any]]
    seconds: float
    nextpnr_mhz: float | None = None


def command(tools: OpenTools, design: Design, netlist: Path, folder: Path, seed: int) -> list[str]:
    """Return nextpnr's command line, in the form that the program found takes."""
    outputs = {"xdc": folder / "clock.xdc", "fasm": folder / "design.fasm"}
    result = [str(tools.nextpnr)]
    if tools.himbaechel:
        result += ["--device", design.part]
        # The wires of the other placer are half as long again, and its limit of attempts overflows.
        result += ["--placer", "static"]
        for key, path in outputs.items():
            result += ["-o", f"{key}={path}"]
    else:
        for key, path in outputs.items():
            result += [f"--{key}", str(path)]
    if tools.chipdb:
        result += ["--chipdb", str(tools.chipdb)]
    result += ["--json", str(netlist), "--write", str(folder / "placed.json")]
    result += ["--sdf", str(folder / "delays.sdf")]
    result += ["--freq", f"{design.clock_hz / 1e6:.6f}", "--seed", str(seed), "--timing-allow-fail"]
    return result


def route(
    tools: OpenTools, design: Design, netlist: Path, folder: Path, seed: int, progress: Progress
) -> Routed:
    """Place and route with one seed, unless it has been done.

    Raises:
        BitstreamError: nextpnr fails; the message holds its own error line.
    """
    net = clock_net(netlist)
    identity = [str(tools.nextpnr), tools.nextpnr.stat().st_size]
    key = key_of([netlist], nextpnr=identity, seed=seed, clock=design.clock_hz, part=design.part)
    step = Step(f"place and route, seed {seed}", folder, key)

    def work(path: Path) -> None:
        write_text(path / "clock.xdc", nextpnr_xdc(design, net))
        (path / "design.fasm").unlink(missing_ok=True)
        log = path / "nextpnr.log"
        with open(log, "w") as file, progress.watching(step.name, log, _meaning):
            run = subprocess.run(
                command(tools, design, netlist, path, seed),
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if run.returncode or not (path / "design.fasm").exists():
            lines = log.read_text(errors="replace").splitlines()
            errors = (
                [line for line in lines if "ERROR" in line or "terminate" in line]
                or lines[-1:]
                or ["no output"]
            )
            raise BitstreamError(
                f"nextpnr, seed {seed}: {errors[0].strip()} (exit code {run.returncode}; log: {log})"
            )

    step.run(work, progress)
    return read_result(design, folder, netlist, seed, step.seconds)


def read_result(design: Design, folder: Path, netlist: Path, seed: int, seconds: float) -> Routed:
    """Read what nextpnr wrote, and analyze the timing again, with the paths that it leaves out.

    Args:
        design: that was routed.
        folder: of the run.
        netlist: by Yosys.
        seed, seconds: of the run.

    Raises:
        BitstreamError: a file is missing or not as expected.
    """
    log = (folder / "nextpnr.log").read_text(errors="replace")
    last = {name: float(mhz) for name, mhz in _FMAX.findall(log)}  # the last lines are those after routing
    own = timing(folder / "delays.sdf", netlist, folder / "placed.json", design.top)
    used = {name: (int(n), int(of)) for name, n, of in _utilisation(log)}
    return Routed(seed, folder, own.fmax_mhz, used, own.path, seconds, min(last.values(), default=None))


def _utilisation(log: str) -> list[tuple[str, str, str]]:
    return [
        match.groups()
        for line in log.splitlines()
        if (match := _USED.match(line.replace("\t", " "))) and not match[1].startswith("PSEUDO")
    ]


def close_timing(
    tools: OpenTools,
    design: Design,
    netlist: Path,
    folder: Path,
    seeds: Sequence[int],
    progress: Progress,
) -> Routed:
    """Route with one seed after the other until the clock is reached; return that result, else the best."""
    best: Routed | None = None
    failure: BitstreamError | None = None
    wanted = design.clock_hz / 1e6
    for seed in seeds:
        try:
            result = route(tools, design, netlist, folder / f"seed-{seed}", seed, progress)
        except BitstreamError as error:
            failure = error
            progress.say(f"  {error}")
            continue
        progress.say(f"  seed {seed}: {result.fmax_mhz:.2f} MHz, {wanted:.6g} asked for")
        if best is None or result.fmax_mhz > best.fmax_mhz:
            best = result
        if result.fmax_mhz >= wanted:
            break
    if best is None:
        raise failure or BitstreamError("no seed to try; expected --tries of 1 or more")
    return best


def _meaning(line: str) -> str | None:
    match = _PROGRESS.match(line)
    return match[1] if match else None
