# SPDX-License-Identifier: BSD-3-Clause
"""Networks whose GlobalMean layers need the whole image: statistics first, then pixels.

With its statistics given, such a network is an ordinary one. `freeze` writes it down: what is computed from
vectors becomes constants, Compare becomes RSign and a product with a vector becomes Requant, with equal
results. So tiles, the fast engine and hardware need to know nothing of the whole image.

Exact form: `measure` makes one pass over the image for each GlobalMean, in order, and `freeze` the network of
this image. Streaming form: `run_streaming` takes the statistics that were measured while the frame before
passed through, and in the first frame the layers' `initial`: one pass, and no frame is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from golden import layers as L
from golden import operators as op
from golden import reference
from golden.inference import TensorType, halo, infer, pixels_type
from golden.network import IntegerNetwork

Statistics = Mapping[str, np.ndarray]
"""Result of each GlobalMean by the layer's name: (1, 1, C) int16."""


@dataclass(frozen=True)
class Prefix:
    """The layers that lead to one tensor, of a network with some of its statistics frozen.

    Attributes:
        channels, scale: of the network.
        layers: in order; the last one makes the tensor.
        types: of all its tensors, by name.
    """

    channels: int
    scale: int
    layers: tuple[L.Layer, ...]
    types: Mapping[str, TensorType]


TensorOf = Callable[[Prefix, np.ndarray], np.ndarray]
"""Computes the last tensor of a prefix from an image: (H, W, c) uint8 -> (H', W', C) int16."""


def means(network: IntegerNetwork) -> list[L.GlobalMean]:
    """The GlobalMean layers of a network, in order."""
    return [layer for layer in network.layers if isinstance(layer, L.GlobalMean)]


def initial(network: IntegerNetwork) -> dict[str, np.ndarray]:
    """The statistics that the streaming form starts with."""
    return {layer.name: layer.initial.reshape(1, 1, -1) for layer in means(network)}


def freeze(network: IntegerNetwork, statistics: Statistics) -> IntegerNetwork:
    """The network of images with these statistics, without any layer that looks at a whole image.

    Args:
        network: any network; one without GlobalMean comes back with equal results.
        statistics: of all its GlobalMean layers.

    Raises:
        ValueError: statistics are missing or of another shape.
    """
    layers = _frozen_layers(network, statistics, network.layers[-1].name)
    return IntegerNetwork(network.task, network.scale, network.channels, layers, network.meta)


def measure(
    network: IntegerNetwork,
    image: np.ndarray,
    tile: tuple[int, int] | None = None,
    tensor_of: TensorOf | None = None,
) -> dict[str, np.ndarray]:
    """Return the statistics of an image: those with which the network restores it.

    Args:
        network: the network.
        image: (H, W, C) uint8, or (H, W) if the network has one channel: an array or anything with shape,
            dtype and slices that are arrays.
        tile: (rows, columns) of input pixels to go through at a time; None is the whole image. The result
            does not depend on it, since sums are exact.
        tensor_of: computes a tensor of a prefix; the reference by default.
    """
    from golden.tiling import tiles  # it imports this module

    reference.check_image(network, image)
    height, width = image.shape[:2]
    statistics: dict[str, np.ndarray] = {}
    for layer in means(network):
        prefix = _prefix(network, statistics, layer.inputs[0])
        factor = prefix.types[layer.inputs[0]].factor
        total = np.zeros(prefix.types[layer.inputs[0]].channels, object)
        for part in tiles(height, width, tile or (height, width), halo(prefix.layers)):
            pixels = np.asarray(image[part.top : part.bottom, part.left : part.right])
            tensor = (tensor_of or reference_tensor)(prefix, pixels.reshape(*pixels.shape[:2], -1))
            rows = slice((part.y0 - part.top) * factor, (part.y1 - part.top) * factor)
            columns = slice((part.x0 - part.left) * factor, (part.x1 - part.left) * factor)
            total += tensor[rows, columns].sum(axis=(0, 1), dtype=np.int64)
        statistics[layer.name] = op.rounded_mean(total, height * width * factor**2, layer.shift, layer.bits)
    return statistics


