# SPDX-License-Identifier: BSD-3-Clause
"""Which crops of which images a comparison shows: fine structures, chosen by hand on the originals.

The papers compare networks on text, stripes, faces and buildings of the benchmark images; the table has crops
of that kind. Those images are for research only. The free photos are the ones that may be published: they
come with scikit-image, in the public domain or under CC0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quant.config import NetworkConfig
from quant.images import DataError, find_data
from quant.scoring import clean_files
from quant.sheet import busiest_crop

SIDE = 64  # pixels of a crop
FREE = "free"
"""The name of the free photos where a folder of images is asked for."""
Corner = tuple[int, int]
"""Top-left corner (y, x) of a crop in the original."""

CROPS: dict[tuple[str, str], Corner] = {
    ("Set5", "butterfly"): (100, 100),
    ("Set5", "woman"): (0, 60),
    ("Set14", "barbara"): (255, 440),
    ("Set14", "comic"): (60, 80),
    ("Set14", "ppt3"): (312, 34),
    ("Set14", "zebra"): (196, 330),
    ("CBSD68", "101085"): (60, 120),
    ("CBSD68", "119082"): (100, 200),
    ("CBSD68", "148026"): (250, 90),
    ("CBSD68", "253027"): (120, 150),
    ("Classic5", "2"): (190, 270),
    ("Classic5", "3"): (180, 350),
    ("Classic5", "4"): (225, 240),
}


@dataclass(frozen=True)
class FreePhoto:
    """A photo of scikit-image that anyone may publish: its file there, its crop, and whose it is."""

    file: str
    corner: Corner
    credit: str


FREE_PHOTOS = (
    FreePhoto("astronaut.png", (326, 272), "NASA, public domain"),
    FreePhoto("rocket.jpg", (190, 160), "SpaceX, public domain"),
    FreePhoto("coffee.png", (230, 320), "Rachel Michetti, CC0"),
    FreePhoto("chelsea.png", (84, 130), "Stefan van der Walt, CC0"),
    FreePhoto("camera.png", (120, 250), "Lav Varshney, CC0"),
)
DEFAULT_SETS = {"sr": ("Set14", "Set5"), "denoise": ("CBSD68",), "deblock": ("Classic5",)}


@dataclass(frozen=True)
class Subject:
    """An image and the corner of its crop; None is the most detailed one."""

    file: Path
    corner: Corner | None

    def place(self, clean: np.ndarray, scale: int) -> Corner:
        """The corner in the clean image (H, W, C) as it is scored, a multiple of the scale, inside it."""
        y, x = busiest_crop(clean, SIDE) if self.corner is None else self.corner
        height, width = clean.shape[:2]
        y, x = (max(0, min(at, side - SIDE)) for at, side in ((y, height), (x, width)))
        return y - y % scale, x - x % scale


def free_photos(config: NetworkConfig) -> list[Subject]:
    """The free photos for a network: grey ones for a grey network, colour photos otherwise.

    Raises:
        DataError: scikit-image is not installed, or has other photos.
    """
    try:
        import skimage
    except ImportError:
        raise DataError(
            "the free photos come with scikit-image, which is not installed: pip install scikit-image, or "
            "name a folder with --data"
        ) from None
    folder = Path(skimage.__file__).parent / "data"
    kept = [p for p in FREE_PHOTOS if config.channels == 1 or p.file != "camera.png"]
    missing = [p.file for p in kept if not (folder / p.file).exists()]
    if missing:
        raise DataError(f"{folder}: has no {', '.join(missing)}; install scikit-image 0.24 or later")
    return [Subject(folder / p.file, p.corner) for p in kept]


def subjects(config: NetworkConfig, data: Sequence[str] | None, limit: int | None) -> list[Subject]:
    """The images to show, in the order of the data sets.

    Args:
        config: what the networks are.
        data: folders or names of test sets, or "free"; None is the papers' sets for this task. Of a set in
            the table the images that are there, of another folder all.
        limit: at most so many of each set.

    Raises:
        DataError: a folder that does not exist, or without images.
    """
    out: list[Subject] = []
    for name in data or DEFAULT_SETS[config.task]:
        if name == FREE:
            out += free_photos(config)[:limit]
            continue
        folder = find_data(name)
        set_name = folder.resolve().name
        files = {file.stem: file for file in clean_files(folder)}
        known = [stem for owner, stem in CROPS if owner == set_name and stem in files]
        out += [Subject(files[stem], CROPS.get((set_name, stem))) for stem in known or files][:limit]
    return out
