# SPDX-License-Identifier: BSD-3-Clause
"""The modules of `hw/rtl/` and what they instantiate."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RTL = ROOT / "hw" / "rtl"
SHELL_RTL = ROOT / "hw" / "shell" / "rtl"
BUILD = ROOT / "build"


class ToolError(RuntimeError):
    """A tool is missing or refused its input; the message is one line that says what to do."""


def modules(folders: tuple[Path, ...] = (RTL,)) -> dict[str, Path]:
    """Return the file of every module, by name: one module per file, which has its name."""
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.sv"))}


def sources(top: str, folders: tuple[Path, ...] = (RTL,)) -> list[Path]:
    """Return the file of module `top` and of every module of ours below it, each after those it uses.

    Raises:
        ToolError: there is no such module.
    """
    files = modules(folders)
    if top not in files:
        raise ToolError(f"no module '{top}' in {folders[0]}: expected one of {', '.join(files)}")
    order: dict[str, Path] = {}

    def visit(name: str) -> None:
        for other in _words(files[name]):
            if other in files and other != name and other not in order:
                visit(other)
        order[name] = files[name]

    visit(top)
    return list(order.values())


@cache
def _words(path: Path) -> list[str]:
    """Identifiers that start a line of code and are followed by '#', or by another identifier and '('."""
    return re.findall(r"^\s*(\w+)\s*(?:#|\w+\s*\()", path.read_text(), re.MULTILINE)
