# SPDX-License-Identifier: BSD-3-Clause
"""Bicubic resizing as MATLAB's imresize and as torch's interpolate do it, exactly, on any number of channels.

The two differ by 0.3 dB as a baseline for super-resolution, so a printed bicubic row means nothing without
its convention. Keys' cubic has a = -0.5 in MATLAB and Pillow, and -0.75 in torch and OpenCV.
"""

from __future__ import annotations

import numpy as np

from quant.degrade import to_uint8


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    """Keys' kernel at distance x, support -2..2."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _matrix(size: int, new: int, a: float, border: str) -> np.ndarray:
    """The resize along one axis as a matrix (new, size); the kernel is widened when shrinking (antialiasing).

    Args:
        border: "symmetric" mirrors the image with its edge pixel (MATLAB), "clamp" repeats the edge (torch).
    """
    scale = new / size
    shrink = min(scale, 1.0)
    centre = (np.arange(new) + 0.5) / scale - 0.5  # of each new pixel, in old pixels
    taps = int(np.ceil(4 / shrink)) + 2
    index = np.floor(centre - 2 / shrink).astype(int)[:, None] + np.arange(taps)
    weight = _cubic(shrink * (centre[:, None] - index), a)
    weight /= weight.sum(axis=1, keepdims=True)
    if border == "clamp":
        index = np.clip(index, 0, size - 1)
    else:
        index = np.mod(index, 2 * size)
        index = np.minimum(index, 2 * size - 1 - index)
    matrix = np.zeros((new, size))
    np.add.at(matrix, (np.arange(new)[:, None], index), weight)
    return matrix


def _along_rows(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.tensordot(matrix, image, axes=(1, 0))


def _along_columns(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.tensordot(image, matrix, axes=(1, 1)).transpose(0, 2, 1)


def _half_up(image: np.ndarray) -> np.ndarray:
    """Round and clip to 0..255 as MATLAB does: halves away from zero."""
    return np.clip(np.floor(image + 0.5), 0, 255)


def matlab_resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """MATLAB's imresize(image, [height width], 'bicubic').

    Args:
        image: (H, W, C). uint8 gives uint8, rounded after each of the two passes (rows first), as MATLAB
            does; any other type is computed and returned in float64.
    """
    eight_bit = image.dtype == np.uint8
    image = _along_rows(image.astype(np.float64), _matrix(image.shape[0], height, -0.5, "symmetric"))
    image = _along_columns(
        _half_up(image) if eight_bit else image, _matrix(image.shape[1], width, -0.5, "symmetric")
    )
    return _half_up(image).astype(np.uint8) if eight_bit else image


def torch_upscale(image: np.ndarray, scale: int) -> np.ndarray:
    """torch.nn.functional.interpolate(mode="bicubic", align_corners=False), rounded to 8 bits.

    Args:
        image: (h, w, C) uint8.

    Returns:
        (h * scale, w * scale, C) uint8: the bicubic baseline of the BBCU paper.
    """
    h, w = image.shape[:2]
    rows = _along_rows(image.astype(np.float64), _matrix(h, h * scale, -0.75, "clamp"))
    return to_uint8(_along_columns(rows, _matrix(w, w * scale, -0.75, "clamp")))
