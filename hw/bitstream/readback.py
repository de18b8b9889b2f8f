# SPDX-License-Identifier: BSD-3-Clause
"""Read a bitstream back: is what the network needs really in it?

    python -m hw.bitstream.readback build/bbcu_nano_x2-pynq-z2

decodes the .bit file itself (packets, frames, Project X-Ray's bit positions; none of the tools that wrote it)
and compares, bit by bit:

- the contents of every block RAM with the netlist's INIT parameters, at the place that nextpnr chose;
- the truth table of every LUT with the netlist's, in the order of the pins that the router chose;
- the weights: the tables of the binary layers, taken from the bitstream and put together to words, with the
  memory files that the compiler wrote from the network.

Needs the database of Project X-Ray (PRJXRAY_DB_DIR) and the open flow's output. Exit code 1 if anything
differs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hw.bitstream import BitstreamError, MissingTools, bitfile
from hw.bitstream.design import Design, read_design
from hw.bitstream.placement import Placed, block_ram, lut_inputs, reachable, read_placement, truth_table
from hw.bitstream.prjxray import Database, Tile
from hw.bitstream.tools import find_database
from hw.compiler.build_folder import BuildFolder
from hw.files import write_text

_TABLE = re.compile(
    r"(?P<instance>.*)\.u_rom\.(?:genblk\d+\.)?(?:g_merged\.g_pe\[(?P<pe>\d+)\]\.g_bit\[(?P<bit>\d+)\]"
    r"|g_words\.g_bit\[(?P<word>\d+)\])\.(?:u_table|gen\w*\.u_table)\.lut\.half\[(?P<half>\d)\]\..*"
)
_HALF = {"5": slice(0, 32), "6": slice(32, 64)}


@dataclass
class Result:
    """What was compared and what differs.

    Attributes:
        blocks, tables: block RAMs and LUTs compared.
        set_bits: ones among the block RAM bits: a comparison of zeros proves nothing.
        weights: per memory file, number of weight bits found equal.
        elsewhere: memory files of weights that are in no such table: only compared as block RAM or logic.
        differences: one line each.
    """

    blocks: int = 0
    tables: int = 0
    set_bits: int = 0
    weights: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the content of readback.json."""
        return {
            "block_rams": self.blocks,
            "block_ram_ones": self.set_bits,
            "luts": self.tables,
            "weight_bits": self.weights,
            "weights_elsewhere": self.elsewhere,
            "differences": self.differences[:100],
        }


def compare(frames: Mapping[int, np.ndarray], cells: Sequence[Placed], database: Database) -> Result:
    """Compare all block RAMs and LUTs of a placed netlist with configuration frames."""
    result = Result()
    shared = {_lut(cell) for cell in cells if cell.bel.endswith("5LUT")}
    whole = {_lut(cell) for cell in cells if cell.bel.endswith("6LUT")}
    for cell in cells:
        tile = database.tiles.get((cell.x, cell.y))
        if tile is None:
            result.differences.append(f"{cell.name}: no tile at X{cell.x}Y{cell.y}")
        elif cell.kind.startswith("RAMB"):
            _compare_block(frames, cell, tile, database, result)
        elif "INIT" in cell.parameters:
            found = lut_bits(frames, cell, tile, database)
            part = _HALF[cell.bel[1]] if _lut(cell) in shared & whole else slice(0, 64)
            if cell.bel.endswith("5LUT"):
                part = _HALF["5"]
            result.tables += 1
            if np.any((found != truth_table(cell))[part] & reachable(cell)[part]):
                result.differences.append(f"LUT {cell.name} at {tile.name} {cell.bel}")
    return result


def _lut(cell: Placed) -> tuple[int, int, int, str]:
    return cell.x, cell.y, cell.site_x, cell.bel[0]


def lut_bits(frames: Mapping[int, np.ndarray], cell: Placed, tile: Tile, database: Database) -> np.ndarray:
    """Return the 64 bits of a LUT as they stand in the frames."""
    left = "SLICEM_X0" if tile.kind.startswith("CLBLM") else "SLICEL_X0"
    site = left if cell.site_x == 0 else "SLICEL_X1"
    return database.read(frames, tile, "CLB_IO_CLK", f"{site}.{cell.bel[0]}LUT.INIT")


def _compare_block(
    frames: Mapping[int, np.ndarray], cell: Placed, tile: Tile, database: Database, result: Result
) -> None:
    result.blocks += 1
    for feature, expected in block_ram(cell).items():
        found = database.read(frames, tile, "BLOCK_RAM", feature)
        result.set_bits += int(expected.sum())
        if not np.array_equal(found, expected):
            result.differences.append(f"block RAM {cell.name} at {tile.name}, {feature}")


