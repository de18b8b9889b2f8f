# SPDX-License-Identifier: BSD-3-Clause
import json

import pytest

from hw import lint, synth_ops
from hw.catalogue import CATALOGUE
from hw.comb_paths import combinational_paths, forbidden
from hw.modules import ToolError, modules, sources
from hw.yosys import count, synthesize
from sim.runner import build


def test_every_module_is_in_the_catalogue():
    assert lint.missing() == []
    for name, entry in CATALOGUE.items():
        assert entry.lint, f"{name} has no lint points"


def test_sources_come_before_their_users():
    names = [path.stem for path in sources("stream_fifo")]
    assert names[-1] == "stream_fifo"
    assert "ram_sdp" in names


def test_an_unknown_module_is_named():
    with pytest.raises(ToolError, match=r"no module .nonsense.*stream_skid"):
        sources("nonsense")


def test_a_ready_path_is_found(tmp_path, monkeypatch):
    text = modules()["stream_skid"].read_text()
    broken = text.replace("s_axis_tready = !stalled", "s_axis_tready = !stalled || m_axis_tready")
    assert broken != text
    (tmp_path / "stream_skid.sv").write_text(broken)
    monkeypatch.setattr("hw.yosys.RTL", tmp_path)
    monkeypatch.setattr("hw.modules.RTL", tmp_path)
    monkeypatch.setattr("hw.yosys.sources", lambda top, folders: [tmp_path / "stream_skid.sv"])
    assert forbidden(combinational_paths("stream_skid", {"WIDTH": 2})) == {("m_axis_tready", "s_axis_tready")}


def test_a_join_may_look_at_the_other_valid():
    assert forbidden({("s_a_tvalid", "s_b_tready")}) == set()
    assert forbidden({("s_a_tvalid", "s_a_tready")}) == {("s_a_tvalid", "s_a_tready")}
    assert forbidden({("s_a_tdata", "m_axis_tdata")}) == {("s_a_tdata", "m_axis_tdata")}


@pytest.mark.parametrize("folder", [None, "kept"])
def test_illegal_parameters_stop_elaboration(folder, tmp_path):
    where = tmp_path / folder if folder else None
    with pytest.raises(ToolError, match="WIDTH is"):
        synthesize("stream_skid", {"WIDTH": 0}, folder=where)


def test_illegal_parameters_stop_the_simulator():
    with pytest.raises(ToolError, match=r"does not compile.*WIDTH is 0"):
        build("stream_skid", {"WIDTH": 0})


def test_cells_are_counted_as_the_device_has_them():
    area = count(
        {"LUT6": 3, "LUT2": 1, "LUT6_2": 2, "RAM32M": 1, "SRL16E": 5, "FDRE": 7, "RAMB18E1": 3, "CARRY4": 9}
    )
    assert (area.lut, area.lut_ram, area.ff, area.bram36, area.dsp) == (15, 9, 7, 1.5, 0)


def test_an_area_is_a_record_and_a_row():
    area = count({"LUT6": 300, "FDRE": 40, "RAMB36E1": 2})
    row = synth_ops.record("ram_sdp", {"STYLE": "block", "WIDTH": 36, "DEPTH": 1024}, area)
    assert row["module"] == "ram_sdp"
    assert (row["width"], row["lut"], row["ff"], row["bram36"], row["dsp"]) == (36, 300, 40, 2, 0)
    assert row["bram_efficiency"] == 0.5
    text = synth_ops.table([row])
    assert "## ram_sdp" in text
    assert "| block | 36 | 1024 | 300 | 40 | 2 | 0 |" in text


def test_the_committed_table_is_the_catalogue_s():
    path = modules()["stream_skid"].parents[2] / "docs" / "synthesis" / "operators.json"
    rows = json.loads(path.read_text())
    assert {row["module"] for row in rows} == {name for name, entry in CATALOGUE.items() if entry.synth}
    assert len(rows) == sum(len(entry.synth) for entry in CATALOGUE.values())
    for row in rows:
        assert {"module", "lut", "ff", "bram36", "dsp"} <= set(row)


def test_a_run_of_some_modules_keeps_the_others(tmp_path, monkeypatch, capsys):
    def row(module, lut):
        return {"module": module, "lut": lut, "ff": 0, "bram36": 0, "dsp": 0}

    known = [row("stream_join", 1), row("stream_skid", 2), row("stream_skid", 3), row("window", 4)]
    (tmp_path / "operators.json").write_text(json.dumps(known))
    monkeypatch.setattr(synth_ops, "measure", lambda module, point: count({"LUT6": point["WIDTH"]}))
    assert synth_ops.main(["--out", str(tmp_path), "stream_skid"]) == 0
    assert "5 points of 1 modules" in capsys.readouterr().out
    rows = json.loads((tmp_path / "operators.json").read_text())
    assert [(r["module"], r["lut"]) for r in rows if r["module"] != "stream_skid"] == [
        ("window", 4),
        ("stream_join", 1),
    ]
    widths = [point["WIDTH"] for point in CATALOGUE["stream_skid"].synth]
    assert [r["lut"] for r in rows if r["module"] == "stream_skid"] == widths
    assert [r["module"] for r in rows][-len(widths) :] == ["stream_skid"] * len(widths)
    assert "## window" in (tmp_path / "operators.md").read_text()


@pytest.mark.parametrize("program", [lint, synth_ops])
def test_an_unknown_module_is_one_line_and_exit_code_2(program, capsys):
    assert program.main(["nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
