# SPDX-License-Identifier: BSD-3-Clause
"""Brevitas quantizers of this project, and the straight-through gradients that Brevitas lacks."""

from __future__ import annotations

import brevitas
import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.function_wrapper import FloorSte, Identity
from brevitas.core.quant import IntQuant
from brevitas.core.restrict_val import LogFloatRestrictValue
from brevitas.core.scaling import ParameterScaling
from brevitas.core.utils import StatelessBuffer
from brevitas.inject.enum import (
    BitWidthImplType,
    QuantType,
    RestrictValueType,
    ScalingImplType,
    ScalingPerOutputType,
    StatsOp,
)
from brevitas.quant import Int8WeightPerChannelFloat
from brevitas.quant.solver import WeightQuantSolver
from torch import Tensor, nn
from torch.autograd import Function


class _ScaledSign(Function):
    """s * sign(W) with the gradient of clamp(W, -1, 1), not multiplied by s (BBCU's code)."""

    @staticmethod
    def forward(ctx, weight: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        return torch.where(weight > 0, scale, -scale)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return grad * (weight.abs() <= 1), None


class ScaledSignQuant(brevitas.jit.ScriptModule):
    """Brevitas tensor quantizer: s * sign(W), BBCU Eq. 3; sign(0) = -1 as in Eq. 2.

    Args:
        scaling_impl: module that returns the scale s of a weight, positive, broadcastable to it. It gets
            no gradient.

    Returns:
        (dequantized weight, scale, zero point, bit width), as every Brevitas quantizer.
    """

    def __init__(self, scaling_impl: nn.Module, signed: bool = True):
        super().__init__()
        if not signed:
            raise ValueError("a binary weight is +1 or -1: signed must be True")
        self.scaling_impl = scaling_impl
        self.bit_width = BitWidthConst(1)
        self.zero_point = StatelessBuffer(torch.tensor(0.0))

    @brevitas.jit.script_method
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Quantize x, of any shape."""
        scale = self.scaling_impl(x).detach()
        return _ScaledSign.apply(x, scale), scale, self.zero_point(), self.bit_width()


class BinaryWeight(WeightQuantSolver):
    """Binary weights with the mean magnitude of each output channel as scale (XNOR-Net; BBCU Eq. 3)."""

    quant_type = QuantType.BINARY
    bit_width_impl_type = BitWidthImplType.CONST
    bit_width = 1
    signed = True
    narrow_range = True
    tensor_quant = ScaledSignQuant
    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = StatsOp.AVE
    scaling_per_output_type = ScalingPerOutputType.CHANNEL
    restrict_scaling_type = RestrictValueType.FP
    scaling_min_val = 1e-8


class Int8Weight(Int8WeightPerChannelFloat):
    """Signed 8-bit weights, -127..127, one float scale per output channel (head and tail)."""


class SignPoly(Function):
    """sign(x - center) in {-1, +1}, with the gradient (2 - 2 |x - center| / window)+ / window (BBCU Eq. 6).

    `center` lies half an LSB below an integer threshold on integer streams, so that x == center cannot
    happen there; on float streams sign(0) = -1.
    """

    @staticmethod
    def forward(ctx, x: Tensor, center: Tensor, window: float) -> Tensor:
        """x (N, C, H, W), center (1, C, 1, 1) to +-1."""
        ctx.save_for_backward(x, center)
        ctx.window = window
        return torch.where(x > center, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients of x and center; those of a pixel and of a channel's sum."""
        x, center = ctx.saved_tensors
        slope = (2 - 2 * ((x - center) / ctx.window).abs()).clamp_min(0) / ctx.window
        grad = grad * slope
        return grad, -grad.sum((0, 2, 3), keepdim=True), None


class IntegerClamp(Function):
    """x.clamp(low, high) of integers, gradient 1 inside and 0 outside.

    Same as torch.clamp; computing the gradient's mask in floats instead of booleans is what makes compiled
    CPU training fast.
    """

    @staticmethod
    def forward(ctx, x: Tensor, low: float, high: float) -> Tensor:
        """Clamp x, of any shape."""
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        """Gradient of x."""
        (x,) = ctx.saved_tensors
        inside = torch.minimum(x - (ctx.low - 1), (ctx.high + 1) - x).clamp(0, 1)
        return grad * inside, None, None


class SaturatingClamp(nn.Module):
    """`IntegerClamp` as the clamp of a Brevitas quantizer."""

    def forward(self, x: Tensor, min_val: float, max_val: float) -> Tensor:
        """Clamp integers x to min_val..max_val."""
        return IntegerClamp.apply(x, float(min_val), float(max_val))


FIXED_POINT = IntQuant(
    narrow_range=False,
    signed=True,
    input_view_impl=Identity(),
    float_to_int_impl=FloorSte(),
    tensor_clamp_impl=SaturatingClamp(),
)
"""Brevitas' integer quantizer as the contract rounds: floor (the half is in the intercepts), saturation."""


def fixed_point(x: Tensor, bits: int) -> Tensor:
    """sat_bits(floor(x)) for x in LSBs: the quantizer of the stream (12 bits) and the tail's input (8)."""
    return FIXED_POINT.to_int(1.0, 0.0, bits, x)


class LearnedStep(ParameterScaling):
    """A learned positive scale, trained as its base-2 logarithm.

    Args:
        init: initial value.
    """

    def __init__(self, init: float):
        super().__init__(init, restrict_scaling_impl=LogFloatRestrictValue())

    def forward(self) -> Tensor:
        """The scale, a scalar."""
        return super().forward(self.value)