def found_weights(
    frames: Mapping[int, np.ndarray], cells: Sequence[Placed], database: Database
) -> dict[str, dict[tuple[str, int], np.ndarray]]:
    """Return the tables of binary weights that are in the frames.

    The logical table of a cell is taken from the physical one by its pins, without the netlist's INIT.

    Returns:
        instance of the matrix-vector unit -> ("merged PE", input) or ("words", bit of word) -> table of 32.
    """
    tables: dict[str, dict[tuple[str, int], np.ndarray]] = {}
    for cell in cells:
        match = _TABLE.fullmatch(cell.name)
        if not match or not cell.kind.startswith("LUT"):
            continue
        found = lut_bits(frames, cell, database.tiles[cell.x, cell.y], database)
        table = logical_table(cell, found)
        half = int(match["half"])
        if match["word"] is not None:
            key = ("words", int(match["word"]) + half)
        else:
            key = (f"merged {int(match['pe']) + half}", int(match["bit"]))
        tables.setdefault(match["instance"], {})[key] = table
    return tables


def logical_table(cell: Placed, found: np.ndarray) -> np.ndarray:
    """Return the 32 entries of a LUT5, LUT4 or LUT3 from the 64 physical bits that hold it."""
    base = 0 if cell.bel.endswith("5LUT") else 32  # A6 is tied high, or the table does not depend on it
    index = np.full(32, base)
    for position, logical in lut_inputs(cell):
        index = index & ~(1 << position) | (np.arange(32) >> logical & 1) << position
    return found[index]


def compare_weights(
    design: Design, tables: Mapping[str, Mapping[tuple[str, int], np.ndarray]], result: Result
) -> None:
    """Compare tables of the bitstream with the memory files of the binary layers."""
    files = {path.name.removesuffix(".weight.mem"): path for path in design.files.glob("*.weight.mem")}
    for instance, found in sorted(tables.items()):
        path = instance.split(".")
        file = next((file for name, file in files.items() if f"u_{name.replace('.', '_')}" in path), None)
        if file is None:
            result.differences.append(f"weights of {instance}: no memory file of that name")
            continue
        words = [int(line, 16) for line in file.read_text().split()]
        simd = 1 + max(bit for kind, bit in found if kind != "words") if ("words", 0) not in found else 0
        for (kind, bit), table in found.items():
            column = bit if kind == "words" else int(kind.split()[1]) * simd + bit
            expected = [word >> column & 1 for word in words]
            if kind == "words":
                equal = table[: len(words)].tolist() == expected
            else:  # the table is the XNOR with the input, whose pin I4 is: product at 16 + k is the weight
                ones, zeros = table[16 : 16 + len(words)].tolist(), table[: len(words)].tolist()
                equal = ones == expected and zeros == [1 - bit for bit in expected]
            if not equal:
                result.differences.append(f"weights of {file.name}, bit {column}")
            else:
                result.weights[file.name] = result.weights.get(file.name, 0) + len(words)
    result.elsewhere = sorted(file.name for file in files.values() if file.name not in result.weights)


def read_back(build: Path) -> Result:
    """Read the bitstream of a build back.

    Raises:
        BitstreamError: something is missing.
    """
    design = read_design(build)
    database = Database(find_database(design.part), design.part)
    folder = design.build / "bitstream"
    try:
        content = (folder / f"{design.name}.bit").read_bytes()
    except OSError as error:
        raise BitstreamError(f"{error.filename}: {error.strerror}; run make bitstream first") from None
    frames = bitfile.frames(bitfile.check(content, design.part), database.frame_addresses)
    report = BuildFolder(design.build).read("bitstream")
    if report is None or report["flow"] != "open":
        raise BitstreamError(f"{build}: expected a bitstream of the open flow; run make bitstream first")
    cells = read_placement(folder / report["folder"] / "placed.json")
    result = compare(frames, cells, database)
    compare_weights(design, found_weights(frames, cells, database), result)
    write_text(folder / "readback.json", json.dumps(result.as_json(), indent=1) + "\n")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="hw.bitstream.readback", description=__doc__.split("\n")[0])
    parser.add_argument("build", type=Path, help="folder that make compile wrote, with a bitstream")
    options = parser.parse_args(arguments)
    try:
        result = read_back(options.build)
    except (BitstreamError, MissingTools) as error:
        print(f"readback: {error}", file=sys.stderr)
        return 2
    print(f"{result.blocks} block RAMs ({result.set_bits} ones), {result.tables} truth tables compared")
    for name, count in result.weights.items():
        print(f"{name}: {count} weight bits in the bitstream equal the network's")
    if result.elsewhere:
        print(f"as block RAM or logic, compared with the netlist: {', '.join(result.elsewhere)}")
    for line in result.differences[:20]:
        print(f"differs: {line}")
    print("equal" if not result.differences else f"{len(result.differences)} differences")
    return 1 if result.differences else 0


if __name__ == "__main__":
    sys.exit(main())
