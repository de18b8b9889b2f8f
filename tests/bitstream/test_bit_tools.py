# SPDX-License-Identifier: BSD-3-Clause
import pytest
from bitstream_examples import PART, write_program, write_tools

from hw.bitstream import MissingTools
from hw.bitstream.tools import find_open


def test_tools_on_path(tools):
    found = find_open(PART)
    assert found.himbaechel
    assert found.nextpnr == tools / "nextpnr-himbaechel"
    assert found.chipdb.name == "chipdb-xc7z020.bin"
    assert found.fasm2frames == (str(tools / "fasm2frames"),)
    assert found.database.name == "zynq7"
    assert str(found.database) in "\n".join(found.describe())


def test_one_line_per_missing_tool(no_tools):
    with pytest.raises(MissingTools) as error:
        find_open(PART)
    names = [line.split(":")[0] for line in error.value.lines]
    assert names == ["nextpnr", "chip database", "fasm2frames", "xc7frames2bit", "X-Ray database"]
    assert all("\n" not in line for line in error.value.lines)


def test_tools_by_variables(no_tools, monkeypatch, tmp_path, database_folder):
    program = write_program(tmp_path / "fork" / "nextpnr-xilinx", "")
    (tmp_path / "xc7z020clg400.bin").write_text("")
    checkout = tmp_path / "prjxray"
    (checkout / "prjxray").mkdir(parents=True)
    (checkout / "utils").mkdir()
    (checkout / "utils" / "fasm2frames.py").write_text("not executable")
    write_program(checkout / "build" / "tools" / "xc7frames2bit", "")
    monkeypatch.setenv("NEXTPNR_XILINX", str(program.parent))
    monkeypatch.setenv("NEXTPNR_XILINX_CHIPDB", str(tmp_path))
    monkeypatch.setenv("PRJXRAY_TOOLS", str(checkout))
    monkeypatch.setenv("PRJXRAY_DB_DIR", str(database_folder / "zynq7"))  # the family's own folder
    found = find_open(PART)
    assert not found.himbaechel
    assert found.chipdb == tmp_path / "xc7z020clg400.bin"
    assert found.fasm2frames[1].endswith("fasm2frames.py")  # by a Python, with the package of the checkout
    assert found.environment["PYTHONPATH"].startswith(str(checkout))
    assert found.frames2bit.name == "xc7frames2bit"


@pytest.mark.parametrize("missing", ["nextpnr-himbaechel", "fasm2frames", "xc7frames2bit"])
def test_a_program_that_is_not_there(tools, missing):
    (tools / missing).unlink()
    with pytest.raises(MissingTools) as error:
        find_open(PART)
    assert len(error.value.lines) == 1
    assert error.value.lines[0].startswith(missing.split("-")[0])


def test_a_file_that_is_not_executable_is_no_nextpnr(no_tools, monkeypatch, tmp_path):
    (tmp_path / "nextpnr-xilinx").write_text("")
    monkeypatch.setenv("NEXTPNR_XILINX", str(tmp_path / "nextpnr-xilinx"))
    with pytest.raises(MissingTools, match="nextpnr: no"):
        find_open(PART)


def test_built_in_chip_database(tools, monkeypatch, tmp_path):
    monkeypatch.delenv("NEXTPNR_XILINX_CHIPDB")
    with pytest.raises(MissingTools, match="chip database"):
        find_open(PART)
    share = tmp_path / "share" / "nextpnr" / "himbaechel" / "xilinx"
    share.mkdir(parents=True)
    (share / "chipdb-xc7z020.bin").write_text("")
    assert find_open(PART).chipdb is None


def test_himbaechel_comes_before_the_fork(tools):
    write_tools(tools, nextpnr="nextpnr-xilinx")
    assert find_open(PART).himbaechel
