# SPDX-License-Identifier: BSD-3-Clause
"""Measure the structures that a binary matrix-vector unit can be made of: the tables of docs/popcount.md.

    python -m hw.popcount > build/popcount.md

Every structure is `xnor_mvu` with some of its leaf modules replaced by other descriptions of the same
function.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hw.modules import RTL
from hw.weights import columns
from hw.yosys import count, read_commands, run_script
from sim.tb_xnor_mvu import memory_files

_FOR_LOOP = """
module xnor_popcount #(
    parameter integer SIMD = 64, parameter integer WIDTH = 10, parameter [WIDTH-1:0] START = 0,
    parameter integer ACCUMULATE = 1, parameter integer PRODUCTS = 0
) (
    input wire logic clk, input wire logic rst, input wire logic valid, input wire logic first,
    input wire logic last, input wire logic [SIMD-1:0] x, input wire logic [SIMD-1:0] w,
    output logic result_valid, output logic [WIDTH-1:0] result
);
    logic [WIDTH-1:0] sum;
    integer i;
    always_comb begin
        sum = (first || ACCUMULATE == 0) ? START : result;
        for (i = 0; i < SIMD; i = i + 1) sum = sum + (PRODUCTS == 1 ? x[i] : x[i] ~^ w[i]);
    end
    always_ff @(posedge clk) begin
        if (valid) result <= sum;
        result_valid <= valid && (last || ACCUMULATE == 0) && !rst;
    end
endmodule
"""
_ADD7_OF_ADD3 = """
module popcount_add7 (input wire logic [6:0] bits, output wire logic [2:0] sum);
    wire logic a, b, c, d, e;
    popcount_add3 u_a (.bits(bits[2:0]), .sum(a), .carry(b));
    popcount_add3 u_b (.bits(bits[5:3]), .sum(c), .carry(d));
    popcount_add3 u_c (.bits({bits[6], a, c}), .sum(sum[0]), .carry(e));
    popcount_add3 u_d (.bits({b, d, e}), .sum(sum[1]), .carry(sum[2]));
