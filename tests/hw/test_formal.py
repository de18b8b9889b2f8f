# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import RTL
from hw.prove import FOLDERS, PROOFS, Proof, main, prove

FAST = [proof for proof in PROOFS if proof.module in ("stream_skid", "stream_fork", "stream_join")]


@pytest.mark.parametrize("proof", FAST, ids=lambda proof: proof.name)
def test_streams_are_proven_and_all_covers_reached(proof, tmp_path):
    result = prove(proof, where=tmp_path)
    assert result.proven, result.notes
    assert result.reached, result.notes


MUTATIONS = {
    "a beat is lost when the receiver stalls": ("stalled ? kept : s_axis_tdata", "s_axis_tdata"),
    "valid falls while the receiver stalls": (
        "full    <= stalled || s_axis_tvalid;",
        "full <= s_axis_tvalid;",
    ),
    "ready although both registers are full": ("s_axis_tready = !stalled", "s_axis_tready = 1'b1"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_skid_buffer_is_not_proven(name, tmp_path):
    good, bad = MUTATIONS[name]
    text = (RTL / "stream_skid.sv").read_text()
    assert text.count(good) == 1
    broken = tmp_path / "rtl"
    broken.mkdir()
    for path in RTL.glob("*.sv"):
        (broken / path.name).write_text(path.read_text())
    (broken / "stream_skid.sv").write_text(text.replace(good, bad))
    folders = tuple(broken if folder == RTL else folder for folder in FOLDERS)
    result = prove(Proof("stream_skid", {"WIDTH": 2}), folders, tmp_path / "proof")
    assert not result.proven
    assert result.notes


def test_an_unknown_module_is_one_line_and_exit_code_2(capsys):
    assert main(["nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
