# SPDX-License-Identifier: BSD-3-Clause
"""Bits in words: channel c is bit c % 64 of word c // 64, and unused bits are 0."""

from __future__ import annotations

import numpy as np

WORD_BITS = 64


def pack_bytes(bits: np.ndarray) -> np.ndarray:
    """Pack the last axis: (..., C) of 0/1 -> (..., ceil(C / 8)) uint8, first channel in the lowest bit."""
    return np.packbits(bits, axis=-1, bitorder="little")


def unpack_bytes(packed: np.ndarray, channels: int) -> np.ndarray:
    """Undo `pack_bytes`: (..., ceil(channels / 8)) uint8 -> (..., channels) uint8 of 0/1."""
    return np.unpackbits(packed, axis=-1, count=channels, bitorder="little")


def pack_words(bits: np.ndarray) -> np.ndarray:
    """Pack the last axis: (..., C) of 0/1 -> (..., ceil(C / 64)) uint64."""
    packed = pack_bytes(bits)
    words = -(-bits.shape[-1] // WORD_BITS)
    padded = np.zeros((*packed.shape[:-1], words * 8), np.uint8)
    padded[..., : packed.shape[-1]] = packed
    return padded.view(np.dtype("<u8"))


_ONES_IN_BYTE = np.array([bin(value).count("1") for value in range(256)], np.uint8)


def popcount_by_table(words: np.ndarray) -> np.ndarray:
    """Count the ones in each uint64 of a contiguous array: same shape, uint8, 0..64."""
    in_bytes = _ONES_IN_BYTE[np.ascontiguousarray(words).view(np.uint8)]
    return in_bytes.reshape(*words.shape, 8).sum(axis=-1, dtype=np.uint8)


popcount = getattr(np, "bitwise_count", popcount_by_table)  # the board's NumPy 1.21 has no bitwise_count
