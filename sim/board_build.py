# SPDX-License-Identifier: BSD-3-Clause
"""Compile the whole programmable logic to a simulated board: Verilator around `sim/board_main.cpp`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hw.modules import ToolError
from sim import verilate

PS7 = Path(__file__).with_name("ps7.sv")
MAIN = Path(__file__).with_name("board_main.cpp")
TOP = "bitmend_board"


def read_shell(folder: Path) -> dict[str, Any]:
    """Return the description of a design with its shell.

    Args:
        folder: `shell/` of a build.

    Raises:
        ToolError: there is none in the folder.
    """
    path = folder / "shell.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{path}: {error}; expected the folder 'shell' of a build: compile it again"
        ) from None


def build(folder: Path, behavioural: bool = True) -> Path:
    """Compile the design in a folder, or return the cached program.

    Args:
        folder: `shell/` of a build.
        behavioural: with twins of the popcounts instead of their structure.

    Raises:
        ToolError: there is no design, Verilator is missing, or the design does not compile.
    """
    shell = read_shell(folder)
    program = verilate.Program(
        name=f"{shell['name']}-board",
        top=TOP,
        main=MAIN,
        sources=[*(folder / source for source in shell["sources"]), PS7],
        include=[folder / shell["files_folder"]],
        behavioural=behavioural,
    )
    return verilate.build(program)
