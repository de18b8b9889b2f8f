# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of the modules that compute on a few elements; see cost.py. Keys are the parameters in the RTL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw.compiler.cost_amounts import Amounts, add, clog2, delay, distinct, ram_ff, ram_lut
from hw.compiler.cost_memory import place
from hw.modules import ToolError

FACTOR_BITS = 25, 18
"""Bits of the two factors of a DSP48, signed."""


def compare(elements: int, channels: int, bits: int) -> tuple[str, dict[str, float], int]:
    """Return kind, LUTs and flip-flops of an rsign_compare whose numbers and thresholds have `bits` bits.

    Few thresholds are part of the comparators; many are tables of their own.
    """
    depth = channels // elements
    index = clog2(depth)
    if depth == 1:
        return "one", {"constant": elements * bits}, 0
    common = {"index": index}
    if 8 < depth <= 32:
        return "melted", {"exact": elements * (bits + 1)} | common, index
    if depth <= 8:
        return "few", {"exact": elements * bits / 2, f"compare{index}": elements * bits} | common, index
    return "many", {"compare": elements * bits, "table": elements * bits * -(-depth // 64)} | common, index


def rsign(p: Mapping) -> Amounts:
    """Comparators, and a skid buffer for their bits."""
    kind, lut, ff = compare(p["PE"], p["CHANNELS"], p["BITS"] + 1)
    lut = add(lut, {"element": p["PE"], "one": 1})
    return Amounts(f"rsign.{kind}", lut, {"exact": 2 * p["PE"] + 2 + ff})


def _constants(p: Mapping, index: int) -> tuple[dict[str, float], float, int]:
    """LUTs of all requant_const of a module, flip-flops and block RAMs of one.

    Each holds the words of all, and uses 2^index of them.
    """
    width, words = p["A_BITS"] + p["B_BITS"], p["PE"] << index
    style = {"block": "block", "distributed": "distributed"}.get(p["CONST_STYLE"], "auto")
    memory = place(width, words, style, rom=True) if words > 1 else None
    if memory is not None and memory.kind == "block":
        return {}, 0, memory.bram18
    columns = distinct(width, 1 << index)
    tables = p["PE"] * columns * max(1, 1 << max(0, index - 6)) if index > 1 else 0
    return {f"table{min(index, 5)}": tables}, columns, 0


def _products(x_bits: int, a_bits: int, elements: int) -> int:
    if x_bits > FACTOR_BITS[0] or a_bits > FACTOR_BITS[1]:
        raise ToolError(
            f"a product of {x_bits} by {a_bits} bits takes more than a DSP48, expected 25 by 18 bits at most"
        )
    return elements


def requant(p: Mapping) -> Amounts:
    """Comparators, two constants per channel, a DSP48 and a saturation per element."""
    elements, channels = p["PE"], p["CHANNELS"]
    x_bits = p["IN_BITS"] + (not p["IN_SIGNED"])
    _, lut, counter = compare(elements, channels, max(x_bits, p["T_BITS"]))
    index = clog2(channels // elements) + 1
    tables, word, bram18 = _constants(p, index)
    lut["few"] = sum(lut.pop(f"compare{bits}", 0) for bits in (1, 2, 3))
    m_bits = x_bits + p["A_BITS"]
    p_bits = max(m_bits, p["B_BITS"]) + 1
    above = max(0, p_bits - min(p["SHIFT"], p_bits - 1) - p["BITS"])
    common = {"element": elements, "one": 1}
    registers = x_bits + word + (distinct(p["B_BITS"], 1 << index) if word else p["B_BITS"])
    return Amounts(
        "requant",
        add(common, lut, tables, {"result": elements * p["BITS"], "above": elements * above}),
        add(common, {"exact": elements * (registers + 3 * p["BITS"] + 2), "index": counter}),
        elements * bram18,
        _products(x_bits, p["A_BITS"], elements),
    )


def output_stage(p: Mapping) -> Amounts:
    """A constant per channel, a DSP48, an adder and a saturation per element."""
    elements, slices = p["PE"], p["CHANNELS"] // p["PE"]
    index = clog2(slices)
    tables, word, bram18 = _constants(p, index)
    common = {"element": elements, "index": index, "one": 1}
    c_bits = max(9 + p["SHIFT"], p["B_BITS"]) + 1
    above = max(1, max(p["ACC_BITS"] + p["A_BITS"], c_bits) + 1 - p["SHIFT"] - 8)
    sum_bits = c_bits - p["SHIFT"] + p["BASE_BITS"]
    table = sum(tables.values()) if slices > 1 else 0
    return Amounts(
        "output_stage",
        add(common, {"table": table, "sum": elements * sum_bits, "above": elements * above}),
        add(
            common,
            {"base": elements * (8 + p["BASE_BITS"]), "input": elements * p["ACC_BITS"]},
            {"constants": elements * word if slices > 1 else 0},
        ),
        elements * bram18,
        _products(p["ACC_BITS"], p["A_BITS"], elements),
    )


def base(p: Mapping) -> Amounts:
    """Three rows in memory, two interpolations per channel of a beat."""
    scale, elements = p["SCALE"], p["P"]
    if scale == 1:
        return Amounts("base.same", {"exact": 8 * elements, "one": 1}, {"exact": 16 * elements + 2})
    slices = p["CHANNELS"] // elements
    depth = 3 * p["MAX_WIDTH"] * slices
    memory = place(8 * elements, depth, p["RAM_STYLE"])
    fraction = {2: 2, 3: 8, 4: 3}[scale]
    lines = delay(8 * elements, slices), *(delay(elements * (8 + fraction), slices) for _ in range(2))
    address, dim = clog2(depth), p["DIM_BITS"]
    common = {"element": elements, "slices": elements if slices > 1 else 0, "one": 1}
    return Amounts(
        f"base.{scale}",
        add(
            common,
            {"exact": sum(line[0] for line in lines), "address": address, "dim": dim},
            ram_lut(memory, 8 * elements, depth),
        ),
        add(
            common,
            {"exact": sum(line[1] for line in lines) + 4 * address + dim},
            ram_ff(memory, 8 * elements, depth),
        ),
        memory.bram18,
        2 * elements if scale == 3 else 0,
    )


MODELS: dict[str, Callable[[Mapping], Amounts]] = {
    function.__name__: function for function in (rsign, requant, output_stage, base)
}
