# SPDX-License-Identifier: BSD-3-Clause
"""Random networks with attention in the block, or of the structure of EBSR: see `golden.random_networks`."""

from __future__ import annotations

import numpy as np

from golden import layers as L
from golden.network import IntegerNetwork
from golden.operators import BASE_FRACTION_BITS
from golden.random_networks import Builder, Recipe

ATTENTIONS = ("none", "se", "spatial", "pixel")
GATE_BITS = 11  # of the factors: up to 10 fraction bits


def attention_like(
    rng: np.random.Generator,
    width: int = 8,
    depth: int = 2,
    scale: int = 2,
    channels: int = 3,
    binary: str = "spatial",
    residual: str = "se",
    extreme: float = 0.0,
) -> IntegerNetwork:
    """Return a network with attention on the branches of its units, and random constants.

    Args:
        rng: source of randomness.
        width, depth: channels of the body, number of units.
        scale: 1..4.
        channels: 1 or 3.
        binary, residual: attention on the binary and on the residual branch, one of `ATTENTIONS`.
        extreme: share of layers with extreme constants, 0..1.
    """
    net = AttentionBuilder(rng, Recipe(width, depth, extreme=extreme), channels)
    head = x = net.int8_conv("head", L.PIXELS, width)
    for index in range(depth):
        name = f"body.{index}"
        branch = net.attend(f"{name}.binary", net.binary_conv(name, x, width), binary)
        skip = net.attend(f"{name}.residual", net.requant(f"{name}.skip", x, 12), residual)
        x = net.add(L.Join(name, (branch, skip), 12))
    x = net.add(L.Join("body", (head, x), 12))
    if scale > 1:
        x = net.up_binary("up", x, scale)
    return net.finish(net.conv_int8("tail", x, channels), scale)


def ebsr_like(
    rng: np.random.Generator,
    width: int = 8,
    depth: int = 2,
    scale: int = 2,
    channels: int = 3,
    spatial: bool = True,
    channel: bool = True,
    extreme: float = 0.0,
) -> IntegerNetwork:
    """Return a network with the structure of EBSR: per-pixel scales, and thresholds and scales of the image.

    Args:
        rng, width, depth, scale, channels, extreme: as `attention_like`.
        spatial: whether the units have spatial re-scaling.
        channel: whether they have channel-wise shifting and re-scaling.
    """
    net = AttentionBuilder(rng, Recipe(width, depth, extreme=extreme), channels)
    x = net.int8_conv("head", L.PIXELS, width)
    for index in range(depth):
        name = f"body.{index}"
        shifts, gates = net.shift_and_scale(f"{name}.channel", x) if channel else (None, None)
        if shifts is None:
            bits = net.sign(f"{name}.sign", x)
        else:
            bits = net.add(L.Compare(f"{name}.sign", (x, shifts)))
        y = net.requant(f"{name}.requant", net.conv_xnor(f"{name}.conv", bits, width), 16)
        if spatial:
            y = net.attend(f"{name}.spatial", y, "spatial", source=x, kernel=3)
        if gates is not None:
            y = net.gate(f"{name}.scale", y, gates)
        x = net.add(L.Join(name, (x, net.requant(f"{name}.narrow", y, 12)), 12))
    x = net.conv_int8("tail.conv", x, channels * scale * scale)
    if scale > 1:
        x = net.add(L.PixelShuffle("tail", (x,), scale))
    return net.finish(x, scale)


def random_attention_network(rng: np.random.Generator, max_width: int = 12) -> IntegerNetwork:
    """Return a small random network of either structure."""
    width, depth = int(rng.integers(1, max_width + 1)), int(rng.integers(1, 4))
    scale, channels = int(rng.integers(1, 5)), int(rng.choice((1, 3)))
    extreme = float(rng.choice((0.0, 0.3, 1.0)))
    if rng.integers(2):
        binary, residual = (str(name) for name in rng.choice(ATTENTIONS, 2))
        return attention_like(rng, width, depth, scale, channels, binary, residual, extreme)
    spatial, channel = (bool(flag) for flag in rng.integers(2, size=2))
    return ebsr_like(rng, width, depth, scale, channels, spatial, channel, extreme)


class AttentionBuilder(Builder):
    """Appends also the layers of attention; each method returns the name of the tensor it made."""

    def attend(self, name: str, x: str, kind: str, source: str | None = None, kernel: int = 1) -> str:
        """Multiply x by factors that are made of `source`, x itself by default."""
        source = source or x
        if kind == "none":
            return x
        if kind == "se":
            hidden = max(1, self.types[source].channels // 2)
            mean = self.mean(f"{name}.mean", source)
            squeezed = self.point(f"{name}.squeeze", mean, hidden)
            sums = self.point(f"{name}.excite", squeezed, self.types[x].channels, None)
        else:
            width = 1 if kind == "spatial" else self.types[x].channels
            make = self.conv_int8 if kernel == 3 else self.conv_point
            sums = make(f"{name}.map", source, width)
        return self.gate(name, x, self.factors(f"{name}.factor", sums))

    def shift_and_scale(self, name: str, x: str) -> tuple[str, str]:
        """Thresholds and factors for the channels of x, of this image."""
        width = self.types[x].channels
        hidden = self.point(f"{name}.hidden", self.mean(f"{name}.mean", x), max(1, width // 2))
        shifts = self.point(f"{name}.shift", hidden, width, 13)
        return shifts, self.factors(f"{name}.factor", self.point(f"{name}.scale", hidden, width, None))

    def sign(self, name: str, x: str) -> str:
        """RSign."""
        return self.add(L.RSign(name, (x,), self.stream_threshold(x)))

    def mean(self, name: str, x: str) -> str:
        """GlobalMean."""
        shift = int(self.rng.choice((0, 3, 4, 15) if self.is_extreme() else (3, 4)))
        first = self.rng.integers(-999, 1000, self.types[x].channels)
        return self.add(L.GlobalMean(name, (x,), first, shift, 16))

    def conv_point(self, name: str, x: str, channels: int) -> str:
        """1x1 convolution; its input is narrowed if it must be."""
        if self.types[x].bits > 8:
            x = self.requant(f"{name}.in", x, 8)
        low, high = (127, 127) if self.is_extreme() else (-128, 127)
        weight = self.rng.integers(low, high + 1, (channels, self.types[x].channels))
        return self.add(L.ConvPoint(name, (x,), weight))

    def point(self, name: str, x: str, channels: int, bits: int | None = 8) -> str:
        """A fully connected layer, requantized, or its sums if bits is None."""
        sums = self.conv_point(f"{name}.sums", x, channels)
        return sums if bits is None else self.requant(name, sums, bits)

    def factors(self, name: str, sums: str) -> str:
        """Requantize and look up: sigmoid-like, or anything."""
        bits = int(self.rng.choice((2, 6, 10)))
        index = np.arange(-(1 << (bits - 1)), 1 << (bits - 1))
        table = np.round(1023 / (1 + np.exp(-index * 16 / len(index))))
        if self.is_extreme():
            table = self.rng.integers(-(1 << (GATE_BITS - 1)), 1 << (GATE_BITS - 1), len(index))
        x = self.requant(f"{name}.in", sums, bits)
        return self.add(L.Table(name, (x,), table.astype(np.int64), GATE_BITS))

    def gate(self, name: str, x: str, factors: str) -> str:
        """Multiply x by factors."""
        shift = int(self.rng.choice((0, 1, 30))) if self.is_extreme() else GATE_BITS - 1
        return self.add(L.Multiply(name, (x, factors), shift, self.types[x].bits))

    def plain_output(self, name: str, x: str) -> str:
        """The last layer without a base, its values around the middle grey."""
        kind = self.types[x]
        span = max(-kind.low, kind.high, 1)
        a, shift = self.slopes(255 / span * 2.0 ** self.rng.uniform(-1, 2, kind.channels), 0, 22)
        return self.add(L.PlainOutput(name, (x,), a, np.full(kind.channels, (257 << shift) >> 1), shift))

    def finish(self, x: str, scale: int) -> IntegerNetwork:
        """Add the base and the output."""
        if self.rng.integers(2):
            self.plain_output("image", x)
        else:
            base = self.add(L.Base("base", (L.PIXELS,), scale))
            self.output("image", x, base, BASE_FRACTION_BITS.get(scale, 0), subtract=scale == 1)
        task = "sr" if scale > 1 else "denoise"
        return IntegerNetwork(task, scale, self.channels, tuple(self.layers), {"name": "random"})
