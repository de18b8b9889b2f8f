# SPDX-License-Identifier: BSD-3-Clause
"""What a bitstream should hold: the truth tables and memory contents of a placed netlist, tile by tile.

The placed netlist is the JSON that nextpnr-himbaechel writes. Its cells carry `NEXTPNR_BEL`
("X53Y50/SLICE_X0Y0.A5LUT": position in the grid, site within the tile, element), the type they had
(`X_ORIG_TYPE`) and which physical pin each of their pins became (`X_ORIG_PORT_A2`: "I0").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hw.bitstream import BitstreamError

_BEL = re.compile(r"X(\d+)Y(\d+)/(\w+?)_X(\d+)Y(\d+)[./](\w+)")
_PORT = "X_ORIG_PORT_"
_INPUT = re.compile(r"I(\d+)")
_CONSTANT_NETS = {"$PACKER_GND_NET": 0, "$PACKER_VCC_NET": 1}
_PINS = ("A1", "A2", "A3", "A4", "A5", "A6")
_INDEX = np.arange(64)


@dataclass(frozen=True)
class Placed:
    """A placed cell.

    Attributes:
        name: as in the netlist.
        kind: type before packing: LUT5, RAMB36E1.
        x, y: position of its tile in the grid.
        site_x, site_y: of its site within the tile.
        bel: element of the site: A6LUT.
        parameters: of the cell.
        pins: physical pins to the logical ones: "I3"; "I0 I1" or "I0I1" of two inputs that are one net.
        constants: physical pins that are tied, with their values.
    """

    name: str
    kind: str
    x: int
    y: int
    site_x: int
    site_y: int
    bel: str
    parameters: Mapping[str, str]
    pins: Mapping[str, str]
    constants: Mapping[str, int] = field(default_factory=dict)


def read_placement(path: Path, kinds: tuple[str, ...] = ("LUT", "RAMB")) -> list[Placed]:
    """Return the placed cells whose type begins with one of `kinds`.

    Raises:
        BitstreamError: the file is no placed netlist of nextpnr-himbaechel.
    """
    try:
        modules = json.loads(path.read_text())["modules"]
        (module,) = (m for m in modules.values() if any(_bel(c) for c in m["cells"].values()))
    except (OSError, ValueError, KeyError) as error:
        raise BitstreamError(f"{path}: expected a netlist placed by nextpnr-himbaechel ({error})") from None
    tied = {
        bit: value
        for name, value in _CONSTANT_NETS.items()
        for bit in module.get("netnames", {}).get(name, {}).get("bits", ())
    }
    return list(_cells(module["cells"], kinds, tied))


def lut_pins(path: Path) -> dict[str, set[str]]:
    """Return which physical pins each LUT of a placed netlist has for itself, of either nextpnr.

    Raises:
        BitstreamError: the file is no netlist.
    """
    try:
        modules = json.loads(path.read_text()).get("modules", {})
    except (OSError, ValueError) as error:
        raise BitstreamError(f"{path}: expected the netlist that nextpnr writes ({error})") from None
    return {
        name: set(_pins(cell))
        for module in modules.values()
        for name, cell in module["cells"].items()
        if cell["attributes"].get("X_ORIG_TYPE", "").startswith("LUT")
    }


def _bel(cell: Mapping[str, Any]) -> re.Match[str] | None:
    return _BEL.fullmatch(cell["attributes"].get("NEXTPNR_BEL", ""))


def _pins(cell: Mapping[str, Any]) -> dict[str, str]:
    return {k.removeprefix(_PORT): v for k, v in cell["attributes"].items() if k.startswith(_PORT)}


def _cells(cells: Mapping[str, Any], kinds: tuple[str, ...], tied: Mapping[Any, int]) -> Iterator[Placed]:
    for name, cell in cells.items():
        kind = cell["attributes"].get("X_ORIG_TYPE", "")
        match = _bel(cell)
        if match and kind.startswith(kinds):
            x, y, _, site_x, site_y, bel = match.groups()
            place = (int(x), int(y), int(site_x), int(site_y), bel)
            nets = ((pin, net[0]) for pin, net in cell.get("connections", {}).items() if net)
            constants = {pin: tied[net] for pin, net in nets if net in tied}
            yield Placed(name, kind, *place, cell["parameters"], _pins(cell), constants)


def bits(value: str, size: int) -> np.ndarray:
    """Return a parameter of Yosys' JSON, a text with the highest bit first, as bits, bit 0 first."""
    text = value.rstrip(" ")[::-1].replace("x", "0")[:size].ljust(size, "0")
    return np.frombuffer(text.encode(), np.uint8) - ord("0")


def lut_inputs(cell: Placed) -> list[tuple[int, int]]:
    """Return (physical, logical) inputs of a LUT, from 0: (2, 4) is I4 at pin A3. A pin may have several."""
    return [
        (position, int(number))
        for position, pin in enumerate(_PINS)
        for number in _INPUT.findall(cell.pins.get(pin, ""))
    ]


def truth_table(cell: Placed) -> np.ndarray:
    """Return the 64 bits that the table of a LUT must have so that it computes the cell's INIT.

    Entry j is the output for physical inputs A6..A1 = j; of a cell in the lower half (A5LUT) entries 0 to 31
    count, of one in the upper half that shares its LUT with another, entries 32 to 63.
    """
    logical = np.zeros(64, np.int64)
    for position, number in lut_inputs(cell):
        logical |= (_INDEX >> position & 1) << number
    return bits(cell.parameters["INIT"], 64)[logical]


def reachable(cell: Placed) -> np.ndarray:
    """Return which of the 64 entries of a LUT can be addressed: those with its tied pins at their values.

    nextpnr joins two tied inputs on one pin, and forgets one of them in the entries where that pin has the
    other value.
    """
    mask = np.ones(64, bool)
    for position, pin in enumerate(_PINS):
        if pin in cell.constants:
            mask &= (_INDEX >> position & 1) == cell.constants[pin]
    return mask


def block_ram(cell: Placed) -> dict[str, np.ndarray]:
    """Return the vectors INIT_xx and INITP_xx of the two halves of a block RAM, where they are set.

    Returns:
        "RAMB18_Y0.INIT_00" -> 256 bits. In a RAMB36E1 bit k of the contents is in half k mod 2.
    """
    result = {}
    for kind, count in (("INIT", 64), ("INITP", 8)):
        if cell.kind == "RAMB36E1":
            whole = [bits(cell.parameters.get(f"{kind}_{i:02X}", "0"), 256) for i in range(2 * count)]
            joined = np.concatenate(whole).reshape(count, 256, 2)
            result |= {f"RAMB18_Y{h}.{kind}_{i:02X}": joined[i, :, h] for h in (0, 1) for i in range(count)}
        else:
            half = cell.site_y % 2
            for i in range(count):
                result[f"RAMB18_Y{half}.{kind}_{i:02X}"] = bits(
                    cell.parameters.get(f"{kind}_{i:02X}", "0"), 256
                )
    return result
