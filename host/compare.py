# SPDX-License-Identifier: BSD-3-Clause
"""The labelled side-by-side picture: input | restored, written while rows come."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from host.colour import Rows
from host.labels import beside, label_strip, panel_width
from host.png_stream import PngWriter

_SMALLEST_TEXT, _LARGEST_TEXT = 12, 64


class CompareWriter:
    """Writes a PNG: a strip with two labels, and below it two pictures of equal size beside each other.

    The picture is RGB; transparent images are shown on white. A picture narrower than its label is padded.

    Args:
        file: where to write; it is not closed.
        width, height: size of each picture in pixels.
        labels: of the left and of the right picture.
    """

    def __init__(self, file: BinaryIO, width: int, height: int, labels: tuple[str, str]):
        strip = label_strip(labels, width, min(max(height // 24, _SMALLEST_TEXT), _LARGEST_TEXT))
        self._panel = panel_width(strip, 2)
        self._writer = PngWriter(file, strip.shape[1], len(strip) + height, 3)
        self._writer.write(strip)

    def write(self, rows: Rows) -> None:
        """Write the next rows of both pictures; the upsampled ones must be there."""
        self._writer.write(beside((_opaque(rows.upsampled), _opaque(rows.restored)), self._panel))

    def close(self) -> None:
        """Finish the picture."""
        self._writer.close()


def _opaque(pixels: np.ndarray) -> np.ndarray:
    """Grey or RGB, with or without alpha, on white: (h, w, 1 or 3) uint8."""
    if pixels.shape[2] in (1, 3):
        return pixels
    alpha = pixels[..., -1:].astype(np.uint16)
    mixed = pixels[..., :-1] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
