# SPDX-License-Identifier: BSD-3-Clause
"""BAM, the bit-accumulation mechanism (Xin et al. 2020): each layer binarizes a sum over all layers so far.

Layer n has activations A_n and weights W_n:

    bits     sign(BN(sum over i <= n of beta_i A_i))
    weights  E|W_n| sign(BN(sum over i <= n of alpha_i W_i))
    scale    sum over i <= n of beta_i K_i, with K_i (1, H, W) the mean of |A_i| over channels

and the convolution of the bits with the weights is multiplied by the scale, pixel by pixel. The residual
connection is that of the backbone. BBCU prints for BAM 1.97 G operations and 1 K parameters more than for the
others, which fits: 32 layers have 1 + 2 + ... + 32 = 528 terms, each of 64 + 1 channels,
528 * 65 * 320 * 180 = 1.9768 G, and 528 alphas and 528 betas.

The sums need every earlier activation again, and the scale multiplies each popcount result by a value that
depends on the pixel: there is no operator for either, so BAM has no hardware mode.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quant.layers import BinaryConv2d
from quant.methods.base import PlainSign
from quant.surrogates import SignClip


class Coefficients(nn.Module):
    """alpha_1..alpha_n, 0 but the last, which is 1: training starts from the layer's own weights."""

    counted = True  # the paper counts these parameters

    def __init__(self, n: int):
        super().__init__()
        self.weight = nn.Parameter(_last_one(n))

    def forward(self, tensors: list[Tensor]) -> Tensor:
        """Weighted sum of n tensors of one shape."""
        return sum(c * t for c, t in zip(self.weight, tensors, strict=True))


class Accumulation(nn.Linear):
    """beta_1..beta_n as a layer, so that its multiply-accumulates are counted."""

    def __init__(self, n: int):
        super().__init__(n, 1, bias=False)
        with torch.no_grad():
            self.weight.copy_(_last_one(n))

    def forward(self, tensors: list[Tensor]) -> Tensor:
        """Weighted sum of n tensors of one shape."""
        return F.linear(torch.stack(tensors, -1), self.weight)[..., 0]


def _last_one(n: int) -> Tensor:
    return torch.cat([torch.zeros(n - 1), torch.ones(1)])


class BamUnit(nn.Module):
    """Layer n of a body; it gets the inputs and the weights of layers 1..n."""

    def __init__(self, channels: int, index: int, bias: bool = False):
        super().__init__()
        self.beta = Accumulation(index)
        self.sign = PlainSign(channels, SignClip.apply)
        self.norm = nn.BatchNorm2d(channels)
        self.branch = _Convolution(channels, index, bias)

    def forward(self, activations: list[Tensor], weights: list[Tensor]) -> Tensor:
        """x + binary convolution, where x is the last of the activations, each (N, C, H, W)."""
        bits = self.sign(self.norm(self.beta(activations)))
        scale = self.beta([a.abs().mean(1, keepdim=True) for a in activations])
        return activations[-1] + self.branch(bits, weights) * scale


class _Convolution(nn.Module):
    """Convolution with E|W_n| sign(BN(sum alpha_i W_i)); BN of a weight has no parameters."""

    def __init__(self, channels: int, index: int, bias: bool):
        super().__init__()
        self.alpha = Coefficients(index)
        self.conv = BinaryConv2d(channels, channels, bias)

    def forward(self, bits: Tensor, weights: list[Tensor]) -> Tensor:
        """(N, C, H, W) of +-1 to (N, C, H, W)."""
        mixed = self.alpha(weights)
        axes = (1, 2, 3)
        mixed = (mixed - mixed.mean(axes, keepdim=True)) / mixed.std(axes, keepdim=True).clamp_min(1e-8)
        sign = SignClip.apply(mixed, torch.zeros_like(mixed[:1, :1, :1, :1]), 1.0)
        scale = weights[-1].detach().abs().mean(axes, keepdim=True)
        return F.conv2d(bits, sign * scale, self.conv.bias, padding=1)
