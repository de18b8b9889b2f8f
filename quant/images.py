# SPDX-License-Identifier: BSD-3-Clause
"""Image sources: a folder (searched recursively), a .tar of images, and where data folders are found."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from quant.degrade import from_pil

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


class DataError(ValueError):
    """Data that cannot be used; the message says what was given and what is expected."""


def find_data(given: str | os.PathLike | None, *defaults: str) -> Path:
    """Resolve a data argument to an existing folder or file.

    Args:
        given: a path, or a name below $BITMEND_DATA or $BITMEND_DATA/test (such as "Set5"), or None for
            the first of `defaults` that exists below $BITMEND_DATA.

    Raises:
        DataError: nothing there; the message lists the places looked at.
    """
    root = os.environ.get("BITMEND_DATA")
    tries = [Path(given)] if given is not None else []
    if root:
        names = [str(given)] if given is not None else list(defaults)
        tries += [Path(root) / sub / name for name in names for sub in ("", "test")]
    for path in tries:
        if path.exists():
            return path
    looked = ", ".join(map(str, tries)) or "nowhere (no path given)"
    raise DataError(f"no data found: looked at {looked}; give an existing folder, or set BITMEND_DATA")


def image_files(folder: Path) -> list[Path]:
    """Image files below a folder, sorted by name."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)


def read_image(file, channels: int | None = None) -> np.ndarray:
    """Read an image as (H, W, C) uint8.

    Args:
        file: path or binary file object.
        channels: 3 converts to RGB, 1 to full-range grey, None keeps RGB or grey as it is.
    """
    with Image.open(file) as image:
        mode = {3: "RGB", 1: "L"}.get(channels) or ("L" if image.mode in ("L", "1", "I;16") else "RGB")
        return from_pil(image.convert(mode))


def training_images(path: Path, channels: int) -> Iterator[np.ndarray]:
    """All images of a folder or .tar, decoded, (H, W, channels) uint8.

    Raises:
        DataError: the path holds no image.
    """
    found = False
    if path.is_file() and tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            members = sorted(
                (m for m in tar if Path(m.name).suffix.lower() in SUFFIXES), key=lambda m: m.name
            )
            for member in members:
                found = True
                yield read_image(tar.extractfile(member), channels)
    elif path.is_dir():
        for file in image_files(path):
            found = True
            yield read_image(file, channels)
    if not found:
        raise DataError(
            f"{path}: no images found; expected a folder or a .tar of {', '.join(sorted(SUFFIXES))}"
        )
