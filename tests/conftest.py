# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("bitmend", deadline=None, print_blob=True)  # machines are slow now and then
settings.load_profile("bitmend")

if "PYTEST_XDIST_WORKER" in os.environ:  # one core per worker: threads would fight for them
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The research data ($BITMEND_DATA); tests that need it skip where it is absent."""
    root = os.environ.get("BITMEND_DATA")
    if not root or not (Path(root) / "test").is_dir():
        pytest.skip("BITMEND_DATA names no folder with test/ (Set5, Set14, CBSD68, Classic5)")
    return Path(root)
