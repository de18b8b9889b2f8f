# SPDX-License-Identifier: BSD-3-Clause
"""Operation and parameter counts: known totals, the papers' tables, and that a wrong network is noticed."""

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import IntegerNetwork, summary
from quant import complexity, counting
from quant.config import DEBLOCK, DENOISE, HARDWARE_UNITS, PARTS, PRESETS, NetworkConfig
from quant.counting import count, total
from quant.export import to_integers
from quant.networks import SRResNet, build
from quant.printed import TABLES, csv_rows, implemented, misprints, prints_as, status, table6_rows

ROOT = Path(__file__).resolve().parents[2]
MAIN = ("bbcu_table1", "BBCU-M", "x4")
BBCU = ("bbcu_table1", "bbcu_table2", "bbcu_table3", "bbcu_table4", "bbcu_table6")


def figures(records, key):
    """(record of that row) from a list of comparisons."""
    (found,) = [c for c in records if c.row.key == key]
    return found


def test_bbcu_m_x4_by_hand():
    conv = 64 * 64 * 9  # weights of a 64 -> 64 convolution
    body, ups, hr = 32 * conv, 2 * 4 * conv, conv
    c = total(count(PRESETS["bbcu_m_x4"]))
    assert c.binary_weights == body + ups + hr == 1_511_424
    units, upsamplers = 33 * 5 * 64, 2 * (64 + 4 * 256)  # alpha, s, gamma, beta, zeta
    assert c.words == 1728 + 64 + 1728 + 3 + units + upsamplers == 16_259
    low = 320 * 180
    assert c.binary_macs == low * (body + 4 * conv + 4 * 4 * conv + 16 * hr)
    assert c.macs == low * (1728 + 16 * 1728)


@pytest.mark.parametrize(
    ("name", "giga", "kilo"),
    [
        ("srresnet_x2", "85.43232", "1367.424"),
        ("srresnet_lite_x2", "3.079296", "48.600"),
        ("bbcu_m_x2", "1.824768", "46.080"),
        ("bbcu_l_x2", "18.5462784", "224.640"),
        ("srresnet_x4", "146.0809728", "1514.880"),
        ("srresnet_lite_x4", "5.3934336", "53.784"),
        ("bbcu_m_x4", "3.9481344", "50.688"),
        ("bbcu_l_x4", "79.1949312", "372.096"),
        ("dncnn", "38.4196608", "667.008"),
        ("dncnn_lite", "1.3810176", "23.976"),
        ("bbcu_dncnn", "0.7962624", "24.192"),
        ("dncnn3", "38.2869504", "664.704"),
        ("dncnn3_lite", "1.3561344", "23.544"),
        ("bbcu_dncnn3", "0.6635520", "21.888"),
    ],
)
def test_known_totals(name, giga, kilo):
    c = total(count(PRESETS[name]))
    assert (c.ops / 10**9, c.params / 10**3) == (Fraction(giga), Fraction(kilo))


def test_batch_norm_is_stored_and_not_counted():
    v1, v4 = (total(count(PRESETS[f"bbcu_{unit}_x2"])) for unit in ("v1", "v4"))
    assert (v1.ops, v1.params) == (v4.ops, v4.params)
    assert v1.words - v4.words == 32 * 4 * 64


def configs():
    small = {"width": st.integers(1, 9), "depth": st.integers(1, 3), "unit": st.sampled_from(HARDWARE_UNITS)}
    binary = st.sampled_from([("body",), ("body", "upsampling"), PARTS])
    sr = st.builds(NetworkConfig, scale=st.sampled_from((2, 3, 4)), binary=binary, **small)
    same = st.builds(
        lambda base, **changes: replace(base, **changes), st.sampled_from((DENOISE, DEBLOCK)), **small
    )
    return st.one_of(sr, same)


