# SPDX-License-Identifier: BSD-3-Clause
"""The Project X-Ray database: where in the configuration frames a tile keeps its bits.

Files         <db>/<part>/part.json: the frames of every row; <db>/<die>/tilegrid.json: the tiles with their
              grid position, sites and bit ranges; <db>/segbits_<type>.db: lines "FEATURE <frame>_<bit> ..."
              relative to the tile, the bit counted from the first word of the tile's range.
Addresses     of frames: [25:23] type (0 logic, 1 contents of block RAM), [22] bottom half, [21:17] row,
              [16:7] column, [6:0] frame of the column (UG470, "Frame Address Register").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hw.bitstream import BitstreamError
from hw.bitstream.design import split_part

_BUSES = {"CLB_IO_CLK": 0, "BLOCK_RAM": 1}
_INDEXED = re.compile(r"(.*)\[(\d+)\]")


@dataclass(frozen=True)
class Tile:
    """A tile: its name, type, and per bus the address of its first frame and its first word."""

    name: str
    kind: str
    bits: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Database:
    """The database of a device family.

    Attributes:
        folder: holds `segbits_*.db`, a folder per die and one per part.
        part: like xc7z020clg400-1.
    """

    folder: Path
    part: str

    def _json(self, *names: str) -> dict:
        path = self.folder.joinpath(*names)
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise BitstreamError(f"{path}: {error}; PRJXRAY_DB_DIR must name a complete database") from None

    @cached_property
    def frame_addresses(self) -> list[int]:
        """Addresses of all frames in the order in which they are written."""
        regions = self._json(self.part, "part.json")["global_clock_regions"]
        addresses = []
        for bus, kind in _BUSES.items():
            for half, name in enumerate(("top", "bottom")):
                rows = regions.get(name, {}).get("rows", {})
                for row in sorted(rows, key=int):
                    columns = rows[row]["configuration_buses"].get(bus, {}).get("configuration_columns", {})
                    for column in sorted(columns, key=int):
                        base = kind << 23 | half << 22 | int(row) << 17 | int(column) << 7
                        addresses += range(base, base + columns[column]["frame_count"])
        return addresses

    @cached_property
    def tiles(self) -> dict[tuple[int, int], Tile]:
        """All tiles that have bits, by their position in the grid (x, y)."""
        grid = self._json(split_part(self.part)[0], "tilegrid.json")
        return {
            (entry["grid_x"], entry["grid_y"]): Tile(
                name,
                entry["type"],
                {bus: (int(at["baseaddr"], 16), at["offset"]) for bus, at in entry["bits"].items()},
            )
            for name, entry in grid.items()
            if entry["bits"]
        }

    def segbits(self, kind: str, bus: str) -> dict[str, np.ndarray]:
        """Return where the vectors of a tile type are: feature -> array (bits, 2) of (frame, bit).

        Args:
            kind: tile type, like BRAM_L.
            bus: CLB_IO_CLK or BLOCK_RAM.
        """
        return self._segbits.setdefault((kind, bus), self._read_segbits(kind, bus))

    @cached_property
    def _segbits(self) -> dict[tuple[str, str], dict[str, np.ndarray]]:
        return {}

    def _read_segbits(self, kind: str, bus: str) -> dict[str, np.ndarray]:
        if (kind, bus) in self._segbits:
            return self._segbits[kind, bus]
        path = self.folder / f"segbits_{kind.lower()}{'.block_ram' if bus == 'BLOCK_RAM' else ''}.db"
        vectors: dict[str, dict[int, tuple[int, int]]] = {}
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise BitstreamError(
                f"{path}: {error.strerror}; PRJXRAY_DB_DIR must name a complete database"
            ) from None
        for line in lines:
            feature, *positions = line.split()
            match = _INDEXED.fullmatch(feature.partition(".")[2])
            if match and len(positions) == 1 and not positions[0].startswith("!"):
                frame, bit = positions[0].split("_")
                vectors.setdefault(match[1], {})[int(match[2])] = (int(frame), int(bit))
        return {name: np.array([at[i] for i in range(len(at))]) for name, at in vectors.items()}

    def read(self, frames: Mapping[int, np.ndarray], tile: Tile, bus: str, feature: str) -> np.ndarray:
        """Return a vector of a tile as it stands in the frames.

        Args:
            frames: by address (`bitfile.frames`).
            tile: of `tiles`.
            bus: CLB_IO_CLK or BLOCK_RAM.
            feature: without the tile and without brackets, like RAMB18_Y0.INIT_3F.

        Returns:
            Bits, uint8, bit 0 first.
        """
        base, offset = tile.bits[bus]
        at = self.segbits(tile.kind, bus)[feature]
        word = offset + at[:, 1] // 32
        values = [frames[base + frame][w] for frame, w in zip(at[:, 0].tolist(), word.tolist(), strict=True)]
        return (np.array(values, np.uint32) >> (at[:, 1] % 32).astype(np.uint32) & 1).astype(np.uint8)
