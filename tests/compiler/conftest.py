# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the compiler, which need finn-plus."""

from importlib.util import find_spec

if find_spec("finn") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header():
    return "finn-plus: " + ("found" if find_spec("finn") else "not installed, so tests/compiler is left out")
