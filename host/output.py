# SPDX-License-Identifier: BSD-3-Clause
"""Results on disk: which formats, how large, and never half a file."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np
from PIL import Image

from host import RestoreError
from host.png_stream import PngWriter

MAX_HELD_PIXELS = 1 << 28
"""Largest result that is held in memory, in formats other than PNG: 1 GiB as RGB."""

_NO_LIMIT = (1 << 31) - 1


class Format(NamedTuple):
    """An output format: Pillow's name, largest side in pixels, whether it holds alpha, how it is encoded."""

    name: str
    max_side: int
    alpha: bool
    options: dict[str, Any]


_JPEG = Format("JPEG", 65500, False, {"quality": 95, "subsampling": 0})  # libjpeg's limit
OUTPUT_FORMATS = {
    ".png": Format("PNG", _NO_LIMIT, True, {}),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Format("WEBP", 16383, True, {"lossless": True}),
    ".bmp": Format("BMP", _NO_LIMIT, False, {}),
}


class RowWriter(Protocol):
    """Takes the rows of one image from top to bottom."""

    def write(self, rows: np.ndarray) -> None:
        """Take the next rows, (n, width, channels) uint8."""

    def close(self) -> None:
        """Finish the image; all rows must have been written."""


class HeldWriter:
    """Holds the rows and lets Pillow encode them at the end."""

    def __init__(
        self, file: BinaryIO, form: Format, width: int, height: int, channels: int, icc: bytes | None
    ):
        self._file, self._format, self._icc = file, form, icc
        self._image = Image.new(("L", "LA", "RGB", "RGBA")[channels - 1], (width, height))
        self._row = 0

    def write(self, rows: np.ndarray) -> None:
        """See `RowWriter.write`."""
        rows = rows[..., 0] if rows.shape[2] == 1 else rows
        self._image.paste(Image.fromarray(rows), (0, self._row))
        self._row += len(rows)

    def close(self) -> None:
        """See `RowWriter.close`."""
        options = {**self._format.options, **({"icc_profile": self._icc} if self._icc else {})}
        self._image.save(self._file, self._format.name, **options)


def output_format(path: Path) -> Format:
    """Return the format that the suffix of `path` names; raise RestoreError if it names none."""
    if path.suffix.lower() not in OUTPUT_FORMATS:
        given = f"has the suffix {path.suffix!r}" if path.suffix else "has no suffix"
        raise RestoreError(f"{path}: {given}, expected {', '.join(OUTPUT_FORMATS)} or an existing folder")
    return OUTPUT_FORMATS[path.suffix.lower()]


def check_result(path: Path, width: int, height: int, alpha: bool) -> None:
    """Raise RestoreError if the file format of `path` cannot hold such a result."""
    form = output_format(path)
    if alpha and not form.alpha:
        raise RestoreError(
            f"{path}: the image has transparency, which {form.name} cannot hold: write .png or .webp"
        )
    if max(width, height) > form.max_side:
        raise RestoreError(
            f"{path}: the result is {width} x {height} pixels, {form.name} holds at most {form.max_side} "
            "each way: write .png"
        )
    if form.name != "PNG" and width * height > MAX_HELD_PIXELS:
        raise RestoreError(
            f"{path}: the result is {width} x {height} pixels, expected at most {MAX_HELD_PIXELS:,} in all "
            f"for {form.name}: write .png, which needs no memory for it"
        )


def open_writer(
    file: BinaryIO, path: Path, width: int, height: int, channels: int, icc: bytes | None = None
) -> RowWriter:
    """Return a writer for an image in the format that the suffix of `path` names.

    An ICC profile is kept if it is for the colours of the result, grey or RGB.
    """
    form = output_format(path)
    if icc is not None and icc[16:20] != (b"GRAY" if channels < 3 else b"RGB "):  # the profile's colour space
        icc = None
    if form.name == "PNG":
        return PngWriter(file, width, height, channels, icc=icc)
    return HeldWriter(file, form, width, height, channels, icc)


class PendingFiles:
    """Files that appear complete and together when the block ends, or not at all if it raises.

    Each is written beside its target, in a hidden temporary file that replaces the target in the end.

    Args:
        overwrite: whether existing files may be replaced.
    """

    def __init__(self, overwrite: bool = False):
        self._overwrite = overwrite
        self._targets: list[tuple[Path, Path]] = []
        self._files: list[BinaryIO] = []
        self._closing = ExitStack()

    def open(self, path: Path) -> BinaryIO:
        """Return a file to be written that will be `path`.

        Raises:
            RestoreError: the target exists and may not be replaced, or cannot be written.
        """
        if path.exists() and not path.is_file():
            raise RestoreError(f"{path}: is not a regular file, expected the name of a file to write")
        if path.exists() and not self._overwrite:
            raise RestoreError(f"{path}: exists: leave out --keep to replace it, or choose another name")
        if not path.parent.exists():
            raise RestoreError(f"{path}: the folder {path.parent} does not exist: create it first")
        temporary = path.with_name(f".restore-{secrets.token_hex(8)}.tmp")
        self._targets.append((temporary, path))  # before it exists: an interrupt may come in between
        try:
            file = self._closing.enter_context(open(temporary, "xb"))  # noqa: SIM115  closed in __exit__
        except OSError as error:
            raise RestoreError(f"{path}: cannot be written: {error.strerror}") from None
        self._files.append(file)
        return file

    def __enter__(self) -> PendingFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                for file in self._files:
                    file.flush()
                    os.fsync(file.fileno())
                self._closing.close()
                for temporary, path in self._targets:
                    os.replace(temporary, path)
        finally:
            with suppress(OSError):  # what could not be flushed does not matter: the file goes
                self._closing.close()
            for temporary, _ in self._targets:
                with suppress(OSError):  # it replaced its target, or never came to be
                    temporary.unlink()
