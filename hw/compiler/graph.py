# SPDX-License-Identifier: BSD-3-Clause
"""An integer network as a QONNX graph: standard ONNX where there is a standard operator, else ours.

Tensors are (1, H, W, C), have the names of the network's, and hold integers in float32; bits are -1 and +1
(BIPOLAR). A convolution is Pad, Transpose, Conv, Transpose: Conv is what FINN knows how to lower, and an
explicit Pad is exact for bits, because -1 can be padded. All other tensors of layer X are called X/something.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.basic import qonnx_make_model

from golden import layers as L
from golden.inference import TensorType, signed_bits
from golden.network import IntegerNetwork
from golden.operators import BASE_FRACTION_BITS
from hw.compiler import BuildError
from hw.compiler.ops import DIM_BITS, DOMAIN

OPSET = 18
"""Of standard ONNX: the first whose Pad takes axes, which FINN's InferFMPadding expects."""

EXACT = 1 << 24
"""Integers up to this size, and sums of them on the way to it, are exact in float32."""

NHWC = ["N", "H", "W", "C"]


def build(network: IntegerNetwork, height: int, width: int) -> ModelWrapper:
    """Return the graph of a network for frames of one size.

    Args:
        network: the network.
        height, width: of the input frame, in pixels.

    Raises:
        BuildError: the frame is empty or too large for hardware, or a tensor may hold integers that float32
            does not hold exactly.
    """
    limit = (1 << DIM_BITS) - 1
    if height < 1 or width < 1 or max(height, width) * network.scale > limit:
        raise BuildError(
            f"the frame is {width} x {height}, enlarged {network.scale} times; expected 1 x 1 at least and "
            f"{limit} x {limit} at most when enlarged"
        )
    for name, kind in network.types.items():
        largest = max(-kind.low, kind.high)
        if largest > EXACT:
            raise BuildError(
                f"layer '{name}': values may reach {largest}, expected at most {EXACT}, up to which the "
                "float32 of FINN's graphs is exact; use fewer channels in this layer"
            )
    return _Builder(network, height, width).build()


def datatype(kind: TensorType) -> str:
    """Return the name of QONNX's datatype for a tensor; accumulators have at least 2 bits."""
    if kind.kind == "bits":
        return "BIPOLAR"
    return f"INT{max(kind.bits, 2)}" if kind.signed else f"UINT{kind.bits}"


def annotate(network: IntegerNetwork, model: ModelWrapper) -> None:
    """Annotate the tensors of the network: exact datatypes, which QONNX's inference replaces by INT32."""
    present = set(model.get_all_tensor_names())
    for name, kind in network.types.items():
        if name in present:
            model.set_tensor_datatype(name, DataType[datatype(kind)])
            model.set_tensor_layout(name, NHWC)


def stream_op(
    model: ModelWrapper,
    op: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    name: str,
    size_of: str | None = None,
    **attributes: object,
) -> NodeProto:
    """Return a node of one of our operators; its streams are described by the tensors that it connects.

    Args:
        model: holds the shapes and datatypes of these tensors.
        op: the operator's class.
        inputs: streams, then constants (initializers).
        outputs: streams.
        name: of the node.
        size_of: the tensor whose size is that of the node; None for the first stream.
        attributes: those that the tensors do not tell.
    """
    streams = [tensor for tensor in inputs if model.get_initializer(tensor) is None]
    channels = model.get_tensor_shape(streams[0])[3]
    _, height, width, _ = model.get_tensor_shape(size_of or streams[0])
    return helper.make_node(
        op,
        list(inputs),
        list(outputs),
        name=name,
        domain=DOMAIN,
        backend="fpgadataflow",
        ImgDim=[height, width],
        NumChannels=channels,
        inputDataTypes=[model.get_tensor_datatype(tensor).name for tensor in streams],
        outputDataType=model.get_tensor_datatype(outputs[0]).name,
        inFIFODepths=[2] * len(streams),
        outFIFODepths=[2] * len(outputs),
        **attributes,
    )


