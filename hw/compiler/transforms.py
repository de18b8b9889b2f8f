# SPDX-License-Identifier: BSD-3-Clause
"""Our graph transformations, for what FINN's and QONNX's leave over; docs/finn.md says why each is needed."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import SortGraph

from golden.network import IntegerNetwork
from hw.compiler import BuildError
from hw.compiler.graph import annotate, stream_op
from hw.compiler.ops import TAPS, StreamOp, shuffle_order

CHANNEL_ORDER = "bitmend.channel_order"
"""Metadata of a model: tensors whose channels are in `shuffle_order`, name -> [C, r], as JSON."""

DONE = False
"""What `apply` returns beside the model when it need not be applied again."""


class RestoreNames(Transformation):
    """Call tensors and nodes as in the network again, and annotate exact datatypes again.

    FINN's transformations give new tensors random names, drop those of tensors that they bypass, number the
    nodes, and infer INT32 for every sum. A node with the weights X/weight makes tensor X, and reads X/window,
    which is made of X/pad, if it is no 1x1 convolution; a node is called as its output.
    """

    def __init__(self, network: IntegerNetwork) -> None:
        super().__init__()
        self.network = network

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Rename in place."""
        for node in model.graph.node:
            weight = next((name for name in node.input if name.endswith("/weight")), None)
            if weight is None or node.op_type == "Conv":
                continue
            name = weight.removesuffix("/weight")
            _rename(model, node.output[0], name)
            window = model.find_producer(node.input[0])
            if window is None or not window.op_type.startswith(
                ("Im2Col", "ConvolutionInputGenerator", "Window")
            ):
                continue
            _rename(model, node.input[0], f"{name}/window")
            pad = model.find_producer(window.input[0])
            if pad is not None and pad.op_type in ("Pad", "FMPadding"):
                _rename(model, pad.output[0], f"{name}/pad")
        for node in model.graph.node:
            node.name = self._node_name(node)
        annotate(self.network, model)
        return model, DONE

    def _node_name(self, node: NodeProto) -> str:
        name = node.output[0]
        if name.endswith("/fork.a"):
            return name.removesuffix(".a")
        if name.endswith("/stage"):  # the last operator, with a FIFO behind it
            return name.removesuffix("/stage")
        return f"{name}/fifo" if node.input[0] == f"{name}/stage" else name


class DenseSingleChannels(Transformation):
    """Undo that LowerConvsToMatMul takes a convolution of 1 to 1 channel for a depthwise one."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Remove the sparsity of its weights, and the mark of its Im2Col."""
        for annotation in model.graph.quantization_annotation:
            for entry in list(annotation.quant_parameter_tensor_names):
                if entry.key == "tensor_sparsity":
                    annotation.quant_parameter_tensor_names.remove(entry)
        for node in model.get_nodes_by_op_type("Im2Col"):
            getCustomOp(node).set_nodeattr("depthwise", 0)
        return model, DONE


class InferXnorMVU(Transformation):
    """MatMul of BIPOLAR windows and BIPOLAR weights -> XnorMVU."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Replace every such MatMul."""
        for node in model.get_nodes_by_op_type("MatMul"):
            if all(model.get_tensor_datatype(name) == DataType["BIPOLAR"] for name in node.input):
                mw, mh = model.get_initializer(node.input[1]).shape
                _replace(model, [node], "XnorMVU", node.input, node.output, MW=mw, MH=mh, SIMD=mw)
        return model, DONE


class InferInt8MVU(Transformation):
    """FINN's MVAU without activation, of INT8 weights -> Int8MVU.

    That knows whether there is a window before it, and whether a weight is -128.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Replace every MVAU."""
        for node in model.get_nodes_by_op_type("MVAU"):
            source = model.find_producer(node.input[0])
            windows = source is not None and source.op_type == "ConvolutionInputGenerator"
            weight = model.get_initializer(node.input[1])
            sizes = {"MW": weight.shape[0], "MH": weight.shape[1], "SIMD": weight.shape[0]}
            narrow = int(weight.min() > DataType["INT8"].min())
            more = {"Taps": TAPS if windows else 1, "Narrow": narrow}
            _replace(model, [node], "Int8MVU", node.input, node.output, **sizes, **more)
        return model, DONE


