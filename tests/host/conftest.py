# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the tests of host/."""

import pytest
from host_examples import NETWORKS, network


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with an .npz file per network of NETWORKS."""
    folder = tmp_path_factory.mktemp("models")
    for name in NETWORKS:
        network(name).save(folder / f"{name}.npz")
    return folder


@pytest.fixture
def out(tmp_path):
    """An empty folder for results."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
