# SPDX-License-Identifier: BSD-3-Clause
"""PSNR and SSIM in the conventions of the papers.

Super-resolution: Y channel, not rounded, `scale` border pixels cropped. Denoising: RGB, no crop.
Deblocking: grey, full range, no crop. SSIM is Wang et al.'s (11 x 11 Gaussian, sigma 1.5), by scikit-image.
"""

from __future__ import annotations

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from quant.config import NetworkConfig

SSIM_WINDOW = 11


def rgb_to_y(image: np.ndarray) -> np.ndarray:
    """BT.601 luma of RGB in 0..255, 16..235, float64, (H, W, 3) to (H, W, 1); grey images pass as float64."""
    image = image.astype(np.float64)
    if image.shape[2] == 1:
        return image
    return (image @ np.array([[65.481], [128.553], [24.966]])) / 255 + 16


def comparable(image: np.ndarray, config: NetworkConfig) -> np.ndarray:
    """What the metric of the network's task looks at, float64 (H, W, C)."""
    if config.task != "sr":
        return image.astype(np.float64)
    r = config.scale
    return rgb_to_y(image)[r:-r, r:-r]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, peak 255; infinite for equal images.

    Raises:
        ValueError: the shapes differ.
    """
    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(a, b, data_range=255))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean structural similarity of (H, W, C) images in 0..255, averaged over channels.

    Windows that reach over the border are left out, as in Wang et al.'s MATLAB code.

    Raises:
        ValueError: the shapes differ, or a side is shorter than the window of 11 pixels.
    """
    if min(a.shape[:2]) < SSIM_WINDOW:
        raise ValueError(f"SSIM needs {SSIM_WINDOW} x {SSIM_WINDOW} pixels, got {a.shape[1]} x {a.shape[0]}")
    return float(
        structural_similarity(
            a,
            b,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
