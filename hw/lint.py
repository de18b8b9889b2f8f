# SPDX-License-Identifier: BSD-3-Clause
"""Lint the RTL: Verilator -Wall, Yosys, and the promise that no combinational path runs through a module.

    python -m hw.lint [MODULE ...]

Every module of `hw/rtl/` must be in `hw.catalogue`, or part of one; the shell is linted as a whole. For each
lint point Verilator says nothing with -Wall, Yosys' `read_verilog -sv` accepts it and finds neither latches
nor loops, and the netlist of a module of `hw/rtl/` has no path that docs/rtl.md forbids. Otherwise a line for
each finding and exit code 1; exit code 2 if a tool is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from hw.catalogue import CATALOGUE, Entry
from hw.comb_paths import combinational_paths, forbidden
from hw.compiler.top import read_top
from hw.modules import RTL, SHELL_RTL, ToolError, modules, sources
from hw.verilator import literal, verilator_environment

SHELL = "bitmend_shell"
"""The module that all others of the shell are part of."""

_SHELL_POINTS = Entry(
    lint=(
        {"SCALE": 2, "IN_ELEMENTS": 1, "OUT_ELEMENTS": 1, "MAX_WIDTH": 331, "TAPS": 107, "PERIOD": 113},
        {
            "SCALE": 3,
            "IN_ELEMENTS": 3,
            "OUT_ELEMENTS": 3,
            "MAX_WIDTH": 40,
            "MAX_HEIGHT": 99,
            "TAPS": 9,
            "PERIOD": 17,
        },
        {"SCALE": 1, "CHANNELS": 1, "MAX_WIDTH": 640, "TAPS": 70, "PERIOD": 79, "OUTSTANDING": 4, "QUEUE": 3},
    ),
    streaming=False,
)

_ENTRIES = {**CATALOGUE, SHELL: _SHELL_POINTS}


def _folders(module: str) -> tuple[Path, ...]:
    return (SHELL_RTL, RTL) if module == SHELL else (RTL,)


def lint(module: str, parameters: Mapping[str, int | str]) -> list[str]:
    """Return what the linters find in one module, a line each; no lines is good.

    Raises:
        ToolError: a tool is missing.
    """
    where = f"{module} {dict(parameters)}"
    entry, folders = _ENTRIES[module], _folders(module)
    parameters = entry.complete(parameters)
    found = [f"{where}: Verilator: {line}" for line in verilator_warnings(module, parameters)]
    try:
        paths = combinational_paths(module, parameters, entry.files(parameters), folders)
    except ToolError as error:
        return [*found, f"{where}: {error}"]
    if entry.streaming:
        found += [f"{where}: combinational path from {a} to {b}" for a, b in sorted(forbidden(paths))]
    return found


def verilator_warnings(module: str, parameters: Mapping[str, int | str]) -> list[str]:
    """Return the warning and error lines of `verilator --lint-only -Wall`."""
    values = [f"-G{k}={literal(v)}" for k, v in parameters.items()]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in _ENTRIES[module].files(parameters).items():
            (Path(folder) / name).write_text(text)
        return _verilator(module, [*values, *map(str, sources(module, _folders(module)))], Path(folder))


def top_warnings(folder: Path) -> list[str]:
    """Return the same of a stitched top; `folder` is `stitched/` of a build."""
    top = read_top(folder)
    return _verilator(top.name, ["-I.", *top.sources], folder)


def _verilator(top: str, arguments: Sequence[str], folder: Path) -> list[str]:
    """Run Verilator's linter in a folder that has the memory files."""
    result = subprocess.run(
        ["verilator", "--lint-only", "-Wall", "--top-module", top, *arguments],
        cwd=folder,
        env={**os.environ, **verilator_environment()},
        capture_output=True,
        text=True,
    )
    return [line for line in result.stderr.splitlines() if line.startswith("%")]


def missing() -> list[str]:
    """Return a line for every module that no entry of the catalogue covers, and every entry without one."""
    there = set(modules())
    covered = {path.stem for name in there & set(CATALOGUE) for path in sources(name)}
    lines = [f"{name}: neither in hw/catalogue.py nor part of a module that is" for name in there - covered]
    unused = set(modules((SHELL_RTL,))) - {path.stem for path in sources(SHELL, _folders(SHELL))}
    lines += [f"{name}: in hw/shell/rtl/ but not part of {SHELL}" for name in unused]
    return sorted(
        lines + [f"{name}: in hw/catalogue.py but not in hw/rtl/" for name in set(CATALOGUE) - there]
    )


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="hw.lint", description="Lint the RTL with Verilator and Yosys.")
    parser.add_argument("module", nargs="*", help="modules of hw/rtl/, or bitmend_shell; all by default")
    names = parser.parse_args(arguments).module or [
        *sorted(set(CATALOGUE) & set(modules())),
        SHELL,
    ]
    unknown = [name for name in names if name not in _ENTRIES]
    if unknown:
        print(f"hw.lint: no module '{unknown[0]}', expected one of {', '.join(_ENTRIES)}", file=sys.stderr)
        return 2
    jobs = [(name, point) for name in names for point in _ENTRIES[name].lint]
    found = missing()
    try:
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda job: lint(*job), jobs)
            for lines in tqdm(results, total=len(jobs), desc="RTL", unit="point", disable=None):
                found += lines
    except ToolError as error:
        print(f"hw.lint: {error}", file=sys.stderr)
        return 2
    for line in found:
        print(line)
    print(f"RTL: {len(names)} modules in {len(jobs)} points, {len(found) or 'no'} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
