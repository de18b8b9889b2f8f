# SPDX-License-Identifier: BSD-3-Clause
"""The stages of the demo. Each works on the same photo and adds rows to the table, sections to the page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from golden import IntegerNetwork
from host.backend import Backend
from host.degrade import psnr
from host.demo_page import Picture, Row, Section, gallery, slider
from host.demo_photo import Part
from host.jobs import Job
from host.labels import beside, label_strip, panel_width
from host.pipeline import restore_image
from host.progress import TileBar
from host.source import open_source

_MAGNIFIED = 4
_LABEL_HEIGHT = 18


@dataclass
class Demo:
    """What the stages share, and what they have to report.

    Attributes:
        out: the folder of all pictures; input.png, the degraded photo, is there.
        network: what restores.
        clean: the photo in the network's channels, (H, W, C) uint8.
        degraded: the network's input, (H / scale, W / scale, C) uint8.
        parts: of the photo, to be magnified.
        rows: of the table of results; stages append. The first one is what gains are measured from.
        sections: of the page; stages append.
        facts: of the last table of the page; stages add.
    """

    out: Path
    network: IntegerNetwork
    clean: np.ndarray
    degraded: np.ndarray
    parts: list[Part]
    rows: list[Row] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def measure(self, method: str, pixels: np.ndarray, seconds: float | None = None, note: str = "") -> Row:
        """Add a row to the table of results, and return it."""
        self.rows.append(Row(method, psnr(pixels, self.clean, self.network), seconds, note))
        return self.rows[-1]


def baseline_stage(demo: Demo) -> Picture:
    """Measure what one has without a network: bicubic upsampling, or the degraded photo itself."""
    if demo.network.scale == 1:
        picture = Picture("input", demo.degraded)
    else:
        height, width = demo.clean.shape[:2]
        planes = [Image.fromarray(plane) for plane in np.moveaxis(demo.degraded, 2, 0)]
        planes = [np.asarray(plane.resize((width, height), Image.BICUBIC)) for plane in planes]
        picture = Picture("bicubic", np.stack(planes, axis=-1))
        save(demo.out / "bicubic.png", picture.pixels)
    demo.measure(picture.caption, picture.pixels)
    return picture


def golden_stage(demo: Demo, backend: Backend, baseline: Picture) -> Row:
    """Restore the photo with the golden model, through the code of restore.py; show it, return its row."""
    for _ in backend.restore_bands(np.zeros((8, 8, demo.network.channels), np.uint8)):
        pass  # a compiling engine compiles now, before the clock starts
    job = Job(demo.out / "input.png", demo.out / "restored.png", demo.out / "compare.png")
    with TileBar("restoring") as bar:
        start = time.perf_counter()
        restore_image(open_source(job.source), job, backend, overwrite=True, progress=bar)
        seconds = time.perf_counter() - start
    result = Picture("bitmend", _pixels(job.result))
    row = demo.measure(result.caption, result.pixels, seconds, backend.description)
    original = Picture("original", demo.clean)
    given = [] if baseline.caption == "input" else [Picture("input", demo.degraded)]
    demo.sections.append(Section("Before and after", slider([baseline, *given, original], result)))
    _show_parts(demo, [*given, baseline, result, original])
    return row


def _show_parts(demo: Demo, pictures: Sequence[Picture]) -> None:
    """Add the magnified parts to the page, and write them as parts.png."""
    rows = [(part.name, [_cut(picture, part, demo) for picture in pictures]) for part in demo.parts]
    demo.sections.append(Section("A closer look", gallery(rows)))
    side = demo.parts[0].side * _MAGNIFIED
    strip = label_strip([picture.caption for picture in pictures], side, _LABEL_HEIGHT)
    panel = panel_width(strip, len(pictures))
    bands = [beside([_magnified(cut.pixels, side) for cut in cuts], panel) for _, cuts in rows]
    save(demo.out / "parts.png", np.concatenate((strip, *bands)))


def _cut(picture: Picture, part: Part, demo: Demo) -> Picture:
    """Return the part of a picture, which may have the size of the input or that of the result."""
    factor = len(demo.clean) // len(picture.pixels)
    y, x, side = (value // factor for value in part[1:])
    return Picture(picture.caption, picture.pixels[y : y + side, x : x + side])


def _magnified(pixels: np.ndarray, side: int) -> np.ndarray:
    factor = side // len(pixels)
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def save(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 1 or 3) uint8 as a PNG file."""
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels
