# SPDX-License-Identifier: BSD-3-Clause
"""DoReFa-Net with 1-bit weights and 1-bit activations (Zhou et al. 2016)."""

from __future__ import annotations

from torch import nn

from quant.methods.base import MethodUnit, PlainSign
from quant.quantizers import BinaryWeight
from quant.surrogates import LayerScale, SignClip, StraightSignQuant


class LayerWeight(BinaryWeight):
    """mean|W| of the whole layer times sign(W), with the identity as gradient (its Eq. 8)."""

    tensor_quant = StraightSignQuant
    scaling_impl = LayerScale


class DoReFaUnit(MethodUnit):
    """x + BN(b(x) * s sign(W)), where b = round(clamp(x, 0, 1)) is 0 or 1 (its Eq. 5 with k = 1).

    b is (sign(x - 1/2) + 1) / 2, with gradient 1 on 0..1; so on integers it is a binary convolution of +-1,
    half of it, and half the sum of the weights. The residual connection is Bi-Real's, as in the others.
    """

    weights = LayerWeight

    def signs(self, channels: int) -> nn.Module:
        """0 or 1 by the threshold 1/2."""
        return PlainSign(channels, SignClip.apply, threshold=0.5, window=0.5, gain=0.5, offset=0.5)
