# SPDX-License-Identifier: BSD-3-Clause
"""How a clean image becomes the network's input: downscaling, noise, JPEG.

Images are uint8 arrays (H, W, C); one function per task, and `degrade`, which picks by configuration.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from quant.config import NetworkConfig


def to_pil(image: np.ndarray) -> Image.Image:
    """(H, W, 1 or 3) uint8 as a Pillow image of mode L or RGB."""
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def from_pil(image: Image.Image) -> np.ndarray:
    """Pillow image of mode L or RGB as (H, W, 1 or 3) uint8."""
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def crop_to_multiple(image: np.ndarray, scale: int) -> np.ndarray:
    """The top-left part whose height and width are multiples of `scale`."""
    h, w = image.shape[:2]
    return image[: h - h % scale, : w - w % scale]


def downscale(image: np.ndarray, scale: int) -> np.ndarray:
    """Antialiased bicubic (a = -0.5, MATLAB's kernel), uint8 after each pass, as Pillow does it.

    Args:
        image: (H, W, C) uint8, H and W multiples of `scale`.
    """
    h, w = image.shape[:2]
    size = (w // scale, h // scale)
    return from_pil(to_pil(image).resize(size, Image.Resampling.BICUBIC))


def noise(image: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Image plus Gaussian noise of sigma grey levels, float32, neither clipped nor rounded."""
    return image + rng.standard_normal(image.shape, dtype=np.float32) * np.float32(sigma)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Round to nearest and clip to 0..255."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Encode and decode with libjpeg at that quality; grey (H, W, 1) or RGB, uint8."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    return from_pil(Image.open(buffer))


def to_grey(image: np.ndarray) -> np.ndarray:
    """Full-range luma (ITU-R 601) of an RGB image, (H, W, 1) uint8; grey images pass."""
    return image if image.shape[2] == 1 else from_pil(Image.fromarray(image).convert("L"))


def degrade(config: NetworkConfig, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """The network's input for a clean image.

    Args:
        clean: (H, W, C) uint8; for "sr" with sides that are multiples of the scale.
        level: sigma for "denoise", quality for "deblock", ignored for "sr".
        rng: source of the noise.

    Returns:
        uint8, but float32 unclipped for denoising in paper mode. In hardware mode the noisy image is
        rounded and clipped: the accelerator's input is 8-bit pixels.
    """
    if config.task == "sr":
        return downscale(clean, config.scale)
    if config.task == "deblock":
        return jpeg(clean, int(level))
    noisy = noise(clean, level, rng)
    return noisy if config.mode == "paper" else to_uint8(noisy)
