# SPDX-License-Identifier: BSD-3-Clause
"""The reference executor: a network on an image, one operator after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from golden import layers as L
from golden import operators as op
from golden.network import IntegerNetwork

_CONV_XNOR = {"packed": op.conv_xnor_packed, "plain": op.conv_xnor_plain}


def check_image(network: IntegerNetwork, image: Any) -> None:
    """Raise ValueError unless `image` has a shape and dtype that the network takes; it need not be in memory.

    Expected is uint8, (H, W, C) with the network's C, or (H, W) if C is 1; H and W at least 1.
    """
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
    if shape is None or dtype is None:
        raise ValueError(f"image is a {type(image).__name__}, expected a NumPy array of uint8, (H, W, C)")
    if dtype != np.uint8:
        raise ValueError(f"image is of dtype {dtype}, expected uint8 with grey levels 0..255")
    expected = f"(H, W, {network.channels})" + (" or (H, W)" if network.channels == 1 else "")
    if len(shape) not in (2, 3) or (*shape, 1)[2] != network.channels:
        raise ValueError(f"image has shape {tuple(shape)}, expected {expected}")
    if 0 in shape:
        raise ValueError(f"image has shape {tuple(shape)}, expected at least one pixel")


def trace(
    network: IntegerNetwork,
    image: np.ndarray,
    conv_xnor: str = "packed",
    statistics: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every tensor of the network as (name, array), "pixels" first, the output image last.

    Args:
        network: the network.
        image: (H, W, C) uint8, or (H, W) if the network has one channel.
        conv_xnor: "packed" (XNOR-popcount) or "plain" (+-1 integers); the results are equal.
        statistics: results of GlobalMean layers by name, (1, 1, C) int16, to be taken instead of those of the
            image; None measures them all.

    Yields:
        Arrays (H', W', C'): bits, pixels and the output as uint8, streams as int16, accumulators and base as
        int32. A tensor is let go after its last use; do not write into it before the end.

    Raises:
        ValueError: the image or `conv_xnor` is not as above.
    """
    check_image(network, image)
    if conv_xnor not in _CONV_XNOR:
        raise ValueError(f"conv_xnor is {conv_xnor!r}, expected one of {', '.join(_CONV_XNOR)}")
    return _trace(network, image, conv_xnor, statistics or {})


def _trace(
    network: IntegerNetwork, image: np.ndarray, conv_xnor: str, statistics: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    tensors = {L.PIXELS: np.asarray(image).reshape(*image.shape[:2], network.channels)}
    last_use = {name: index for index, layer in enumerate(network.layers) for name in layer.inputs}
    yield L.PIXELS, tensors[L.PIXELS]
    for index, layer in enumerate(network.layers):
        inputs = [tensors[name] for name in layer.inputs]
        for name in layer.inputs:
            if last_use[name] == index:
                tensors.pop(name, None)  # absent already if the layer reads it twice
        result = statistics.get(layer.name)
        if result is None:
            result = apply_layer(layer, inputs, network.scale, conv_xnor)
        tensors[layer.name] = result
        yield layer.name, result


def apply_layer(
    layer: L.Layer, inputs: Sequence[np.ndarray], scale: int, conv_xnor: str = "packed"
) -> np.ndarray:
    """Return the tensor that `layer` makes of its input tensors, in a network of this scale.

    Arguments and result have the shapes, dtypes and ranges of `golden.operators` and are not checked.
    """
    x = inputs[0]
    match layer:
        case L.ConvInt8():
            return op.conv_int8(x, layer.weight)
        case L.ConvXnor():
            return _CONV_XNOR[conv_xnor](x, layer.weight)
        case L.Requant(a1=a1, a0=a0, b1=b1, b0=b0, threshold=threshold):
            return op.requant(x, a1, a0, b1, b0, threshold, layer.shift, layer.bits)
        case L.RSign():
            return op.rsign(x, layer.threshold)
        case L.Join():
            return op.join(x, inputs[1], layer.bits)
        case L.PixelShuffle():
            return op.pixel_shuffle(x, layer.factor)
        case L.NearestUp():
            return op.nearest_up(x, layer.factor)
        case L.RepeatChannels():
            return op.repeat_channels(x, layer.channels)
        case L.Base():
            return op.base(x, layer.factor)
        case L.Output():
            base_bits = op.BASE_FRACTION_BITS[scale]
            return op.output(x, inputs[1], layer.a, layer.b, layer.shift, base_bits)
        case L.ConvPoint():
            return op.conv_point(x, layer.weight)
        case L.Table():
            return op.lookup(x, layer.table)
        case L.Multiply():
            return op.multiply(x, inputs[1], layer.shift, layer.bits)
        case L.GlobalMean():
            return op.global_mean(x, layer.shift, layer.bits)
        case L.Compare():
            return op.compare(x, inputs[1])
        case L.PlainOutput():
            return op.output(x, np.zeros_like(x), layer.a, layer.b, layer.shift, 0)
    raise L.ModelError(f"layer '{layer.name}': {type(layer).__name__} has no operator")


def run(network: IntegerNetwork, image: np.ndarray, conv_xnor: str = "packed") -> np.ndarray:
    """Restore an image: (H, W, C) uint8 -> (H*scale, W*scale, C) uint8, or (H, W) -> (H*scale, W*scale).

    Arguments and errors as `trace`.
    """
    _, result = deque(trace(network, image, conv_xnor), maxlen=1).pop()
    return result.reshape(result.shape[: image.ndim])
