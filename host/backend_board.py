# SPDX-License-Identifier: BSD-3-Clause
"""A backend on an accelerator: the same for the board and for the simulated board."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from golden import IntegerNetwork, receptive_field
from golden.tiling import Tile
from host import RestoreError
from host.accelerator import Accelerator
from host.backend import Backend, Options, Progress, streaming_remark
from host.design import Design
from host.port import Port
from host.streaming import BandStream, Times
from host.throughput import Measurement


class AcceleratorBackend(Backend):
    """Runs a network on the accelerator behind a port."""

    def __init__(self, network: IntegerNetwork, port: Port, design: Design, options: Options, what: str):
        """Take a port, which is closed with the backend, or if something is wrong with it.

        Args:
            network: what the hardware must run.
            port: the board.
            design: what is known about the bitstream.
            options: the user's choices.
            what: what is running, in a few words.
        """
        super().__init__(network, what)
        self._port = port
        try:
            self.accelerator = Accelerator(port, network, design)
            self._stream = BandStream(self.accelerator, network.scale, receptive_field(network), options.tile)
        except BaseException:
            port.close()
            raise
        self.measurement: Measurement | None = None

    def restore_bands(self, image: Any, progress: Progress | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """See `Backend.restore_bands`."""
        for _, y, band in self.stream([image], progress):
            yield y, band

    def stream(
        self, images: Iterable[Any], progress: Progress | None = None
    ) -> Iterator[tuple[int, int, np.ndarray]]:
        """See `Backend.stream`. The next image starts before the last one is done.

        A network with statistics goes on with those of the last tile from image to image. Every call begins
        with a reset, and so with those of training.
        """
        accelerator, stream = self.accelerator, self._stream
        self.measurement = None
        self._make_idle()
        accelerator.mishaps.clear()
        accelerator.clear_counters()
        stream.times = Times()
        sizes: list[tuple[int, ...]] = []
        start = self._port.now()
        with closing(stream.run(_noted(images, sizes))) as bands:
            for band in bands:
                if progress is not None:
                    progress(*band.tiles)
                yield band.image, band.y, band.pixels
        self.measurement = Measurement(
            shapes=sizes,
            scale=self.network.scale,
            seconds=self._port.now() - start,
            clock_hz=accelerator.clock_hz,
            counters=accelerator.counters(),
            times=stream.times,
            repeated=len(accelerator.mishaps),
        )

    def plan(self, image: Any) -> list[Tile]:
        """See `Backend.plan`."""
        return self._stream.plan(image.shape)

    @property
    def remark(self) -> str:
        """See `Backend.remark`: tiles are frames of the hardware."""
        return streaming_remark(self.network)

    def report(self) -> str:
        """Return how long the logic has worked, and what had to be repeated."""
        if self.measurement is None:
            return ""
        line = self.measurement.line()
        return "; repeated: ".join([line, *self.accelerator.mishaps])

    def close(self) -> None:
        """Make the hardware idle and give it back."""
        try:
            if self.accelerator.busy:
                self.accelerator.abandon()
        except RestoreError:
            pass  # it has been said before
        finally:
            self._stream.close()
            self._port.close()

    def _make_idle(self) -> None:
        """After a failure the hardware may not be idle yet: what held it may be gone now."""
        if self.accelerator.busy:
            self.accelerator.abandon()
        else:
            self.accelerator.reset()


def _noted(images: Iterable[Any], sizes: list[tuple[int, ...]]) -> Iterator[Any]:
    for image in images:
        sizes.append(image.shape)
        yield image
