# SPDX-License-Identifier: BSD-3-Clause
import json

import pytest

from hw.modules import ROOT, RTL, ToolError
from hw.verilator import BEHAVIOURAL
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
SPLIT = [
    "proc",
    f"techmap -map {ROOT}/hw/lut6_2_map.v",
    "select -assert-none t:LUT6_2",
    "opt_lut_ins -tech xilinx",
]
CONSTANTS = """module constants (input [3:0] x, output [7:0] y);
    LUT6_2 #(.INIT(64'h123456789ABCDEF0)) a (
        .I0(x[0]), .I1(1'b1), .I2(x[1]), .I3(1'b1), .I4(x[2]), .I5(1'b1), .O5(y[0]), .O6(y[1]));
    LUT6_2 #(.INIT(64'h96696996EDB78421)) b (
        .I0(1'b0), .I1(1'b0), .I2(x[1]), .I3(x[3]), .I4(x[2]), .I5(1'b1), .O5(y[2]), .O6(y[3]));
    LUT6_2 #(.INIT(64'h0F1E2D3C4B5A6978)) c (
        .I0(x[3]), .I1(x[2]), .I2(x[1]), .I3(x[0]), .I4(1'b1), .I5(1'b1), .O5(y[4]), .O6(y[5]));
    LUT6_2 #(.INIT(64'h8421C63996F05AA5)) d (
        .I0(1'b1), .I1(x[2]), .I2(1'b0), .I3(1'b0), .I4(x[3]), .I5(1'b1), .O5(y[6]), .O6(y[7]));
endmodule
"""


def side(name, leaf, file, steps):
    parameters = "".join(f" -set {parameter} {value}" for parameter, value in LEAVES.get(leaf, {}).items())
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
    text = CONSTANTS if leaf == "constants" else (RTL / f"{leaf}.sv").read_text()
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


def test_constant_inputs_go_into_the_table(tmp_path):
    assert "no model found: SUCCESS" in prove("constants", tmp_path, PRIMITIVES, SPLIT)
    steps = ["read_verilog -lib +/xilinx/cells_sim.v", "read_verilog -sv primitives.sv", *SPLIT]
    run_script([*steps, "write_json -selected split.json"], tmp_path)
    cells = json.loads((tmp_path / "split.json").read_text())["modules"]["constants"]["cells"]
    bits = {
        bit for cell in cells.values() for connection in cell["connections"].values() for bit in connection
    }
    assert cells
    assert not bits & {"0", "1", "x"}


def test_prover_sees_one_wrong_bit(tmp_path):
    wrong = ("64'h177E7EE8_E8808000", "64'h177E7EE8_E8808001")
    with pytest.raises(ToolError, match="proof did fail"):
        prove("popcount_add7", tmp_path, PLAIN, PRIMITIVES, wrong)


# The behavioural twin for simulations of whole networks: equal in every cycle, for ever

POPCOUNT = ("xnor_pair", "popcount_add3", "popcount_add7", "popcount_sum", "popcount_tree", "xnor_popcount")
SHAPES = (
    {"SIMD": 1, "WIDTH": 3, "ACCUMULATE": 1, "PRODUCTS": 0},
    {"SIMD": 2, "WIDTH": 2, "ACCUMULATE": 0, "PRODUCTS": 0},
    {"SIMD": 9, "WIDTH": 6, "START": "6'd41", "ACCUMULATE": 1, "PRODUCTS": 0},
    {"SIMD": 9, "WIDTH": 4, "START": "4'd11", "ACCUMULATE": 0, "PRODUCTS": 1},
    {"SIMD": 12, "WIDTH": 5, "START": "5'd26", "ACCUMULATE": 0, "PRODUCTS": 0},
    {"SIMD": 14, "WIDTH": 6, "START": "6'd3", "ACCUMULATE": 1, "PRODUCTS": 1},
)


def whole(name, folder, option, parameters, change=("", "")):
    text = "".join((RTL / f"{module}.sv").read_text() for module in POPCOUNT).replace(*change)
    for macro in ("YOSYS", "SYNTHESIS"):
        text = text.replace(f"`ifdef {macro}", "`ifdef NOT_DEFINED")
    # Without an accumulator the result is noise while it is not valid
    text = text.replace("result       = total;", "result = ACCUMULATE == 1 || total_valid ? total : '0;")
    (folder / f"{name}.sv").write_text(text)
    return [
        "design -reset",
        f"read_verilog -sv {option} {name}.sv",
        f"chparam {' '.join(f'-set {key} {value}' for key, value in parameters.items())} xnor_popcount",
        "hierarchy -check -top xnor_popcount",
        "proc",
        "flatten",
        "opt_clean",
        f"rename -top {name}",
        f"design -stash {name}",
    ]


def prove_twin(folder, parameters, change=("", "")):
    script = [
        *whole("left", folder, "", parameters),
        *whole("right", folder, f"-D {BEHAVIOURAL}", parameters, change),
        "design -copy-from left left",
        "design -copy-from right right",
        "miter -equiv -flatten left right miter",
        "hierarchy -top miter",
        # Registers start at 0 on both sides; the induction is longer than the latency
        "sat -verify -tempinduct -set-init-zero -seq 1 -maxsteps 12 -prove trigger 0 miter",
    ]
    return run_script(script, folder)


@pytest.mark.parametrize("parameters", SHAPES, ids=str)
def test_behavioural_twin_equals_the_structure(parameters, tmp_path):
    assert "SUCCESS!" in prove_twin(tmp_path, parameters)


@pytest.mark.parametrize(
    "change",
    [
        ("+ SPACING - 1) / SPACING;", "+ SPACING - 1) / SPACING + 1;"),  # a cycle late
        ("ones_q <= ones;", "ones_q <= ones ^ COLUMNS'(&ones[2:0]);"),
        ("tag_q <= rst ? {TAG{1'b0}} : g_cycle", "tag_q <= g_cycle"),  # a reset that is not felt
    ],
    ids=("late", "count", "reset"),
)
def test_prover_sees_a_wrong_twin(change, tmp_path):
    assert any(change[0] in (RTL / f"{module}.sv").read_text() for module in POPCOUNT)
    with pytest.raises(ToolError, match="proof did fail"):
        prove_twin(tmp_path, SHAPES[4], change)
