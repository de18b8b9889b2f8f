# SPDX-License-Identifier: BSD-3-Clause
"""The last stage of the demo: the photo, or a tile of it, through the compiled hardware in simulation."""

from __future__ import annotations

import time

import numpy as np

from host import RestoreError
from host.backend import Backend
from host.demo_page import Picture, Section, facts_table, gallery
from host.demo_stages import Demo, save
from host.progress import TileBar

MOST_PIXELS = 1 << 16
"""Larger inputs are not simulated as a whole, but in a tile of so many pixels: a minute at most."""


def rtl_stage(demo: Demo, backend: Backend) -> str:
    """Restore the photo with the simulated hardware, compare it with golden, show it; return a line about it.

    Args:
        demo: what the stages share; the result is written as rtl.png.
        backend: the simulation.

    Raises:
        RestoreError: the simulation fails, or a pixel is not that of golden.
    """
    tile = _tile(demo)
    start = time.perf_counter()
    with TileBar("simulating", unit=backend.unit) as bar:
        result = np.concatenate([band for _, band in backend.restore_bands(tile, bar)])
    seconds = time.perf_counter() - start
    expected = backend.expected(tile)
    wrong = np.count_nonzero(result != expected)
    save(demo.out / "rtl.png", result)
    if wrong:
        raise RestoreError(
            f"the simulated hardware and the golden model differ in {wrong} of {result.size} values"
        )
    height, width = tile.shape[:2]
    line = (
        f"{result.shape[1]} x {result.shape[0]} pixels from the simulated hardware, all {result.size:,} "
        f"values equal to the golden model's; {backend.report()}"
    )
    facts = {
        "Input": f"{width} x {height} pixels",
        "Compared": f"{result.size:,} values with the golden model, {wrong} differ",
        "Cycles": backend.report(),
        "Simulation": f"{backend.description}, {seconds:.1f} s on this machine",
    }
    pictures = [Picture("simulated hardware", result), Picture("golden model", expected)]
    body = gallery([("The same pixels", pictures)]) + facts_table(facts)
    demo.sections.append(Section("From the hardware, in simulation", body))
    return line


def _tile(demo: Demo) -> np.ndarray:
    """Return the input, or as large a square of it around the first interesting part as is simulated."""
    degraded, (_, y, x, side) = demo.degraded, demo.parts[0]
    height, width = degraded.shape[:2]
    if height * width <= MOST_PIXELS:
        return degraded
    most = int(MOST_PIXELS**0.5)
    top, left = (
        min(max(0, (start + side // 2) // demo.network.scale - most // 2), max(0, size - most))
        for start, size in ((y, height), (x, width))
    )
    return degraded[top : top + most, left : left + most]
