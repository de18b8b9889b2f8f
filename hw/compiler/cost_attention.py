# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of the modules that attention is made of; see cost.py. Keys are the parameters in the RTL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw.compiler.cost_amounts import Amounts, clog2, distinct
from hw.compiler.cost_memory import place

DSP_BITS = 9
"""Bits of the least product for which Yosys takes a DSP48."""


def stream_table(p: Mapping) -> Amounts:
    """A memory for every two elements, or a table in LUTs for every one; and a skid buffer."""
    elements, bits, index = p["PE"], p["BITS"], p["IN_BITS"]
    memory = place(bits, 1 << index, p["TABLE_STYLE"], rom=True)
    lut, ff = {"exact": elements * bits, "element": elements, "one": 1}, 2 * elements * bits + 3
    if memory.kind == "block":
        return Amounts("stream_table.block", lut, {"exact": ff}, -(-elements // 2) * memory.bram18)
    columns = distinct(bits, 1 << index)
    # up to 8 bits the LUTs of a column meet in MUXF7 and MUXF8; larger tables need others that select, too
    lut[f"table{min(10, max(8, index))}"] = elements * columns * max(1, 1 << max(0, index - 6))
    return Amounts("stream_table.logic", lut, {"exact": ff, "read": elements * columns})


def stream_multiply(p: Mapping) -> Amounts:
    """A DSP48 and a saturation per element, and a counter of beats if a factor holds for several."""
    elements, bits = p["PE"], p["BITS"]
    product = p["X_BITS"] + p["G_BITS"]
    rest = max(product, p["SHIFT"] + 1) + 1 - p["SHIFT"]  # bits that the shift leaves
    hold = 1 if p["G_CHANNELS"] > 1 else p["CHANNELS"] // elements
    above = max(0, rest - bits)
    lut = {
        "above": elements * above,
        "result": elements * bits,
        "element": elements,
        "index": clog2(hold),
        "one": 1,
    }
    ff = {"exact": elements * (3 * bits + (2 if above else 0)) + clog2(hold) + 6}
    if product < DSP_BITS:
        lut["exact"] = elements * (p["X_BITS"] * p["G_BITS"] + product)
        ff["exact"] += elements * 3 * product
    return Amounts("stream_multiply", lut, ff, 0, elements if product >= DSP_BITS else 0)


def stream_compare(p: Mapping) -> Amounts:
    """Comparators, and a skid buffer for their bits."""
    elements, wide = p["PE"], max(p["X_BITS"], p["T_BITS"])
    lut = {"compare": elements * wide, "element": elements, "one": 1}
    return Amounts("stream_compare", lut, {"exact": 2 * elements + 2})


MODELS: dict[str, Callable[[Mapping], Amounts]] = {
    function.__name__: function for function in (stream_table, stream_multiply, stream_compare)
}
