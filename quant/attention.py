# SPDX-License-Identifier: BSD-3-Clause
"""Attention for binary blocks: factors between 0 and 1 that depend on the image, in floats and on integers.

`SqueezeExcite`, `SpatialAttention` and `PixelAttention` multiply a tensor by factors made of itself
("Efficient Image Super Resolution Using Attention in Binary Neural Networks", Fig. 1). EBSR's modules, in
`quant.networks.ebsr`, are made of the same parts: `PointConv2d`, `Squeeze`, `gated`.
"""

from __future__ import annotations

import brevitas.nn as qnn
import torch
import torch.nn.functional as F
from brevitas.function.ops_ste import round_ste
from torch import Tensor, nn

from quant.integer_ops import TorchOps, quantize_affine
from quant.layers import Requant8
from quant.quantizers import Int8Weight, SignPoly
from quant.units import Stream

ATTENTIONS = ("none", "se", "spatial", "pixel")
INDEX_BITS, INDEX_FRACTION = 10, 6
"""The sigmoid's table is read in steps of 2^-6 over -8..8; outside it keeps its last value."""
FACTOR_BITS = 12
WIDEST = 16
"""Bits of the means, and of what waits for its last factor: they have all the fraction bits that a stream may
have more than the residual stream."""
REDUCTION = 16
Q_STEP = 0.125  # initial step of the 8-bit tensors, in k-scaled units

Sums = tuple[Tensor, Tensor, Tensor]
"""(acc, slope, bias) of real values slope * acc + bias, per channel."""


def squeezed(channels: int) -> int:
    """Channels between the two fully connected layers."""
    return max(1, channels // REDUCTION)


def scaled_sign(x: Tensor, center: Tensor, window: Tensor) -> Tensor:
    """sign(x - center) whose gradient also reaches the window.

    Times the window, it is EBSR's a sign((x - beta) / a) with the gradients of its Eq. 3 and 4. `center` may
    differ between the images of a batch.
    """
    return SignPoly.apply((x - center) / window, torch.zeros_like(center[:1]), 1.0)


class PointConv2d(nn.Module):
    """1x1 convolution, or a fully connected layer on (N, C, 1, 1): float or, in hardware mode, int8."""

    def __init__(self, in_channels: int, out_channels: int, int8: bool):
        super().__init__()
        make, quantizer = (qnn.QuantConv2d, {"weight_quant": Int8Weight}) if int8 else (nn.Conv2d, {})
        self.conv = make(in_channels, out_channels, 1, bias=False, **quantizer)
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Float, (N, C_in, H, W) to (N, C_out, H, W)."""
        return F.conv2d(x, self.conv.weight, self.bias)

    def hardware(self, ops: TorchOps, name: str, q: Tensor, step: Tensor, rows: slice = slice(None)) -> Sums:
        """The convolution of integers q, whose step is `step`; of some output channels, if `rows` says so."""
        value, scale, *_ = self.conv.weight_quant.tensor_quant(self.conv.weight)
        weight = round_ste(value / scale)[rows, :, 0, 0]
        return ops.conv_point(name, q, weight), scale.reshape(-1)[rows] * step, self.bias[rows]


class Pool(nn.Module):
    """Mean of each channel over the image, and the running mean that the streaming form begins with."""

    MOMENTUM = 0.01

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("running", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, 1, 1) in the units of x."""
        mean = x.mean((2, 3), keepdim=True)
        self._follow(mean)
        return mean

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """The mean in LSBs of the stream times 2^(WIDEST - bits of the stream)."""
        if self.training and isinstance(x, Tensor):
            self._follow(x.mean((2, 3), keepdim=True) / stream.unit)
        return ops.global_mean(name, x, self.running * stream.unit, WIDEST - stream.bits, WIDEST)

    def _follow(self, mean: Tensor) -> None:
        if self.training:
            with torch.no_grad():
                self.running.lerp_(mean.mean((0, 2, 3)), self.MOMENTUM)


class Squeeze(nn.Module):
    """Pool, fully connected, ReLU: what all factors of one image are made of."""

    def __init__(self, channels: int, int8: bool):
        super().__init__()
        self.channels = channels
        self.pool = Pool(channels)
        self.reduce = PointConv2d(channels, squeezed(channels), int8)
        if int8:
            self.to_reduce, self.to_expand = Requant8(Q_STEP), Requant8(Q_STEP, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C / 16, 1, 1)."""
        return F.relu(self.reduce(self.pool(x)))

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream):
        """(8-bit integers (N, C / 16, 1, 1), their step)."""
        mean = self.pool.hardware(ops, f"{name}.mean", x, stream)
        slope = self.reduce.bias.new_full((self.channels,), 2.0 ** (stream.bits - WIDEST) / stream.unit)
        q, step = self.to_reduce.hardware(ops, f"{name}.mean.requant", mean, slope, torch.zeros_like(slope))
        acc, slope, bias = self.reduce.hardware(ops, f"{name}.reduce", q, step)
        return self.to_expand.hardware(ops, f"{name}.reduce.requant", acc, slope, bias)


def sigmoid_table(scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The table of scale * sigmoid(index / 2^INDEX_FRACTION).

    Args:
        scale: scalar tensor of any sign; gets a gradient.

    Returns:
        (integer entries of FACTOR_BITS bits (2^INDEX_BITS,), their slopes per step of the index (the same
        shape), fraction bits of the entries, a scalar tensor).
    """
    half = 1 << (INDEX_BITS - 1)
    index = torch.arange(-half, half, dtype=scale.dtype, device=scale.device)
    sigmoid = torch.sigmoid(index / 2**INDEX_FRACTION)
    limit = 2.0 ** (FACTOR_BITS - 1)
    fraction = torch.floor(torch.log2(limit / scale.detach().abs().clamp_min(1e-6))).clamp(0, 14)
    unit = torch.exp2(fraction)
    entries = round_ste(scale * sigmoid * unit).clamp(-limit, limit - 1)
    slopes = scale.detach() * unit * sigmoid * (1 - sigmoid) / 2**INDEX_FRACTION
    return entries, slopes, fraction


def factors(ops: TorchOps, name: str, sums: Sums, scale: Tensor):
    """scale * sigmoid(slope * acc + bias) as (integers of FACTOR_BITS bits, their fraction bits).

    For a scale of 1 the error is below 2^-9 + 2^-12. The index is off by at most half a step of 2^-6, where
    the slope is at most 1/4; an entry by half of 2^-11, or by 2^-11 where the sigmoid is nearly 1.
    """
    acc, slope, bias = sums
    a, b = slope * 2**INDEX_FRACTION, bias * 2**INDEX_FRACTION
    affine = quantize_affine(a, b, a, b, torch.zeros_like(b))
    index = ops.requant(f"{name}.index", acc, affine, INDEX_BITS)
    entries, slopes, fraction = sigmoid_table(scale)
    return ops.table(f"{name}.sigmoid", index, entries, slopes, FACTOR_BITS), fraction


def gated(ops: TorchOps, name: str, x: Tensor, sums: Sums, scale: Tensor, bits: int) -> Tensor:
    """x times these factors, a stream of `bits` bits."""
    values, fraction = factors(ops, name, sums, scale)
    return ops.multiply(name, x, values, fraction, bits)


class SqueezeExcite(nn.Module):
    """x * sigmoid(FC(ReLU(FC(mean of x)))): one factor per channel (Fig. 1a)."""

    def __init__(self, channels: int, int8: bool):
        super().__init__()
        self.squeeze = Squeeze(channels, int8)
        self.expand = PointConv2d(squeezed(channels), channels, int8)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return x * torch.sigmoid(self.expand(self.squeeze(x)))

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream, scale: Tensor) -> Tensor:
        """scale * attention(x), stream to stream."""
        q, step = self.squeeze.hardware(ops, name, x, stream)
        sums = self.expand.hardware(ops, f"{name}.expand", q, step)
        return gated(ops, name, x, sums, scale, stream.bits)


