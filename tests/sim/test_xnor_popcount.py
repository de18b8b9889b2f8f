# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ROOT, RTL, ToolError
from hw.yosys import run_script

LEAVES = {
    "xnor_pair": {},
    "popcount_add3": {},
    "popcount_add7": {},
    "popcount_sum": {"WIDTH": 6, "START": "6'd44"},
    "xnor_table": {"TABLES": "64'h0123456789ABCDEF"},
}
# The lines for simulation; the primitives as Yosys' library has them; these with LUT6_2 split by our map.
PLAIN = ["proc", "select -assert-none t:LUT6_2"]
PRIMITIVES = ["proc", "select -assert-min 1 t:LUT6_2"]
SPLIT = ["proc", f"techmap -map {ROOT}/hw/lut6_2_map.v", "select -assert-none t:LUT6_2"]


def side(name, leaf, file, steps):
    parameters = "".join(f" -set {parameter} {value}" for parameter, value in LEAVES[leaf].items())
    return [
        "read_verilog -lib +/xilinx/cells_sim.v",
        f"read_verilog -sv {file}",
        *([f"chparam{parameters} {leaf}"] if parameters else []),
        f"hierarchy -check -top {leaf}",
        *steps,
        "read_verilog -overwrite +/xilinx/cells_sim.v",
        "hierarchy -check",
        "proc",
        "flatten",
        "opt_clean",
        f"rename -top {name}",
        f"design -stash {name}",
    ]


def prove(leaf, folder, left, right, change=("", "")):
    text = (RTL / f"{leaf}.sv").read_text()
    (folder / "plain.sv").write_text(text.replace("`ifdef ", "`ifdef NOT_"))
    (folder / "primitives.sv").write_text(text.replace(*change))
    script = []
    for name, steps in (("left", left), ("right", right)):
        script += side(name, leaf, "plain.sv" if steps is PLAIN else "primitives.sv", steps)
    script += [
        "design -copy-from left left",
        "design -copy-from right right",
        "miter -equiv -flatten left right miter",
        "sat -verify -prove trigger 0 miter",
    ]
    return run_script(script, folder)


@pytest.mark.parametrize("leaf", LEAVES)
def test_primitives_equal_plain_lines(leaf, tmp_path):
    assert "no model found: SUCCESS" in prove(leaf, tmp_path, PLAIN, PRIMITIVES)


@pytest.mark.parametrize("leaf", LEAVES)
def test_split_equals_primitives(leaf, tmp_path):
    assert "no model found: SUCCESS" in prove(leaf, tmp_path, PRIMITIVES, SPLIT)


def test_prover_sees_one_wrong_bit(tmp_path):
    wrong = ("64'h177E7EE8_E8808000", "64'h177E7EE8_E8808001")
    with pytest.raises(ToolError, match="proof did fail"):
        prove("popcount_add7", tmp_path, PLAIN, PRIMITIVES, wrong)
