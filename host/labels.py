# SPDX-License-Identifier: BSD-3-Clause
"""A strip of labels, one above each of several pictures beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

BACKGROUND = 32
"""Grey level of the strip and of what lies between pictures."""

GAP = 8
"""Columns between pictures."""


def label_strip(labels: Sequence[str], width: int, text_height: int) -> np.ndarray:
    """Return the strip: (h, W, 3) uint8, white on dark grey.

    Args:
        labels: from left to right.
        width: of each picture; W makes room for the longest label if that is wider. See `panel_width`.
        text_height: size of the font in pixels, where Pillow lets us choose it.
    """
    font = _font(text_height)
    sizes = [font.getmask(label).size for label in labels]
    margin = max(height for _, height in sizes) // 2
    panel = max(width, *(width + 2 * margin for width, _ in sizes))
    strip = Image.new("RGB", (len(labels) * (panel + GAP) - GAP, 4 * margin), (BACKGROUND,) * 3)
    draw = ImageDraw.Draw(strip)
    for index, label in enumerate(labels):
        draw.text((index * (panel + GAP) + margin, margin // 2), label, (255, 255, 255), font)
    return np.asarray(strip)


def panel_width(strip: np.ndarray, count: int) -> int:
    """Return the width that the strip gives to each of `count` pictures."""
    return (strip.shape[1] + GAP) // count - GAP


def beside(pictures: Sequence[np.ndarray], panel: int) -> np.ndarray:
    """Put pictures, (h, w, 1 or 3) uint8 with w <= panel, beside each other: (h, W, 3) uint8."""
    width = len(pictures) * (panel + GAP) - GAP
    canvas = np.full((len(pictures[0]), width, 3), BACKGROUND, np.uint8)
    for index, picture in enumerate(pictures):
        left = index * (panel + GAP)
        canvas[:, left : left + picture.shape[1]] = picture
    return canvas


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    try:
        return ImageFont.load_default(size)
    except (TypeError, ImportError):  # Pillow before 10.1, or without FreeType, has one small font
        return ImageFont.load_default()
