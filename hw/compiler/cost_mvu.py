# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of the binary matrix-vector unit; see cost.py. Keys are the parameters in the RTL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from hw.compiler.cost_amounts import Amounts, add, clog2, ram_ff, ram_lut
from hw.compiler.cost_memory import place

CHAIN = 4
"""Pairs of products in a row, in an xnor_popcount."""


@cache
def tree(heights: tuple[int, ...], limits: tuple[int, ...], spacing: int = 2) -> tuple[int, int]:
    """Return LUTs and flip-flops of a popcount_tree, by its own plan: 7:3 counters and full adders.

    Args:
        heights: bits of weight 1, 2, 4, ...
        limits: how high each column may stay.
        spacing: stages between registers.
    """
    columns, lut, ff, stage = list(heights), 0, 0, 0
    while True:
        sevens, threes, settled = [0] * len(columns), [0] * len(columns), True
        for d, height in enumerate(columns):
            if height >= 7:
                sevens[d], settled = height // 7, False
            elif settled and height == 6:
                sevens[d] = 1
            elif settled and height > limits[d]:
                threes[d] = 1
        if not any(sevens) and not any(threes):
            return lut, ff + (sum(columns) if stage % spacing else 0)
        stage += 1
        lut += 2 * sum(sevens) + sum(threes)
        rest = [max(0, h - 7 * n7 - 3 * n3) for h, n7, n3 in zip(columns, sevens, threes, strict=True)]
        columns = [
            rest[d]
            + sevens[d]
            + threes[d]
            + (sevens[d - 1] + threes[d - 1] if d > 0 else 0)
            + (sevens[d - 2] if d > 1 else 0)
            for d in range(len(columns))
        ]
        if stage % spacing == 0:
            ff += sum(columns)


def _popcount(simd: int, width: int, start: int, *, accumulate: bool, products: bool) -> tuple[int, int]:
    """LUTs and flip-flops of an xnor_popcount without those that all of them share."""
    columns, pairs = clog2(simd + 1), (simd + 1) // 2
    ones = simd if products else -(-pairs // CHAIN)
    twos = 0 if products or columns == 1 else pairs
    heights = (ones, twos, *[0] * columns)[:columns]
    limits = tuple(3 if not accumulate and not start >> d & 1 else 2 for d in range(columns))
    lut, ff = tree(heights, limits)
    return lut + (0 if products else pairs) + width, ff + (0 if products else ones + twos) + width


def _tables(simd: int, elements: int, words: int) -> tuple[dict, dict]:
    """LUTs and flip-flops of an xnor_rom: two tables in a LUT up to 32 words, with the input up to 16."""
    address, width = clog2(words), simd * elements
    if words <= 16:
        return {"exact": simd * -(-elements // 2)}, {"exact": address}
    if words <= 64:
        return {"exact": -(-width // 2) if words <= 32 else width}, {"exact": address}
    return {"deep": width * words / 64}, {"exact": width}


def sequence(p: Mapping, bits: int) -> tuple[dict, dict]:
    """LUTs and flip-flops of what both units have around their sums: counters, and the input that is kept."""
    sf, nf = p["MW"] // p["SIMD"], p["MH"] // p["PE"]
    lut: dict[str, float] = {"address": clog2(sf * nf), "step": clog2(sf), "one": 1}
    ff: dict[str, float] = {"address": clog2(sf * nf), "step": clog2(sf), "one": 1}
    if sf > 1 and nf > 1:
        memory = place(bits, sf, "distributed" if sf <= 64 else "auto")
        control = {"replay": 1, "replay_count": clog2(sf + 1)}
        lut = add(lut, control, ram_lut(memory, bits, sf))
        ff = add(ff, control, ram_ff(memory, bits, sf))
        return lut, ff | {"bram18": memory.bram18}
    return lut, add(ff, {"exact": bits, "bram18": 0})


def results(width: int, period: int, latency: int) -> tuple[dict, dict]:
    """LUTs and flip-flops of an xnor_results."""
    address = 4 if latency <= 12 else 5
    places = -(-(latency + 1) // (period - 1)) if period >= 4 else (1 << address) - 1
    count = clog2(places + 1)
    if period >= 4:
        return {"places": places, "free": count}, {"exact": places * width + places + count}
    memory = place(width, 1 << address, "distributed")
    lut = add(ram_lut(memory, width, 1 << address), {"queue": 1, "free": count})
    return lut, add(ram_ff(memory, width, 1 << address), {"exact": 2 * address + 1 + count})


def xnor_mvu(p: Mapping) -> Amounts:
    """Weights, a popcount_tree and an accumulator per result, a queue of results."""
    simd, elements, mw = p["SIMD"], p["PE"], p["MW"]
    sf, words = mw // simd, mw // simd * (p["MH"] // elements)
    width = clog2(mw + 1)
    start = -((mw + 1) // 2) % (1 << width)
    block = p["WEIGHT_STYLE"] == "block"
    products = not block and words <= 16
    lut_w, ff_w = ({}, {}) if block else _tables(simd, elements, words)
    bram18 = place(simd * elements, words, "block", rom=True).bram18 if block else 0
    lut_p, ff_p = _popcount(simd, width, start, accumulate=sf > 1, products=products)
    lut_s, ff_s = sequence(p, simd)
    lut_r, ff_r = results(elements * width, sf, 5 + clog2(simd) // 2)
    replay = int(ff_s.pop("bram18"))
    return Amounts(
        "xnor_mvu",
        add(lut_w, lut_s, lut_r, {"exact": elements * lut_p}),
        add(ff_w, ff_s, ff_r, {"exact": elements * ff_p, "tags": clog2(simd)}),
        bram18 + replay,
    )


MODELS: dict[str, Callable[[Mapping], Amounts]] = {"xnor_mvu": xnor_mvu}
