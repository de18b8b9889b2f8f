# SPDX-License-Identifier: BSD-3-Clause
"""Bi-Real Net (Liu et al. 2018): a residual connection around every binary convolution."""

from __future__ import annotations

from quant.methods.base import MethodUnit


class BiRealUnit(MethodUnit):
    """x + BN(sign(x) * s sign(W)), s the mean magnitude of each output channel.

    The activation's gradient is the piecewise polynomial (its Eq. 6), the weight's that of clamp(W, -1, 1).
    """
