# SPDX-License-Identifier: BSD-3-Clause
"""A PNG writer that takes rows as they come: an image of any height in memory for a few of its rows."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

import numpy as np

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG colour type: grey, grey + alpha, RGB, RGBA
_SUB, _UP = 1, 2
_MAX_SIDE = (1 << 31) - 1
_BLOCK_BYTES = 1 << 20  # filtered at a time
_CHUNK_BYTES = 1 << 16  # smallest IDAT chunk but for the last


class PngWriter:
    """Writes one 8-bit PNG image to an open file.

    Each row is filtered by Sub (difference to the pixel on the left) or Up (to that above), whichever gives
    the smaller sum of absolute differences, the heuristic that the PNG specification recommends.

    Args:
        file: where to write; it is not closed.
        width, height: size of the image in pixels, 1 to 2^31 - 1.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).
        level: of zlib, 0 (none) to 9 (smallest).
        icc: ICC profile to embed, or None.

    Raises:
        ValueError: size or channels are not as above.
    """

    def __init__(
        self, file: BinaryIO, width: int, height: int, channels: int, level: int = 6, icc: bytes | None = None
    ):
        if channels not in _COLOUR_TYPES:
            raise ValueError(f"{channels} channels, expected 1 to 4")
        if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
            raise ValueError(f"size {width} x {height}, expected 1 to {_MAX_SIDE} pixels each way")
        self._file, self._width, self._channels = file, width, channels
        self._rows_left = height
        self._above = np.zeros((1, width * channels), np.uint8)
        self._compressor = zlib.compressobj(level)
        self._pending = bytearray()
        file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0))
        if icc is not None:
            self._chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))

    def write(self, rows: np.ndarray) -> None:
        """Write the next rows: (n, width, channels) uint8, or (n, width) for one channel.

        Raises:
            ValueError: the shape or dtype is wrong, or the image has fewer rows.
        """
        rows = rows[..., None] if rows.ndim == 2 else rows
        if rows.dtype != np.uint8 or rows.shape[1:] != (self._width, self._channels):
            raise ValueError(
                f"rows are {rows.dtype} {rows.shape}, expected uint8 (n, {self._width}, {self._channels})"
            )
        if len(rows) > self._rows_left:
            raise ValueError(f"got {len(rows)} rows, expected at most {self._rows_left} more")
        self._rows_left -= len(rows)
        flat = rows.reshape(len(rows), self._width * self._channels)
        step = max(1, _BLOCK_BYTES // flat.shape[1])
        for start in range(0, len(flat), step):
            self._pending += self._compressor.compress(self._filtered(flat[start : start + step]))
            if len(self._pending) >= _CHUNK_BYTES:
                self._flush()

    def close(self) -> None:
        """Finish the image.

        Raises:
            ValueError: rows are missing.
        """
        if self._rows_left:
            raise ValueError(f"{self._rows_left} rows are missing")
        self._pending += self._compressor.flush()
        self._flush()
        self._chunk(b"IEND", b"")

    def _filtered(self, block: np.ndarray) -> np.ndarray:
        """(n, bytes) -> (n, 1 + bytes): each row filtered, the number of the filter before it."""
        sub = block.copy()
        sub[:, self._channels :] -= block[:, : -self._channels]
        up = block - np.concatenate((self._above, block[:-1]))
        self._above = block[-1:].copy()
        choose_up = _magnitude(up) < _magnitude(sub)
        result = np.empty((len(block), 1 + block.shape[1]), np.uint8)
        result[:, 0] = np.where(choose_up, _UP, _SUB)
        result[:, 1:] = np.where(choose_up[:, None], up, sub)
        return result

    def _flush(self) -> None:
        self._chunk(b"IDAT", self._pending)
        self._pending = bytearray()

    def _chunk(self, kind: bytes, data: bytes | bytearray) -> None:
        self._file.write(struct.pack(">I", len(data)) + kind)
        self._file.write(data)
        self._file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def _magnitude(filtered: np.ndarray) -> np.ndarray:
    """Sum of absolute differences per row; bytes are signed here."""
    return np.minimum(filtered, -filtered).sum(axis=1, dtype=np.int64)
