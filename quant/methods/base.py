# SPDX-License-Identifier: BSD-3-Clause
"""What the binary baselines share: a sign without learned thresholds, and the unit around one convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from brevitas.quant.solver import WeightQuantSolver
from torch import Tensor, nn

from quant.integer_ops import TorchOps
from quant.quantizers import BinaryWeight, SignPoly
from quant.units import BinaryBranch, Stream, to_stream

SignFunction = Callable[[Tensor, Tensor, float], Tensor]
"""sign(x, center, window), as `SignPoly.apply`."""


class PlainSign(nn.Module):
    """gain * sign(x - threshold) + offset, the same fixed threshold for all channels.

    Args:
        channels: C.
        sign: the sign, with its gradient.
        threshold: in k-scaled units.
        window: length of one unit of the gradient, in k-scaled units.
        gain, offset: 1 and 0 give -1 and +1; 1/2 and 1/2 give 0 and 1.
    """

    def __init__(
        self,
        channels: int,
        sign: SignFunction = SignPoly.apply,
        threshold: float = 0.0,
        window: float = 1.0,
        gain: float = 1.0,
        offset: float = 0.0,
    ):
        super().__init__()
        self.sign, self.threshold, self.window = sign, threshold, window
        self.gain, self.offset = gain, offset
        self.register_buffer("center", torch.full((channels,), threshold), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode: (N, C, H, W) in k-scaled units to the two levels."""
        bits = self.sign(x, self.center.reshape(1, -1, 1, 1), self.window)
        return bits if self.offset == 0 else self.gain * bits + self.offset

    def hardware(self, ops: TorchOps, name: str, x: Tensor, unit: float, bits: int) -> Tensor:
        """Hardware mode: integer stream to +-1; the levels are folded in behind the convolution."""
        return ops.rsign(name, x, self.center * unit, self.window * unit, bits, self.sign)


class MethodUnit(nn.Module):
    """A body unit of a baseline: sign, binary convolution, perhaps BN, perhaps a residual connection.

    A subclass says what its method is.

    Attributes:
        weights: Brevitas quantizer of the weights.
        norm: whether a batch normalisation follows the convolution.
        skip: whether x is added.
    """

    weights: ClassVar[type[WeightQuantSolver]] = BinaryWeight
    norm: ClassVar[bool] = True
    skip: ClassVar[bool] = True

    def __init__(self, channels: int, bias: bool = False):
        super().__init__()
        self.branch = BinaryBranch(
            channels, channels, bias, self.norm, self.signs(channels), self.weights, act=False
        )

    def signs(self, channels: int) -> nn.Module:
        """The sign in front of the convolution."""
        return PlainSign(channels)

    def activate(self, u: Tensor) -> Tensor:
        """What follows the convolution and its BN, paper mode."""
        return u

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, C, H, W) to the same."""
        return self.with_skip(x, x if self.skip else None)

    def with_skip(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Paper mode with another residual connection than the method's own, or with none."""
        u = self.activate(self.branch(x))
        return u if skip is None else skip + u

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode, stream to stream: the BN is the affine of the requantizer, not of the weights."""
        m, slope, intercept = self.branch.hardware(ops, name, x, stream)
        y = self.requantize(ops, name, m, slope, intercept, stream)
        return ops.join(f"{name}.join", x, y, stream.bits) if self.skip else y

    def requantize(
        self, ops: TorchOps, name: str, m: Tensor, slope: Tensor, intercept: Tensor, stream: Stream
    ):
        """activate(slope * m + intercept) on the stream."""
        return to_stream(ops, name, m, slope, intercept, stream)
