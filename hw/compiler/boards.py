# SPDX-License-Identifier: BSD-3-Clause
"""Boards: what their device has, and at which clock a network runs on it."""

from __future__ import annotations

from dataclasses import dataclass

from hw.compiler import BuildError
from hw.compiler.cost import Resources


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: as users call it.
        part: the device.
        has: what the device has.
        reserved: what the compiler leaves to others on it: the DMA of the host interface.
        lut_share: share of the LUTs that may be used, so that routing succeeds.
        clock_mhz: of the network.
    """

    name: str
    part: str
    has: Resources
    reserved: Resources
    lut_share: float
    clock_mhz: float

    @property
    def budget(self) -> Resources:
        """What a network may use."""
        return Resources(
            lut=int(self.has.lut * self.lut_share) - self.reserved.lut,
            ff=self.has.ff - self.reserved.ff,
            bram18=self.has.bram18 - self.reserved.bram18,
            dsp=self.has.dsp - self.reserved.dsp,
        )


BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        Board(
            name="pynq-z2",
            part="xc7z020clg400-1",
            has=Resources(lut=53_200, ff=106_400, bram18=280, dsp=220),
            reserved=Resources(lut=0, ff=0, bram18=8, dsp=0),
            lut_share=0.85,
            clock_mhz=100.0,
        ),
    )
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
