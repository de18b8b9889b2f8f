# SPDX-License-Identifier: BSD-3-Clause
"""Tiny networks and odd image files that several tests of host/ use."""

import struct
import zlib

import numpy as np
from PIL import Image

from golden.random_networks import bbcu_like
from host.restore import main

NETWORKS = {  # name: (task, scale, channels)
    "x2": ("sr", 2, 3),
    "x3": ("sr", 3, 3),
    "x4": ("sr", 4, 3),
    "x2-y": ("sr", 2, 1),
    "denoise": ("denoise", 1, 3),
    "deblock": ("deblock", 1, 1),
}
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def network(name):
    task, scale, channels = NETWORKS[name]
    result = bbcu_like(np.random.default_rng(scale), 2, 1, scale, channels)
    assert result.task == task
    return result


def pixels(height, width, channels=3, seed=0):
    """Something with smooth parts and with edges."""
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(height) * 2, np.arange(width) * 3)[..., None] + np.arange(channels) * 50
    spots = rng.integers(0, 256, (height // 5 + 1, width // 5 + 1, channels)).repeat(5, 0).repeat(5, 1)
    return ((ramp + spots[:height, :width] * 0.5) % 256).astype(np.uint8)


def picture(height, width, channels=3, seed=0):
    array = pixels(height, width, channels, seed)
    return Image.fromarray(array[..., 0] if channels == 1 else array)


def read(path):
    """The pixels of a file, (H, W, C)."""
    with Image.open(path) as image:
        array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def restore(*arguments):
    """Run the command with the NumPy engine; return its exit code."""
    return main([*map(str, arguments), "--engine", "numpy"])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_16_bits(array, colour_type):
    """(H, W, C) as a PNG with 16 bits per channel, which Pillow writes for grey only."""
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array.astype(np.uint16) * 257)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png_header(width, height):
    """The start of a PNG that claims a size and holds nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