class _Builder:
    """Appends the nodes of one layer after the other to an empty model."""

    def __init__(self, network: IntegerNetwork, height: int, width: int) -> None:
        self.network = network
        self.size = height, width
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shape(name))
            for name in (L.PIXELS, network.layers[-1].name)
        ]
        graph = helper.make_graph([], network.meta.get("name", "bitmend"), ends[:1], ends[1:])
        imports = [("", OPSET), (DOMAIN, 1), (f"{DOMAIN}.rtl", 1), ("qonnx.custom_op.general", 1)]
        self.model = ModelWrapper(
            qonnx_make_model(graph, opset_imports=[helper.make_opsetid(*entry) for entry in imports])
        )

    def build(self) -> ModelWrapper:
        for name in self.network.types:
            self.model.set_tensor_shape(name, self.shape(name))
        annotate(self.network, self.model)
        for layer in self.network.layers:
            self.layer(layer)
        self.model.set_metadata_prop("bitmend.network", self.network.content_hash)
        return self.model

    def shape(self, name: str, margin: int = 0) -> list[int]:
        """Return the shape of a tensor of the network with a margin around it."""
        height, width, channels = self.network.types[name].shape(*self.size)
        return [1, height + 2 * margin, width + 2 * margin, channels]

    def layer(self, layer: L.Layer) -> None:
        match layer:
            case L.ConvXnor():
                self.convolution(layer, 2 * layer.weight.astype(np.float32) - 1, "BIPOLAR", outside=-1)
            case L.ConvInt8():
                self.convolution(layer, layer.weight.astype(np.float32), "INT8", outside=0)
            case L.ConvPoint():
                self.point(layer)
            case L.Requant():
                self.operator(
                    "TwoPieceRequant",
                    layer,
                    ("a1", "a0", "b1", "b0", "threshold"),
                    Shift=layer.shift,
                    ABits=_bits(layer.a1, layer.a0),
                    BBits=_bits(layer.b1, layer.b0),
                )
            case L.RSign():
                self.operator("RSign", layer, ("threshold",))
            case L.Join():
                self.operator("Join", layer)
            case L.PixelShuffle() | L.NearestUp() | L.Base():
                self.operator(type(layer).__name__, layer, Factor=layer.factor)
            case L.RepeatChannels():
                self.operator("RepeatChannels", layer, OutChannels=layer.channels)
            case L.Output():
                base_bits = BASE_FRACTION_BITS[self.network.scale]
                self.operator(
                    "Output",
                    layer,
                    ("a", "b"),
                    Shift=layer.shift,
                    BaseBits=base_bits,
                    ABits=_bits(layer.a),
                    BBits=_bits(layer.b),
                )
            case L.PlainOutput():
                bits = {"ABits": _bits(layer.a), "BBits": _bits(layer.b)}
                self.operator("PlainOutput", layer, ("a", "b"), Shift=layer.shift, **bits)
            case L.Table():
                self.operator("Table", layer, ("table",))
            case L.Multiply(inputs=(x, g)):
                channels = self.network.types[g].channels
                inputs = x, self.repeated(layer, g, x)
                self.operator("Multiply", layer, inputs=inputs, GChannels=channels, Shift=layer.shift)
            case L.GlobalMean():
                self.operator("GlobalMean", layer, ("initial",), Shift=layer.shift)
            case L.Compare(inputs=(x, threshold)):
                self.operator("Compare", layer, inputs=(x, self.repeated(layer, threshold, x)))
            case _:
                raise BuildError(
                    f"layer '{layer.name}': {type(layer).__name__} has no operator in FINN's graph"
                )

    def operator(
        self,
        op: str,
        layer: L.Layer,
        constants: Sequence[str] = (),
        inputs: Sequence[str] = (),
        **attributes: int,
    ) -> None:
        """Append one of our operators; constants are int32, the widest that they are.

        Args:
            op: the operator's class.
            layer: the layer, whose name is that of the result.
            constants: fields of the layer.
            inputs: streams, if they are others than those of the layer.
            attributes: of the node.
        """
        names = [
            self.constant(f"{layer.name}/{key}", getattr(layer, key).astype(np.int32)) for key in constants
        ]
        types = dict.fromkeys(("a", "a1", "a0", "table", "initial"), 16)
        for key, name in zip(constants, names, strict=True):
            self.model.set_tensor_datatype(name, DataType[f"INT{types.get(key, 32)}"])
        inputs = [*(inputs or layer.inputs), *names]
        self.append(stream_op(self.model, op, inputs, [layer.name], layer.name, **attributes))

    def repeated(self, layer: L.Layer, tensor: str, x: str) -> str:
        """Return a tensor of the size of x: this one, or what a RepeatPixels makes of it as a vector."""
        if self.network.types[tensor].factor == self.network.types[x].factor:
            return tensor
        shape = [*self.shape(x)[:3], self.network.types[tensor].channels]
        result = self.tensor(f"{layer.name}/repeat", shape, self.model.get_tensor_datatype(tensor))
        self.append(stream_op(self.model, "RepeatPixels", [tensor], [result], result, size_of=x))
        return result

    def convolution(self, layer: L.Layer, weight: np.ndarray, dtype: str, outside: int) -> None:
        """Append Pad (NHWC), then what `product` appends, for a weight (O, 3, 3, C)."""
        name, (x,) = layer.name, layer.inputs
        kind = self.model.get_tensor_datatype(x)
        pad = [
            self.constant(f"{name}/pads", np.array([1, 1, 1, 1], np.int64)),
            self.constant(f"{name}/outside", np.float32(outside)),
            self.constant(f"{name}/axes", np.array([1, 2], np.int64)),
        ]
        padded = self.tensor(f"{name}/pad", self.shape(x, margin=1), kind)
        self.append(helper.make_node("Pad", [x, *pad], [padded], name=padded))
        self.product(name, padded, f"{name}/pad.nchw", weight, dtype)

    def point(self, layer: L.ConvPoint) -> None:
        """Append what `product` appends for a 1x1 convolution, of a vector too."""
        weight = layer.weight.astype(np.float32)[:, np.newaxis, np.newaxis, :]
        self.product(layer.name, layer.inputs[0], f"{layer.name}/in.nchw", weight, "INT8")

    def product(self, name: str, x: str, turned: str, weight: np.ndarray, dtype: str) -> None:
        """Append Transpose, Conv (NCHW, without padding), Transpose for a weight (O, k, k, C).

        Args:
            name: of the result, which is NHWC as x.
            x: what is convolved.
            turned: name of x as NCHW.
            weight: the weight.
            dtype: datatype of the weight.
        """
        _, height, width, channels = self.model.get_tensor_shape(x)
        kind, inside = self.model.get_tensor_datatype(x), self.shape(name)
        weights = self.constant(f"{name}/weight", weight.transpose(0, 3, 1, 2).copy())
        self.model.set_tensor_datatype(weights, DataType[dtype])
        turned = self.tensor(turned, [1, channels, height, width], kind)
        result = self.tensor(
            f"{name}/nchw", [1, inside[3], *inside[1:3]], self.model.get_tensor_datatype(name)
        )
        self.append(helper.make_node("Transpose", [x], [turned], name=turned, perm=[0, 3, 1, 2]))
        self.append(
            helper.make_node(
                "Conv",
                [turned, weights],
                [result],
                name=result,
                kernel_shape=list(weight.shape[1:3]),
                strides=[1, 1],
                pads=[0, 0, 0, 0],
                dilations=[1, 1],
                group=1,
            )
        )
        self.append(helper.make_node("Transpose", [result], [name], name=name, perm=[0, 2, 3, 1]))

    def append(self, node: NodeProto) -> None:
        self.model.graph.node.append(node)

    def constant(self, name: str, value: np.ndarray) -> str:
        self.model.set_initializer(name, value)
        return name

    def tensor(self, name: str, shape: Sequence[int], kind: DataType) -> str:
        self.model.set_tensor_shape(name, list(shape))
        self.model.set_tensor_datatype(name, kind)
        return name


def _bits(*arrays: np.ndarray) -> int:
    """Return the bits that hold all of these signed constants."""
    return signed_bits(min(int(a.min()) for a in arrays), max(int(a.max()) for a in arrays))
