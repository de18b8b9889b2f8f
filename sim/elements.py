# SPDX-License-Identifier: BSD-3-Clause
"""Tensors to beats and back: element i of a beat is bits [i*bits, (i+1)*bits) of tdata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def pack(values: np.ndarray | Sequence[int], per_beat: int, bits: int) -> list[int]:
    """Return the beats that carry the elements of an array in C order, `per_beat` of `bits` bits each.

    Raises:
        ValueError: the number of elements is no multiple of `per_beat`, or one does not fit in `bits` bits
            (as signed if any is negative).
    """
    flat = np.asarray(values).reshape(-1).astype(object)
    if len(flat) % per_beat:
        raise ValueError(f"{len(flat)} elements do not fill beats of {per_beat}")
    low, high = (min(flat), max(flat)) if len(flat) else (0, 0)
    if high >= 1 << (bits - (low < 0)) or low < -(1 << (bits - 1)):
        raise ValueError(f"elements within {low}..{high} do not fit in {bits} bits")
    mask = (1 << bits) - 1
    beats = []
    for start in range(0, len(flat), per_beat):
        beat = 0
        for value in reversed(flat[start : start + per_beat]):
            beat = beat << bits | int(value) & mask
        beats.append(beat)
    return beats


def unpack(beats: Iterable[int], per_beat: int, bits: int, signed: bool) -> np.ndarray:
    """Return the elements of beats as a flat int64 array; the inverse of `pack`."""
    mask = (1 << bits) - 1
    flat = np.array([beat >> (bits * i) & mask for beat in beats for i in range(per_beat)], np.int64)
    if signed:
        flat -= (flat >> (bits - 1)) << bits
    return flat


def size_beat(height: int, width: int, dim_bits: int) -> int:
    """Return the beat of a size stream: {height, width}."""
    return height << dim_bits | width


def memory_lines(words: Iterable[int], bits: int) -> str:
    """Return the text of a `$readmemh` file with one word per line."""
    digits = (bits + 3) // 4
    return "".join(f"{word:0{digits}x}\n" for word in words)
