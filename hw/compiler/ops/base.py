# SPDX-License-Identifier: BSD-3-Clause
"""What all our operators in FINN's registries have in common.

An operator describes its streams as `Port`s. All that FINN asks for (shapes, folded shapes, stream widths,
datatypes, cycles) follows from those; what it computes comes from `golden`; its hardware is a module of
`hw/rtl/` with the parameters that `rtl` returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op
from finn.custom_op.fpgadataflow.hwcustomop import HWCustomOp
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from finn.custom_op.fpgadataflow.rtlbackend import RTLBackend
from qonnx.core.datatype import BaseDataType, DataType
from qonnx.core.modelwrapper import ModelWrapper

from hw.compiler import BuildError
from hw.compiler.cost import Resources, resources
from hw.modules import ToolError, sources

DOMAIN = "finn.custom_op.fpgadataflow"
"""The ONNX domain of our operators must be FINN's own: its transformations compare with this string."""

DIM_BITS = 12
"""Bits of an image's height and width in hardware, at every node: frames of up to 4095 x 4095 pixels."""


@dataclass(frozen=True)
class Port:
    """A stream of a node: a tensor (1, height, width, channels) in beats of `elements` channels.

    Attributes:
        name: of the port in RTL, without "_tdata".
        elements: channels per beat; they divide `channels`.
        datatype: of an element.
    """

    name: str
    height: int
    width: int
    channels: int
    elements: int
    datatype: BaseDataType

    @property
    def shape(self) -> list[int]:
        """Shape of the tensor."""
        return [1, self.height, self.width, self.channels]

    @property
    def folded(self) -> list[int]:
        """Shape of the tensor as beats: (1, height, width, beats of a pixel, elements)."""
        return [1, self.height, self.width, self.channels // self.elements, self.elements]

    @property
    def bits(self) -> int:
        """Width of a beat in bits."""
        return self.elements * self.datatype.bitwidth()

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return self.height * self.width * (self.channels // self.elements)

    def stream(self, tensor: np.ndarray) -> list[int]:
        """Return the beats that carry a tensor (1, H, W, C) of the graph through this port."""
        values = from_tensor(tensor, self.datatype).astype(np.int64)
        return pack(values.reshape(-1, self.elements), self.datatype.bitwidth())


@dataclass(frozen=True)
class Rtl:
    """An instance of a module of `hw/rtl/`.

    Attributes:
        module: its name.
        parameters: the values of its parameters; those that are absent keep their defaults.
        sized: whether it has a stream of frame sizes, s_size.
    """

    module: str
    parameters: dict[str, int | str]
    sized: bool = False


class StreamOp(HWCustomOp):
    """Base class of our operators.

    Class attributes:
        foldings: the folding attributes: each the number of elements per beat of some port.
        parameters: datatype of every constant, by name; they are the inputs of the node after its streams.
        fields: further attributes of the node, integers, by name with their defaults.
    """

    foldings: ClassVar[tuple[str, ...]] = ("PE",)
    parameters: ClassVar[dict[str, str]] = {}
    fields: ClassVar[dict[str, int]] = {}

    # What a subclass defines.

    def inputs(self) -> tuple[Port, ...]:
        """Return the streams that the node reads."""
        raise NotImplementedError

    def outputs(self) -> tuple[Port, ...]:
        """Return the streams that the node writes."""
        raise NotImplementedError

    def compute(self, *values: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs (H, W, C) for the inputs (H, W, C) and the constants, in the integers of golden.

        Bits are uint8 of 0 and 1, all other values int32.
        """
        raise NotImplementedError

    def rtl(self) -> Rtl:
        """Return the module that implements the node, with its folding."""
        raise NotImplementedError

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """Return the memory files that the parameters of the module name, as text for `$readmemh`."""
        return {}

    def constants_of_files(self) -> dict[str, tuple[str, int]]:
        """Return the memory files that the module takes as constants too.

        They are parameter -> (file, bits of a word); `hw.weights.columns` makes the constant.
        """
        return {}

    def folds(self) -> dict[str, int]:
        """Return the number that the value of each folding attribute must divide."""
        return {name: self["NumChannels"] for name in self.foldings}

    def style(self, parameter: str) -> dict[str, str]:
        """Return the style of the module's memory as its parameter; nothing if that is left to the module."""
        return {} if self["ram_style"] == "auto" else {parameter: self["ram_style"]}

    def file(self, name: str) -> str:
        """Return the name of the memory file of this node that holds `name`."""
        return f"{self.onnx_node.name}.{name}.mem".replace("/", ".")

    def constants(self, model: ModelWrapper) -> dict[str, np.ndarray]:
        """Return the constants of the node by name."""
        names = self.onnx_node.input[len(self.inputs()) :]
        return {key: model.get_initializer(name) for key, name in zip(self.parameters, names, strict=True)}

    # Attributes.

    def get_nodeattr_types(self) -> dict[str, tuple]:
        """Return FINN's attributes and ours; see `HWCustomOp`. The same for all nodes of a class."""
        cls = type(self)
        if "_attribute_types" not in cls.__dict__:
            cls._attribute_types = {
                **super().get_nodeattr_types(),
                "ImgDim": ("ints", True, []),  # height and width of the first input that is no vector
                "NumChannels": ("i", True, 0),  # of the (first) input
                "inputDataTypes": ("strings", True, []),  # one per stream
                "outputDataType": ("s", True, ""),
                "ram_style": ("s", False, "auto", {"auto", "block", "distributed"}),
                **{name: ("i", False, 1) for name in self.foldings},
                **{name: ("i", False, default) for name, default in self.fields.items()},
            }
        return cls._attribute_types

    @property
    def kind(self) -> str:
        """Name of the operator, without the backend: "Window"."""
        return self.onnx_node.op_type.removesuffix("_rtl")

    def __getitem__(self, name: str) -> Any:
        """Return the value of a node attribute."""
        return self.get_nodeattr(name)

    def port(
        self, name: str, elements: int, source: int | None = None, vector: bool = False, **changes: int
    ) -> Port:
        """Return a port of the shape of the input, with changes.

        Args:
            name: of the port in RTL.
            elements: channels per beat.
            source: index of the input whose datatype it has; None for that of the output.
            vector: whether it has one pixel, whatever the size of the input.
            changes: `channels`, or `scale`, the size as a multiple of the input's.
        """
        datatype = self["outputDataType"] if source is None else self["inputDataTypes"][source]
        height, width = (1 if vector else side * changes.get("scale", 1) for side in self["ImgDim"])
        channels = changes.get("channels", self["NumChannels"])
        return Port(name, height, width, channels, elements, DataType[datatype])

    def check_folding(self) -> None:
        """Raise BuildError unless every folding attribute divides what it folds."""
        for name, total in self.folds().items():
            if self[name] < 1 or total % self[name]:
                self.fail(f"{name} is {self[name]}, expected a divisor of {total}")

    def fail(self, message: str) -> None:
        """Raise BuildError with the name of the node before the message."""
        raise BuildError(f"node '{self.onnx_node.name}': {message}")

    # What FINN asks for.

    def _input(self, ind: int) -> Port | None:
        ports = self.inputs()
        return ports[ind] if ind < len(ports) else None

    def get_normal_input_shape(self, ind: int = 0) -> list[int]:
        """Return the shape of a stream; [] for a constant."""
        port = self._input(ind)
        return port.shape if port else []

    def get_normal_output_shape(self, ind: int = 0) -> list[int]:
        """Return the shape of an output."""
        return self.outputs()[ind].shape

    def get_folded_input_shape(self, ind: int = 0) -> list[int]:
        """Return the shape of a stream as beats; [] for a constant."""
        port = self._input(ind)
        return port.folded if port else []

    def get_folded_output_shape(self, ind: int = 0) -> list[int]:
        """Return the shape of an output as beats."""
        return self.outputs()[ind].folded

    def get_input_datatype(self, ind: int = 0) -> BaseDataType:
        """Return the datatype of a stream or a constant."""
        port = self._input(ind)
        return port.datatype if port else DataType[list(self.parameters.values())[ind - len(self.inputs())]]

    def get_output_datatype(self, ind: int = 0) -> BaseDataType:
        """Return the datatype of an output."""
        return self.outputs()[ind].datatype

    def get_instream_width(self, ind: int = 0) -> int:
        """Return the bits of a beat of an input; 0 for a constant, which is no stream."""
        port = self._input(ind)
        return port.bits if port else 0

    def get_outstream_width(self, ind: int = 0) -> int:
        """Return the bits of a beat of an output."""
        return self.outputs()[ind].bits

    def get_verilog_top_module_intf_names(self) -> dict[str, list]:
        """Return the interfaces of the module in FINN's form; the widths are exact, nothing is padded."""
        return {
            "clk": ["clk"],
            "rst": ["rst"],
            "s_axis": [(port.name, port.bits) for port in self.inputs()],
            "m_axis": [(port.name, port.bits) for port in self.outputs()],
            "aximm": [],
            "axilite": [],
            "ap_none": [],
        }

    def get_exp_cycles(self) -> int:
        """Return the cycles of a frame: one per beat of the busiest port."""
        return max(port.beats for port in (*self.inputs(), *self.outputs()))

    def make_shape_compatible_op(self, model: ModelWrapper) -> Any:
        """Return a standard node with the same output shapes, for ONNX's shape inference."""
        node = super().make_shape_compatible_op(model)
        node.output[:] = self.onnx_node.output
        return node

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Annotate the outputs; what they are is fixed when the node is made."""
        for name, port in zip(self.onnx_node.output, self.outputs(), strict=True):
            model.set_tensor_datatype(name, port.datatype)

    def execute_node(self, context: dict[str, np.ndarray], graph: Any) -> None:
        """Execute the node: integers in float32 tensors, bits as -1 and +1."""
        ports = self.inputs()
        values = [
            from_tensor(context[name], port.datatype)
            for name, port in zip(self.onnx_node.input, ports, strict=False)
        ]
        constants = [context[name] for name in self.onnx_node.input[len(ports) :]]
        results = self.compute(*values, *constants)
        for name, port, result in zip(self.onnx_node.output, self.outputs(), results, strict=True):
            context[name] = to_tensor(result, port.datatype)

    # Resources.

    def estimate(self) -> Resources:
        """Return the estimated resources of the node; see `hw.compiler.cost`."""
        instance = self.rtl()
        return resources(instance.module, instance.parameters)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return the estimated LUTs."""
        return self.estimate().lut

    def bram_estimation(self, fpgapart: str) -> int:
        """Return the estimated block RAMs of 18 kbit."""
        return self.estimate().bram18

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return the estimated DSP48 slices."""
        return self.estimate().dsp


class RtlVariant(RTLBackend):
    """What the RTL backends of our operators add to them: FINN's interface to generated HDL."""

    def generate_hdl(self, model: ModelWrapper, fpgapart: str, clk: float) -> None:
        """Write the memory files of the node into its folder, `code_gen_dir_ipgen`."""
        folder = Path(self["code_gen_dir_ipgen"])
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.memories(model).items():
            (folder / name).write_text(text)
        self.set_nodeattr("gen_top_module", self.rtl().module)

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """Return the files of the module and of those below it."""
        return [str(path) if abspath else path.name for path in sources(self.rtl().module)]

    def code_generation_ipi(self) -> list[str]:
        """Vivado's block design is not how we stitch.

        Raises:
            ToolError: always.
        """
        raise ToolError("FINN's CreateStitchedIP needs Vivado; use hw.compiler, which writes one RTL top")


def operator(cls: type[StreamOp]) -> type[StreamOp]:
    """Register an operator in FINN's registries: X itself, and X_rtl, which SpecializeLayers makes of it."""
    register_custom_op(cls)
    register_rtl(
        type(f"{cls.__name__}_rtl", (cls, RtlVariant), {"__doc__": f"RTL backend of {cls.__name__}."})
    )
    return cls


def from_tensor(tensor: np.ndarray, datatype: BaseDataType) -> np.ndarray:
    """Turn a tensor of the graph into one of golden: (1, H, W, C) float32 -> (H, W, C).

    Bits become uint8 of 0 and 1, all else int32.
    """
    values = np.asarray(tensor[0])
    return (values > 0).astype(np.uint8) if datatype == DataType["BIPOLAR"] else values.astype(np.int32)


def to_tensor(values: np.ndarray, datatype: BaseDataType) -> np.ndarray:
    """Turn a tensor of golden into one of the graph: (H, W, C) -> (1, H, W, C) float32, bits -1 and +1."""
    tensor = values.astype(np.float32)[np.newaxis]
    return 2 * tensor - 1 if datatype == DataType["BIPOLAR"] else tensor


def pack(rows: np.ndarray, bits: int) -> list[int]:
    """Return a word for every row: element i is bits [i*bits, (i+1)*bits).

    Args:
        rows: (words, elements) integers; negative ones become two's complement.
        bits: of an element.
    """
    mask = (1 << bits) - 1
    words = []
    for row in rows.tolist():
        word = 0
        for element in reversed(row):
            word = word << bits | (element & mask)
        words.append(word)
    return words


def memory(rows: np.ndarray, bits: int) -> str:
    """Return a memory file for `$readmemh`, a word for every row; see `pack`."""
    digits = -(-rows.shape[1] * bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in pack(rows, bits))
