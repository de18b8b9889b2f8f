# SPDX-License-Identifier: BSD-3-Clause
"""PSNR and SSIM in the conventions of the papers.

Super-resolution: Y channel, not rounded, `scale` border pixels cropped. Denoising: RGB, no crop.
Deblocking: grey, full range, no crop. SSIM is Wang et al.'s (11 x 11 Gaussian, sigma 1.5), by scikit-image.
"""

from __future__ import annotations

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from quant.config import NetworkConfig


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
    """Peak signal-to-noise ratio in dB, peak 255; infinite for equal images."""
    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(a, b, data_range=255))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean structural similarity, averaged over channels; needs 11 x 11 pixels or more."""
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
