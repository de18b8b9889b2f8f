# SPDX-License-Identifier: BSD-3-Clause
"""Contact sheets: rows of magnified crops with captions, and the before/after sheet of one network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quant.degrade import to_pil, to_uint8
from quant.outputs import replacing
from quant.scoring import Case, Score

CROP, ZOOM = 80, 3  # pixels of the image, and how large each becomes
CELL, GAP, CAPTION = CROP * ZOOM, 10, 44
INK, PAPER, BOX = (25, 25, 25), (255, 255, 255), (230, 30, 30)
MAP_GAIN = 8  # brightness of the gain map per grey level
RIM = 4  # pixels at the border whose gradient is not looked at: some photos have black edges


def busiest_crop(image: np.ndarray, side: int) -> tuple[int, int]:
    """Top-left corner (y, x) of the side x side crop with the highest gradient energy, the first of equals.

    Args:
        image: (H, W, C) uint8; a side shorter than `side` gives 0 on that axis.
    """
    grey = image.astype(np.float64).mean(axis=2)
    dy, dx = np.gradient(grey)
    detail = np.zeros_like(grey)
    detail[RIM:-RIM, RIM:-RIM] = (dy**2 + dx**2)[RIM:-RIM, RIM:-RIM]
    total = np.zeros((grey.shape[0] + 1, grey.shape[1] + 1))  # summed-area table
    total[1:, 1:] = detail.cumsum(0).cumsum(1)
    h, w = min(side, grey.shape[0]), min(side, grey.shape[1])
    energy = total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
    y, x = np.unravel_index(np.argmax(np.round(energy, 3)), energy.shape)
    return int(y), int(x)


def gain_map(case: Case, restored: np.ndarray) -> np.ndarray:
    """Where the network helped, (H, W, 3) uint8: green is nearer to the original than the input, red not."""
    clean = case.clean.astype(np.float64)
    gain = (np.abs(case.before - clean) - np.abs(restored - clean)).mean(axis=2)
    return to_uint8(np.stack([-gain * MAP_GAIN, gain * MAP_GAIN, np.zeros_like(gain)], axis=2))


def crop_picture(image: np.ndarray, y: int, x: int, side: int = CROP, zoom: int = ZOOM) -> Image.Image:
    """The crop at (y, x) of an image (H, W, C) in grey levels, each pixel `zoom` x `zoom` large."""
    part = to_pil(to_uint8(image[y : y + side, x : x + side])).convert("RGB")
    return part.resize((part.width * zoom, part.height * zoom), Image.Resampling.NEAREST)


def overview(clean: np.ndarray, y: int, x: int, side: int = CROP, zoom: int = ZOOM) -> Image.Image:
    """The whole image, as large as a magnified crop, with the crop's frame."""
    picture = to_pil(clean).convert("RGB")
    factor = side * zoom / max(picture.size)
    size = [max(1, round(n * factor)) for n in picture.size]
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    box = [round(v * factor) for v in (x, y, x + side, y + side)]
    ImageDraw.Draw(picture).rectangle(box, outline=BOX, width=2)
    return picture


class Sheet:
    """Rows of pictures of the same size with two lines of text above each.

    Args:
        title: first line, such as model and data set.
        note: second line: what the captions' figures are.
        cell: side of a picture in pixels.
    """

    def __init__(self, title: str, note: str, cell: int = CELL):
        self.title, self.note, self.cell = title, note, cell
        self.large, self.small = ImageFont.load_default(22), ImageFont.load_default(15)
        self.rows: list[list[tuple[Image.Image, str, str]]] = []

    def image(self) -> Image.Image:
        """The sheet as a picture."""
        columns, top, step = max(map(len, self.rows), default=1), 76, self.cell + CAPTION + GAP
        width = columns * (self.cell + GAP) + GAP
        sheet = Image.new("RGB", (width, top + len(self.rows) * step), PAPER)
        draw = ImageDraw.Draw(sheet)
        draw.text((GAP, 10), self.title, INK, self.large)
        draw.text((GAP, 42), self.note, INK, self.small)
        for r, row in enumerate(self.rows):
            for c, (picture, first, second) in enumerate(row):
                left, upper = GAP + c * (self.cell + GAP), top + r * step
                draw.text((left, upper), _fitted(first, self.small, self.cell), INK, self.small)
                draw.text((left, upper + 18), second, INK, self.small)
                sheet.paste(picture, (left, upper + CAPTION - 4))
        return sheet

    def save(self, path: Path) -> None:
        """Write a PNG, whole or not at all."""
        with replacing(path) as temporary:
            self.image().save(temporary, "PNG", optimize=True)


class ContactSheet(Sheet):
    """Rows of: whole original with the crop's frame, then the crop of original, input, result, and gain map.

    Args:
        title, note: see `Sheet`.
        input_label: what the input is, in a word or two.
    """

    def __init__(self, title: str, note: str, input_label: str):
        super().__init__(title, note)
        self.input_label = input_label

    def add(self, case: Case, restored: np.ndarray, score: Score) -> None:
        """Append the row of one image; only the crops are kept."""
        y, x = busiest_crop(case.clean, CROP)
        gains = crop_picture(gain_map(case, restored), y, x)
        self.rows.append(
            [
                (overview(case.clean, y, x), case.name, f"{score.width} x {score.height}"),
                (crop_picture(case.clean, y, x), "original", f"{CROP} x {CROP} pixels of it"),
                (crop_picture(case.before, y, x), self.input_label, f"{score.input_psnr_db:.2f} dB"),
                (crop_picture(restored, y, x), "restored", f"{score.psnr_db:.2f} dB ({score.gain_db:+.2f})"),
                (gains, "error: green less,", "red more than the input"),
            ]
        )


def _fitted(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """The text, its end replaced by dots if it is wider than that."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
