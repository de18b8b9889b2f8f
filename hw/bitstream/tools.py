# SPDX-License-Identifier: BSD-3-Clause
"""Find the tools of the open flow and Vivado.

Users have the open tools from openXC7 (snap, nix, docker), OSS CAD Suite or their own builds.

nextpnr         on PATH as nextpnr-himbaechel or nextpnr-xilinx; else NEXTPNR_XILINX: it, or its folder
chip database   NEXTPNR_XILINX_CHIPDB: the file, or its folder; else share/ beside nextpnr-himbaechel
fasm2frames     on PATH as fasm2frames or fasm2frames.py; else PRJXRAY_TOOLS: a folder, or X-Ray's sources
xc7frames2bit   on PATH; else PRJXRAY_TOOLS
X-Ray database  PRJXRAY_DB_DIR: with a folder zynq7, or that folder
Vivado          on PATH as vivado
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hw.bitstream import MissingTools
from hw.bitstream.design import split_part

_FAMILIES = {"xc7z": "zynq7", "xc7a": "artix7"}


@dataclass(frozen=True)
class OpenTools:
    """The open tools, all of them.

    Attributes:
        nextpnr: nextpnr-himbaechel or nextpnr-xilinx.
        himbaechel: which of the two command lines it has.
        chipdb: chip database; None where nextpnr-himbaechel has it built in.
        fasm2frames: command, perhaps with a Python before the script.
        frames2bit: xc7frames2bit.
        database: folder of the family in Project X-Ray's database.
        environment: what the commands need on top of this process' own.
    """

    nextpnr: Path
    himbaechel: bool
    chipdb: Path | None
    fasm2frames: tuple[str, ...]
    frames2bit: Path
    database: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> list[str]:
        """Return one line per tool: what was found where."""
        return [
            f"nextpnr        {self.nextpnr}",
            f"chip database  {self.chipdb or 'built in'}",
            f"fasm2frames    {' '.join(self.fasm2frames)}",
            f"xc7frames2bit  {self.frames2bit}",
            f"X-Ray database {self.database}",
        ]


def find_vivado() -> Path | None:
    """Return Vivado's program, if it is on PATH."""
    found = shutil.which("vivado")
    return Path(found) if found else None


def find_open(part: str) -> OpenTools:
    """Find the open tools for a part.

    Raises:
        MissingTools: with one line for each that is missing.
    """
    missing: list[str] = []
    nextpnr = _program(("nextpnr-himbaechel", "nextpnr-xilinx"), _places("NEXTPNR_XILINX"))
    if nextpnr is None:
        missing.append("nextpnr: no nextpnr-himbaechel or nextpnr-xilinx on PATH or at NEXTPNR_XILINX")
    himbaechel = nextpnr is not None and "xilinx" not in nextpnr.name
    chipdb, built_in = _chipdb(part, nextpnr, himbaechel)
    if chipdb is None and not built_in:
        names = " or ".join(_chipdb_names(part))
        missing.append(f"chip database: NEXTPNR_XILINX_CHIPDB names neither a file nor a folder with {names}")
    environment: dict[str, str] = {}
    places = [
        place / sub for place in _places("PRJXRAY_TOOLS") for sub in (".", "utils", "bin", "build/tools")
    ]
    script = _program(("fasm2frames", "fasm2frames.py"), places, executable=False)
    if script is None:
        missing.append("fasm2frames: not on PATH or in PRJXRAY_TOOLS (Project X-Ray, utils/fasm2frames.py)")
    else:
        root = script.resolve().parent.parent
        if (root / "prjxray").is_dir():  # a checkout: its package is not installed
            environment["PYTHONPATH"] = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]).rstrip(
                os.pathsep
            )
    frames2bit = _program(("xc7frames2bit",), places)
    if frames2bit is None:
        missing.append("xc7frames2bit: not on PATH or in PRJXRAY_TOOLS (Project X-Ray, C++ tools)")
    try:
        database = find_database(part)
    except MissingTools as error:
        missing += error.lines
    if missing:
        raise MissingTools(missing)
    assert nextpnr is not None
    assert script is not None
    assert frames2bit is not None
    command = (str(script),) if os.access(script, os.X_OK) else (sys.executable, str(script))
    return OpenTools(nextpnr, himbaechel, chipdb, command, frames2bit, database, environment)


def find_database(part: str) -> Path:
    """Return the folder of Project X-Ray's database that holds the part.

    Raises:
        MissingTools: it is not there.
    """
    family = _FAMILIES.get(part[:4], "zynq7")
    for place in _places("PRJXRAY_DB_DIR"):
        for folder in (place / family, place):
            if (folder / part / "part.yaml").is_file() or (folder / part / "part.json").is_file():
                return folder
    given = os.environ.get("PRJXRAY_DB_DIR")
    found = f"PRJXRAY_DB_DIR={given} has no {family}/{part}" if given else "PRJXRAY_DB_DIR is not set"
    raise MissingTools([f"X-Ray database: {found}/part.yaml; it is the folder with {family}/ in it"])


def _places(variable: str) -> list[Path]:
    value = os.environ.get(variable)
    return [Path(value).expanduser()] if value else []


def _program(names: Iterable[str], places: Iterable[Path], executable: bool = True) -> Path | None:
    """Return the first of `names` on PATH, else in one of `places`, which may name the program itself."""
    names = tuple(names)
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    for place in places:
        for path in (place, *(place / name for name in names)):
            if path.is_file() and (not executable or os.access(path, os.X_OK)):
                return path.resolve() if executable else path.absolute()
    return None


def _chipdb_names(part: str) -> tuple[str, ...]:
    die, package, _ = split_part(part)
    return (f"chipdb-{die}.bin", f"{die}{package}.bin", f"{die}.bin")


def _chipdb(part: str, nextpnr: Path | None, himbaechel: bool) -> tuple[Path | None, bool]:
    """Return the chip database, and whether nextpnr finds one by itself."""
    names = _chipdb_names(part)
    for place in _places("NEXTPNR_XILINX_CHIPDB"):
        for path in (place, *(place / name for name in names)):
            if path.is_file():
                return path.absolute(), False
    if nextpnr is None or not himbaechel:
        return None, False
    share = nextpnr.resolve().parent.parent / "share" / "nextpnr" / "himbaechel" / "xilinx" / names[0]
    return None, share.is_file()
