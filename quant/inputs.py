# SPDX-License-Identifier: BSD-3-Clause
"""What the degraded inputs themselves score: the check of an evaluator, and the floor under every network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from quant.bicubic import matlab_resize, torch_upscale
from quant.config import DEBLOCK, DENOISE, NetworkConfig
from quant.degrade import crop_to_multiple
from quant.images import read_image
from quant.metrics import comparable, psnr, rgb_to_y, ssim
from quant.scoring import compare, degradation_level, make_case

SIGMAS, QUALITIES = (15.0, 25.0, 50.0), (10, 20, 30, 40)
Figures = tuple[float, float]
"""PSNR in dB and SSIM."""


@dataclass(frozen=True)
class InputRow:
    """One kind of input: a name that says the convention, and how to score an image file."""

    name: str
    level: float | None
    figures: Callable[[Path], Figures]


def matlab_bicubic(file: Path, scale: int) -> Figures:
    """The figures that most SR papers print, 33.66 dB on Set5 x2.

    Y = round(rgb2ycbcr) comes first; it is made small and large again by MATLAB's kernel without rounding
    in between, and rounded at the end. Grey images are taken for Y as they are.
    """
    clean = crop_to_multiple(np.rint(rgb_to_y(read_image(file))), scale)
    height, width = clean.shape[:2]
    up = matlab_resize(matlab_resize(clean, height // scale, width // scale), height, width)
    up = np.clip(np.floor(up + 0.5), 0, 255)
    inner = np.s_[scale:-scale, scale:-scale]
    return psnr(up[inner], clean[inner]), ssim(up[inner], clean[inner])


def paper_bicubic(file: Path, config: NetworkConfig) -> Figures:
    """The bicubic row of the BBCU paper, 33.97 dB on Set5 x2.

    RGB made small by MATLAB and large again by torch (a = -0.75), each rounded to 8 bits; Y unrounded.
    Grey images are taken for RGB.
    """
    clean = crop_to_multiple(read_image(file, 3), config.scale)
    height, width = clean.shape[:2]
    up = torch_upscale(matlab_resize(clean, height // config.scale, width // config.scale), config.scale)
    ours, theirs = comparable(up, config), comparable(clean, config)
    return psnr(ours, theirs), ssim(ours, theirs)


def _as_networks_get_it(config: NetworkConfig, level: float | None, seed: int) -> Callable[[Path], Figures]:
    def figures(file: Path) -> Figures:
        case = make_case(file, config, level, seed)
        return compare(case.before, case.clean, config)

    return figures


def input_rows(
    task: str, scale: int = 2, sigma: float | None = None, quality: int | None = None, seed: int = 0
) -> list[InputRow]:
    """The rows for a task: bicubic in each convention, or noise or JPEG of that level, or of the papers'.

    Raises:
        ConfigError: sigma or quality is out of range or of another task.
    """
    example = {"sr": NetworkConfig(scale=scale), "denoise": DENOISE, "deblock": DEBLOCK}[task]
    degradation_level(example, sigma, quality)
    if task == "sr":
        return [
            InputRow("bicubic, MATLAB, rounded Y", None, lambda file: matlab_bicubic(file, scale)),
            InputRow("bicubic, BBCU paper, unrounded Y", None, lambda file: paper_bicubic(file, example)),
            InputRow("the same, low resolution by Pillow", None, _as_networks_get_it(example, None, seed)),
        ]
    if task == "deblock":
        levels = QUALITIES if quality is None else (quality,)
        return [InputRow(f"JPEG, quality {q}", q, _as_networks_get_it(DEBLOCK, q, seed)) for q in levels]
    levels = SIGMAS if sigma is None else (sigma,)
    kinds = (("not clipped", replace(DENOISE, mode="paper")), ("8 bits, clipped", DENOISE))
    return [
        InputRow(f"noise, sigma {s:g}, {kind}", s, _as_networks_get_it(config, s, seed))
        for s in levels
        for kind, config in kinds
    ]
