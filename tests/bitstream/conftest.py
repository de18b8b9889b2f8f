# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the tests of hw/bitstream."""

import shutil

import numpy as np
import pytest
from bitstream_examples import PART, clean_path, encode, write_build, write_database, write_tools

from golden.random_networks import bbcu_like
from hw.bitstream.prjxray import Database

VARIABLES = ("NEXTPNR_XILINX", "NEXTPNR_XILINX_CHIPDB", "PRJXRAY_TOOLS", "PRJXRAY_DB_DIR")


@pytest.fixture
def no_tools(monkeypatch):
    """An environment in which no tool of either flow is found."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", clean_path())


@pytest.fixture(scope="session")
def database_folder(tmp_path_factory):
    return write_database(tmp_path_factory.mktemp("xray"))


@pytest.fixture(scope="session")
def database(database_folder):
    return Database(database_folder / "zynq7", PART)


@pytest.fixture(scope="session")
def bit(database):
    """A .bit file of a device full of zeros."""
    return encode({}, database.frame_addresses)


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory):
    """A build whose tiny design has been synthesized once."""
    from hw.bitstream.design import read_design
    from hw.bitstream.steps import Progress
    from hw.bitstream.synthesis import synthesize

    folder = tmp_path_factory.mktemp("builds") / "tiny"
    write_build(folder, bbcu_like(np.random.default_rng(2), 2, 1, 2, 3))
    design = read_design(folder)
    synthesize(design, folder / "bitstream" / "synthesis", Progress(terminal=False))
    return folder


@pytest.fixture
def build(synthesized, tmp_path):
    """A copy of it; synthesis is not repeated there."""
    return shutil.copytree(synthesized, tmp_path / "tiny", symlinks=True)


@pytest.fixture
def calls(tmp_path):
    """Where the pretended tools write that they were called."""
    path = tmp_path / "calls.txt"
    path.write_text("")
    return path


@pytest.fixture
def tools(no_tools, monkeypatch, tmp_path, database_folder, bit, calls):
    """The environment of a user who has the open tools."""
    folder = write_tools(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{folder}:{clean_path()}")
    (tmp_path / "chipdb").mkdir()
    (tmp_path / "chipdb" / "chipdb-xc7z020.bin").write_text("database")
    (tmp_path / "good.bit").write_bytes(bit.encode())
    monkeypatch.setenv("NEXTPNR_XILINX_CHIPDB", str(tmp_path / "chipdb"))
    monkeypatch.setenv("PRJXRAY_DB_DIR", str(database_folder))
    monkeypatch.setenv("FAKE_CALLS", str(calls))
    monkeypatch.setenv("FAKE_BIT", str(tmp_path / "good.bit"))
    monkeypatch.setenv("FAKE_FMAX", "1:120.5")
    return folder