@settings(max_examples=20, deadline=None)
@given(configs(), st.integers(3, 40), st.integers(3, 40))
def test_counts_are_those_of_the_exported_integers(config, width, height):
    """Two worlds, two ways to count: torch's convolutions on one side, the layers of golden on the other."""
    integers: IntegerNetwork = to_integers(build(config))
    costs = [summary.layer_cost(integers, layer, height, width) for layer in integers.layers]
    c = total(count(config, width, height))
    assert c.binary_macs == sum(cost.binary_macs for cost in costs)
    assert c.macs == sum(cost.int8_macs for cost in costs)


def test_operations_grow_with_the_area_and_parameters_do_not():
    small, large = (total(count(PRESETS["bbcu_nano_x3"], *size)) for size in ((40, 30), (80, 90)))
    assert large.ops == 6 * small.ops
    assert (large.params, large.words) == (small.params, small.words)


def test_a_convolution_outside_the_layers_is_noticed(monkeypatch):
    class Stowaway(SRResNet):
        def paper(self, x):
            extra = torch.nn.functional.conv2d(x, torch.ones(3, 3, 1, 1))
            return super().paper(extra)

    monkeypatch.setattr(counting, "build", Stowaway)
    with pytest.raises(RuntimeError, match="no layer"):
        count.__wrapped__(PRESETS["bbcu_nano_x2"])


def test_bam_by_hand():
    plain, bam = (total(count(PRESETS[f"{unit}_x2"])) for unit in ("bnn", "bam"))
    terms = sum(range(1, 33))
    assert bam.macs - plain.macs == terms * (64 + 1) * 320 * 180
    assert bam.weights - plain.weights == 2 * terms


def test_weight_scales_to_store():
    bnn, bireal, dorefa = (total(count(PRESETS[f"{unit}_x2"])).words for unit in ("bnn", "bireal", "dorefa"))
    assert bireal - bnn == 32 * 64
    assert dorefa - bnn == 32


def test_edsr_and_e2fif_by_hand():
    edsr = total(count(PRESETS["edsr_baseline_x4"], 128, 128))
    conv = 64 * 64 * 9
    per_pixel = 27 * 64 + 33 * conv + 4 * conv + 4 * 4 * conv + 16 * 27 * 64
    assert edsr.macs == 128 * 128 * per_pixel
    assert edsr.learned == 27 * 64 + 64 + 33 * (conv + 64) + 2 * 4 * (conv + 64) + 27 * 64 + 3
    e2fif = total(count(PRESETS["e2fif_x4"], 128, 128))
    assert e2fif.macs == 128 * 128 * (27 * 64 + 64 * 48 * 9)
    assert e2fif.binary_macs == 128 * 128 * 32 * conv
    assert e2fif.learned == 27 * 64 + 64 + 32 * (64 + 2 * 64) + 64 * 48 * 9 + 48


def test_low_bits_count_as_so_many_binary_operations(monkeypatch):
    plain = count.__wrapped__(PRESETS["srresnet_lite_x2"], 40, 30)
    monkeypatch.setattr(torch.nn.Conv2d, "bits", (2, 4), raising=False)
    low = count.__wrapped__(PRESETS["srresnet_lite_x2"], 40, 30)
    assert total(low).macs == total(low).weights == 0
    assert total(low).binary_macs == 2 * 4 * total(plain).macs
    assert total(low).binary_weights == 2 * total(plain).weights


def test_elements_by_hand():
    """What the profilers count besides the layers, by part."""
    unit, image = 64 * 128**2, 128**2
    plain = count(PRESETS["edsr_baseline_x2"], 128, 128)
    assert {name: c.biased for name, c in plain.items()} == {
        "head": unit,
        "body": 32 * unit,
        "body_end": unit,
        "upsampling": 4 * unit,
        "tail": 3 * 4 * image,
    }
    assert {name: c.activated for name, c in plain.items() if c.activated} == {"body": 16 * unit}
    excited = count(PRESETS["attention_se_spatial_x2"], 128, 128)
    assert {name: c.activated for name, c in excited.items() if c.activated} == {
        "body": 32 * (unit + 4),
        "body_end": unit + 4,
        "upsampling": 4 * unit,
    }
    assert {name: c.pooled for name, c in excited.items() if c.pooled} == {
        "body": 32 * unit,
        "body_end": unit,
    }
    assert excited["body_end"].biased == 4 + 64 + image
    e2fif = count(PRESETS["e2fif_x4"], 128, 128)
    assert {name: c.normalized for name, c in e2fif.items() if c.normalized} == {"body": 32 * unit}
    assert e2fif["body"].activated == 16 * unit


