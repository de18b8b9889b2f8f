# SPDX-License-Identifier: BSD-3-Clause
"""Is the graph still the network? It is executed, and every tensor of the network is compared with golden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import numpy as np
from onnx import NodeProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp

from golden import layers as L
from golden.difference import difference
from golden.network import IntegerNetwork
from golden.reference import trace
from hw.compiler import BuildError
from hw.compiler.graph import datatype
from hw.compiler.ops import StreamOp, shuffle_order
from hw.compiler.ops.base import to_tensor
from hw.compiler.transforms import channel_orders, stream_nodes

COPIES = ("fork.a", "fork.b", "width", "fifo", "stage")
"""Tensors X/fork.a, X/fork.b/fifo and so on are copies of tensor X."""


def sample_images(height: int, width: int, channels: int, seed: int = 0) -> list[np.ndarray]:
    """Return images to execute a graph on, (height, width, channels) uint8.

    Returns:
        Two: uniform noise, and what photos consist of, which is soft shades, an edge and some grain.
    """
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    y, x, c = np.ogrid[:height, :width, :channels]
    photo = (
        110
        + 50 * np.sin(x / 7 + c)
        + 40 * np.cos(y / 5)
        + 45 * (2 * x > y + 5)
        + rng.normal(0, 4, noise.shape)
    )
    return [noise, np.clip(photo, 0, 255).astype(np.uint8)]


class Verifier:
    """Compares graphs with a network, on images of one size."""

    def __init__(self, network: IntegerNetwork, images: Sequence[np.ndarray]) -> None:
        """Run golden on the images.

        Args:
            network: what every graph has to equal.
            images: (H, W, C) uint8 each, of the size for which the graphs are.
        """
        self.network = network
        kinds = {name: DataType[datatype(kind)] for name, kind in network.types.items()}
        self.expected = [
            {name: to_tensor(array, kinds[name]) for name, array in trace(network, image)} for image in images
        ]

    def check(self, model: ModelWrapper, step: str) -> None:
        """Execute a graph and compare.

        Args:
            model: the graph; nothing in it is changed.
            step: name of the step that made it, for the message.

        Raises:
            BuildError: the first tensor, in the order of the network, that is missing or not equal; the graph
                does not execute; or it does not fit together (see `check_streams`).
        """
        for expected in self.expected:
            try:
                found = execute_onnx(model, {L.PIXELS: expected[L.PIXELS]}, return_full_exec_context=True)
            except Exception as error:
                reason = " ".join(str(error).split())
                raise BuildError(f"step '{step}': the graph does not execute: {reason}") from error
            self._compare(model, found, expected, step)
        try:
            check_streams(model)
        except BuildError as error:
            raise BuildError(f"step '{step}': {error}") from None

    def _compare(
        self, model: ModelWrapper, found: dict[str, np.ndarray], expected: dict[str, np.ndarray], step: str
    ) -> None:
        orders = channel_orders(model)
        copies: dict[str, list[str]] = {name: [name] for name in expected}
        for name in found:
            original, *parts = name.split("/")
            if parts and all(part in COPIES for part in parts):
                copies[original].append(name)
        for original, tensor in expected.items():
            if original in orders:
                tensor = tensor[..., shuffle_order(*orders[original])]
            for name in copies[original]:
                if name not in found:
                    raise BuildError(f"step '{step}': the graph has no tensor '{name}' any more")
                difference = _difference(found[name], tensor)
                if difference:
                    raise BuildError(f"step '{step}': tensor '{name}' is not that of golden: {difference}")


def _difference(found: np.ndarray, expected: np.ndarray) -> str:
    """Return what is wrong with a tensor (1, H, W, C), or an empty string."""
    if found.shape != expected.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    return difference(found[0], expected[0])


def check_streams(model: ModelWrapper) -> None:
    """Check our operators without executing them: folding, and shapes and datatypes of what they connect.

    Raises:
        BuildError: a folding attribute does not divide what it folds, or a tensor has another shape or
            datatype than the port of a node that reads or writes it.
    """
    for node in stream_nodes(model):
        op: StreamOp = getCustomOp(node)
        op.check_folding()
        ends: Iterable = (
            *zip(node.input, op.inputs(), strict=False),
            *zip(node.output, op.outputs(), strict=True),
        )
        for tensor, port in ends:
            got = model.get_tensor_shape(tensor), model.get_tensor_datatype(tensor)
            if got != (port.shape, port.datatype):
                op.fail(
                    f"tensor '{tensor}' is {got[0]} of {got[1].name}, expected {port.shape} of "
                    f"{port.datatype.name} at its port {port.name}"
                )


def check_beats(model: ModelWrapper) -> None:
    """Check that the graph can be stitched: one reader for every stream, which takes beats of the same width.

    Raises:
        BuildError: a tensor with several readers, or with beats of another width at its reader.
    """
    for node in stream_nodes(model):
        for tensor, port in zip(node.output, getCustomOp(node).outputs(), strict=True):
            readers = model.find_consumers(tensor)
            if len(readers) > 1:
                raise BuildError(
                    f"tensor '{tensor}' has {len(readers)} readers, expected one: a Fork is missing"
                )
            for reader in readers:
                other = getCustomOp(reader).inputs()[list(reader.input).index(tensor)]
                if other.folded != port.folded:
                    raise BuildError(
                        f"tensor '{tensor}' is written in beats of {port.elements} channels and read in "
                        f"beats of {other.elements}: a WidthConverter is missing"
                    )


_OF_SIZE = ("ImgDim", "IFMDim", "OFMDim", "numInputVectors", "input_shape", "cycles_estimate")


def _description(node: NodeProto) -> dict[str, object]:
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.name not in _OF_SIZE}
    return {"type": node.op_type, "inputs": list(node.input), "outputs": list(node.output), **attributes}


def check_same(model: ModelWrapper, twin: ModelWrapper, step: str) -> None:
    """Check that two graphs differ in nothing but the size of their frame, after the step of this name.

    Raises:
        BuildError: they differ in a node, an edge, an attribute or a constant.
    """
    for node, other in zip_longest(model.graph.node, twin.graph.node):
        ours, theirs = (_description(n) if n else {} for n in (node, other))
        for key in {**ours, **theirs}:
            if ours.get(key) != theirs.get(key):
                raise BuildError(
                    f"step '{step}': node '{(node or other).name}' depends on the size of the frame: "
                    f"its {key} is {ours.get(key)} or {theirs.get(key)}"
                )
    for constant, other in zip(model.graph.initializer, twin.graph.initializer, strict=True):
        if constant != other:
            raise BuildError(f"step '{step}': constant '{constant.name}' depends on the size of the frame")
