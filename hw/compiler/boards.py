# SPDX-License-Identifier: BSD-3-Clause
"""Boards: what their device has, and at which clock a network runs on it; the data are in `hw/boards/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hw.compiler import BuildError
from hw.compiler.cost import Resources
from hw.modules import ROOT

FOLDER = ROOT / "hw" / "boards"


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: as users call it.
        part: the device.
        has: what the device has.
        reserved: what the compiler leaves to others on it: the shell, as docs/shell.md measures it.
        lut_share: share of the LUTs that may be used, so that routing succeeds.
        clock_mhz: of the network.
        base_address: of the registers, for the processor.
        address_range: bytes of address space that they take.
    """

    name: str
    part: str
    has: Resources
    reserved: Resources
    lut_share: float
    clock_mhz: float
    base_address: int
    address_range: int

    @property
    def budget(self) -> Resources:
        """What a network may use."""
        return Resources(
            lut=int(self.has.lut * self.lut_share) - self.reserved.lut,
            ff=self.has.ff - self.reserved.ff,
            bram18=self.has.bram18 - self.reserved.bram18,
            dsp=self.has.dsp - self.reserved.dsp,
        )


def read_board(path: Path) -> Board:
    """Read the data of a board.

    Args:
        path: a board.json.

    Raises:
        BuildError: it is missing, or its content is not what a board has.
    """
    try:
        data = json.loads(path.read_text())
        data["has"], data["reserved"] = (Resources(**data[name]) for name in ("has", "reserved"))
        data["base_address"] = int(data["base_address"], 16)
        return Board(**data)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BuildError(f"{path}: {error}; expected the data of a board, as in {FOLDER}/pynq-z2") from None


BOARDS: dict[str, Board] = {
    board.name: board for board in (read_board(path) for path in sorted(FOLDER.glob("*/board.json")))
}
"""All boards, by name."""


def find(name: str) -> Board:
    """Return a board by its name.

    Raises:
        BuildError: there is none of that name.
    """
    if name not in BOARDS:
        raise BuildError(f"no board '{name}', expected one of {', '.join(BOARDS)}")
    return BOARDS[name]