class PixelAttention(nn.Module):
    """x * sigmoid(1x1 convolution of x): one factor per channel and pixel (Fig. 1c).

    Args:
        channels: C.
        int8: on integers, in hardware mode.
        maps: channels of the factors; 1 is `SpatialAttention`.
    """

    def __init__(self, channels: int, int8: bool, maps: int | None = None):
        super().__init__()
        self.channels = channels
        self.map = PointConv2d(channels, maps or channels, int8)
        self.to_map = Requant8(Q_STEP) if int8 else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return x * torch.sigmoid(self.map(x))

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream, scale: Tensor) -> Tensor:
        """scale * attention(x), stream to stream."""
        slope = self.map.bias.new_full((self.channels,), 1 / stream.unit)
        q, step = self.to_map.hardware(ops, f"{name}.requant", x, slope, torch.zeros_like(slope))
        sums = self.map.hardware(ops, f"{name}.map", q, step)
        return gated(ops, name, x, sums, scale, stream.bits)


class SpatialAttention(PixelAttention):
    """x * sigmoid(1x1 convolution of x to one channel): one factor per pixel (Fig. 1b)."""

    def __init__(self, channels: int, int8: bool):
        super().__init__(channels, int8, maps=1)


_KINDS = {"se": SqueezeExcite, "spatial": SpatialAttention, "pixel": PixelAttention}


def attention(kind: str, channels: int, int8: bool) -> nn.Module | None:
    """The module of a kind of ATTENTIONS, None for "none"."""
    return None if kind == "none" else _KINDS[kind](channels, int8)
