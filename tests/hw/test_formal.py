# SPDX-License-Identifier: BSD-3-Clause
from dataclasses import replace

import pytest

from hw.modules import RTL
from hw.prove import FOLDERS, PROOFS, Proof, main, prove

FAST = [
    proof
    for proof in PROOFS
    if proof.module in ("stream_skid", "stream_fork", "stream_join", "stream_compare")
]


@pytest.mark.parametrize("proof", FAST, ids=lambda proof: proof.name)
def test_streams_are_proven_and_all_covers_reached(proof, tmp_path):
    result = prove(proof, where=tmp_path)
    assert result.proven, result.notes
    assert result.reached, result.notes


SKID = Proof("stream_skid", {"WIDTH": 2})
SHUFFLE = next(proof for proof in PROOFS if proof.module == "pixel_shuffle")
REPEAT = next(proof for proof in PROOFS if proof.module == "repeat_pixels")
MUTATIONS = {
    "a beat is lost when the receiver stalls": (SKID, "stalled ? kept : s_axis_tdata", "s_axis_tdata"),
    "valid falls while the receiver stalls": (
        SKID,
        "full    <= stalled || s_axis_tvalid;",
        "full <= s_axis_tvalid;",
    ),
    "ready although both registers are full": (SKID, "s_axis_tready = !stalled", "s_axis_tready = 1'b1"),
    "a row is read before it is there": (SHUFFLE, "head ? entered : complete", "head || complete"),
    "a frame begins without its vector": (REPEAT, "= full || !first", "= 1'b1"),
    "a size is lost": (SHUFFLE, "s_size_tready = !next_full", "s_size_tready = 1'b1"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_module_is_not_proven(name, tmp_path):
    proof, good, bad = MUTATIONS[name]
    text = (RTL / f"{proof.module}.sv").read_text()
    assert text.count(good) == 1
    broken = tmp_path / "rtl"
    broken.mkdir()
    for path in RTL.glob("*.sv"):
        (broken / path.name).write_text(path.read_text())
    (broken / f"{proof.module}.sv").write_text(text.replace(good, bad))
    folders = tuple(broken if folder == RTL else folder for folder in FOLDERS)
    result = prove(replace(proof, cover=0), folders, tmp_path / "proof")
    assert not result.proven
    assert any(note.startswith("violated: ") for note in result.notes)


def test_an_unknown_module_is_one_line_and_exit_code_2(capsys):
    assert main(["nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
