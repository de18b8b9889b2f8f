# SPDX-License-Identifier: BSD-3-Clause
"""`FastEngine`: a network on the cores of a workstation, equal to `golden.run` to the bit.

Needs Numba (`pip install bitmend[fast]`). How it works and how fast it is: docs/speed.md.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from threading import Lock

import numpy as np
from numba import config

from golden.fast_executor import run_band
from golden.fast_ops import LANES, PAD
from golden.fast_plan import Plan
from golden.fast_program import Assembler, Band, make_band
from golden.network import IntegerNetwork
from golden.reference import check_image
from golden.statistics import Prefix

_LEAST_LINES = 8  # of a band: with fewer, most of its work would be for the lines around it


class FastEngine:
    """Runs a network with compiled kernels, in bands of lines with one thread each.

    The first run in a process compiles the kernels (seconds) or loads them from Numba's cache. Memory for the
    last two sizes of images is kept. Several threads may use one engine, one after the other.

    Args:
        network: the network to run.
        threads: number of threads; None is what Numba would use: $NUMBA_NUM_THREADS, or one per core.

    Raises:
        ValueError: `threads` is not positive.
    """

    def __init__(self, network: IntegerNetwork, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}, expected at least 1")
        self.network = network
        self.threads = threads or config.NUMBA_NUM_THREADS
        self._plan = Plan(network)
        self._assembler = Assembler(self._plan)
        self._bands = lru_cache(maxsize=2)(self._make_bands)
        self._lock = Lock()

    def run(self, image: np.ndarray) -> np.ndarray:
        """Restore an image, as `golden.run`: (H, W, C) uint8 -> (H*scale, W*scale, C), or (H, W) likewise.

        Raises:
            ValueError: the image has another shape or dtype.
        """
        network = self.network
        check_image(network, image)
        height, width = image.shape[:2]
        # A copy, so that the kernels are compiled for one kind of array: contiguous and writeable.
        pixels = np.array(image, np.uint8, order="C").reshape(height, width, network.channels)
        result = np.empty((height * network.scale, width * network.scale, network.channels), np.uint8)
        with self._lock:
            self._run_bands(self._bands(height, width), pixels, result)
        return result.reshape(result.shape[: image.ndim])

    def _run_bands(self, bands: list[Band], pixels: np.ndarray, result: np.ndarray) -> None:
        """Compute the first band in this thread, and each of the others in one of its own."""
        columns = -(-pixels.shape[1] // LANES) * LANES

        def run(band: Band) -> None:
            run_band(self._assembler.program, band.memory, band.ends, columns, pixels, result)

        if len(bands) == 1:
            run(bands[0])
            return
        with ThreadPoolExecutor(len(bands) - 1) as pool:
            others = [pool.submit(run, band) for band in bands[1:]]
            run(bands[0])
            for other in others:
                other.result()

    def _make_bands(self, height: int, width: int) -> list[Band]:
        count = max(1, min(self.threads, height // _LEAST_LINES))
        edges = [height * index // count for index in range(count + 1)]
        return [
            make_band(self._plan, self._assembler, height, width, first, last)
            for first, last in pairwise(edges)
        ]


def tensor_of(prefix: Prefix, image: np.ndarray) -> np.ndarray:
    """The last tensor of a prefix, (H, W, c) uint8 -> (H', W', C) int16: see `golden.statistics`."""
    plan = Plan(prefix)
    assembler = Assembler(plan)
    height, width, _ = image.shape
    band = make_band(plan, assembler, height, width, 0, height)
    pixels = np.array(image, np.uint8, order="C")
    columns = -(-width // LANES) * LANES
    run_band(assembler.program, band.memory, band.ends, columns, pixels, np.empty((0, 0, 0), np.uint8))
    start, lines, rows = band.memory.buffers[assembler.buffers.index(plan.result)]
    factor, row_size = plan.result.maker.factor, columns + PAD
    stored = band.memory.streams[start : start + lines * rows * row_size]
    planar = stored.reshape(height * factor, factor, -1, row_size)[..., :width]  # (line, phase, channel, x)
    return planar.transpose(0, 3, 1, 2).reshape(height * factor, width * factor, -1)
