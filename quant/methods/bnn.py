# SPDX-License-Identifier: BSD-3-Clause
"""BNN, the plain baseline (Hubara et al. 2016, "Binarized Neural Networks", Algorithm 1)."""

from __future__ import annotations

from torch import nn

from quant.methods.base import MethodUnit, PlainSign
from quant.quantizers import BinaryWeight
from quant.surrogates import SignClip, UnitScale


class UnitWeight(BinaryWeight):
    """sign(W), unscaled, with the gradient of clamp(W, -1, 1)."""

    scaling_impl = UnitScale


class BnnUnit(MethodUnit):
    """BN(sign(x) * sign(W)), without residual connection; both gradients are those of clamp."""

    weights = UnitWeight
    skip = False

    def signs(self, channels: int) -> nn.Module:
        """sign(x) with the gradient of clamp(x, -1, 1)."""
        return PlainSign(channels, SignClip.apply)
