# SPDX-License-Identifier: BSD-3-Clause
"""One test image: what the network gets to see, and the image's scores before and after the network."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quant.bicubic import torch_upscale
from quant.config import ConfigError, NetworkConfig
from quant.degrade import crop_to_multiple, degrade
from quant.images import DataError, image_files, read_image
from quant.metrics import SSIM_WINDOW, comparable, psnr, ssim

TEST_SETS = {"sr": "Set5", "denoise": "CBSD68", "deblock": "Classic5"}
"""What a network is measured on unless something else is asked for, by task."""
REPORTED_SETS = {"sr": ("Set5", "Set14"), "denoise": ("CBSD68",), "deblock": ("Classic5",)}
"""What cards and zoos report."""
DEFAULT_SIGMA, DEFAULT_QUALITY = 25.0, 10


@dataclass(frozen=True)
class Case:
    """A test image and its degradation.

    Attributes:
        name: file name.
        clean: (H, W, C) uint8, cropped to a multiple of the scale.
        low: the network's input, (H / r, W / r, C); uint8, or float32 noise in paper mode.
        before: the input at full size, (H, W, C): bicubic for super-resolution, else `low` itself.
    """

    name: str
    clean: np.ndarray
    low: np.ndarray
    before: np.ndarray


@dataclass(frozen=True)
class Score:
    """Figures of one image, or their means; PSNR in dB."""

    name: str
    width: int
    height: int
    psnr_db: float
    ssim: float
    input_psnr_db: float
    input_ssim: float

    @property
    def gain_db(self) -> float:
        """What the network adds to the input's PSNR; 0 where both are perfect."""
        return 0.0 if self.psnr_db == self.input_psnr_db else self.psnr_db - self.input_psnr_db


def clean_files(folder: Path, limit: int | None = None) -> list[Path]:
    """Images that lie in the folder itself, sorted by name, at most `limit` of them.

    Raises:
        DataError: there is none; subfolders that have images are named.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of clean images")
    files = image_files(folder)
    here = [p for p in files if p.parent == folder]
    if not here:
        below = sorted({p.relative_to(folder).parts[0] for p in files})
        hint = f"; give one of its subfolders: {', '.join(below)}" if below else ""
        raise DataError(f"{folder}: no images in this folder{hint}")
    return here[:limit]


def noise_source(name: str, seed: int) -> np.random.Generator:
    """The noise of an image: it depends on the seed and the file name without suffix, on nothing else."""
    return np.random.default_rng((seed, zlib.crc32(Path(name).stem.encode())))


def degradation_level(config: NetworkConfig, sigma: float | None, quality: int | None) -> float | None:
    """Noise sigma or JPEG quality to test at: the flag, else the level trained for, else 25 or 10.

    Returns:
        sigma for "denoise", quality for "deblock", None for "sr".

    Raises:
        ConfigError: the flag is out of range or of another task.
    """
    for flag, value, task in (("--sigma", sigma, "denoise"), ("--quality", quality, "deblock")):
        if value is not None and config.task != task:
            raise ConfigError(f"{flag} {value:g}: only for task {task!r}, this network's is {config.task!r}")
    if sigma is not None and not 0 < sigma < math.inf:
        raise ConfigError(f"--sigma {sigma:g}: expected a noise level above 0, in grey levels")
    if quality is not None and not 1 <= quality <= 100:
        raise ConfigError(f"--quality {quality}: expected 1..100")
    if config.task == "sr":
        return None
    trained, flag, default = (
        (config.sigma, sigma, DEFAULT_SIGMA)
        if config.task == "denoise"
        else (config.quality, quality, DEFAULT_QUALITY)
    )
    if flag is not None:
        return flag
    return trained[0] if trained[0] == trained[1] else default


def make_case(file: Path, config: NetworkConfig, level: float | None, seed: int) -> Case:
    """Read a clean image as the network's task wants it, and degrade it.

    An RGB network gets grey images as RGB, a grey one gets the full-range luma of RGB images.

    Raises:
        DataError: not an image, or smaller than the metric's window.
    """
    try:
        clean = crop_to_multiple(read_image(file, config.channels), config.scale)
    except OSError as error:
        raise DataError(f"{file}: not a readable image ({error})") from None
    border = config.scale if config.task == "sr" else 0
    if min(clean.shape[:2]) < SSIM_WINDOW + 2 * border:
        need = SSIM_WINDOW + 2 * border
        raise DataError(f"{file}: {clean.shape[1]} x {clean.shape[0]} pixels, SSIM needs {need} x {need}")
    low = degrade(config, clean, level or 0, noise_source(file.name, seed))
    before = torch_upscale(low, config.scale) if config.task == "sr" else low
    return Case(file.name, clean, low, before)


def compare(image: np.ndarray, clean: np.ndarray, config: NetworkConfig) -> tuple[float, float]:
    """(PSNR in dB, SSIM) in the convention of the network's task."""
    ours, theirs = comparable(image, config), comparable(clean, config)
    return psnr(ours, theirs), ssim(ours, theirs)


def score(case: Case, restored: np.ndarray, config: NetworkConfig) -> Score:
    """Compare input and restored image with the clean one."""
    height, width = case.clean.shape[:2]
    after = compare(restored, case.clean, config)
    return Score(case.name, width, height, *after, *compare(case.before, case.clean, config))


def mean_score(scores: Sequence[Score]) -> Score:
    """Means over images, each counting the same; its name is "mean", its size 0 x 0."""
    fields = ("psnr_db", "ssim", "input_psnr_db", "input_ssim")
    return Score("mean", 0, 0, *(sum(getattr(s, f) for s in scores) / len(scores) for f in fields))


def convention(config: NetworkConfig) -> str:
    """What PSNR and SSIM are computed on."""
    if config.task == "sr":
        return f"Y (BT.601, 16..235, not rounded), {config.scale} border pixels cropped"
    return f"{'RGB' if config.channels == 3 else 'grey'}, 0..255, no crop"


def input_name(config: NetworkConfig, level: float | None) -> str:
    """What the column `input` holds."""
    if config.task == "sr":
        return "bicubic as in the BBCU paper (torch, a = -0.75, rounded to 8 bits)"
    if config.task == "deblock":
        return f"JPEG, quality {level:g}"
    clipped = "neither clipped nor rounded" if config.mode == "paper" else "rounded and clipped to 8 bits"
    return f"noise of sigma {level:g}, {clipped}"
