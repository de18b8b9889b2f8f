# SPDX-License-Identifier: BSD-3-Clause
"""Between an image's colours and the network's channels; docs/restore.md has the table.

A network restores grey or RGB. What it does not see, chroma and alpha, is upsampled bicubically by Pillow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from golden import IntegerNetwork
from host.backend import Backend, Progress
from host.source import Source

_BICUBIC_REACH = 2  # input rows beyond a row that upsampling reads


class Rows(NamedTuple):
    """Finished rows of the result.

    Attributes:
        restored: (rows, W * scale, channels) uint8.
        upsampled: the same rows of the input upsampled, with the input's channels; None if nobody needs them.
    """

    restored: np.ndarray
    upsampled: np.ndarray | None


class NetworkInput:
    """An image as the network wants it, read by slices [rows, columns] as `golden.restore_bands` does.

    RGB network: RGB, grey repeated. One channel: grey, or Y of Pillow's (JPEG's, full-range) YCbCr.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, source: Source, channels: int):
        self.shape = (source.height, source.width, channels)
        self._source = source

    def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
        (y0, y1, _), (x0, x1, _) = (part.indices(size) for part, size in zip(index, self.shape, strict=False))
        pixels = self._source.region(y0, y1, x0, x1)
        if not self._source.colour:
            return np.repeat(pixels[..., :1], self.shape[2], axis=2)
        if self.shape[2] == 3:
            return np.ascontiguousarray(pixels[..., :3])
        return np.ascontiguousarray(_ycbcr(pixels)[..., :1])


def note(source: Source, network: IntegerNetwork) -> str | None:
    """Return what the user should know about how these colours are treated, if anything."""
    if network.channels == 3 and not source.colour:
        return "grey image, RGB network: restored as RGB"
    if network.channels == 1 and source.colour:
        return "colour image, one-channel network: Y is restored, Cb and Cr are kept"
    return None


def result_channels(source: Source, network: IntegerNetwork) -> int:
    """Return the channels of the result, 1 to 4: grey if image and network are, else RGB; then alpha."""
    return (3 if source.colour or network.channels == 3 else 1) + source.alpha


def restored_rows(
    source: Source, backend: Backend, upsampled: bool = False, progress: Progress | None = None
) -> Iterator[Rows]:
    """Restore an image from top to bottom, in memory for one row of tiles.

    Args:
        source: the image.
        backend: runs the network.
        upsampled: whether `Rows.upsampled` is wanted.
        progress: called as progress(done, total) after each tile.
    """
    network = backend.network
    keep_chroma = source.colour and network.channels == 1
    for start, band in backend.restore_bands(NetworkInput(source, network.channels), progress):
        y0, y1 = start // network.scale, (start + len(band)) // network.scale
        rest = None
        if upsampled or keep_chroma or source.alpha:
            rest = bicubic_rows(source, y0, y1, network.scale)
        if keep_chroma:
            planes = (band[..., 0], *np.moveaxis(_ycbcr(rest)[..., 1:], 2, 0))
            band = np.asarray(
                Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes]).convert("RGB")
            )
        if source.alpha:
            band = np.concatenate((band, rest[..., -1:]), axis=2)
        yield Rows(band, rest)


def bicubic_rows(source: Source, y0: int, y1: int, scale: int) -> np.ndarray:
    """Return what input rows y0..y1 are in the image upsampled: (rows * scale, W * scale, channels) uint8.

    The channels are upsampled one by one: alpha neither weights nor is weighted.
    """
    top, bottom = max(y0 - _BICUBIC_REACH, 0), min(y1 + _BICUBIC_REACH, source.height)
    pixels = source.region(top, bottom, 0, source.width)
    if scale == 1:
        return pixels[y0 - top : y1 - top]
    # Pillow makes two passes and rounds in between. It picks their order by the shape, which bands change:
    # here it is always that of whole images.
    width, height, box = (
        source.width * scale,
        (y1 - y0) * scale,
        (0, y0 - top, source.width * scale, y1 - top),
    )
    result = np.empty((height, width, source.channels), np.uint8)
    for channel in range(source.channels):
        wide = Image.fromarray(pixels[..., channel]).resize((width, bottom - top), Image.BICUBIC)
        result[..., channel] = wide.resize((width, height), Image.BICUBIC, box)
    return result


def _ycbcr(pixels: np.ndarray) -> np.ndarray:
    """RGB (a fourth channel is dropped) to YCbCr: (h, w, 3) uint8."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels[..., :3])).convert("YCbCr"))
