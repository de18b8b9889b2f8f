# SPDX-License-Identifier: BSD-3-Clause
"""Images as they come: decoded once by Pillow, then read in regions, upright, 8 bits per channel."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from host import RestoreError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMAT_NAMES = "PNG, JPEG, WebP or BMP"

MAX_PIXELS = 1_000_000_000
"""Default of the largest image that is decoded, in pixels: 4 GB in memory. Replaces Pillow's limit."""

# Pillow's own limit is a warning at 89 Mpx and an error at 179 Mpx, and holds for crops as well.
Image.MAX_IMAGE_PIXELS = None

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_BIT_DEPTH = 24  # offset of this field: signature 8, chunk length 4, "IHDR" 4, width 4, height 4
_HEAD_BYTES = 32
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)

# Pillow's mode -> the mode that regions are read in; what is not here is refused.
_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}

_EXIF_ORIENTATION = 0x0112
# EXIF orientation -> (swap axes, then mirror x, then mirror y) that puts the image upright.
_UPRIGHT = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


@dataclass(frozen=True)
class Source:
    """A decoded image.

    It is kept as Pillow decoded it; rotation and conversion happen in each region that is read, so that no
    second copy of the whole exists.

    Attributes:
        width, height: size in pixels, after EXIF orientation.
        colour: whether it has colour (a palette counts), or is grey.
        alpha: whether it has transparency.
        icc: its ICC colour profile, or None.
    """

    width: int
    height: int
    colour: bool
    alpha: bool
    icc: bytes | None = field(repr=False)
    _image: Image.Image = field(repr=False)
    _upright: tuple[bool, bool, bool] = field(repr=False)

    @property
    def channels(self) -> int:
        """1 to 4: grey or RGB, then alpha if there is one."""
        return (3 if self.colour else 1) + self.alpha

    def region(self, y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
        """Return rows y0..y1 and columns x0..x1 (half-open, inside the image): (h, w, channels) uint8."""
        swap, mirror_x, mirror_y = self._upright
        if mirror_x:
            x0, x1 = self.width - x1, self.width - x0
        if mirror_y:
            y0, y1 = self.height - y1, self.height - y0
        crop = self._image.crop((y0, x0, y1, x1) if swap else (x0, y0, x1, y1))
        if self.alpha:
            pixels = np.asarray(crop.convert("RGBA"))
            pixels = pixels if self.colour else pixels[..., (0, 3)]
        else:
            pixels = np.asarray(crop.convert("RGB" if self.colour else "L"))
            pixels = pixels.reshape(*pixels.shape[:2], -1)
        pixels = pixels.swapaxes(0, 1) if swap else pixels
        pixels = pixels[:, ::-1] if mirror_x else pixels
        pixels = pixels[::-1] if mirror_y else pixels
        return np.ascontiguousarray(pixels)


def sniff(head: bytes) -> str | None:
    """Return the format of a file, one of FORMATS, from its first 32 bytes; None if it is none of them."""
    if head.startswith(_PNG_SIGNATURE):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return None


def looks_like_image(path: Path) -> bool:
    """Whether a file claims to be an image that can be read: by its suffix or by its first bytes."""
    if not path.is_file():
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        return sniff(_head(path)) is not None
    except OSError:
        return False


def open_source(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> Source:
    """Decode an image file; its content decides the format, not its suffix.

    Raises:
        RestoreError: the file is missing, no image, damaged, too large, animated, or of a kind that 8-bit
            grey or RGB cannot represent.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise RestoreError(f"{path}: is not a regular file, expected an image file")
        head = _head(path)
    except OSError as error:
        raise RestoreError(f"{path}: cannot be read: {error.strerror}") from None
    kind = sniff(head)
    if kind is None:
        raise RestoreError(f"{path}: is not an image that can be read, expected {FORMAT_NAMES}")
    if kind == "PNG" and head[_PNG_BIT_DEPTH : _PNG_BIT_DEPTH + 1] == b"\x10":
        raise RestoreError(f"{path}: has 16 bits per channel, expected 8: convert it to 8 bits first")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd metadata; what matters is raised
        return _decode(path, kind, max_pixels)


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(_HEAD_BYTES)


def _decode(path: Path, kind: str, max_pixels: int) -> Source:
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check(path, image, max_pixels)
            image.load()
            return _describe(image)
    except RestoreError:
        raise
    except MemoryError:
        raise RestoreError(f"{path}: does not fit into memory when decoded: use a smaller image") from None
    except UnidentifiedImageError:
        raise RestoreError(f"{path}: is a damaged or truncated {kind} file: get it again") from None
    except Exception as error:  # on damaged bytes Pillow's decoders raise a dozen types
        reason = " ".join(str(error).split())[:200]
        raise RestoreError(
            f"{path}: is a damaged or truncated {kind} file ({reason}): get it again"
        ) from None


def _check(path: Path, image: Image.Image, max_pixels: int) -> None:
    """Refuse what cannot be restored, before anything is decoded."""
    width, height = image.size
    if width * height > max_pixels:
        raise RestoreError(
            f"{path}: is {width} x {height} = {width * height:,} pixels, expected at most {max_pixels:,}: "
            "raise --max-pixels if memory allows (4 bytes per pixel)"
        )
    # An MPO is a phone's JPEG with further pictures (preview, depth) after the photo, which comes first.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise RestoreError(f"{path}: is an animation of {image.n_frames} frames, expected a single image")
    if image.mode not in _MODES:
        raise RestoreError(
            f"{path}: has colour mode {image.mode}, expected 8-bit RGB or grey: convert it first"
        )


def _describe(image: Image.Image) -> Source:
    mode = _MODES[image.mode]
    try:
        upright = _UPRIGHT.get(image.getexif().get(_EXIF_ORIENTATION), _UPRIGHT[1])
    except Exception:  # damaged EXIF is no reason to refuse a good image
        upright = _UPRIGHT[1]
    width, height = image.size[::-1] if upright[0] else image.size
    alpha = mode in ("LA", "RGBA") or "transparency" in image.info
    return Source(width, height, "RGB" in mode, alpha, image.info.get("icc_profile"), image, upright)
