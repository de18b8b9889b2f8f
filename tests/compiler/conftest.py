# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the compiler, which need finn-plus."""

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "golden"))  # golden_graphs

if find_spec("finn") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header():
    return "finn-plus: " + ("found" if find_spec("finn") else "not installed, so tests/compiler is left out")
