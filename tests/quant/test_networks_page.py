# SPDX-License-Identifier: BSD-3-Clause
"""docs/networks.md: as committed, every printed row once, our figures where they were published."""

import json

from quant import networks_page
from quant.networks import FAMILIES
from quant.networks_page import PAGE, RESULTS, page
from quant.zoo import printed_psnr

RECORD = {
    "table": "bbcu_table1",
    "setting": "x2",
    "size": "nano",
    "mode": "paper",
    "data": "photos",
    "training": {"iterations": 7, "batch": 2, "patch": 16, "lr": 0.001},
    "rows": [
        {
            "method": method,
            "iterations": 7,
            "psnr_db": {"Set5": ours},
            "input_psnr_db": {"Set5": 33.97},
            "printed_psnr_db": printed_psnr()["bbcu_table1", method, "x2"],
        }
        for method, ours in (("BNN", 30.11), ("BBCU-L", 29.22))
    ],
}


def test_committed_page():
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    assert page(results) + "" == PAGE.read_text(encoding="utf-8"), (
        "write it again: python -m quant.networks_page"
    )


def test_every_row_of_the_papers_has_a_network():
    rows = {key for family in FAMILIES.values() for key in family.rows}
    without = {key for key in printed_psnr() if key not in rows}
    assert {key[1] for key in without} == {"Bicubic"}


def test_published_figures_stand_in_their_rows():
    text = page([RECORD])
    (row,) = [line for line in text.splitlines() if line.startswith("| BBCU-L | x2 |")]
    assert "37.58 (Set5)" in row
    assert "29.22 (Set5, nano)" in row
    assert "`bbcu_l_x2`" in row
    assert "Of 1 pairs of methods, 0 have the paper's order" in text
    assert "- BBCU-L over BNN: paper +5.33 dB, here -0.89 dB" in text
    assert "7 iterations each" in text
    assert "29.22 (Set5, nano, hardware mode)" in page([{**RECORD, "mode": "hardware"}])


def test_zoos_in_a_line_each():
    swapped = [{**row, "psnr_db": {"Set5": 40.0 - i}} for i, row in enumerate(reversed(RECORD["rows"]))]
    text = page([RECORD, {**RECORD, "mode": "hardware", "rows": swapped}])
    heading = "| BBCU Table 1: super-resolution, x2"
    assert f"{heading} | nano, paper | 7 | 0 of 1 | 0 of 1 |" in text
    assert f"{heading} | nano, hardware | 7 | 1 of 1 | 1 of 1 |" in text


def test_networks_below_their_input_are_named():
    assert "says nothing: BNN, BBCU-L." in page([RECORD])
    better = [{**row, "psnr_db": {"Set5": 34.0 + i}} for i, row in enumerate(RECORD["rows"])]
    assert "says nothing" not in page([{**RECORD, "rows": better}])
    better[0]["psnr_db"] = {"Set5": 33.96}
    assert "says nothing: BNN." in page([{**RECORD, "rows": better}])


def test_a_trained_network_that_no_paper_prints_is_in_no_pair():
    extra = {**RECORD["rows"][0], "method": "dorefa_x2", "printed_psnr_db": {}}
    text = page([{**RECORD, "rows": [*RECORD["rows"], extra]}])
    assert "| dorefa_x2 | 30.11 |  |" in text
    assert "Of 1 pairs of methods" in text


def test_integers_are_said_row_by_row():
    text = page([])
    integers = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 9 and cells[2] in ("x2", "sigma25"):
            integers.setdefault(cells[1], cells[5])
    assert integers["SRResNet"] == integers["BAM"] == integers["DnCNN"] == "no"
    assert integers["BBCU-L"] == integers["BTM"] == integers["IRNet"] == integers["EDSR-E2FIF"] == "yes"


def test_command(tmp_path, capsys):
    results, out = tmp_path / "zoo.json", tmp_path / "page.md"
    results.write_text(json.dumps([RECORD]))
    assert networks_page.main(["--results", str(results), "--out", str(out)]) == 0
    assert "29.22" in out.read_text()
    results.write_text("[{}]")
    assert networks_page.main(["--results", str(results), "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
