# SPDX-License-Identifier: BSD-3-Clause
"""Where Yosys puts a memory, and what that takes: the decision of its pass memory_libmap for xc7, repeated.

Yosys chooses the cheapest of some mappings. Each cuts the memory into units of one shape: block RAMs of 18 or
36 kbit that are 1, 2, 4, 9, 18, 36 or 72 bits wide, or LUT RAMs of 32 x 6 or 64 x 3 bits in four LUTs. Words
that do not fit into the depth of a unit go to another one, and a multiplexer chooses between them. A mapping
costs the price of its units, half a point for each multiplexer and each decoded write enable, and two for the
read port; logic costs a point per bit of a RAM, 1/64 of a ROM. Prices are in share/xilinx/brams_xc4v.txt and
lutrams_xc5v.txt of Yosys, the rules in passes/memory/memory_libmap.cc. So block RAM is not estimated: it is
exact, as far as all bits of a word differ and are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hw.modules import ToolError

_PORT = 2  # points for a read port
_WIDTHS = (1, 2, 4, 9, 18, 36, 72)
_BYTE = 9


@dataclass(frozen=True)
class Memory:
    """A memory with one write port and one read port, or with the latter alone, as it is mapped.

    Attributes:
        kind: "block", "distributed" (LUT RAM) or "logic" (registers, or tables if it is a ROM).
        bram18: block RAMs of 18 kbit.
        lut_ram: LUTs that are RAM.
        banks: units that share a bit of a word, of different addresses; 1 needs no multiplexer.
    """

    kind: str
    bram18: int
    lut_ram: int
    banks: int


@dataclass(frozen=True)
class _Mapping:
    cost: float
    memory: Memory


@cache
def place(width: int, depth: int, style: str = "auto", *, rom: bool = False) -> Memory:
    """Return how `depth` words of `width` bits are mapped, of which one is written and one read per cycle.

    Args:
        width: bits of a word.
        depth: words.
        style: "auto", "block" or "distributed".
        rom: it is never written, so that LUT RAM is no choice.

    Raises:
        ToolError: there is no such style.
    """
    if style not in ("auto", "block", "distributed"):
        raise ToolError(f"memory style '{style}', expected auto, block or distributed")
    mappings = []
    if style != "block" and not rom:
        mappings.append(min((_lut_ram(width, depth, *unit) for unit in ((5, 6), (6, 3))), key=_cost))
    if style != "distributed":
        sizes = ((1, 14, 36), (2, 15, 72))
        mappings.append(min((_block_ram(width, depth, rom, *size) for size in sizes), key=_cost))
    if style == "auto" or rom:
        cost = width * depth // (64 if rom else 1)
        mappings.append(_Mapping(cost, Memory("logic", 0, 0, 1)))
    if style == "block":
        return mappings[0].memory
    # logic wins a draw; otherwise the first of the cheapest
    return min(reversed(mappings), key=_cost).memory


def _cost(mapping: _Mapping) -> float:
    return mapping.cost


def _lut_ram(width: int, depth: int, address: int, unit: int) -> _Mapping:
    banks = -(-depth // (1 << address))
    units = banks * -(-width // unit)
    cost = units + 7 * banks * width / unit + _selection(width, banks, False) + _PORT
    return _Mapping(cost, Memory("distributed", 0, 4 * units, banks))


def _block_ram(width: int, depth: int, rom: bool, size: int, address: int, widest: int) -> _Mapping:
    best = None
    for log, unit in enumerate(_WIDTHS):
        if unit > widest:
            break
        byte = 1 if rom else min(unit, _BYTE)  # the part of a word that has a write enable of its own
        banks = -(-depth // (1 << (address - log)))
        units = -(-banks * -(-width // byte) * byte // unit)
        cost = (257 if size == 2 else 129) * units + _selection(width, banks, rom) + _PORT
        if best is None or cost < int(best.cost):  # Yosys keeps the best as an integer
            best = _Mapping(cost, Memory("block", size * units, 0, banks))
    return best


def _selection(width: int, banks: int, rom: bool) -> float:
    return (banks - 1) * width / 2 + (banks / 2 if banks > 1 and not rom else 0)