def test_an_activation_that_the_network_calls_itself_belongs_to_the_layer_before():
    parts = count(PRESETS["srresnet_x2"], 40, 30)
    assert parts["head"].activated == 64 * 40 * 30
    assert parts["upsampling"].activated == parts["conv_hr"].activated == 64 * 80 * 60


def test_elements_count_as_the_convention_says():
    c = counting.Count(macs=100, binary_macs=64, biased=1, activated=10, normalized=1000, pooled=10_000)
    found = {name: rule.ops(c) for name, rule in counting.CONVENTIONS.items()}
    assert found == {
        "bbcu": 100 + 1,
        "attention": 2 * (100 + 8 + 1 + 10 + 10_000),
        "ebsr": 2 * (100 + 1 + 4 * 1000 + 10_000),
    }


def test_conventions_of_the_papers():
    c = counting.Count(macs=3, binary_macs=128, weights=5, binary_weights=64, words=9, learned=7)
    assert [rule.ops(c) for rule in counting.CONVENTIONS.values()] == [3 + 2, 2 * (3 + 16), 2 * (3 + 2)]
    assert counting.CONVENTIONS["bbcu"].params(c) == 5 + 2
    assert counting.CONVENTIONS["ebsr"].params(c) == 7


# Against the papers


def test_every_row_is_as_printed_or_a_known_misprint():
    found, missing = complexity.compare()
    known = misprints()
    assert [row.key for row in missing if row.table in BBCU] == []
    assert sum(c.row.table in BBCU for c in found) == 80 + 8
    assert {c.row.key: c.status for c in found if c.status != "equal"} == {
        key: misprint.kind for key, misprint in known.items()
    }
    assert [c.row.key for c in found if c.status == "different"] == []
    assert [c.row.key for c in found if c.status == "unexplained" and c.row.table in BBCU] == []
    for c in found:
        assert c.status == "equal" or f"printed {c.row.ops_g}" in c.note


def test_misprints_are_no_rounding_of_the_truth():
    printed = {row.key: row.ops_g for row in csv_rows() + table6_rows()}
    for key, known in misprints().items():
        if known.ops is not None:
            assert not prints_as(Fraction(known.ops) / 10**9, printed[key]), key
        assert known.ops is not None or known.params is not None


def test_rows_of_the_csv_are_read_once_each():
    with open(TABLES, newline="", encoding="utf-8") as file:
        keys = {(r["table"], r["method"], r["setting"]) for r in csv.DictReader(file) if r["ops_g"]}
    rows = csv_rows()
    assert len(rows) == len(keys)
    assert {row.key for row in rows} == keys
    with open(TABLES, newline="", encoding="utf-8") as file:
        keys |= {(r["table"], r["method"], r["setting"]) for r in csv.DictReader(file)}
    assert set(implemented()) <= keys | {row.key for row in table6_rows()}


@pytest.mark.parametrize(
    "change",
    [
        {"depth": 31},
        {"depth": 33},
        {"width": 63},
        {"channels": 1},
        {"binary": ("body",)},
        {"binary": PARTS},
        {"scale": 2},
    ],
    ids=str,
)
def test_a_wrong_network_is_different(change):
    for key in (MAIN, ("bbcu_table1", "BBCU-L", "x4")):
        config = implemented()[key]
        wrong = replace(config, **change)
        if wrong == config:
            continue
        found, _ = complexity.compare({key: wrong})
        assert [c.status for c in found] == ["different"]
        assert "printed" in found[0].note


