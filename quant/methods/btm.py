# SPDX-License-Identifier: BSD-3-Clause
"""BTM (Jiang et al. 2021): a binary training mechanism that does without batch normalisation.

Four parts: Xavier-uniform weights, normalised input images, XNOR-Net's scales with higher-order gradients of
both signs, and PReLU. The input (p / 255 - mean) / std is a matter of the network:
`NetworkConfig.offset` and `k`.
"""

from __future__ import annotations

from torch import Tensor, nn

from quant.integer_ops import TorchOps, quantize_affine
from quant.methods.base import MethodUnit
from quant.units import Stream


class BtmUnit(MethodUnit):
    """x + PReLU(sign(x) * s sign(W)), one slope per channel, without BN."""

    norm = False

    def __init__(self, channels: int, bias: bool = False):
        super().__init__(channels, bias)
        nn.init.xavier_uniform_(self.branch.conv.weight)
        self.prelu = nn.PReLU(channels)

    def activate(self, u: Tensor) -> Tensor:
        """PReLU."""
        return self.prelu(u)

    def requantize(
        self, ops: TorchOps, name: str, m: Tensor, slope: Tensor, intercept: Tensor, stream: Stream
    ):
        """PReLU(slope * m + intercept) on the stream: two affine pieces, slope > 0."""
        a, b, beta = slope * stream.unit, intercept * stream.unit, self.prelu.weight
        affine = quantize_affine(a, b, a * beta, b * beta, -intercept.detach() / slope.detach())
        return ops.requant(f"{name}.requant", m, affine, stream.bits)
