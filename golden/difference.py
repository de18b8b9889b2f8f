# SPDX-License-Identifier: BSD-3-Clause
"""Where two tensors differ, in words."""

from __future__ import annotations

import numpy as np


def difference(found: np.ndarray, expected: np.ndarray) -> str:
    """Return how many values differ and which is the first, or "" if all are equal.

    Args:
        found, expected: (H, W, C) numbers, of the same shape.
    """
    wrong = np.argwhere(found != expected)
    if not len(wrong):
        return ""
    y, x, c = wrong[0]
    return (
        f"{len(wrong)} of {found.size} values differ, the first at row {y}, column {x}, channel {c}: "
        f"{found[y, x, c]:g}, expected {expected[y, x, c]:g}"
    )
