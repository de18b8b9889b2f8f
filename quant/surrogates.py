# SPDX-License-Identifier: BSD-3-Clause
"""Signs and signed weights of the binary baselines, each with the gradient that its paper defines.

All signs are +1 above `center`, -1 at and below it, and have the signature of `quantizers.SignPoly`:
apply(x, center, window), where the window is the length of one unit of the paper on x.
"""

from __future__ import annotations

import brevitas
import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.utils import StatelessBuffer
from torch import Tensor, nn
from torch.autograd import Function

T_MIN, T_MAX = 0.1, 10.0  # of the error decay estimator, as in IR-Net's published code


class SignClip(Function):
    """sign(x - center) with the gradient of clamp: 1 / window where |x - center| <= window, else 0.

    BNN (Hubara et al. 2016, Eq. 4) with a window of one unit. DoReFa-Net's 1-bit activation b = 1 where
    x > 1/2 is (sign + 1) / 2 with centre and window 1/2: its gradient is 1 on 0..1 (Zhou et al. 2016, Eq. 5).
    """

    @staticmethod
    def forward(ctx, x: Tensor, center: Tensor, window: float) -> Tensor:
        """x (N, C, H, W), center (1, C, 1, 1) to +-1."""
        ctx.save_for_backward(x, center)
        ctx.window = window
        return torch.where(x > center, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients of x and center."""
        x, center = ctx.saved_tensors
        inside = ((x - center).abs() <= ctx.window).to(grad.dtype)
        grad = grad * inside / ctx.window
        return grad, -grad.sum((0, 2, 3), keepdim=True), None


class DecaySign(Function):
    """sign(x - center) with IR-Net's error decay estimator: k t (1 - tanh(t x)^2), k = max(1 / t, 1).

    t is a scalar tensor, so that a compiled graph does not depend on its value (Qin et al. 2020, Eq. 11).
    """

    @staticmethod
    def forward(ctx, x: Tensor, center: Tensor, window: float, t: Tensor) -> Tensor:
        """x, of any shape, to +-1; center is broadcastable to x."""
        ctx.save_for_backward(x, center, t)
        ctx.window = window
        return torch.where(x > center, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None, None]:
        """Gradient of x."""
        x, center, t = ctx.saved_tensors
        k = torch.clamp(1 / t, min=1.0)
        slope = k * t * (1 - torch.tanh(t * (x - center) / ctx.window) ** 2)
        return grad * slope / ctx.window, None, None, None


class Decay(nn.Module):
    """The t of the error decay estimator: T_MIN * (T_MAX / T_MIN)^progress, progress in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("t", torch.tensor(T_MIN), persistent=False)

    def set_progress(self, fraction: float) -> None:
        """Tell how much of the training is done."""
        self.t.fill_(T_MIN * (T_MAX / T_MIN) ** fraction)


class _StraightSign(Function):
    """s sign(W) with the identity as gradient, neither clipped nor multiplied by s."""

    @staticmethod
    def forward(ctx, weight: Tensor, scale: Tensor) -> Tensor:
        return torch.where(weight > 0, scale, -scale)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return grad, None


class StraightSignQuant(brevitas.jit.ScriptModule):
    """Brevitas tensor quantizer: s sign(W) with the identity as gradient (DoReFa-Net Eq. 8, E2FIF).

    Args:
        scaling_impl: module that returns the scale s of a weight; it gets no gradient.
    """

    def __init__(self, scaling_impl: nn.Module, signed: bool = True):
        super().__init__()
        self.scaling_impl = scaling_impl
        self.bit_width = BitWidthConst(1)
        self.zero_point = StatelessBuffer(torch.tensor(0.0))

    @brevitas.jit.script_method
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Quantize x, of any shape: (value, scale, zero point, bit width)."""
        scale = self.scaling_impl(x).detach()
        return _StraightSign.apply(x, scale), scale, self.zero_point(), self.bit_width()


class UnitScale(nn.Module):
    """Scale 1 for every output channel: weights that are just +1 and -1."""

    words = 0  # to store

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """(C_out, ...) to ones of shape (C_out, 1, 1, 1)."""
        return torch.ones_like(x[:, :1, :1, :1])


class LayerScale(nn.Module):
    """Mean magnitude of all weights of the layer (DoReFa-Net Eq. 8), at least 1e-8."""

    words = 1  # to store

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """(C_out, ...) to (C_out, 1, 1, 1), all equal."""
        return x.abs().mean().clamp_min(1e-8) * torch.ones_like(x[:, :1, :1, :1])
