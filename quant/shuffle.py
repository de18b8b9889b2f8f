# SPDX-License-Identifier: BSD-3-Clause
"""Pixel shuffle as one opaque operator.

torch.compile would fuse the arithmetic around a shuffle into its gather, which then runs scalar on CPUs:
half the time of a training step. As an operator of its own it stays a copy.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.library.custom_op("bitmend::pixel_shuffle", mutates_args=())
def pixel_shuffle(x: Tensor, factor: int) -> Tensor:
    """F.pixel_shuffle, keeping the memory format: (N, C r^2, H, W) to (N, C, rH, rW)."""
    return F.pixel_shuffle(x, factor).contiguous(memory_format=torch.channels_last)


@torch.library.custom_op("bitmend::pixel_unshuffle", mutates_args=())
def pixel_unshuffle(x: Tensor, factor: int) -> Tensor:
    """Inverse of `pixel_shuffle`."""
    return F.pixel_unshuffle(x, factor).contiguous(memory_format=torch.channels_last)


@pixel_shuffle.register_fake
def _(x: Tensor, factor: int) -> Tensor:
    n, c, h, w = x.shape
    y = x.new_empty((n, c // factor**2, h * factor, w * factor))
    return y.contiguous(memory_format=torch.channels_last)


@pixel_unshuffle.register_fake
def _(x: Tensor, factor: int) -> Tensor:
    n, c, h, w = x.shape
    y = x.new_empty((n, c * factor**2, h // factor, w // factor))
    return y.contiguous(memory_format=torch.channels_last)


pixel_shuffle.register_autograd(
    lambda ctx, grad: (pixel_unshuffle(grad, ctx.factor), None),
    setup_context=lambda ctx, inputs, output: setattr(ctx, "factor", inputs[1]),
)