class InferWindow(Transformation):
    """FMPadding or Pad, and FINN's ConvolutionInputGenerator behind it -> Window."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Replace every pair."""
        for node in model.get_nodes_by_op_type("ConvolutionInputGenerator"):
            pad = model.find_producer(node.input[0])
            channels = model.get_tensor_shape(node.input[0])[3]
            _replace(model, [pad, node], "Window", pad.input[:1], node.output, P=channels)
        return model, DONE


class OnlyOurs(Transformation):
    """Nothing: raises BuildError if a node is left that is none of our operators."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Look at every node."""
        ours = {node.name for node in stream_nodes(model)}
        for node in model.graph.node:
            if node.name not in ours:
                raise BuildError(
                    f"node '{node.name}' is still a {node.op_type}, expected one of our operators"
                )
        return model, DONE


class SplitDuplicateStreams(Transformation):
    """FINN's DuplicateStreams with n outputs -> a chain of n - 1 Forks."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Replace every DuplicateStreams."""
        for node in model.get_nodes_by_op_type("DuplicateStreams"):
            source, copies = node.input[0], list(node.output)
            kind, shape = model.get_tensor_datatype(source), model.get_tensor_shape(source)
            forks = []
            for index in range(len(copies) - 1):
                name = f"{source}/fork"
                for copy in (f"{name}.a", f"{name}.b"):
                    model.set_tensor_shape(copy, shape)
                    model.set_tensor_datatype(copy, kind)
                forks.append(stream_op(model, "Fork", [source], [f"{name}.a", f"{name}.b"], name))
                _reconnect(model, copies[index], f"{name}.a")
                source = f"{name}.b"
                if index == len(copies) - 2:
                    _reconnect(model, copies[-1], source)
            _substitute(model, [node], forks)
        return model, DONE


class OrderChannels(Transformation):
    """PixelShuffle with Order = 1, where the matrix-vector unit before it can make channels in that order.

    On the way there may only be operators that treat each channel for itself; their constants, and the
    columns of the weights, are permuted. Elsewhere the shuffle keeps Order = 0 and reorders the channels.
    """

    _PER_CHANNEL = ("TwoPieceRequant", "RSign")

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Permute constants in place, and record the tensors in the model's metadata."""
        ordered = channel_orders(model)
        for node in model.get_nodes_by_op_type("PixelShuffle"):
            way = self._way(model, node)
            if way is None:
                continue
            shuffle = getCustomOp(node)
            channels, factor = shuffle.channels, shuffle["Factor"]
            order = shuffle_order(channels, factor)
            for step in way:
                for name in step.input[1:]:
                    value = model.get_initializer(name)
                    model.set_initializer(name, np.ascontiguousarray(value[..., order]))
                ordered[step.output[0]] = [channels, factor]
            shuffle.set_nodeattr("Order", 1)
        model.set_metadata_prop(CHANNEL_ORDER, json.dumps(ordered))
        return model, DONE

    def _way(self, model: ModelWrapper, node: NodeProto) -> list[NodeProto] | None:
        """Return the nodes from the shuffle's input up to a matrix-vector unit, or None."""
        way: list[NodeProto] = []
        while True:
            node = model.find_producer(node.input[0])
            if node is None or len(model.find_consumers(node.output[0])) != 1:
                return None
            way.append(node)
            if node.op_type in ("XnorMVU", "Int8MVU"):
                return way
            if node.op_type not in self._PER_CHANNEL:
                return None


