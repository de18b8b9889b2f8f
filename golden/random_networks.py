# SPDX-License-Identifier: BSD-3-Clause
"""Random valid networks and images, for tests of everything that must equal the golden model.

Most constants are drawn so that signals stay alive through many layers; with `extreme` > 0 some layers get
the ends of every range instead: saturation, slopes of both signs, thresholds that never or always fire,
shifts of 0 and 31. The same generator state gives the same network on the same NumPy version.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from golden import layers as L
from golden.inference import infer, pixels_type
from golden.network import IntegerNetwork
from golden.operators import BASE_FRACTION_BITS

VARIANTS = ("M", "L", "V3", "H", "T")
_NEGATIVE_SLOPES = 0.15  # share of negative slopes seen in trained networks


@dataclass(frozen=True)
class Recipe:
    """What a network is made of.

    Attributes:
        width: channels of the body.
        depth: number of body units.
        factors: upsampling stages, their product is the scale.
        head: "int8" or "binary" (BBCU-H).
        unit: "V4" (activation inside the skip) or "V3" (after it).
        up: "U" (binary, nearest skip), "L" (int8), or "tail" (the tail convolution, its sums shuffled).
        tail: "int8" or "binary" (BBCU-T); "int8" if `up` is "tail".
        long_skip: whether the head's output is added to the body's (E2FIF).
        bits: width of the residual stream.
        extreme: share of layers with extreme constants, 0..1.
    """

    width: int
    depth: int
    factors: tuple[int, ...] = ()
    head: str = "int8"
    unit: str = "V4"
    up: str = "U"
    tail: str = "int8"
    long_skip: bool = False
    bits: int = 12
    extreme: float = 0.0


def bbcu_like(
    rng: np.random.Generator,
    width: int = 16,
    depth: int = 2,
    scale: int = 2,
    channels: int = 3,
    variant: str = "M",
    extreme: float = 0.0,
) -> IntegerNetwork:
    """Return a network with the structure of a BBCU variant and random constants.

    Args:
        rng: source of randomness.
        width: channels of the body, 64 in the paper.
        depth: number of body units, 32 in the paper.
        scale: 1 (denoising, or deblocking if `channels` is 1), 2, 3 or 4 (super-resolution).
        channels: 1 or 3.
        variant: "M" (binary upsampling), "L" (int8 upsampling), "V3" (M with V3 body units), "H" (M with a
            binary head) or "T" (M with a binary tail).
        extreme: share of layers with extreme constants, 0..1.

    Raises:
        ValueError: the variant is none of these.
        ModelError: scale or channels is not as above.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant is {variant!r}, expected one of {', '.join(VARIANTS)}")
    recipe = Recipe(
        width,
        depth,
        factors={1: (), 4: (2, 2)}.get(scale, (scale,)),
        head="binary" if variant == "H" else "int8",
        unit="V3" if variant == "V3" else "V4",
        up="L" if variant == "L" else "U",
        tail="binary" if variant == "T" else "int8",
        extreme=extreme,
    )
    return build(rng, recipe, channels)


def random_network(
    rng: np.random.Generator,
    scale: int | None = None,
    channels: int | None = None,
    max_width: int = 12,
    max_depth: int = 3,
) -> IntegerNetwork:
    """Return a small random network of any structure that the contract allows BBCU and its variants.

    Args:
        rng: source of randomness.
        scale: 1..4; None draws it.
        channels: 1 or 3; None draws it.
        max_width: largest number of body channels.
        max_depth: largest number of body units.

    Raises:
        ModelError: scale or channels is not as above.
    """
    scale = int(rng.integers(1, 5)) if scale is None else scale
    channels = int(rng.choice((1, 3))) if channels is None else channels
    up = str(rng.choice(("U", "L", "tail")))
    recipe = Recipe(
        width=int(rng.integers(1, max_width + 1)),
        depth=int(rng.integers(0, max_depth + 1)),
        factors={1: (), 4: ((2, 2), (4,))[rng.integers(2)]}.get(scale, (scale,)),
        head=str(rng.choice(("int8", "binary"))),
        unit=str(rng.choice(("V4", "V3"))),
        up=up,
        tail="int8" if up == "tail" else str(rng.choice(("int8", "binary"))),
        long_skip=bool(rng.integers(2)),
        bits=int(rng.choice((8, 10, 12, 16))),
        extreme=float(rng.choice((0.0, 0.3, 1.0))),
    )
    return build(rng, recipe, channels)


