# SPDX-License-Identifier: BSD-3-Clause
"""The Basic Binary Convolution Unit: versions V1..V4 and the variants H, B, U and T (BBCU Sec. 3).

Every unit computes in k-scaled floats (`forward`, paper mode) and on the integer stream (`hardware`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from brevitas.quant.solver import WeightQuantSolver
from torch import Tensor, nn

from quant.integer_ops import TorchOps, quantize_affine
from quant.layers import BinaryConv2d, RPReLU, RSign
from quant.quantizers import BinaryWeight


@dataclass(frozen=True)
class Stream:
    """The integer stream a unit works on: LSBs per k-scaled unit, and its width in bits."""

    unit: float
    bits: int = 12


class BinaryBranch(nn.Module):
    """Sign, binary convolution, and the affine part u = s m + bias (with BN folded in, if there is one).

    Args:
        in_channels, out_channels: C_in, C_out.
        bias: of the convolution.
        norm: with a batch normalisation behind the convolution.
        sign: module with `forward` and `hardware` as `RSign`, which is the default.
        quantizer: of the convolution's weights.
        act: with an RPReLU, which the unit applies where its method wants it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool,
        norm: bool = False,
        sign: nn.Module | None = None,
        quantizer: type[WeightQuantSolver] = BinaryWeight,
        act: bool = True,
    ):
        super().__init__()
        self.sign = RSign(in_channels) if sign is None else sign
        self.conv = BinaryConv2d(in_channels, out_channels, bias, quantizer)
        self.norm = nn.BatchNorm2d(out_channels) if norm else None
        self.act = RPReLU(out_channels) if act else None

    def forward(self, x: Tensor) -> Tensor:
        """u, before the activation, in k-scaled units."""
        weight, scale = self.conv.sign_and_scale()
        weight = weight * scale.reshape(-1, 1, 1, 1)
        u = F.conv2d(self.sign(x), weight, self.conv.bias, padding=1)
        return u if self.norm is None else self.norm(u)

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream):
        """(integer popcount result m, slope (C,), intercept (C,)) with u = slope m + intercept."""
        bits = self.sign.hardware(ops, f"{name}.rsign", x, stream.unit, stream.bits)
        weight, scale = self.conv.sign_and_scale()
        m = ops.conv_xnor(f"{name}.conv", bits, weight)
        bias = torch.zeros_like(scale) if self.conv.bias is None else self.conv.bias
        scale, bias = _of_levels(self.sign, weight, scale, bias)
        if self.norm is not None:
            scale, bias = self._fold_norm(m, scale, bias)
        return m, scale, bias

    def _fold_norm(self, m: Tensor, scale: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """BN(scale m + bias) as an affine function of m: batch statistics in training, running ones after."""
        norm = self.norm
        if self.training:
            mean_m = m.mean((0, 2, 3))
            mean, var = scale * mean_m + bias, scale**2 * m.var((0, 2, 3), unbiased=False)
            with torch.no_grad():
                norm.running_mean.lerp_(mean, norm.momentum)
                norm.running_var.lerp_(var, norm.momentum)
                norm.num_batches_tracked += 1
        else:
            mean, var = norm.running_mean, norm.running_var
        gain = norm.weight / torch.sqrt(var + norm.eps)
        return gain * scale, gain * (bias - mean) + norm.bias


def _of_levels(sign: nn.Module, weight: Tensor, scale: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """(slope, intercept) over the popcount result of +-1, for activations gain * (+-1) + offset.

    sum w (gain s + offset) = gain m + offset sum w; -1 as padding is gain * (-1) + offset, 0 for 0 and 1.
    """
    if getattr(sign, "offset", 0.0) == 0.0:
        return scale, bias
    return scale * sign.gain, bias + scale * sign.offset * weight.detach().sum((1, 2, 3))


class BodyUnit(nn.Module):
    """BBCU-B: one binary convolution with a residual connection, C to C channels.

    V1: RPReLU(BN(u) + x); V2 and V3: RPReLU(u + x); V4: x + RPReLU(u) (Sec. 3.1, Fig. 2). V2 and V3
    differ only in k, which acts on the network's input. V1 is ReActNet's block.
    """

    def __init__(self, channels: int, version: str = "v4", bias: bool = False):
        super().__init__()
        self.version = version
        self.branch = BinaryBranch(channels, channels, bias, norm=version == "v1")

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, C, H, W) to the same."""
        return self.with_skip(x, x)

    def with_skip(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Paper mode with another residual connection than x itself, or with none."""
        u, act = self.branch(x), self.branch.act
        if skip is None:
            return act(u)
        return skip + act(u) if self.version == "v4" else act(u + skip)

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode, stream to stream."""
        m, slope, intercept = self.branch.hardware(ops, name, x, stream)
        act = self.branch.act
        if self.version == "v4":
            y = ops.requant(f"{name}.requant", m, _rprelu(act, slope, intercept, stream), stream.bits)
            return ops.join(f"{name}.join", x, y, stream.bits)
        joined = ops.join(f"{name}.join", x, to_stream(ops, name, m, slope, intercept, stream), stream.bits)
        per_lsb = torch.full_like(slope, 1 / stream.unit)
        affine = _rprelu(act, per_lsb, torch.zeros_like(slope), stream)
        return ops.requant(f"{name}.act", joined, affine, stream.bits)


def to_stream(ops: TorchOps, name: str, m: Tensor, slope: Tensor, intercept: Tensor, stream: Stream):
    """slope * m + intercept on the stream; slopes may be negative, as those of a folded BN."""
    a, b = slope * stream.unit, intercept * stream.unit
    affine = quantize_affine(a, b, a, b, torch.zeros_like(b))
    return ops.requant(f"{name}.requant", m, affine, stream.bits)


class HeadUnit(nn.Module):
    """BBCU-H: binary head, the image channels repeated to C as the skip (Sec. 3.2)."""

    def __init__(self, image_channels: int, channels: int):
        super().__init__()
        self.channels = channels
        self.branch = BinaryBranch(image_channels, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, c, H, W) to (N, C, H, W)."""
        index = torch.arange(self.channels, device=x.device) % x.shape[1]
        return x[:, index] + self.branch.act(self.branch(x))

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode; x is the image on the stream."""
        m, slope, intercept = self.branch.hardware(ops, name, x, stream)
        affine = _rprelu(self.branch.act, slope, intercept, stream)
        y = ops.requant(f"{name}.requant", m, affine, stream.bits)
        skip = ops.repeat_channels(f"{name}.skip", x, self.channels)
        return ops.join(f"{name}.join", skip, y, stream.bits)


class UpUnit(nn.Module):
    """BBCU-U: PixelShuffle(RPReLU(BC C -> C r^2)) + nearest_up(x) (Sec. 3.2)."""

    def __init__(self, channels: int, factor: int):
        super().__init__()
        self.factor = factor
        self.branch = BinaryBranch(channels, channels * factor**2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, C, H, W) to (N, C, rH, rW)."""
        y = F.pixel_shuffle(self.branch.act(self.branch(x)), self.factor)
        return y + F.interpolate(x, scale_factor=self.factor, mode="nearest")

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode, stream to stream."""
        m, slope, intercept = self.branch.hardware(ops, name, x, stream)
        affine = _rprelu(self.branch.act, slope, intercept, stream)
        y = ops.requant(f"{name}.requant", m, affine, stream.bits)
        y = ops.pixel_shuffle(f"{name}.shuffle", y, self.factor)
        skip = ops.nearest_up(f"{name}.skip", x, self.factor)
        return ops.join(f"{name}.join", skip, y, stream.bits)


class TailUnit(nn.Module):
    """BBCU-T: binary tail; the skip is the (upsampled) input image, added by the network (Sec. 3.2)."""

    def __init__(self, channels: int, image_channels: int):
        super().__init__()
        self.branch = BinaryBranch(channels, image_channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, C, H, W) to (N, c, H, W)."""
        return self.branch.act(self.branch(x))

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream, unit: float) -> Tensor:
        """Hardware mode: the residual image, with `unit` LSBs per k-scaled unit."""
        m, slope, intercept = self.branch.hardware(ops, name, x, stream)
        affine = _rprelu(self.branch.act, slope, intercept, Stream(unit))
        return ops.requant(f"{name}.requant", m, affine, stream.bits)


def _rprelu(act: RPReLU, slope: Tensor, intercept: Tensor, stream: Stream):
    return quantize_affine(*act.pieces(slope, intercept, stream.unit))
