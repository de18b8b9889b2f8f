# SPDX-License-Identifier: BSD-3-Clause
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hw import calibrate
from hw.catalogue import CATALOGUE
from hw.compiler import cost
from hw.compiler.cost import Resources, resources
from hw.compiler.cost_memory import place
from hw.compiler.cost_mvu import tree
from hw.modules import ToolError, modules
from hw.yosys import synthesize

ROWS = json.loads(calibrate.TABLE.read_text())
MODULES = sorted({row["module"] for row in ROWS})
TOLERANCE = 0.15
SMALL = 60  # below, an error is measured as if there were so many


def far(estimate, measured):
    return abs(estimate - measured) > TOLERANCE * max(measured, SMALL)


@pytest.mark.parametrize("module", MODULES)
def test_estimates_are_those_of_synthesis(module):
    wrong = []
    for row in ROWS:
        if row["module"] != module:
            continue
        found = resources(module, calibrate.parameters(row))
        inexact = (found.bram18, found.dsp) != (2 * row["bram36"], row["dsp"])
        if inexact or far(found.lut, row["lut"]) or far(found.ff, row["ff"]):
            wrong.append((row, found))
    assert wrong == []


_NARROW = {"X_BITS": 4, "G_BITS": 4}  # a product that takes no DSP48


@pytest.mark.parametrize(
    ("module", "point"),
    [
        ("stream_fifo", {"WIDTH": 20, "DEPTH": 700, "RAM_STYLE": "auto"}),
        ("xnor_mvu", {"MW": 54, "MH": 20, "SIMD": 27, "PE": 5, "WEIGHT_STYLE": "lut"}),
        ("stream_multiply", {"CHANNELS": 2, "G_CHANNELS": 2, "PE": 2, "SHIFT": 2, "BITS": 4} | _NARROW),
        ("window", {"CHANNELS": 10, "P": 5, "BITS": 1, "MAX_WIDTH": 200, "DIM_BITS": 12}),
    ],
)
def test_estimates_hold_away_from_the_grid(module, point):
    entry = CATALOGUE[module]
    assert point not in entry.synth
    area = synthesize(module, entry.complete(point), files=entry.files(point))
    found = resources(module, point)
    assert not far(found.lut, area.lut)
    assert not far(found.ff, area.ff)
    assert (found.bram18, found.dsp) == (2 * area.bram36, area.dsp)


def test_every_module_of_the_library_has_a_model():
    assert set(cost.MODELS) == {name for name, entry in CATALOGUE.items() if entry.synth}


def test_the_coefficients_are_those_of_the_table():
    fits, wrong = calibrate.calibrate(ROWS)
    assert wrong == 0
    known = json.loads(cost.COEFFICIENTS.read_text())
    assert set(known) == set(fits)
    for group, pair in fits.items():
        for what, fit in zip(("lut", "ff"), pair, strict=True):
            assert known[group][what] == pytest.approx(fit.coefficients, rel=0.01, abs=0.01), group
    assert calibrate.report(fits, wrong).splitlines()[0] in (calibrate.TABLE.parent / "model.md").read_text()


def test_an_unknown_module_is_named():
    with pytest.raises(ToolError, match=r"no cost model of 'nonsense'.*stream_skid"):
        resources("nonsense", {})


def test_a_missing_parameter_is_named(monkeypatch):
    monkeypatch.setattr(cost, "defaults", lambda module: {})
    with pytest.raises(ToolError, match="rsign depends on BITS"):
        resources("rsign", {"PE": 1, "CHANNELS": 4})


def test_a_structure_without_coefficients_is_named(monkeypatch):
    monkeypatch.setattr(cost, "_coefficients", dict)
    with pytest.raises(ToolError, match=r"stream_skid is not calibrated: run python -m hw\.calibrate"):
        resources("stream_skid", {"WIDTH": 3})


def test_absent_parameters_have_the_defaults_of_the_module():
    assert cost.defaults("stream_fifo") == {"WIDTH": 8, "DEPTH": 32, "RAM_STYLE": "auto"}
    assert cost.defaults("xnor_mvu")["WEIGHT_STYLE"] == "block"
    assert resources("stream_fifo", {}) == resources("stream_fifo", {"WIDTH": 8, "DEPTH": 32})
    for name in cost.MODELS:
        assert set(cost.defaults(name)) <= set(modules()[name].read_text().split())


def test_resources_add_up():
    total = Resources(1, 2, 3, 4) + Resources(10, 20, 30, 40)
    assert total == Resources(11, 22, 33, 44)
    assert total.bram36 == 16.5


CHANNELS = {"CHANNELS": 32, "IN_BITS": 10, "BITS": 12, "SHIFT": 14, "A_BITS": 14, "B_BITS": 26, "T_BITS": 11}


