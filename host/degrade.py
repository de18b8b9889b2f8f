# SPDX-License-Identifier: BSD-3-Clause
"""A clean photo made bad the way the network was trained for, and PSNR as the papers measure it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from golden import IntegerNetwork

_SEED = 0  # of the noise
_DEFAULT_SIGMA, _DEFAULT_QUALITY = 25, 10  # where the network's meta does not tell


def clean_image(photo: np.ndarray, network: IntegerNetwork) -> np.ndarray:
    """Return an RGB photo with the network's channels, and sides that are multiples of its scale.

    Args:
        photo: (H, W, 3) uint8.
        network: one channel takes full-range grey, three take RGB.

    Returns:
        (H', W', channels) uint8, cut at the right and at the bottom.
    """
    height, width = (side - side % network.scale for side in photo.shape[:2])
    photo = photo[:height, :width]
    return photo if network.channels == 3 else _array(Image.fromarray(photo).convert("L"))


def degrade(clean: np.ndarray, network: IntegerNetwork) -> np.ndarray:
    """Return what the network is to restore: the clean image downscaled, noisy, or after JPEG.

    The noise is the same in every call.

    Args:
        clean: (H, W, channels) uint8; for super-resolution with sides that are multiples of the scale.
        network: its task, and sigma or quality in meta["config"], decide.

    Returns:
        (H / scale, W / scale, channels) uint8.
    """
    if network.task == "denoise":
        noise = np.random.default_rng(_SEED).standard_normal(clean.shape, dtype=np.float32)
        return np.clip(np.rint(clean + noise * np.float32(level(network))), 0, 255).astype(np.uint8)
    if network.task == "deblock":
        buffer = io.BytesIO()
        _image(clean).save(buffer, "JPEG", quality=int(level(network)))
        return _array(Image.open(buffer))
    height, width = (side // network.scale for side in clean.shape[:2])
    return _array(_image(clean).resize((width, height), Image.BICUBIC))


def degradation(network: IntegerNetwork) -> str:
    """Return in a few words what `degrade` does."""
    if network.task == "denoise":
        return f"Gaussian noise, sigma {level(network):g}"
    if network.task == "deblock":
        return f"JPEG, quality {level(network):g}"
    return f"bicubic downscaling by {network.scale}"


def level(network: IntegerNetwork) -> float:
    """Return the noise level sigma or the JPEG quality that the network is for: the middle of its range."""
    key, default = ("sigma", _DEFAULT_SIGMA) if network.task == "denoise" else ("quality", _DEFAULT_QUALITY)
    config = network.meta.get("config")
    low, high = (config if isinstance(config, dict) else {}).get(key, (default, default))
    return (low + high) / 2


def psnr(image: np.ndarray, clean: np.ndarray, network: IntegerNetwork) -> float:
    """Return the peak signal-to-noise ratio in dB, peak 255; infinite if the images are equal.

    Super-resolution: Y of BT.601, not rounded, `scale` border pixels cropped. Otherwise everything.
    """
    a, b = (_comparable(pixels, network) for pixels in (image, clean))
    error = float(np.mean((a - b) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def _comparable(pixels: np.ndarray, network: IntegerNetwork) -> np.ndarray:
    pixels = pixels.astype(np.float64)
    if network.task != "sr":
        return pixels
    if pixels.shape[2] == 3:
        pixels = pixels @ np.array([[65.481], [128.553], [24.966]]) / 255 + 16
    return pixels[network.scale : -network.scale, network.scale : -network.scale]


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _array(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels
