# SPDX-License-Identifier: BSD-3-Clause
"""A network on one page of text: what it is, and shape, width, operations and storage of every layer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from golden import layers as L
from golden.inference import receptive_field
from golden.network import IntegerNetwork

_LONGEST_UNIT = 24
_INT8 = (L.ConvInt8, L.ConvPoint)


@dataclass(frozen=True)
class LayerCost:
    """What a layer costs.

    Attributes:
        binary_macs: products of +-1 of a ConvXnor (one XNOR and count each) for one image, else 0.
        int8_macs: multiply-accumulates of a ConvInt8 or ConvPoint for one image, else 0.
        storage: bits of all its constants, in the widths of the contract.
    """

    binary_macs: int
    int8_macs: int
    storage: int


def layer_cost(network: IntegerNetwork, layer: L.Layer, height: int, width: int) -> LayerCost:
    """Return the cost of one layer of `network` for an input of height x width pixels."""
    rows, columns, _ = network.types[layer.name].shape(height, width)
    pixels = rows * columns
    storage = 0
    for key, rule in layer.rules().items():
        if isinstance(rule, L.ArrayRule):
            bits = (rule.high - rule.low).bit_length()
            if isinstance(layer, L.RSign):
                bits = network.types[layer.inputs[0]].bits + 1
            elif isinstance(layer, (L.Table, L.GlobalMean)):
                bits = layer.bits
            storage += bits * getattr(layer, key).size
    return LayerCost(
        binary_macs=layer.weight.size * pixels if isinstance(layer, L.ConvXnor) else 0,
        int8_macs=layer.weight.size * pixels if isinstance(layer, _INT8) else 0,
        storage=storage,
    )


def describe(network: IntegerNetwork, height: int = 180, width: int = 320) -> str:
    """Return a description of `network` for an input of height x width pixels.

    Repeated units, equal but for the numbers in their names, are printed once: "16 x" and a bar beside them.
    """
    costs = [layer_cost(network, layer, height, width) for layer in network.layers]
    convs = [layer for layer in network.layers if isinstance(layer, (*_INT8, L.ConvXnor))]
    binary_weights = sum(layer.weight.size for layer in convs if isinstance(layer, L.ConvXnor))
    int8_weights = sum(layer.weight.size for layer in convs if isinstance(layer, _INT8))
    other_bits = sum(cost.storage for cost in costs) - binary_weights - 8 * int8_weights
    scale = network.scale
    means = sum(isinstance(layer, L.GlobalMean) for layer in network.layers)
    whole = f", and the whole image through {means} mean{'s' if means > 1 else ''}" if means else ""
    facts = {
        "task": f"{network.task} x{scale}, {network.channels} channel{'s' if network.channels > 1 else ''}",
        "image": f"{width} x {height} -> {width * scale} x {height * scale}",
        "binary MACs": f"{sum(cost.binary_macs for cost in costs):,}",
        "int8 MACs": f"{sum(cost.int8_macs for cost in costs):,}",
        "storage": f"{binary_weights:,} x 1 bit, {int8_weights:,} x 8 bits, {other_bits:,} bits of the rest",
        "receptive field": f"{receptive_field(network)} pixels on each side{whole}",
        "hash": network.content_hash,
        **{f"meta.{key}": value for key, value in network.meta.items()},
    }
    rows = [
        (
            layer.name,
            type(layer).__name__,
            "{} x {} x {}".format(*network.types[layer.name].shape(height, width)),
            f"{'s' if network.types[layer.name].signed else 'u'}{network.types[layer.name].bits}",
            f"{cost.binary_macs + cost.int8_macs:,}",
            f"{cost.storage:,}",
        )
        for layer, cost in zip(network.layers, costs, strict=True)
    ]
    page = [f"{key:<16} {value}" for key, value in facts.items()]
    headings = ("tensor", "operator", "H x W x C", "type", "MACs", "bits")
    return "\n".join([*page, "", *_table(headings, rows)])


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Align the columns, the first two to the left, and fold repeated units."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    layout = "  ".join(f"{{:{'<' if i < 2 else '>'}{width}}}" for i, width in enumerate(widths))
    lines = [f"{'':7}{layout.format(*headings)}"]
    keys = [(re.sub(r"\d+", "#", row[0]), *row[1:]) for row in rows]
    start = 0
    while start < len(keys):
        length, count = _repetition(keys, start)
        for index in range(length):
            mark = f"{count:>4} x" if count > 1 and index == 0 else ""
            lines.append(f"{mark:<6}{'|' if count > 1 else ' '}{layout.format(*rows[start + index])}")
        start += length * count
    return lines


def _repetition(keys: list[tuple[str, ...]], start: int) -> tuple[int, int]:
    """Return (length, count) of the shortest unit at `start` that repeats, or (1, 1)."""
    for length in range(1, _LONGEST_UNIT + 1):
        unit, count = keys[start : start + length], 1
        while keys[start + count * length : start + (count + 1) * length] == unit:
            count += 1
        if count > 1:
            return length, count
    return 1, 1
