# SPDX-License-Identifier: BSD-3-Clause
from dataclasses import replace

import pytest

from hw.modules import SHELL_RTL
from hw.prove import FOLDERS, PROOFS, prove

PROOF = {proof.module: proof for proof in PROOFS if proof.module.startswith("shell_")}
FAST = ("shell_bursts", "shell_axil", "shell_control")  # the others take minutes: make formal


@pytest.mark.parametrize("module", FAST)
def test_proven_and_all_covers_reached(module, tmp_path):
    result = prove(PROOF[module], where=tmp_path)
    assert result.proven, result.notes
    assert result.reached, result.notes


MUTATIONS = {
    "a burst leaves its block": (
        "shell_bursts",
        "fits = words <= (ROW_BITS - 2)'(left)",
        "fits = words <= 15",
    ),
    "a burst too many": ("shell_bursts", "!ends ? LENGTH : final_row", "!ends ? LENGTH : rows == '0"),
    "a refused burst is carried out": ("shell_axil", "state <= resp == OKAY ? WRITE : B", "state <= WRITE"),
    "a reset does not wait": ("shell_control", "resetting && stopped && quiet", "resetting && stopped"),
    "more jobs than fit": ("shell_control", "full  = jobs == FULL", "full  = jobs > FULL"),
    "reads go on under stop": ("shell_read", "!stop && !request && room", "!request && room"),
    "a burst before its words": ("shell_write", "stored > STORED'(", "stored >= STORED'("),
    "strobes under discard": ("shell_write", "discard ? '0 : head", "stop ? '0 : head"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_module_is_not_proven(name, tmp_path):
    module, good, bad = MUTATIONS[name]
    text = (SHELL_RTL / f"{module}.sv").read_text()
    assert text.count(good) == 1
    broken = tmp_path / "rtl"
    broken.mkdir()
    for path in SHELL_RTL.glob("*.sv"):
        (broken / path.name).write_text(path.read_text())
    (broken / f"{module}.sv").write_text(text.replace(good, bad))
    folders = tuple(broken if folder == SHELL_RTL else folder for folder in FOLDERS)
    result = prove(replace(PROOF[module], cover=0), folders, tmp_path / "proof")
    assert not result.proven
