# SPDX-License-Identifier: BSD-3-Clause
"""The backend "sim": the compiled RTL of a network, simulated cycle by cycle. Needs all of `make setup`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from golden import IntegerNetwork, receptive_field
from golden.tiling import Tile, join_tiles
from host import RestoreError
from host.backend import Backend, Options, Progress, streaming_remark
from host.tile_plan import plan_tiles

BUILDS = Path(__file__).resolve().parent.parent / "build"
BOARD = "pynq-z2"


class SimBackend(Backend):
    """The stitched top of a build, in Verilator. All tiles of an image go through it back to back."""

    unit = "row"

    def __init__(self, network: IntegerNetwork, options: Options):
        name = network.meta.get("name") or "network"
        self._folder = options.build or BUILDS / f"{name}-{BOARD}"
        if not (self._folder / "stitched" / "top.json").is_file():
            raise RestoreError(
                f"{self._folder}: no compiled design of '{name}' in it: run make compile MODEL={name}, or "
                "give the folder of a build with --build"
            )
        try:
            from sim.top import TopSimulator
        except ImportError as error:
            raise RestoreError(
                f"the simulation needs {error.name}, which is missing: run make setup"
            ) from None
        try:
            self._simulator = TopSimulator(self._folder / "stitched")
        except RuntimeError as error:  # ToolError, BuildError
            raise RestoreError(str(error)) from None
        top = self._simulator.top
        if top.hash != network.content_hash:
            raise RestoreError(
                f"{self._folder}: compiled from another network (hash {top.hash[:12]}, expected "
                f"{network.content_hash[:12]}): compile this one, or give its build with --build"
            )
        super().__init__(network, f"simulated RTL of {self._folder}")
        self._tile = options.tile
        self._sizes: list[tuple[int, int]] = []
        self._cycles = 0

    def restore_bands(self, image: Any, progress: Progress | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """See `Backend.restore_bands`; progress counts rows of results, not tiles."""
        top, plan = self._simulator.top, self.plan(image)
        self._sizes = [(tile.bottom - tile.top, tile.right - tile.left) for tile in plan]
        rows = [height * top.scale for height, _ in self._sizes]

        def row_done(frame: int, row: int) -> None:
            if progress is not None:
                progress(sum(rows[:frame]) + row, sum(rows))

        frames = (np.asarray(image[tile.top : tile.bottom, tile.left : tile.right]) for tile in plan)
        run = self._simulator.stream(frames, rows=row_done)
        try:
            with closing(run.frames):
                yield from join_tiles(plan, (frame.image for frame in run), top.scale, image.shape)
        except RuntimeError as error:  # ToolError
            raise RestoreError(str(error)) from None
        self._cycles = run.cycles

    def plan(self, image: Any) -> list[Tile]:
        """See `Backend.plan`."""
        height, width = image.shape[:2]
        top = self._simulator.top
        limits = ((1 << top.dim_bits) - 1) // top.scale, top.max_width
        return plan_tiles(height, width, limits, receptive_field(self.network), self._tile)

    @property
    def remark(self) -> str:
        """See `Backend.remark`: each image begins with a reset, and its tiles are frames of the hardware."""
        return streaming_remark(self.network)

    def report(self) -> str:
        """Return the cycles that the last image took, and how many the compiler has estimated."""
        expected = estimated_cycles(self._folder, self._sizes)
        estimate = f", the compiler's estimate is {expected:,}" if expected is not None else ""
        return f"simulated {self._cycles:,} cycles{estimate}"

    def close(self) -> None:
        """Nothing is held between images."""


def estimated_cycles(folder: Path, sizes: Sequence[tuple[int, int]]) -> int | None:
    """Return how many cycles the compiler expects for frames sent back to back; None if it has not said.

    The report has the cycles of a frame in the long run and until the first result, both of the nominal size;
    frames of other sizes are taken in proportion to their pixels and to their widths.

    Args:
        folder: of the build, with report/design.json.
        sizes: (height, width) of each frame, in input pixels.
    """
    try:
        design = json.loads((folder / "report" / "design.json").read_text())
        height, width = design["frame"]["height"], design["frame"]["strip_width"]
        steady = design["cycles_per_strip"] / (height * width)
        latency = design["latency_cycles"] / width
    except (OSError, ValueError, KeyError):
        return None
    pixels = sum(rows * columns for rows, columns in sizes)
    return round(pixels * steady + latency * max((columns for _, columns in sizes), default=0))