def random_image(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return a (height, width, channels) uint8 image: noise, ramps, black-and-white noise, or one value."""
    shape = (height, width, channels)
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == 1:
        ramp = np.add.outer(np.arange(height) * 3, np.arange(width) * 5)
        return np.repeat(ramp[:, :, None] % 256, channels, axis=2).astype(np.uint8)
    if kind == 2:
        return rng.integers(0, 2, shape, dtype=np.uint8) * np.uint8(255)
    return np.full(shape, rng.choice((0, 1, 127, 128, 254, 255)), np.uint8)


def build(rng: np.random.Generator, recipe: Recipe, channels: int) -> IntegerNetwork:
    """Return a random network of this recipe for images of `channels` channels."""
    scale = int(np.prod(recipe.factors, dtype=np.int64))
    net = Builder(rng, recipe, channels)
    x = net.int8_conv("head", L.PIXELS, recipe.width) if recipe.head == "int8" else net.binary_head()
    head = x
    for index in range(recipe.depth):
        x = net.unit_v4(f"body.{index}", x) if recipe.unit == "V4" else net.unit_v3(f"body.{index}", x)
    if recipe.long_skip:
        x = net.add(L.Join("body", (head, x), recipe.bits))
    if recipe.up != "tail":
        for index, factor in enumerate(recipe.factors):
            x = net.up_binary(f"up.{index}", x, factor) if recipe.up == "U" else net.up_int8(index, x, factor)
        if scale > 1:
            x = net.unit_v4("hr", x) if recipe.up == "U" else net.int8_conv("hr", x, recipe.width)
    if recipe.tail == "binary":
        x = net.binary_conv("tail", x, channels)
    elif recipe.up == "tail" and scale > 1:
        x = net.conv_int8("tail.conv", x, channels * scale * scale)
        x = net.add(L.PixelShuffle("tail", (x,), scale))
    else:
        x = net.conv_int8("tail", x, channels)
    base = net.add(L.Base("base", (L.PIXELS,), scale))
    net.output("image", x, base, BASE_FRACTION_BITS.get(scale, 0), subtract=scale == 1)
    task = "sr" if scale > 1 else "denoise" if channels == 3 else "deblock"
    return IntegerNetwork(task, scale, channels, tuple(net.layers), {"name": "random"})


class Builder:
    """Appends layers with random constants; each method returns the name of the tensor it made."""

    def __init__(self, rng: np.random.Generator, recipe: Recipe, channels: int) -> None:
        self.rng = rng
        self.recipe = recipe
        self.channels = channels
        self.layers: list[L.Layer] = []
        self.types = {L.PIXELS: pixels_type(channels)}

    def add(self, layer: L.Layer) -> str:
        """Append a layer."""
        self.layers.append(layer)
        self.types[layer.name] = infer(layer, *(self.types[name] for name in layer.inputs))
        return layer.name

    # Composite steps: from a stream (or the pixels) to a stream.

    def int8_conv(self, name: str, x: str, channels: int) -> str:
        """int8 convolution, requantized to the stream."""
        return self.requant(name, self.conv_int8(f"{name}.conv", x, channels), self.recipe.bits)

    def binary_conv(self, name: str, x: str, channels: int) -> str:
        """RSign, binary convolution, Requant."""
        bits = self.add(L.RSign(f"{name}.sign", (x,), self.stream_threshold(x)))
        return self.requant(
            f"{name}.requant", self.conv_xnor(f"{name}.conv", bits, channels), self.recipe.bits
        )

    def binary_head(self) -> str:
        """Head of BBCU-H."""
        x = self.requant("head.in", L.PIXELS, self.recipe.bits)
        residual = self.binary_conv("head", x, self.recipe.width)
        skip = self.add(L.RepeatChannels("head.skip", (x,), self.recipe.width))
        return self.add(L.Join("head", (skip, residual), self.recipe.bits))

    def unit_v4(self, name: str, x: str) -> str:
        """Body unit V4."""
        residual = self.binary_conv(name, x, self.types[x].channels)
        return self.add(L.Join(name, (x, residual), self.recipe.bits))

    def unit_v3(self, name: str, x: str) -> str:
        """Body unit V3: an activation after the addition."""
        residual = self.binary_conv(name, x, self.types[x].channels)
        joined = self.add(L.Join(f"{name}.join", (x, residual), self.recipe.bits))
        return self.requant(name, joined, self.recipe.bits)

    def up_binary(self, name: str, x: str, factor: int) -> str:
        """Upsampling BBCU-U."""
        residual = self.binary_conv(name, x, self.types[x].channels * factor * factor)
        shuffled = self.add(L.PixelShuffle(f"{name}.shuffle", (residual,), factor))
        skip = self.add(L.NearestUp(f"{name}.skip", (x,), factor))
        return self.add(L.Join(name, (shuffled, skip), self.recipe.bits))

    def up_int8(self, index: int, x: str, factor: int) -> str:
        """Upsampling BBCU-L."""
        wide = self.int8_conv(f"up.{index}.wide", x, self.types[x].channels * factor * factor)
        return self.add(L.PixelShuffle(f"up.{index}", (wide,), factor))

    # Single operators.

    def conv_int8(self, name: str, x: str, channels: int) -> str:
        """int8 convolution; its input is narrowed if it must be."""
        if self.types[x].bits > 8:
            x = self.requant(f"{name}.in", x, 8)
        weight = self.rng.integers(-128, 128, (channels, 3, 3, self.types[x].channels))
        if self.is_extreme():
            weight = self.rng.choice((-128, 127), (channels, 1, 1, 1)) + np.zeros_like(weight)
        return self.add(L.ConvInt8(name, (x,), weight))

    def conv_xnor(self, name: str, x: str, channels: int) -> str:
        """Binary convolution."""
        ones = self.rng.random(
            (channels, 1, 1, 1)
        )  # some channels of nearly only one sign reach the ends of m
        if self.is_extreme():
            ones = np.round(ones)
        return self.add(
            L.ConvXnor(name, (x,), self.rng.random((channels, 3, 3, self.types[x].channels)) < ones)
        )

    def requant(self, name: str, x: str, bits: int) -> str:
        """Requant to a stream of that width."""
        kind = self.types[x]
        size = kind.channels
        span = max(-kind.low, kind.high, 1)
        limit = 1 << (bits - 1)
        if self.is_extreme():
            shift = int(self.rng.choice((0, 8, 31)))
            a1, a0 = self.rng.choice((-(1 << 15), -1, 0, 1, (1 << 15) - 1), (2, size))
            b1, b0 = self.rng.choice((-(1 << 31), 0, (1 << 31) - 1), (2, size))
            ends = (-(1 << 31), kind.low - 1, kind.low, -1, 0, kind.high - 1, kind.high, (1 << 31) - 1)
            threshold = self.rng.choice(np.array(ends, np.int64), size)
        else:
            gains = limit / span * 2.0 ** self.rng.uniform(-2, 3, (2, size))
            (a1, a0), shift = self.slopes(gains, 0, 31 - bits)
            b1, b0 = self.rng.integers(-limit // 4, limit // 4 + 1, (2, size)) * (1 << shift) + (
                1 << shift >> 1
            )
            threshold = self.rng.integers(-span // 4, span // 4 + 1, size)
        return self.add(L.Requant(name, (x,), a1, a0, b1, b0, threshold, shift, bits))

    def output(self, name: str, x: str, base: str, base_bits: int, subtract: bool) -> str:
        """The last layer."""
        kind = self.types[x]
        span = max(-kind.low, kind.high, 1)
        gains = 255 / span * 2.0 ** self.rng.uniform(-2, 3, kind.channels)
        a, shift = self.slopes(gains, base_bits, 22)
        b = self.rng.integers(-64, 65, kind.channels) * (1 << shift) + (1 << shift >> 1)
        return self.add(L.Output(name, (x, base), -a if subtract else a, b, shift))

    def slopes(self, gains: np.ndarray, lowest: int, highest: int) -> tuple[np.ndarray, int]:
        """Return (gains * 2^shift as 16-bit slopes, some of them negated, shift), shift near the largest."""
        largest = int(np.floor(np.log2(32767 / gains.max())))
        shift = min(max(largest - int(self.rng.integers(4)), lowest), highest)
        signs = np.where(self.rng.random(gains.shape) < _NEGATIVE_SLOPES, -1, 1)
        return np.clip(np.round(gains * signs * 2.0**shift), -32767, 32767).astype(np.int64), shift

    def stream_threshold(self, x: str) -> np.ndarray:
        """Thresholds for a stream."""
        limit = 1 << (self.types[x].bits - 1)
        if self.is_extreme():
            return self.rng.choice(
                (-2 * limit, -limit, 1 - limit, 0, limit - 1, limit, 2 * limit - 1), self.types[x].channels
            )
        return self.rng.integers(-limit // 8, limit // 8 + 1, self.types[x].channels)

    def is_extreme(self) -> bool:
        """Whether the next layer gets extreme constants."""
        return bool(self.rng.random() < self.recipe.extreme)