def reference_tensor(prefix: Prefix, image: np.ndarray) -> np.ndarray:
    """The last tensor of a prefix, by the operators of `golden.operators`; see `TensorOf`."""
    tensors = {L.PIXELS: image}
    last_use = {name: index for index, layer in enumerate(prefix.layers) for name in layer.inputs}
    for index, layer in enumerate(prefix.layers):
        inputs = [tensors[name] for name in layer.inputs]
        for name in layer.inputs:
            if last_use[name] == index:
                tensors.pop(name, None)
        tensors[layer.name] = reference.apply_layer(layer, inputs, prefix.scale)
    return tensors[prefix.layers[-1].name]


def run_streaming(network: IntegerNetwork, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Restore frames with the statistics of the frame before, as hardware does in one pass.

    Args:
        network: the network.
        frames: (H, W, C) uint8 each, or (H, W) if the network has one channel; sizes may differ.

    Yields:
        The restored frames. The first one is restored with the layers' `initial`.
    """
    statistics = initial(network)
    for frame in frames:
        result, statistics = run_with(network, frame, statistics)
        yield result


def run_with(
    network: IntegerNetwork, image: np.ndarray, statistics: Statistics
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Restore an image with given statistics.

    Returns:
        (the restored image, the statistics measured meanwhile): the second are means of tensors that were
        computed with the first.
    """
    _check(means(network), statistics)
    readers: dict[str, list[L.GlobalMean]] = {}
    for layer in means(network):
        readers.setdefault(layer.inputs[0], []).append(layer)
    measured = {}
    result = image
    for name, result in reference.trace(network, image, statistics=statistics):
        for layer in readers.get(name, ()):
            measured[layer.name] = op.global_mean(result, layer.shift, layer.bits)
    return result.reshape(result.shape[: image.ndim]), measured


def _check(layers: Iterable[L.GlobalMean], statistics: Statistics) -> None:
    for layer in layers:
        found = np.shape(statistics.get(layer.name))
        if found != (1, 1, len(layer.initial)):
            raise ValueError(
                f"statistics of '{layer.name}' have shape {found}, expected (1, 1, {len(layer.initial)}) as "
                "`golden.statistics.measure` gives them"
            )


def _prefix(network: IntegerNetwork, statistics: Statistics, goal: str) -> Prefix:
    layers = _frozen_layers(network, statistics, goal)
    types = {L.PIXELS: pixels_type(network.channels)}
    for layer in layers:
        types[layer.name] = infer(layer, *(types[name] for name in layer.inputs))
    return Prefix(network.channels, network.scale, layers, types)


def _frozen_layers(network: IntegerNetwork, statistics: Statistics, goal: str) -> tuple[L.Layer, ...]:
    """The layers that `goal` needs, with all vectors that lead to it made constants."""
    needed = _needed(network.layers, goal)
    _check([layer for layer in needed if isinstance(layer, L.GlobalMean)], statistics)
    vectors: dict[str, np.ndarray] = {}
    layers = []
    for layer in needed:
        if network.types[layer.name].factor == 0:
            inputs = [vectors.get(name) for name in layer.inputs]
            mean = isinstance(layer, L.GlobalMean)
            vectors[layer.name] = (
                np.asarray(statistics[layer.name]) if mean else reference.apply_layer(layer, inputs, 1)
            )
        else:
            layers.append(_without_vectors(layer, network.types, vectors))
    return tuple(_needed(layers, goal))  # what only the statistics read is gone


def _needed(layers: Sequence[L.Layer], goal: str) -> list[L.Layer]:
    """The layers on which the tensor `goal` depends, in order."""
    wanted, kept = {goal}, []
    for layer in reversed(layers):
        if layer.name in wanted:
            kept.append(layer)
            wanted.update(layer.inputs)
    return kept[::-1]


def _without_vectors(
    layer: L.Layer, types: Mapping[str, TensorType], vectors: Mapping[str, np.ndarray]
) -> L.Layer:
    """A layer whose vector is a constant; other layers are returned as they are."""
    if len(layer.inputs) < 2 or layer.inputs[1] not in vectors:
        return layer
    x = types[layer.inputs[0]]
    vector = np.broadcast_to(vectors[layer.inputs[1]].ravel().astype(np.int64), x.channels)
    if isinstance(layer, L.Compare):
        # Beyond one more than its ends, a stream is below or above every threshold alike.
        limit = 1 << (x.bits - 1)
        return L.RSign(layer.name, layer.inputs[:1], vector.clip(-limit, limit))
    half = np.full(x.channels, 1 << layer.shift >> 1)
    zero = np.zeros(x.channels, np.int64)
    return L.Requant(layer.name, layer.inputs[:1], vector, vector, half, half, zero, layer.shift, layer.bits)
