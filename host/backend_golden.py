# SPDX-License-Identifier: BSD-3-Clause
"""The backend "golden": the golden model on this machine's CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from golden import IntegerNetwork, make_engine, restore_bands
from host import RestoreError
from host.backend import Backend, Options, Progress

ENGINES = ("auto", "numpy", "numba")
_TILE_OUTPUT = (
    512  # side of a tile's result by default, in pixels: what a tile needs is then alike for all scales
)


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
