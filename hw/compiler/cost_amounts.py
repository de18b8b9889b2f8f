# SPDX-License-Identifier: BSD-3-Clause
"""What the cost models have in common: amounts, and the parts that occur in several modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hw.compiler.cost_memory import Memory


@dataclass(frozen=True)
class Amounts:
    """What a module is made of.

    Attributes:
        group: whose coefficients apply: the module, and a word where its structure depends on parameters.
        lut: amounts by name whose sum, times the coefficients, is the number of LUTs; "exact" counts once.
        ff: the same of flip-flops.
        bram18: block RAMs of 18 kbit.
        dsp: DSP48 slices.
    """

    group: str
    lut: Mapping[str, float]
    ff: Mapping[str, float]
    bram18: int = 0
    dsp: int = 0


def clog2(value: int) -> int:
    """Return the bits of a number below `value`: $clog2."""
    return max(0, value - 1).bit_length()


def add(*parts: Mapping[str, float]) -> dict[str, float]:
    """Return the sums of amounts by name."""
    total: Counter[str] = Counter()
    for part in parts:
        for name, amount in part.items():
            total[name] += amount
    return dict(total)


def selector(inputs: int) -> int:
    """Return the LUTs that choose one bit of several: four to a LUT6, and four of those to another."""
    return -(-(inputs - 1) // 3) if inputs > 1 else 0


def ram_lut(memory: Memory, width: int, depth: int) -> dict[str, float]:
    """Return the LUTs of a RAM of words of `width` bits."""
    if memory.kind == "logic":
        return {"exact": width * selector(depth), "words": depth}
    return {
        "exact": memory.lut_ram + width * selector(memory.banks),
        "banks": memory.banks if memory.banks > 1 else 0,
    }


def ram_ff(memory: Memory, width: int, depth: int) -> dict[str, float]:
    """Return the flip-flops of a RAM: a block RAM has its output register inside."""
    if memory.kind == "logic":
        return {"exact": width * (depth + 1)}
    return {"exact": width if memory.kind == "distributed" else clog2(memory.banks)}


def with_ram(
    group: str, lut: Mapping[str, float], ff: Mapping[str, float], memory: Memory, size: tuple[int, int]
) -> Amounts:
    """Return the amounts of a module with a RAM of (width, depth) `size`; `lut` and `ff` are the rest."""
    return Amounts(group, add(lut, ram_lut(memory, *size)), add(ff, ram_ff(memory, *size)), memory.bram18)


def delay(width: int, depth: int) -> tuple[int, int]:
    """Return LUTs and flip-flops of a delay_line: shift registers in LUTs from 3 steps on."""
    return (width * -(-depth // 32), 0) if depth >= 3 else (0, width * depth)


def distinct(bits: int, words: int) -> float:
    """Return how many of the `bits` columns of a random ROM are neither constant nor equal to another."""
    if words > 12:
        return bits
    functions = 2.0**words
    return (functions - 2) * (1 - (1 - 1 / functions) ** bits)