class AdoptPlumbing(Transformation):
    """FINN's StreamingDataWidthConverter and StreamingFIFO -> WidthConverter and Fifo, with names."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Replace every such node."""
        for node in model.get_nodes_by_op_type("StreamingDataWidthConverter"):
            beats = [getCustomOp(node).get_nodeattr(name) for name in ("inWidth", "outWidth")]
            self._adopt(
                model, node, "WidthConverter", "width", beats, lambda p, out_p: {"P": p, "OUT_P": out_p}
            )
        for node in model.get_nodes_by_op_type("StreamingFIFO"):
            depth = getCustomOp(node).get_nodeattr("depth")
            beats = [getCustomOp(node).get_instream_width()]
            self._adopt(model, node, "Fifo", "fifo", beats, lambda p, depth=depth: {"P": p, "depth": depth})
        return model.transform(SortGraph()), DONE

    @staticmethod
    def _adopt(
        model: ModelWrapper,
        node: NodeProto,
        op: str,
        part: str,
        beats: list[int],
        attributes: Callable[..., dict[str, int]],
    ) -> None:
        """Replace a node; `attributes` makes its attributes of the elements in beats of these widths."""
        source, result = node.input[0], node.output[0]
        if any(out.name == result for out in model.graph.output):  # the network's output keeps its name
            _rename(model, source, f"{result}/stage")
            source = f"{result}/stage"
        else:
            _rename(model, result, f"{source}/{part}")
            result = f"{source}/{part}"
        kind = model.get_tensor_datatype(source)
        model.set_tensor_datatype(result, kind)
        bits = kind.bitwidth()
        _replace(model, [node], op, [source], [result], **attributes(*(width // bits for width in beats)))


def channel_orders(model: ModelWrapper) -> dict[str, list[int]]:
    """Return the tensors whose channels are in `shuffle_order`, by name: [C, r]."""
    return json.loads(model.get_metadata_prop(CHANNEL_ORDER) or "{}")


def vectors(model: ModelWrapper) -> set[str]:
    """Return the tensors with one pixel for the whole image: those from a GlobalMean on to a RepeatPixels."""
    found: set[str] = set()
    for node in stream_nodes(model):
        kind = getCustomOp(node).kind
        if kind == "GlobalMean" or (kind != "RepeatPixels" and node.input[0] in found):
            found |= set(node.output)
    return found


def match_windows(model: ModelWrapper, check: bool = False) -> None:
    """Give every Window the P that the SIMD of the matrix-vector unit behind it asks for.

    Args:
        model: the graph.
        check: whether to raise BuildError where it has another P, instead.
    """
    for node in stream_nodes(model, "Window"):
        (unit,) = model.find_consumers(node.output[0])
        window, simd = getCustomOp(node), getCustomOp(unit)["SIMD"]
        if not check:
            window.set_nodeattr("P", max(1, simd // TAPS))
        elif window["P"] * TAPS != simd:
            window.fail(f"P is {window['P']}, expected SIMD / {TAPS} of '{unit.name}', whose SIMD is {simd}")


def stream_nodes(model: ModelWrapper, op: str | None = None) -> list[NodeProto]:
    """Return the nodes of our operators, or of one of them, in the order of the graph."""
    return [
        node
        for node in model.graph.node
        if node.domain.startswith("finn.") and isinstance(getCustomOp(node), StreamOp)
        if op is None or node.op_type.removesuffix("_rtl") == op
    ]


def _replace(
    model: ModelWrapper,
    nodes: list[NodeProto],
    op: str,
    inputs: list[str],
    outputs: list[str],
    **attributes: int,
) -> None:
    """Put one of our operators in the place of the last of some nodes, and remove them all."""
    _substitute(model, nodes, [stream_op(model, op, inputs, outputs, outputs[0], **attributes)])


def _substitute(model: ModelWrapper, nodes: list[NodeProto], others: list[NodeProto]) -> None:
    place = list(model.graph.node).index(nodes[-1])
    for other in reversed(others):
        model.graph.node.insert(place + 1, other)
    for node in nodes:
        model.graph.node.remove(node)


def _rename(model: ModelWrapper, old: str, new: str) -> None:
    """Rename a tensor, unless it has the name already; a stale description of that name makes place."""
    if old == new:
        return
    for container in (model.graph.value_info, model.graph.quantization_annotation):
        for entry in [e for e in container if getattr(e, "name", getattr(e, "tensor_name", None)) == new]:
            container.remove(entry)
    model.rename_tensor(old, new)


def _reconnect(model: ModelWrapper, old: str, new: str) -> None:
    """Let all readers of a tensor read another."""
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new
