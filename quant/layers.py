# SPDX-License-Identifier: BSD-3-Clause
"""Building blocks below the unit: binary and int8 convolutions, RPReLU, the 8-bit requantizer."""

from __future__ import annotations

import brevitas.nn as qnn
import torch
import torch.nn.functional as F
from brevitas.function.ops_ste import round_ste
from brevitas.quant.solver import WeightQuantSolver
from torch import Tensor, nn

from quant.integer_ops import TorchOps, per_channel, quantize_affine
from quant.quantizers import BinaryWeight, Int8Weight, LearnedStep, SignPoly


def _quantized(conv: qnn.QuantConv2d) -> tuple[Tensor, Tensor]:
    """(dequantized weight, scale), without the proxy, whose QuantTensor would break torch.compile."""
    value, scale, *_ = conv.weight_quant.tensor_quant(conv.weight)
    return value, scale


def scaled_kaiming(weight: Tensor, scale: float = 0.1) -> None:
    """Initialise a weight in place by kaiming_normal times `scale`, as the authors do outside the body."""
    nn.init.kaiming_normal_(weight)
    with torch.no_grad():
        weight.mul_(scale)


class BinaryConv2d(qnn.QuantConv2d):
    """3x3 convolution with weights s_c * sign(W) (BBCU Eq. 3); PyTorch's default initialisation.

    Args:
        in_channels, out_channels: C_in, C_out.
        bias: learn a bias.
        quantizer: Brevitas weight quantizer whose values are +s and -s with a scale s per output channel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool = False,
        quantizer: type[WeightQuantSolver] = BinaryWeight,
    ):
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias, weight_quant=quantizer)

    def sign_and_scale(self) -> tuple[Tensor, Tensor]:
        """(sign(W) in {-1, +1} of shape (C_out, C_in, 3, 3), s of shape (C_out,) without gradient)."""
        value, scale = _quantized(self)
        return value / scale, scale.reshape(-1)


class ScaledConv2d(nn.Module):
    """A head, tail or upsampling convolution that is float in paper mode and int8 in hardware mode.

    Args:
        in_channels, out_channels: C_in, C_out.
        int8: quantize the weights (Brevitas, per output channel).
        bias: learn a bias, in k-scaled units.
        init_scale: factor on a kaiming_normal initialisation, 0.1 in the authors' code; None keeps
            PyTorch's.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        int8: bool,
        bias: bool = True,
        init_scale: float | None = 0.1,
    ):
        super().__init__()
        args = (in_channels, out_channels, 3)
        if int8:
            self.conv = qnn.QuantConv2d(*args, padding=1, bias=False, weight_quant=Int8Weight)
        else:
            self.conv = nn.Conv2d(*args, padding=1, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        if init_scale is not None:
            scaled_kaiming(self.conv.weight, init_scale)

    def forward(self, x: Tensor) -> Tensor:
        """Float convolution, (N, C_in, H, W) to (N, C_out, H, W)."""
        return F.conv2d(x, self.conv.weight, self.bias, padding=1)

    def integer_and_scale(self) -> tuple[Tensor, Tensor]:
        """(integers -127..127 of shape (C_out, C_in, 3, 3), their scale (C_out,))."""
        value, scale = _quantized(self.conv)
        # value / scale is an integer up to rounding of the last bit: make it one.
        return round_ste(value / scale), scale.reshape(-1)

    def bias_or_zero(self) -> Tensor:
        """The bias (C_out,), zeros when there is none."""
        return self.conv.weight.new_zeros(self.conv.out_channels) if self.bias is None else self.bias


class RPReLU(nn.Module):
    """y > gamma ? y - gamma + zeta : beta (y - gamma) + zeta, per channel (BBCU Eq. 4)."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.zeta = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.full((channels,), 0.25))

    def forward(self, x: Tensor) -> Tensor:
        """Apply to (N, C, H, W)."""
        return F.prelu(x - per_channel(self.gamma), self.beta) + per_channel(self.zeta)

    def pieces(self, slope: Tensor, intercept: Tensor, unit: float):
        """RPReLU(slope * m + intercept) in LSBs as the five arguments of `quantize_affine`.

        Args:
            slope, intercept: shape (C,), slope > 0, in k-scaled units.
            unit: LSBs per k-scaled unit.
        """
        shifted = intercept - self.gamma
        return (
            slope * unit,
            (shifted + self.zeta) * unit,
            self.beta * slope * unit,
            (self.beta * shifted + self.zeta) * unit,
            -shifted / slope,
        )


class RSign(nn.Module):
    """sign(x - alpha) with one learned threshold per channel (BBCU Eq. 2)."""

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode: (N, C, H, W) in k-scaled units to +-1."""
        return SignPoly.apply(x, per_channel(self.alpha), 1.0)

    def hardware(self, ops: TorchOps, name: str, x: Tensor, unit: float, bits: int) -> Tensor:
        """Hardware mode: integer stream to +-1."""
        return ops.rsign(name, x, self.alpha * unit, unit, bits)


class Requant8(nn.Module):
    """Requantizes to signed 8 bits with a learned step, LeakyReLU folded in.

    Args:
        step: initial step, in units of the input's real value.
        negative_slope: of the LeakyReLU; 1 is no activation, 0 is ReLU.
    """

    def __init__(self, step: float, negative_slope: float = 1.0):
        super().__init__()
        self.step = LearnedStep(step)
        self.negative_slope = negative_slope

    def hardware(self, ops: TorchOps, name: str, acc: Tensor, slope: Tensor, bias: Tensor):
        """Requantize LeakyReLU(slope * acc + bias).

        Args:
            slope, bias: shape (C,), real value per unit of acc, slope > 0.

        Returns:
            (q in -128..127, real value of one step).
        """
        step = self.step()
        a, b = slope / step, bias / step
        knee = -bias / slope
        affine = quantize_affine(a, b, a * self.negative_slope, b * self.negative_slope, knee)
        return ops.requant(name, acc, affine, 8), step
