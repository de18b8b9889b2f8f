# SPDX-License-Identifier: BSD-3-Clause
"""The photo that the demo restores, and the parts of it that are worth a closer look."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from host import RestoreError
from host.source import open_source

_ZOOM = 64  # side of a part in pixels
_SMALLEST, _LARGEST = 16, 1600  # side of a photo; larger ones are cut around their centre
_PARTS = 3


class Part(NamedTuple):
    """A square part of the photo: its name, first row, first column and side."""

    name: str
    y: int
    x: int
    side: int


class Photo(NamedTuple):
    """A photo: (H, W, 3) uint8, its title, where it comes from, and parts chosen by hand (or none)."""

    pixels: np.ndarray
    title: str
    credit: str
    parts: tuple[Part, ...] = ()


def load_photo(path: Path | None) -> Photo:
    """Return the photo in a file, or scikit-image's astronaut, which its package holds and which is free.

    Raises:
        RestoreError: the file is no image that can be restored, or scikit-image is not installed.
    """
    if path is None:
        return _astronaut()
    source = open_source(path)
    height, width = (min(side, _LARGEST) for side in (source.height, source.width))
    if min(height, width) < _SMALLEST:
        raise RestoreError(
            f"{path}: is {width} x {height} pixels, expected at least {_SMALLEST} each way for the demo"
        )
    y, x = (source.height - height) // 2, (source.width - width) // 2
    pixels = source.region(y, y + height, x, x + width)
    pixels = pixels[..., :3] if source.colour else np.repeat(pixels[..., :1], 3, axis=2)
    return Photo(pixels, path.name, "your photo")


def _astronaut() -> Photo:
    try:
        from skimage import data
    except ImportError:
        raise RestoreError(
            "the demo's photo comes with scikit-image, which is not installed: pip install scikit-image, or "
            "give --photo FILE"
        ) from None
    parts = (
        Part("face", 80, 186, _ZOOM),
        Part("mission patch", 346, 138, _ZOOM),
        Part("name tag", 332, 272, _ZOOM),
    )
    return Photo(data.astronaut(), "Eileen Collins", "NASA, public domain, as shipped in scikit-image", parts)


def interesting_parts(photo: Photo, clean: np.ndarray, scale: int) -> list[Part]:
    """Return parts to magnify: those of the photo, or the most detailed ones of the clean image.

    The choice never looks at any result. Rows, columns and sides are multiples of the scale.

    Args:
        photo: the photo.
        clean: (H, W, C) uint8, the photo as the network is measured on it.
        scale: of the network.
    """
    parts = photo.parts or _most_detailed(clean)
    return [Part(part.name, *(value - value % scale for value in part[1:])) for part in parts]


def _most_detailed(clean: np.ndarray) -> list[Part]:
    grey = clean.mean(axis=2)
    detail = np.zeros_like(grey)
    detail[1:] += np.abs(np.diff(grey, axis=0))
    detail[:, 1:] += np.abs(np.diff(grey, axis=1))
    side = min(_ZOOM, *grey.shape)
    places = [
        (-detail[y : y + side, x : x + side].sum(), y, x)
        for y in range(0, grey.shape[0] - side + 1, max(side // 2, 1))
        for x in range(0, grey.shape[1] - side + 1, max(side // 2, 1))
    ]
    parts: list[Part] = []
    for _, y, x in sorted(places):
        if len(parts) < _PARTS and all(max(abs(y - part.y), abs(x - part.x)) >= side for part in parts):
            parts.append(Part(f"detail {len(parts) + 1}", y, x, side))
    return parts
