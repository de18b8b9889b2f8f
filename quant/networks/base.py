# SPDX-License-Identifier: BSD-3-Clause
"""What all restoration networks share: grey levels in and out, the two modes, head and tail on integers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from quant.config import NetworkConfig
from quant.integer_ops import TorchOps, quantize_affine
from quant.layers import Requant8, ScaledConv2d
from quant.methods import BinaryBody
from quant.units import Stream


def binary_body(config: NetworkConfig) -> BinaryBody:
    """The binary body that a configuration asks for."""
    return BinaryBody(
        config.width, config.depth, config.unit, config.bias, config.residual, tuple(config.broken)
    )


def head_init(config: NetworkConfig) -> float:
    """Factor on kaiming_normal for a head in front of a binary body, 0.1 in the authors' code.

    DoReFa's bits have their threshold at 1/2, which a head that small never reaches: all bits would be 0, and
    no binary weight would get a gradient.
    """
    return 1.0 if config.unit == "dorefa" else 0.1


class RestorationNetwork(nn.Module, ABC):
    """Maps images in grey levels (0..255) to images in grey levels.

    Subclasses give `features` (paper mode, in k-scaled units) and `hardware` (the integer contract).
    """

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        self.stream = Stream(config.stream_unit, config.stream_bits)
        self.compute_dtype: torch.dtype | None = None
        self.provenance: dict = {}  # how it was trained, for files and cards

    def forward(self, pixels: Tensor) -> Tensor:
        """Restore a batch.

        Args:
            pixels: (N, c, H, W) in grey levels; integers 0..255 in hardware mode.

        Returns:
            (N, c, r H, r W) in grey levels. In paper mode and in training it is neither rounded nor
            clipped; in hardware mode after `eval()` it holds integers 0..255.
        """
        if self.config.mode == "paper":
            unit, shift = self.config.k / 255, self.config.k * self.config.offset
            return (self.paper(pixels * unit - shift) + shift) / unit
        dtype = self.compute_dtype if self.training else None
        return self.hardware(TorchOps(dtype, rounded=not self.training), pixels)

    @abstractmethod
    def paper(self, x: Tensor) -> Tensor:
        """Paper mode on k-scaled input, to k-scaled output."""

    @abstractmethod
    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The network on integers, against any implementation of the operators."""

    def _int8_head(
        self,
        ops: TorchOps,
        pixels: Tensor,
        head: ScaledConv2d,
        negative_slope: float,
        mean: Tensor | None = None,
    ) -> Tensor:
        """int8 convolution of the pixels, (Leaky)ReLU, onto the stream.

        Args:
            pixels: grey levels.
            head: the convolution.
            negative_slope: of the activation behind it; 1 is none.
            mean: what is subtracted from each image channel first, in k-scaled units, shape (c,); None is
                the configuration's offset.
        """
        weight, scale = head.integer_and_scale()
        acc = ops.conv_int8("head.conv", pixels, weight)
        slope = scale * 2**self.config.stream_fraction  # a grey level is 2^f LSBs
        # The offset is subtracted from every tap; the zero padding of the pixels stays zero.
        if mean is None:
            mean = scale.new_full((self.config.channels,), self.config.offset * self.config.k)
        shift = (weight.sum((2, 3)) * mean).sum(1) * scale
        bias = (head.bias_or_zero() - shift) * self.stream.unit
        affine = quantize_affine(slope, bias, slope * negative_slope, bias * negative_slope, -bias / slope)
        return ops.requant("head.requant", acc, affine, self.stream.bits)

    def _int8_tail(
        self, ops: TorchOps, q: Tensor, step: Tensor, tail: ScaledConv2d, base: Tensor, sign: float = 1.0
    ) -> Tensor:
        """int8 convolution of q (one step is `step` k-scaled units), added to the base image."""
        weight, scale = tail.integer_and_scale()
        acc = ops.conv_int8("tail.conv", q, weight)
        grey = sign * 255 / self.config.k
        gain, bias = scale * step * grey, tail.bias_or_zero() * grey
        return ops.output("output", acc, base, self.config.scale, gain, bias)

    def _int8(self, ops: TorchOps, name: str, q: Tensor, step: Tensor, conv: ScaledConv2d):
        """int8 convolution of q: (accumulators, their unit in k-scaled units (C,), bias (C,))."""
        weight, scale = conv.integer_and_scale()
        acc = ops.conv_int8(f"{name}.conv", q, weight)
        return acc, scale * step, conv.bias_or_zero()

    def _stream_to_q(self, ops: TorchOps, name: str, x: Tensor, requant: Requant8, channels: int):
        """Stream to signed 8 bits: (q, k-scaled value of one step)."""
        slope = requant.step.value.new_full((channels,), 1 / self.stream.unit)
        return requant.hardware(ops, name, x, slope, torch.zeros_like(slope))
