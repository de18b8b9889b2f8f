# SPDX-License-Identifier: BSD-3-Clause
"""What a network runs on, seen from the rest of the host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden import IntegerNetwork, restore, restore_streaming
from golden.statistics import means
from golden.tiling import Tile

Progress = Callable[[int, int], object]
"""Called as progress(done, total) after each tile."""


@dataclass(frozen=True)
class Options:
    """What the user may choose about backends; each takes what concerns it.

    Attributes:
        tile: side of a tile in input pixels; None lets the backend choose.
        engine: of the golden model: "auto", "numpy" or "numba".
        build: folder of a compiled design, for simulations; None takes that of the network in build/.
        model: the file that the network came from, if any: its bitstream may lie beside it.
        bitstream: the bitstream to load; None takes the one beside the model.
    """

    tile: int | None = None
    engine: str = "auto"
    build: Path | None = None
    model: Path | None = None
    bitstream: Path | None = None


def streaming_remark(network: IntegerNetwork) -> str:
    """Return what is special about a network on hardware, in a line; "" if nothing is."""
    if not means(network):
        return ""
    return (
        "statistics are those of the tile before, in the first tile those of training: the result depends on "
        "the tiles, and is that of golden.run_streaming over them"
    )


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
            joined bands equal `golden.run` on the whole image, whatever the tiles are; unless `remark` says
            otherwise.

        Raises:
            RestoreError: the device failed.
        """

    def stream(self, images: Iterable[Any]) -> Iterator[tuple[int, int, np.ndarray]]:
        """Restore images one after the other; a backend may start with one before the last is done.

        Args:
            images: as `restore_bands` takes them.

        Yields:
            (number of the image, y0, band), otherwise as `restore_bands`.

        Raises:
            RestoreError: the device failed.
        """
        for number, image in enumerate(images):
            for y0, band in self.restore_bands(image):
                yield number, y0, band

    @property
    def remark(self) -> str:
        """A line about all results that the user must know; "" if they are those of `golden.run`."""
        return ""

    def expected(self, image: np.ndarray) -> np.ndarray:
        """Return what the bands of `restore_bands` must be together, by the golden model."""
        plan = self.plan(image) if self.remark else []
        return restore_streaming(self.network, image, plan) if plan else restore(self.network, image)

    def plan(self, image: Any) -> list[Tile]:
        """Return the tiles of an image that are frames of the hardware, in their order; of a CPU none."""
        return []

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
