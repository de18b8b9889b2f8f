# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of the int8 matrix-vector unit; see cost.py. Keys are the parameters in the RTL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw.compiler.cost_amounts import Amounts, add, clog2, distinct
from hw.compiler.cost_memory import place
from hw.compiler.cost_mvu import results, sequence

SHIFT = 3
"""Plain registers in a row that become a shift register in a LUT."""

FEW_WORDS = 8
"""Words of a memory of weights up to which so many of its bits are equal that their registers are shared."""


def adder_tree(rows: int, row: int, bits: int) -> tuple[int, int]:
    """Return LUTs and flip-flops of an int8_mvu_tree: `rows` summands of `row` bits, a sum of `bits`.

    A summand without a partner waits in registers; three levels of that are a shift register.
    """
    lut = ff = level = waiting = 0
    width = row  # of the summand that waits
    while rows > 1:
        level += 1
        wide = min(row + level, bits)
        lut += rows // 2 * wide
        ff += rows // 2 * wide
        if rows % 2:
            width = width if waiting else min(row + level - 1, bits)
            waiting += 1
        elif waiting:
            lut, ff, waiting = *_line(lut, ff, width, waiting), 0
        rows = -(-rows // 2)
    return _line(lut, ff, width, waiting)


def _line(lut: int, ff: int, width: int, length: int) -> tuple[int, int]:
    return (lut + width, ff) if length >= SHIFT else (lut, ff + width * length)


def _rom(p: Mapping, pairs: int) -> tuple[dict, int, bool]:
    """LUTs and block RAMs of the weights, and whether a word of them is in plain registers."""
    simd, elements = p["SIMD"], p["PE"]
    width, words = 8 * simd * elements, p["MW"] // simd * (p["MH"] // elements)
    if p["WEIGHT_STYLE"] == "block":
        return {}, place(width, words, "block", rom=True).bram18, False
    if words <= 64:
        return {"exact": distinct(width, words)}, 0, False
    paired, tables = 16 * simd * pairs, -(-words // 64)
    alone = width - paired
    lut = {"deep": alone * tables, "deeper": alone * (tables - 2), "deep_pairs": paired * words / 64}
    return lut, 0, True


def _operands(p: Mapping, chain: int, pairs: int, in_bits: int, *, held: bool, registered: bool) -> tuple:
    """LUTs and flip-flops on the way of inputs and weights to their DSP48s.

    A slice at position k of its chain has its operands k - 1 cycles later. The DSP48 has two registers for an
    operand, of which the first slice needs one; but none for one of the two weights of a pair.

    Args:
        p: parameters.
        chain: slices in a chain.
        pairs: pairs of results that share their products.
        in_bits: of an input.
        held: the register of the inputs has no enable, so that it can be part of a DSP48 or of a line.
        registered: so is the register of the weights.
    """
    simd, words = p["SIMD"], p["MW"] // p["SIMD"] * (p["MH"] // p["PE"])
    lut = ff = 0
    levels = [0, 0, 0]
    for i in range(simd):
        k = chain - min(chain, simd - i // chain * chain) + i % chain
        late = max(0, k - 1)
        inside = k == 0
        lengths = (
            (in_bits, held + late - (held and inside), False),
            (8 * (p["PE"] - pairs), registered + late - (registered and inside), True),
            (8 * pairs, registered + late + 1, True),
        )
        for width, length, weight in lengths:
            if weight and words <= FEW_WORDS:
                for level in range(length):
                    levels[level] += width
            else:
                lut, ff = _line(lut, ff, width, length)
    return lut, ff + sum(distinct(bits, words) for bits in levels)


def int8_mvu(p: Mapping) -> Amounts:
    """Weights, chains of DSP48s, a tree of adders and an accumulator per result, a queue of results."""
    simd, elements, bits = p["SIMD"], p["PE"], p["ACC_BITS"]
    pack, narrow, in_bits = p["PACK"] != 0, p["NARROW"] != 0, p["IN_BITS"]
    sf, nf = p["MW"] // simd, p["MH"] // elements
    bias = pack and not p["X_SIGNED"]
    x_bits = in_bits + (not pack and not p["X_SIGNED"])
    chain = min(simd, 1 if pack and not narrow else 4)
    rows = -(-simd // chain)
    row = 7 + x_bits + clog2(chain) + (not narrow and x_bits != 9)
    pairs = elements // 2 if pack else 0
    latency = chain + 2 + clog2(rows)

    lut_w, bram18, registered = _rom(p, pairs)
    lut_b = distinct(elements * bits, nf) if bias else 0
    lut_o, ff_o = _operands(p, chain, pairs, in_bits, held=nf == 1, registered=registered)
    lut_s, ff_s = sequence(p, simd * in_bits)
    bram18 += int(ff_s.pop("bram18"))
    lut_r, ff_r = results(elements * bits, sf, latency + 2)
    lut_t, ff_t = adder_tree(rows, row, bits)
    sums = bits if sf > 1 or bias else 0
    kept = simd * in_bits if nf == 1 else 0  # counted among the operands
    lut = {"exact": elements * (lut_t + sums) + lut_b + lut_o, "signs": pairs * rows, "element": elements}
    ff = {"exact": elements * (ff_t + bits) + ff_o - kept, "element": elements, "latency": latency}
    return Amounts(
        "int8_mvu." + ("narrow" if pack and narrow else "packed" if pack else "single"),
        add(lut_w, lut_s, lut_r, lut),
        add(ff_s, ff_r, ff),
        bram18,
        (elements - pairs) * simd,
    )


MODELS: dict[str, Callable[[Mapping], Amounts]] = {"int8_mvu": int8_mvu}
