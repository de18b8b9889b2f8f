# SPDX-License-Identifier: BSD-3-Clause
"""What is known before any image is seen: the type of every tensor, the rules of composition, the halo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from golden import layers as L
from golden.operators import BASE_FRACTION_BITS

if TYPE_CHECKING:
    from golden.network import IntegerNetwork

MAX_SCALE = 4

_MOVABLE = ("pixels", "acc", "stream", "bits")


@dataclass(frozen=True)
class TensorType:
    """What is known about a tensor before any image is seen.

    Attributes:
        kind: "pixels" (u8), "acc" (int32 sum), "stream" (signed, saturated), "bits" (0/1), "base" (unsigned
            fixed point) or "image" (u8, the output).
        channels: number of channels C.
        factor: height and width as a multiple of those of the input; 0 for a vector, which has one pixel, the
            same for the whole image.
        low, high: every value lies within low..high, which follows from the inputs' bounds and the constants.
        bits: width of the tensor in hardware: of a stream the declared one, of an accumulator the smallest
            one that holds low..high.
    """

    kind: str
    channels: int
    factor: int
    low: int
    high: int
    bits: int

    @property
    def signed(self) -> bool:
        """True for accumulators and streams (two's complement), False for the unsigned kinds."""
        return self.kind in ("acc", "stream")

    @property
    def size(self) -> str:
        """The resolution in words."""
        return f"{self.factor} x the input size" if self.factor else "one pixel for all (a vector)"

    def shape(self, height: int, width: int) -> tuple[int, int, int]:
        """(H, W, C) of the tensor for an input of height x width pixels."""
        if not self.factor:
            return 1, 1, self.channels
        return height * self.factor, width * self.factor, self.channels


def pixels_type(channels: int) -> TensorType:
    """Return the type of the network's input."""
    return TensorType("pixels", channels, 1, 0, 255, 8)


def tensor_types(network: IntegerNetwork) -> dict[str, TensorType]:
    """Return the type of every tensor by name, "pixels" first, then in the order of the layers.

    Raises:
        ModelError: the layers do not compose; the message names the layer, what it got and what it needs.
    """
    types = {L.PIXELS: pixels_type(network.channels)}
    for layer in network.layers:
        for name in layer.inputs:
            if name not in types:
                layer.fail(f"reads '{name}', which no earlier layer produces")
        if layer.name in types:
            layer.fail("an earlier layer has the same name; names must be unique")
        result = infer(layer, *(types[name] for name in layer.inputs))
        if result.factor > network.scale:
            layer.fail(f"has {result.size}, expected at most the scale, {network.scale}")
        types[layer.name] = result
    _check_ends(network, types)
    return types


def _check_ends(network: IntegerNetwork, types: dict[str, TensorType]) -> None:
    """Check the network as a whole: one output, at the end and of the right shape; nothing unused."""
    last = network.layers[-1]
    for layer in network.layers:
        if isinstance(layer, (L.Output, L.PlainOutput)) != (layer is last):
            layer.fail("expected exactly one Output or PlainOutput layer, as the last one")
    got = types[last.name]
    if got.factor != network.scale:
        last.fail(f"the image is {got.size}, expected the scale, {network.scale}")
    if got.channels != network.channels:
        last.fail(f"the image has {got.channels} channels, expected {network.channels} as the input")
    used = {name for layer in network.layers for name in layer.inputs}
    for layer in network.layers[:-1]:
        if layer.name not in used:
            layer.fail("no later layer reads it; remove it")


def receptive_field(network: IntegerNetwork) -> int:
    """Return the halo: how many input pixels around a tile its output depends on, on each side at most.

    Walks from the output back to the pixels with the margin that each tensor needs around the tile, in pixels
    of that tensor. A tile starts and ends on input pixels, so the margin rounds up where resolution falls.
    Statistics of the whole image are taken as given: see `golden.statistics`.
    """
    return halo(network.layers)


def halo(layers: Sequence[L.Layer]) -> int:
    """The same for the last of a list of layers that `golden.statistics` has made."""
    margins = {layer.name: 0 for layer in layers} | {L.PIXELS: 0}
    for layer in reversed(layers):
        margin = margins[layer.name]
        match layer:
            case L.ConvInt8() | L.ConvXnor():
                margin += 1
            case L.PixelShuffle(factor=factor) | L.NearestUp(factor=factor):
                margin = -(-margin // factor)
            case L.Base(factor=factor):
                # Sub-pixel -m lies at (1/2 - m) / factor - 1/2 and reads the pixel at or left of this.
                margin = -(-(2 * margin - 1 + factor) // (2 * factor))
        for name in layer.inputs:
            margins[name] = max(margins[name], margin)
    return margins[L.PIXELS]


def signed_bits(low: int, high: int) -> int:
    """Return the smallest two's complement width that holds both low and high, at least 1."""
    return max((~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length()) + 1


@singledispatch
def infer(layer: L.Layer, *inputs: TensorType) -> TensorType:
    """Return the type of the tensor that `layer` produces from tensors of the types `inputs`.

    Raises:
        ModelError: the layer cannot take such tensors.
    """
    raise L.ModelError(f"{type(layer).__name__} is not a layer type of an integer network")


def _expect_kind(layer: L.Layer, got: TensorType, kinds: Iterable[str], position: int = 0) -> None:
    if got.kind not in kinds:
        layer.fail(f"reads '{layer.inputs[position]}' of kind {got.kind}, expected {' or '.join(kinds)}")


def _expect_pixels(layer: L.Layer, *got: TensorType) -> None:
    """Refuse vectors, which have no neighbours and no place in the image."""
    for position, kind in enumerate(got):
        if not kind.factor:
            layer.fail(f"reads '{layer.inputs[position]}', a vector, expected a tensor with pixels")


def _expect_per_channel(layer: L.Layer, channels: int) -> None:
    for key, rule in layer.rules().items():
        if isinstance(rule, L.ArrayRule) and len(getattr(layer, key)) != channels:
            entries = len(getattr(layer, key))
            layer.fail(f"field '{key}' has {entries} entries, expected {channels} (one per channel)")


def _expect_weight(layer: L.ConvInt8 | L.ConvXnor | L.ConvPoint, x: TensorType) -> None:
    if layer.weight.shape[-1] != x.channels:
        layer.fail(
            f"field 'weight' is for {layer.weight.shape[-1]} input channels, expected {x.channels} as in "
            f"'{layer.inputs[0]}'"
        )


def _acc(layer: L.ConvInt8 | L.ConvXnor | L.ConvPoint, x: TensorType, low: int, high: int) -> TensorType:
    return TensorType("acc", layer.weight.shape[0], x.factor, low, high, signed_bits(low, high))


def _int8_sums(layer: L.ConvInt8 | L.ConvPoint, x: TensorType, low: int, high: int) -> TensorType:
    """The type of sums of products of int8 weights with values low..high."""
    _expect_kind(layer, x, ("pixels", "stream"))
    if x.bits > 8:
        layer.fail(f"reads '{layer.inputs[0]}' of {x.bits} bits, expected a stream of at most 8 bits")
    _expect_weight(layer, x)
    weight = layer.weight.reshape(len(layer.weight), -1)
    positive, negative = (
        part.sum(axis=1, dtype=np.int64) for part in (weight.clip(min=0), weight.clip(max=0))
    )
    lowest, highest = positive * low + negative * high, positive * high + negative * low
    return _acc(layer, x, int(lowest.min()), int(highest.max()))


@infer.register(L.ConvInt8)
def _conv_int8(layer: L.ConvInt8, x: TensorType) -> TensorType:
    _expect_pixels(layer, x)
    return _int8_sums(layer, x, min(x.low, 0), max(x.high, 0))  # the padding is 0


@infer.register(L.ConvPoint)
def _conv_point(layer: L.ConvPoint, x: TensorType) -> TensorType:
    return _int8_sums(layer, x, x.low, x.high)


@infer.register(L.ConvXnor)
def _conv_xnor(layer: L.ConvXnor, x: TensorType) -> TensorType:
    _expect_kind(layer, x, ("bits",))
    _expect_weight(layer, x)
    return _acc(layer, x, -9 * x.channels, 9 * x.channels)


@infer.register(L.Requant)
def _requant(layer: L.Requant, x: TensorType) -> TensorType:
    _expect_kind(layer, x, ("pixels", "acc", "stream"))
    _expect_per_channel(layer, x.channels)
    # Each affine piece is monotone: its extremes are at the ends of the part of low..high that it covers.
    threshold = layer.threshold.astype(np.int64)
    pieces = (
        (layer.a1, layer.b1, np.maximum(threshold + 1, x.low), np.full_like(threshold, x.high)),
        (layer.a0, layer.b0, np.full_like(threshold, x.low), np.minimum(threshold, x.high)),
    )
    values = [(a * end + b)[first <= last] for a, b, first, last in pieces for end in (first, last)]
    v = np.concatenate(values) >> layer.shift
    limit = 1 << (layer.bits - 1)
    low, high = (int(np.clip(extreme, -limit, limit - 1)) for extreme in (v.min(), v.max()))
    return TensorType("stream", x.channels, x.factor, low, high, layer.bits)


@infer.register(L.RSign)
def _rsign(layer: L.RSign, x: TensorType) -> TensorType:
    _expect_kind(layer, x, ("stream",))
    _expect_pixels(layer, x)
    _expect_per_channel(layer, x.channels)
    limit = 1 << x.bits
    for extreme in (int(layer.threshold.min()), int(layer.threshold.max())):
        if not -limit <= extreme < limit:
            layer.fail(
                f"field 'threshold' holds {extreme}, expected {-limit}..{limit - 1} "
                f"({x.bits + 1} bits, for a stream of {x.bits})"
            )
    return TensorType("bits", x.channels, x.factor, 0, 1, 1)


def _expect_same_shape(layer: L.Layer, x: TensorType, y: TensorType) -> None:
    if (x.channels, x.factor) != (y.channels, y.factor):
        layer.fail(
            f"reads '{layer.inputs[0]}' with {x.channels} channels at {x.size} and "
            f"'{layer.inputs[1]}' with {y.channels} at {y.size}, expected equal shapes"
        )


@infer.register(L.Join)
def _join(layer: L.Join, x: TensorType, y: TensorType) -> TensorType:
    _expect_kind(layer, x, ("stream",))
    _expect_kind(layer, y, ("stream",), 1)
    _expect_same_shape(layer, x, y)
    limit = 1 << (layer.bits - 1)
    low, high = (max(-limit, min(limit - 1, end)) for end in (x.low + y.low, x.high + y.high))
    return TensorType("stream", x.channels, x.factor, low, high, layer.bits)


@infer.register(L.PixelShuffle)
def _pixel_shuffle(layer: L.PixelShuffle, x: TensorType) -> TensorType:
    _expect_kind(layer, x, _MOVABLE)
    _expect_pixels(layer, x)
    square = layer.factor * layer.factor
    if x.channels % square:
        layer.fail(f"reads {x.channels} channels, expected a multiple of {square} (factor squared)")
    return replace(x, channels=x.channels // square, factor=x.factor * layer.factor)


@infer.register(L.NearestUp)
def _nearest_up(layer: L.NearestUp, x: TensorType) -> TensorType:
    _expect_kind(layer, x, _MOVABLE)
    _expect_pixels(layer, x)
    return replace(x, factor=x.factor * layer.factor)


@infer.register(L.RepeatChannels)
def _repeat_channels(layer: L.RepeatChannels, x: TensorType) -> TensorType:
    _expect_kind(layer, x, _MOVABLE)
    return replace(x, channels=layer.channels)


@infer.register(L.Base)
def _base(layer: L.Base, x: TensorType) -> TensorType:
    _expect_kind(layer, x, ("pixels",))
    if layer.inputs != (L.PIXELS,):
        layer.fail(f"reads '{layer.inputs[0]}', expected '{L.PIXELS}', the network's input")
    fraction = BASE_FRACTION_BITS[layer.factor]
    return TensorType("base", x.channels, layer.factor, 0, 255 << fraction, 8 + fraction)


@infer.register(L.Output)
def _output(layer: L.Output, acc: TensorType, base: TensorType) -> TensorType:
    _expect_kind(layer, acc, ("acc", "stream"))
    _expect_kind(layer, base, ("base",), 1)
    _expect_same_shape(layer, acc, base)
    _expect_per_channel(layer, acc.channels)
    needed = BASE_FRACTION_BITS[base.factor]
    if layer.shift < needed:
        layer.fail(f"field 'shift' is {layer.shift}, expected {needed}..31 (the fraction bits of the base)")
    return TensorType("image", acc.channels, acc.factor, 0, 255, 8)


@infer.register(L.Table)
def _table(layer: L.Table, x: TensorType) -> TensorType:
    _expect_kind(layer, x, ("stream",))
    if len(layer.table) != 1 << x.bits:
        layer.fail(
            f"field 'table' has {len(layer.table)} entries, expected {1 << x.bits} for the {x.bits} bits of "
            f"'{layer.inputs[0]}'"
        )
    middle = len(layer.table) // 2
    reached = layer.table[x.low + middle : x.high + middle + 1]
    return TensorType("stream", x.channels, x.factor, int(reached.min()), int(reached.max()), layer.bits)


@infer.register(L.Multiply)
def _multiply(layer: L.Multiply, x: TensorType, g: TensorType) -> TensorType:
    _expect_kind(layer, x, ("stream",))
    _expect_kind(layer, g, ("stream",), 1)
    if g.channels not in (1, x.channels) or g.factor not in (0, x.factor):
        layer.fail(
            f"reads '{layer.inputs[0]}' with {x.channels} channels at {x.size} and '{layer.inputs[1]}' with "
            f"{g.channels} at {g.size}, expected as many channels or 1, at the same size or as a vector"
        )
    ends = [a * b for a in (x.low, x.high) for b in (g.low, g.high)]
    limit, half = 1 << (layer.bits - 1), 1 << layer.shift >> 1
    low, high = (max(-limit, min(limit - 1, (end + half) >> layer.shift)) for end in (min(ends), max(ends)))
    return TensorType("stream", x.channels, x.factor, low, high, layer.bits)


@infer.register(L.GlobalMean)
def _global_mean(layer: L.GlobalMean, x: TensorType) -> TensorType:
    _expect_kind(layer, x, ("stream",))
    _expect_pixels(layer, x)
    _expect_per_channel(layer, x.channels)
    limit = 1 << (layer.bits - 1)
    ends = (x.low << layer.shift, x.high << layer.shift, int(layer.initial.min()), int(layer.initial.max()))
    low, high = (max(-limit, min(limit - 1, end)) for end in (min(ends), max(ends)))
    return TensorType("stream", x.channels, 0, low, high, layer.bits)


@infer.register(L.Compare)
def _compare(layer: L.Compare, x: TensorType, threshold: TensorType) -> TensorType:
    _expect_kind(layer, x, ("stream",))
    _expect_kind(layer, threshold, ("stream",), 1)
    _expect_pixels(layer, x)
    if threshold.factor or threshold.channels != x.channels:
        layer.fail(
            f"reads '{layer.inputs[1]}' with {threshold.channels} channels at {threshold.size}, expected a "
            f"vector of {x.channels}, one threshold per channel of '{layer.inputs[0]}'"
        )
    return TensorType("bits", x.channels, x.factor, 0, 1, 1)


@infer.register(L.PlainOutput)
def _plain_output(layer: L.PlainOutput, acc: TensorType) -> TensorType:
    _expect_kind(layer, acc, ("acc", "stream"))
    _expect_per_channel(layer, acc.channels)
    return TensorType("image", acc.channels, acc.factor, 0, 255, 8)
