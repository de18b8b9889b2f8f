# SPDX-License-Identifier: BSD-3-Clause
"""What a network runs on: the golden model, or the simulated RTL. An accelerator is one more `Backend`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden import IntegerNetwork, make_engine, restore_bands
from host import RestoreError

Progress = Callable[[int, int], object]
"""Called as progress(done, total) after each tile."""

ENGINES = ("auto", "numpy", "numba")
_TILE_OUTPUT = (
    512  # side of a tile's result by default, in pixels: what a tile needs is then alike for all scales
)


@dataclass(frozen=True)
class Options:
    """What the user may choose about backends; each takes what concerns it.

    Attributes:
        tile: side of a tile in input pixels; None lets the backend choose.
        engine: of the golden model: "auto", "numpy" or "numba".
        build: folder of a compiled design, for the simulation; None takes that of the network in build/.
    """

    tile: int | None = None
    engine: str = "auto"
    build: Path | None = None


class Backend(ABC):
    """Runs one network on images of any size. A context manager: leaving it closes the backend.

    Attributes:
        network: the network it runs.
        description: what is running, in a few words.
        unit: what the progress of `restore_bands` counts.
    """

    unit = "tile"

    def __init__(self, network: IntegerNetwork, description: str):
        self.network, self.description = network, description

    @abstractmethod
    def restore_bands(self, image: Any, progress: Progress | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Restore an image tile by tile and yield full-width bands of the result from top to bottom.

        Args:
            image: (H, W, C) uint8 with the network's C: an array or anything with shape, dtype and slices
                (rows, columns) that are arrays.
            progress: called after each tile.

        Yields:
            (y0, band): band is (rows * scale, W * scale, C) uint8, and y0 its first row in the result. The
            joined bands equal `golden.run` on the whole image, whatever the tiles are.

        Raises:
            RestoreError: the device failed.
        """

    def report(self) -> str:
        """Return a line about the last image that the user wants to see; "" if there is nothing to say."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """Give back what the backend holds; calling it twice does no harm."""

    def __enter__(self) -> Backend:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class GoldenBackend(Backend):
    """The golden model on this machine's CPU."""

    def __init__(self, network: IntegerNetwork, options: Options):
        try:
            self._engine = make_engine(network, options.engine)
        except ImportError as error:
            raise RestoreError(str(error)) from None
        super().__init__(network, f"golden model, {self._engine.name} engine")
        side = options.tile or _TILE_OUTPUT // network.scale
        self._tile = (side, side)

    def restore_bands(self, image: Any, progress: Progress | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """See `Backend.restore_bands`."""
        return restore_bands(self._engine, image, self._tile, progress)

    def close(self) -> None:
        """Nothing is held."""


def _sim(network: IntegerNetwork, options: Options) -> Backend:
    from host.backend_sim import SimBackend  # it is built from this module

    return SimBackend(network, options)


BACKENDS: dict[str, Callable[[IntegerNetwork, Options], Backend]] = {"golden": GoldenBackend, "sim": _sim}


def open_backend(name: str, network: IntegerNetwork, options: Options | None = None) -> Backend:
    """Return a backend that runs `network`.

    Args:
        name: one of BACKENDS, or "auto" for the first of them.
        network: the network.
        options: the user's choices, None for the defaults.

    Raises:
        RestoreError: the backend cannot be had here; the message says why.
    """
    name = next(iter(BACKENDS)) if name == "auto" else name
    if name not in BACKENDS:
        raise RestoreError(f"backend is {name!r}, expected one of auto, {', '.join(BACKENDS)}")
    return BACKENDS[name](network, options or Options())
