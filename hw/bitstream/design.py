# SPDX-License-Identifier: BSD-3-Clause
"""The design that a bitstream is made of: shell.json of a build, read and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.bitstream import BitstreamError

_NEEDED = {
    "name": str,
    "hash": str,
    "board": str,
    "part": str,
    "clock_hz": int,
    "base_address": int,
    "address_range": int,
    "top": str,
    "sources": list,
    "files_folder": str,
    "registers": dict,
}
_PART = re.compile(r"(xc7[az]\d+t?)([a-z]{2,3}\d+)-(\d)")


@dataclass(frozen=True)
class Design:
    """A complete design of programmable logic and its connection to the processor.

    Attributes:
        build: the folder that `make compile` wrote.
        name: of the network, and of the files that are made.
        hash: SHA-256 of the network's content, hexadecimal.
        board, part: `pynq-z2`, `xc7z020clg400-1`.
        clock_hz: the clock that the registers announce and that the board must run it at.
        base_address, address_range: of the registers, in bytes.
        top: the top module.
        sources: all SystemVerilog files, each after those it uses.
        files: the folder of the memory files and of what the sources include.
        content: the whole of shell.json.
    """

    build: Path
    name: str
    hash: str
    board: str
    part: str
    clock_hz: int
    base_address: int
    address_range: int
    top: str
    sources: tuple[Path, ...]
    files: Path
    content: Mapping[str, Any]

    @property
    def die(self) -> str:
        """The device without package and speed grade: `xc7z020`."""
        return split_part(self.part)[0]

    @property
    def period_ns(self) -> float:
        """Of the clock."""
        return 1e9 / self.clock_hz

    @property
    def memory_files(self) -> list[Path]:
        """What `$readmemh` opens by its bare name."""
        return sorted(self.files.glob("*.mem"))


def split_part(part: str) -> tuple[str, str, str]:
    """Return device, package and speed grade of a 7-series part.

    Raises:
        BitstreamError: it is none.
    """
    match = _PART.fullmatch(part)
    if not match:
        raise BitstreamError(f"part '{part}' is not one like xc7z020clg400-1; correct the board's data")
    return match[1], match[2], match[3]


def read_design(build: Path) -> Design:
    """Read `shell/shell.json` of a build.

    Raises:
        BitstreamError: there is none, or it is incomplete, or a source is missing.
    """
    build = build.resolve()
    path = build / "shell" / "shell.json"
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise BitstreamError(
            f"{path} is missing: run make compile first, or hw.shell.generate {build}"
        ) from None
    except ValueError as error:
        raise BitstreamError(f"{path}: {error}; run hw.shell.generate {build} again") from None
    for key, kind in _NEEDED.items():
        if not isinstance(content.get(key), kind):
            raise BitstreamError(
                f"{path}: '{key}' is {content.get(key)!r}, expected {kind.__name__}; compile again"
            )
    split_part(content["part"])
    folder = path.parent
    sources = tuple((folder / name).resolve() for name in content["sources"])
    files = (folder / content["files_folder"]).resolve()
    for source in (*sources, files):
        if not source.exists():
            raise BitstreamError(f"{path}: {source} is missing; compile again")
    fields = {key: content[key] for key in _NEEDED if key not in ("sources", "files_folder", "registers")}
    fields["name"] = content["name"].removesuffix("_top")
    return Design(build=build, sources=sources, files=files, content=content, **fields)
