# SPDX-License-Identifier: BSD-3-Clause
"""Operations, parameters and storage of a network, counted on the network that is built, part by part.

Convention of BBCU (Sec. 4.1): one multiply-accumulate of a convolution is one operation; a binary one counts
1/64, a binary parameter 1/32; biases, activations, thresholds, scales and the base image count nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from quant.config import NetworkConfig
from quant.layers import BinaryConv2d
from quant.networks import RestorationNetwork, build

PART_OF = {"head": "head", "body": "body", "up": "upsampling", "hr": "conv_hr", "tail": "tail"}
SIZE = (320, 180)


@dataclass(frozen=True)
class Count:
    """What a part of a network, or all of it, costs.

    Attributes:
        macs, binary_macs: multiply-accumulates of full-precision and of binary convolutions.
        weights, binary_weights: of these convolutions; binary_weights is also their storage in bits.
        words: everything else that a float implementation must store: full-precision weights, biases,
            alpha, the weight scale s, gamma, beta, zeta, and BN's four vectors.
    """

    macs: int = 0
    binary_macs: int = 0
    weights: int = 0
    binary_weights: int = 0
    words: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def ops(self) -> Fraction:
        """Operations as the paper counts them."""
        return self.macs + Fraction(self.binary_macs, 64)

    @property
    def params(self) -> Fraction:
        """Parameters as the paper counts them."""
        return self.weights + Fraction(self.binary_weights, 32)


@cache
def count(config: NetworkConfig, width: int = SIZE[0], height: int = SIZE[1]) -> Mapping[str, Count]:
    """Count a network by part (head, body, upsampling, conv_hr, tail) for an input of width x height pixels.

    The network is built without memory for its weights and run without arithmetic, on torch's "meta"
    device, where every convolution that it executes reports its size. A hardware network is counted as its
    float twin in paper mode, which has the same convolutions.
    """
    with torch.device("meta"), torch.no_grad():
        network = build(replace(config, mode="paper")).eval().requires_grad_(False)
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, config.channels, height, width))
    flops = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    parts = {part: Count() for part in PART_OF.values()}
    for name, module in network.named_modules():
        conv = getattr(module, "conv", None)
        if not isinstance(conv, nn.Conv2d):
            continue
        macs, weights = flops.get(f"{type(network).__name__}.{name}", 0) // 2, conv.weight.numel()
        binary = isinstance(conv, BinaryConv2d)
        parts[_part(name)] += Count(0, macs, 0, weights) if binary else Count(macs, 0, weights)
    whole = total(parts)
    if 2 * (whole.macs + whole.binary_macs) != flops["Global"]:
        raise RuntimeError("the network executes a convolution that belongs to no layer known here")
    for part, words in _words(network).items():
        parts[part] += Count(words=words)
    return MappingProxyType(parts)


def total(parts: Mapping[str, Count], names: Iterable[str] | None = None) -> Count:
    """Sum of the named parts, of all by default."""
    return sum((parts[name] for name in (parts if names is None else names)), Count())


def _part(name: str) -> str:
    return PART_OF[name.split(".")[0]]


def _words(network: RestorationNetwork) -> dict[str, int]:
    """Full-precision words to store, by part."""
    words = dict.fromkeys(PART_OF.values(), 0)
    for name, module in network.named_modules():
        if isinstance(module, BinaryConv2d):  # its latent weight becomes bits and one scale per channel
            own = module.out_channels + (0 if module.bias is None else module.bias.numel())
        else:
            own = sum(p.numel() for p in module.parameters(recurse=False))
            if isinstance(module, nn.BatchNorm2d):
                own += module.running_mean.numel() + module.running_var.numel()
        if own:
            words[_part(name)] += own
    return words
