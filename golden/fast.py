# SPDX-License-Identifier: BSD-3-Clause
"""`FastEngine`: a network on the cores of a workstation, equal to `golden.run` to the bit.

Needs Numba (`pip install bitmend[fast]`). How it works and how fast it is: docs/speed.md.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from golden.fast_kernels import run_band
from golden.fast_plan import Plan
from golden.fast_program import Assembler, Band, make_band
from golden.fast_simd import LANES
from golden.network import IntegerNetwork
from golden.reference import check_image

_LEAST_LINES = 8  # of a band: with fewer, most of its work would be for lines around it


class FastEngine:
    """Runs a network with compiled kernels, in bands of lines with one thread each.

    The first run in a process compiles the kernels or loads them from Numba's cache. An engine may be used from
    one thread at a time; engines are independent of each other.

    Args:
        network: the network to run.
        threads: number of threads; None is one per core that this process may use.

    Raises:
        ValueError: `threads` is not positive.
    """

    def __init__(self, network: IntegerNetwork, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}, expected at least 1")
        self.network = network
        self.threads = threads or _available_cores()
        self._plan = Plan(network)
        self._assembler = Assembler(self._plan)
        self._bands = lru_cache(maxsize=2)(self._make_bands)

    def run(self, image: np.ndarray) -> np.ndarray:
        """Restore an image, as `golden.run`: (H, W, C) uint8 -> (H*scale, W*scale, C), or (H, W) likewise.

        Raises:
            ValueError: the image has another shape or dtype.
        """
        network = self.network
        check_image(network, image)
        height, width = image.shape[:2]
        pixels = np.array(image, np.uint8, order="C").reshape(height, width, network.channels)
        result = np.empty((height * network.scale, width * network.scale, network.channels), np.uint8)
        columns = -(-width // LANES) * LANES
        bands = self._bands(height, width)
        with ThreadPoolExecutor(len(bands)) as threads:
            for done in [threads.submit(self._run_band, band, columns, pixels, result) for band in bands]:
                done.result()
        return result.reshape(result.shape[: image.ndim])

    def _run_band(self, band: Band, columns: int, pixels: np.ndarray, result: np.ndarray) -> None:
        run_band(self._assembler.program, band.memory, band.ends, columns, pixels, result)

    def _make_bands(self, height: int, width: int) -> list[Band]:
        count = max(1, min(self.threads, height // _LEAST_LINES))
        edges = [height * index // count for index in range(count + 1)]
        return [
            make_band(self._plan, self._assembler, height, width, first, last)
            for first, last in zip(edges, edges[1:], strict=False)
        ]


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