endmodule
"""
_LEAVES = ("xnor_pair", "popcount_add3", "popcount_add7", "popcount_sum", "xnor_table")


def plain(*leaves: str) -> dict[str, str]:
    """Return these leaf modules without their primitives."""
    return {leaf: (RTL / f"{leaf}.sv").read_text().replace("`ifdef ", "`ifdef NOT_") for leaf in leaves}


STRUCTURES = {
    "for-loop, left to synthesis": lambda: {"xnor_popcount": _FOR_LOOP},
    "the tree, leaves left to synthesis": lambda: plain(*_LEAVES),
    "+ `xnor_pair` (LUT6_2)": lambda: plain("popcount_add3", "popcount_add7", "popcount_sum"),
    "+ `popcount_add3`, four of them for a 7:3": lambda: (
        plain("popcount_sum") | {"popcount_add7": _ADD7_OF_ADD3}
    ),
    "+ `popcount_add7` (CARRY4)": lambda: plain("popcount_sum"),
    "+ `popcount_sum`: as built": dict,
}
FOLDINGS = {
    "4, 64": {"MW": 576, "SIMD": 64, "MH": 4, "PE": 4},
    "8, 72": {"MW": 288, "SIMD": 72, "MH": 8, "PE": 8},
    "2, 288": {"MW": 288, "SIMD": 288, "MH": 32, "PE": 2},
}
WEIGHTS = {
    "block RAM": ("block", False, {}),
    "LUTs, from a file": ("lut", False, {}),
    "LUTs, from COLUMNS, tables left to synthesis": ("lut", True, ("xnor_table",)),
    "LUTs, from COLUMNS": ("lut", True, ()),
}


def measure(point: Mapping[str, int], style: str, text: bool, replaced: Mapping[str, str]) -> tuple:
    """Return (area, levels) of xnor_mvu with random weights and some modules replaced."""
    weight = np.random.default_rng(0).integers(0, 2, (point["MH"], point["MW"]))
    memory = memory_files(point, weight)["weights.mem"]
    parameters = {**point, "WEIGHT_STYLE": style, "WEIGHT_FILE": "weights.mem"}
    if text:
        parameters["COLUMNS"] = columns(memory, point["PE"] * point["SIMD"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(RTL, folder / "rtl")
        for module, source in replaced.items():
            (folder / "rtl" / f"{module}.sv").write_text(source)
        (folder / "weights.mem").write_text(memory)
        synthesis = "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -abc9"
        script = [*read_commands("xnor_mvu", parameters, (folder / "rtl",)), synthesis]
        run_script([*script, "tee -q -o stat.json stat -json", "write_json netlist.json"], folder)
        area = count(json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"])
        return area, levels(json.loads((folder / "netlist.json").read_text())["modules"]["xnor_mvu"]["cells"])


def levels(cells: Mapping[str, Mapping]) -> int:
    """Return the largest number of LUTs in a row between registers; carry chains between them are passed."""
    behind: dict[int, tuple[int, list[int]]] = {}  # by net: 1 if a LUT drives it, and the nets it depends on
    for cell in cells.values():
        kind = cell["type"]
        if not kind.startswith(("LUT", "INV", "CARRY4", "MUXF")):
            continue
        directions = cell["port_directions"]
        for port, bits in cell["connections"].items():
            if directions[port] == "output":
                inputs = [
                    bit
                    for name, nets in cell["connections"].items()
                    if directions[name] == "input" and not (kind == "LUT6_2" and _ignores(cell, port, name))
                    for bit in nets
                    if isinstance(bit, int)
                ]
                behind.update((bit, (int(kind.startswith(("LUT", "INV"))), inputs)) for bit in bits)
    depth: dict[int, int] = {}
    sys.setrecursionlimit(10000)

    def visit(bit: int) -> int:
        if bit not in behind:
            return 0
        if bit not in depth:
            own, inputs = behind[bit]
            depth[bit] = own + max((visit(net) for net in inputs), default=0)
        return depth[bit]

    return max(map(visit, behind))


def _ignores(cell: Mapping, port: str, name: str) -> bool:
    """Return whether an output of a LUT6_2 does not depend on one of its inputs."""
    init = int(cell["parameters"]["INIT"], 2)
    table, step = (init >> 32 if port == "O6" else init & 0xFFFFFFFF), 1 << int(name[1])
    return step == 32 or all((table >> i & 1) == (table >> (i ^ step) & 1) for i in range(32))


def row(name: str, folding: str, point: Mapping[str, int], area, depth: int) -> str:
    """Return a line of a table."""
    macs = point["PE"] * point["SIMD"]
    values = (name, folding, area.lut, f"{area.lut / macs:.2f}", area.ff, area.bram36, depth)
    return "| " + " | ".join(map(str, values)) + " |"


def main() -> None:
    """Print the tables as Markdown, row by row."""
    head = "| {} | PE, SIMD | LUT | LUT per MAC | FF | BRAM36 | levels |\n|---|---|---|---|---|---|---|"
    print(head.format("structure"))
    for folding, point in FOLDINGS.items():
        for name, replaced in STRUCTURES.items():
            if name.startswith("+") and "built" not in name and folding != "4, 64":
                continue
            print(row(name, folding, point, *measure(point, "block", False, replaced())), flush=True)
    print("\n" + head.format("weights"))
    for words in (16, 32):
        point = {"MW": 288, "SIMD": 288, "MH": 2 * words, "PE": 2}
        for name, (style, text, leaves) in WEIGHTS.items():
            print(
                row(f"{words} words, {name}", "2, 288", point, *measure(point, style, text, plain(*leaves))),
                flush=True,
            )
    print("\n" + head.format("unit"))
    for mw, simd, mh, pe in ((576, 64, 64, 4), (288, 72, 32, 8), (288, 288, 32, 2), (288, 288, 64, 32)):
        point = {"MW": mw, "SIMD": simd, "MH": mh, "PE": pe}
        print(row(f"{mw} to {mh}", f"{pe}, {simd}", point, *measure(point, "block", False, {})), flush=True)


if __name__ == "__main__":
    main()
