# SPDX-License-Identifier: BSD-3-Clause
from hw.modules import ROOT
from hw.shell.registers import REGISTERS, main, markdown


def test_the_page_is_what_the_table_says():
    assert (ROOT / "docs" / "registers.md").read_text() == markdown(), "run python -m hw.shell.registers"


def test_registers_do_not_overlap():
    offsets = [register.offset for register in REGISTERS]
    assert offsets == sorted(set(offsets))
    assert all(offset % 4 == 0 for offset in offsets)
    assert len({register.name for register in REGISTERS}) == len(REGISTERS)
    for register in REGISTERS:
        used = [bit for f in register.fields for bit in range(f.low, f.low + f.bits)]
        assert used == sorted(set(used)), register.name
        assert all(bit < 32 for bit in used)


def test_a_page_that_cannot_be_written_is_one_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
