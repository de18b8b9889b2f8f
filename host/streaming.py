# SPDX-License-Identifier: BSD-3-Clause
"""Images through the accelerator, band by band, so that neither side waits for the other.

A band is a row of tiles: the rows of the image that they read lie in one buffer, the rows that they deliver
in another, and the tiles are jobs on these two; no tile is ever copied. There are two pairs of buffers. While
the logic works on one band, Python takes the result of the band before and fills the band after; whoever gets
the result, and takes long to compress it, does so while two bands wait for the logic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from golden.tiling import Tile
from host import RestoreError
from host.accelerator import Accelerator, Job
from host.port import Buffer, Port
from host.tile_plan import plan_tiles

MEMORY = 48 << 20
"""Contiguous memory that bands may take, in bytes. The PYNQ-Z2's image has 128 MiB of it for all programs."""

PAIRS = 2


@dataclass
class Times:
    """Seconds that the processor has spent.

    Attributes:
        fill, take: copying pixels into buffers, and results out of them.
        flush, invalidate: on the cache.
    """

    fill: float = 0.0
    take: float = 0.0
    flush: float = 0.0
    invalidate: float = 0.0


class Band(NamedTuple):
    """Rows of the result of an image.

    Attributes:
        image: number of the image.
        y: first row in the result.
        pixels: (rows, W * scale, C) uint8.
        tiles: how many tiles of the image are done, and how many there are.
    """

    image: int
    y: int
    pixels: np.ndarray
    tiles: tuple[int, int]


class _Task(NamedTuple):
    """A band to be restored: tiles of the same rows of an image, and how many tiles are before and in all."""

    number: int
    image: Any
    tiles: list[Tile]
    before: int
    total: int


class _Pair:
    """The buffers of a band, and what is in them: a task, and the number of its last job."""

    def __init__(self) -> None:
        self.source: Buffer | None = None
        self.target: Buffer | None = None
        self.task: _Task
        self.last_job = -1

    def reserve(self, port: Port, read: int, written: int) -> None:
        """Have at least so many bytes in each buffer."""
        if self.source is None or len(self.source.array) < read:
            if self.source is not None:
                self.source.free()
            self.source = None  # the old one is gone if there is no new one
            self.source = port.allocate(read)
        if self.target is None or len(self.target.array) < written:
            if self.target is not None:
                self.target.free()
            self.target = None
            self.target = port.allocate(written)
            self.target.flush()  # what the cache holds of it must not come over results later

    def free(self) -> None:
        for buffer in (self.source, self.target):
            if buffer is not None:
                buffer.free()
        self.source = self.target = None


class BandStream:
    """Sends images through an accelerator.

    Attributes:
        times: what the processor has spent its time on.
    """

    def __init__(
        self, accelerator: Accelerator, scale: int, halo: int, side: int | None = None, memory: int = MEMORY
    ):
        """Take an accelerator.

        Args:
            accelerator: the accelerator.
            scale: of the network.
            halo: by how many pixels tiles must overlap on each side.
            side: the most rows and columns that a tile may deliver; None for no other limit.
            memory: contiguous memory that may be used, in bytes.
        """
        self.times = Times()
        self._accelerator, self._scale, self._halo, self._side = accelerator, scale, halo, side
        self._memory = memory
        self._pairs = [_Pair() for _ in range(PAIRS)]

    def plan(self, shape: tuple[int, ...]) -> list[Tile]:
        """Return the tiles of an image of such a shape (H, W, C): as few as hardware and memory allow.

        Raises:
            RestoreError: not even one row fits.
        """
        height, width, channels = shape
        row = width * channels * (1 + self._scale**2)
        rows = min(self._accelerator.max_height, self._memory // (PAIRS * row))
        limits = rows, self._accelerator.max_width
        return plan_tiles(height, width, limits, self._halo, self._side)

    def run(self, images: Iterable[Any]) -> Iterator[Band]:
        """Restore images, and yield the bands of each from top to bottom.

        Args:
            images: (H, W, C) uint8 each: arrays, or anything with shape and slices (rows, columns).

        Raises:
            RestoreError: a tile has failed twice, or there is no memory. The hardware is idle then, as it is
                when the iteration is given up.
        """
        tasks = self._tasks(images)
        under_way: deque[_Pair] = deque()
        free = list(self._pairs)
        try:
            self._fill(free, under_way, tasks)
            while under_way:
                pair = under_way.popleft()
                self._accelerator.wait(pair.last_job)
                band = self._take(pair)
                free.append(pair)
                self._fill(free, under_way, tasks)
                yield band
        finally:
            if self._accelerator.busy:
                self._accelerator.abandon()

    def close(self) -> None:
        """Give the buffers back."""
        for pair in self._pairs:
            with suppress(RestoreError):
                pair.free()

    def _tasks(self, images: Iterable[Any]) -> Iterator[_Task]:
        for number, image in enumerate(images):
            plan = self.plan(image.shape)
            before = 0
            for _, band in groupby(plan, lambda tile: tile.y0):
                tiles = list(band)
                yield _Task(number, image, tiles, before, len(plan))
                before += len(tiles)

    def _fill(self, free: list[_Pair], under_way: deque[_Pair], tasks: Iterator[_Task]) -> None:
        while free:
            task = next(tasks, None)
            if task is None:
                return
            pair = free.pop()
            pair.task = task
            self._send(pair)
            under_way.append(pair)

    def _send(self, pair: _Pair) -> None:
        """Put the pixels of a band into its buffer, and queue its tiles."""
        port, scale, task = self._accelerator.port, self._scale, pair.task
        _, width, channels = task.image.shape
        top, bottom = task.tiles[0].top, task.tiles[0].bottom
        first, last = task.tiles[0].y0, task.tiles[0].y1
        read, written = width * channels, width * scale * channels  # bytes of a row
        pair.reserve(port, (bottom - top) * read, (last - first) * scale * written)
        assert pair.source is not None
        assert pair.target is not None
        start = port.now()
        rows = pair.source.array[: (bottom - top) * read].reshape(bottom - top, width, channels)
        rows[...] = task.image[top:bottom, 0:width]
        filled = port.now()
        pair.source.flush()
        self.times.flush += port.now() - filled
        self.times.fill += filled - start
        for tile in task.tiles:
            pair.last_job = self._accelerator.submit(
                Job(
                    source=pair.source.address + tile.left * channels,
                    source_stride=read,
                    width=tile.right - tile.left,
                    height=tile.bottom - tile.top,
                    target=pair.target.address + tile.x0 * scale * channels,
                    target_stride=written,
                    crop_x=(tile.x0 - tile.left) * scale,
                    crop_y=(tile.y0 - tile.top) * scale,
                    out_width=(tile.x1 - tile.x0) * scale,
                    out_height=(tile.y1 - tile.y0) * scale,
                )
            )

    def _take(self, pair: _Pair) -> Band:
        """Copy the result of a band out of its buffer."""
        port, scale, task = self._accelerator.port, self._scale, pair.task
        _, width, channels = task.image.shape
        y0, y1 = task.tiles[0].y0, task.tiles[0].y1
        shape = ((y1 - y0) * scale, width * scale, channels)
        assert pair.target is not None
        start = port.now()
        pair.target.invalidate()
        clean = port.now()
        pixels = pair.target.array[: shape[0] * shape[1] * shape[2]].reshape(shape).copy()
        self.times.take += port.now() - clean
        self.times.invalidate += clean - start
        return Band(task.number, y0 * scale, pixels, (task.before + len(task.tiles), task.total))