@pytest.mark.parametrize(
    ("module", "name", "values", "point"),
    [
        ("stream_join", "PE", (1, 2, 4, 8, 16), {"A_BITS": 12, "B_BITS": 12, "BITS": 12}),
        ("stream_fork", "WIDTH", (1, 8, 12, 100, 384), {}),
        ("requant", "PE", (1, 2, 4, 8, 16), CHANNELS),
        ("xnor_mvu", "PE", (1, 2, 4, 8, 16), {"MW": 288, "MH": 32, "SIMD": 144, "WEIGHT_STYLE": "block"}),
        ("xnor_mvu", "SIMD", (9, 18, 36, 72, 144), {"MW": 288, "MH": 32, "PE": 4, "WEIGHT_STYLE": "block"}),
        ("int8_mvu", "PE", (1, 2, 4, 8), {"MW": 27, "MH": 32, "SIMD": 27, "X_SIGNED": 0, "ACC_BITS": 21}),
    ],
)
def test_more_work_per_cycle_costs_more(module, name, values, point):
    found = [resources(module, {**point, name: value}) for value in values]
    for less, more in pairwise(found):
        assert less.lut < more.lut
        assert less.ff < more.ff
        assert less.dsp <= more.dsp
    if module in ("requant", "int8_mvu"):
        assert found[0].dsp < found[-1].dsp


def test_memories_go_where_yosys_puts_them():
    assert place(24, 640, "block").bram18 == 2  # two of 1024 x 18, not 640 x 36 twice
    assert place(24, 1299, "block").bram18 == 3
    assert place(24, 2599, "block").banks == 3
    assert place(24, 128, "distributed").lut_ram == 64
    assert place(8, 16).kind == "distributed"
    assert place(1, 3).kind == "logic"
    assert place(72, 512).bram18 == 2
    assert place(72, 64, rom=True).kind == "logic"
    assert place(9, 1024, rom=True).kind == "block"
    with pytest.raises(ToolError, match="memory style 'ultra', expected auto, block or distributed"):
        place(8, 16, "ultra")


def test_a_tree_of_counters_is_counted():
    assert tree((2,), (2,)) == (0, 0)
    assert tree((3, 0), (2, 2)) == (1, 2)
    assert tree((7, 0, 0), (2, 2, 2)) == (2, 3)


def test_a_factor_too_wide_for_a_dsp_is_refused():
    with pytest.raises(ToolError, match="26 by 16 bits takes more than a DSP48"):
        resources("requant", {"CHANNELS": 32, "PE": 1, "IN_BITS": 26, "A_BITS": 16, "T_BITS": 27})


def test_a_fit_finds_coefficients_of_0_or_more():
    rng = np.random.default_rng(0)
    amounts = [{"exact": 100, "a": rng.integers(1, 50), "b": rng.integers(1, 50), "c": 1} for _ in range(20)]
    measured = [point["exact"] + 2 * point["a"] + 0.5 * point["b"] for point in amounts]
    fit = calibrate.fit(amounts, measured)
    assert fit.coefficients == pytest.approx({"a": 2, "b": 0.5, "c": 0}, abs=1e-3)
    assert np.abs(fit.left_out).max() < 1e-6
    falling = calibrate.fit(amounts, [point["exact"] - point["a"] for point in amounts])
    assert min(falling.coefficients.values()) == 0


def test_a_wrong_block_ram_is_counted_and_said():
    rows = [dict(row) for row in ROWS if row["module"] == "ram_sdp"]
    rows[0]["bram36"] += 1
    fits, wrong = calibrate.calibrate(rows)
    assert wrong == 1
    assert "wrong in 1 points" in calibrate.report(fits, wrong)


def test_the_command_writes_coefficients_and_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibrate, "COEFFICIENTS", tmp_path / "cost.json")
    monkeypatch.setattr(calibrate, "TABLE", tmp_path / "operators.json")
    table = tmp_path / "table.json"
    table.write_text(json.dumps([row for row in ROWS if row["module"] in ("stream_fork", "ram_sdp")]))
    assert calibrate.main(["--table", str(table)]) == 0
    assert "block RAM and DSP wrong in 0" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "cost.json").read_text())) == {"stream_fork", "ram_sdp"}
    assert "| ram_sdp |" in (tmp_path / "model.md").read_text()
    assert calibrate.main(["--table", str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_amounts_are_not_shared_between_calls():
    before = cost.shape("xnor_mvu", {"MW": 288, "MH": 32, "SIMD": 72, "PE": 4, "WEIGHT_STYLE": "lut"})
    after = cost.shape("xnor_mvu", {"MW": 288, "MH": 32, "SIMD": 72, "PE": 4, "WEIGHT_STYLE": "lut"})
    assert before == after
    assert replace(before, bram18=1) != before
