# SPDX-License-Identifier: BSD-3-Clause
"""IR-Net (Qin et al. 2020): balanced, standardised weights, power-of-two scales, the decaying gradient."""

from __future__ import annotations

import brevitas
import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.utils import StatelessBuffer
from torch import Tensor, nn

from quant.methods.base import MethodUnit, PlainSign
from quant.quantizers import BinaryWeight
from quant.surrogates import Decay, DecaySign


class BalancedSignQuant(brevitas.jit.ScriptModule):
    """Brevitas tensor quantizer: 2^round(log2 mean|V|) sign(V) with V = (W - mean) / std (its Eq. 6 to 8).

    Mean, standard deviation and scale are those of each output channel. The gradient flows through V by the
    error decay estimator, and is multiplied by the scale; the scale itself gets none.
    """

    def __init__(self, signed: bool = True):
        super().__init__()
        self.decay = Decay()
        self.bit_width = BitWidthConst(1)
        self.zero_point = StatelessBuffer(torch.tensor(0.0))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Quantize x (C_out, ...): (value, scale (C_out, 1, 1, 1), zero point, bit width)."""
        axes = tuple(range(1, x.dim()))
        balanced = x - x.mean(axes, keepdim=True)
        balanced = balanced / balanced.std(axes, keepdim=True).clamp_min(1e-8)
        magnitude = balanced.detach().abs().mean(axes, keepdim=True).clamp_min(1e-8)
        scale = torch.exp2(torch.round(torch.log2(magnitude)))
        sign = DecaySign.apply(balanced, torch.zeros_like(scale), 1.0, self.decay.t)
        return sign * scale, scale, self.zero_point(), self.bit_width()


class BalancedWeight(BinaryWeight):
    """IR-Net's weights as a Brevitas quantizer."""

    tensor_quant = BalancedSignQuant


class IrSign(PlainSign):
    """sign(x) with the error decay estimator."""

    def __init__(self, channels: int):
        super().__init__(channels)
        self.decay = Decay()
        self.sign = self._decaying

    def _decaying(self, x: Tensor, center: Tensor, window: float) -> Tensor:
        return DecaySign.apply(x, center, window, self.decay.t)


class IrUnit(MethodUnit):
    """x + BN(sign(x) * 2^n sign(V)); the residual connection around each convolution is Bi-Real's.

    IR-Net's own CIFAR networks have Hardtanh as activation; it would clip the image content that the
    residual connections of a restoration network carry, so there is none here.
    """

    weights = BalancedWeight

    def signs(self, channels: int) -> nn.Module:
        """sign(x) with the error decay estimator."""
        return IrSign(channels)