def test_a_misprint_must_be_hit_exactly():
    key = ("bbcu_table1", "SRResNet", "x4")
    (row,) = [r for r in csv_rows() if r.key == key]
    params = Fraction(1_514_880)
    ops = misprints()[key].ops
    assert status(row, Fraction(ops), params) == "misprint"
    assert status(row, Fraction(ops + 1), params) == "different"
    assert (
        status(row, Fraction(146_140_000_000), params) == "different"
    )  # the misprint itself is not the truth
    assert status(row, Fraction(ops), params + 1000) == "different"


@pytest.mark.parametrize(
    ("value", "printed", "equal"),
    [("3.9481", "3.95", True), ("3.9450", "3.95", True), ("3.9449", "3.95", False), ("0.7963", "0.8", True),
     ("78.5", "79", True), ("79.4999", "79", True), ("79.5", "79", False), ("79.204", "79.20", True),
     ("79.205", "79.20", False)],
)  # fmt: skip
def test_printed_digits(value, printed, equal):
    assert prints_as(Fraction(value), printed) is equal


# Command line


def test_command_line_and_committed_page(tmp_path, capsys):
    out, page = tmp_path / "counts.json", tmp_path / "page.md"
    assert complexity.main(["--json", str(out), "--markdown", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "misprint, " in shown
    assert " 0 different" in shown
    records = json.loads(out.read_text())
    assert {r["status"] for r in records} <= {"equal", "misprint", "unexplained"}
    assert len({(r["table"], r["method"], r["setting"]) for r in records}) == len(records)
    fields = "table task method setting ops_g printed_ops_g params_k printed_params_k status note"
    assert all(set(fields.split()) <= set(r) for r in records)
    (main_row,) = [r for r in records if (r["table"], r["method"], r["setting"]) == MAIN]
    assert (main_row["binary_bits"], main_row["words"]) == (1_511_424, 16_259)
    committed = (ROOT / "docs" / "complexity.md").read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8") == committed, (
        "write it again: make complexity ARGS='--markdown docs/complexity.md'"
    )


def test_a_difference_is_exit_code_1(monkeypatch, capsys):
    monkeypatch.setattr(complexity, "implemented", lambda: {MAIN: PRESETS["bbcu_l_x4"]})
    assert complexity.main([]) == 1
    assert "0 equal, 0 misprint, 0 unexplained, 1 different" in capsys.readouterr().out


def test_one_preset(tmp_path, capsys):
    out = tmp_path / "nano.json"
    assert complexity.main(["--model", "bbcu_nano_x2", "--size", "640x360", "--json", str(out)]) == 0
    assert "640 x 360" in capsys.readouterr().out
    whole = json.loads(out.read_text())["parts"]["all"]
    assert whole["ops_g"] == pytest.approx(4 * float(total(count(PRESETS["bbcu_nano_x2"])).ops) / 1e9)
    assert complexity.main(["--model", "dncnn"]) == 0
    assert "conv_hr" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--model", "bbcu_huge"], "bbcu_nano_x2"),
        (["--model", "dncnn", "--size", "640"], "640x360"),
        (["--model", "dncnn", "--size", "0x7"], "640x360"),
        (["--size", "640x360"], "--model"),
        (["--model", "dncnn", "--markdown", "OUT"], "--markdown"),
        (["--json", "BLOCKED"], "blocked"),
    ],
)
def test_bad_input_is_one_line(argv, words, tmp_path, capsys):
    (tmp_path / "blocked").write_text("a file where a folder is needed")
    places = {"OUT": tmp_path / "out.md", "BLOCKED": tmp_path / "blocked" / "x.json"}
    assert complexity.main([str(places.get(a, a)) for a in argv]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert not (tmp_path / "out.md").exists()
