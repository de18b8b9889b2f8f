# SPDX-License-Identifier: BSD-3-Clause
"""What a folding can choose: the options of every unit of a graph, what each costs, and how fast it is.

A unit is a node, or a window with its matrix-vector unit, as the P of the one follows from the SIMD of the
other. Between two units whose beats differ comes a width converter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from golden import layers as L
from hw.compiler import BuildError
from hw.compiler.config import ATTRIBUTES, Config
from hw.compiler.cost import Resources
from hw.compiler.firing import Stage
from hw.compiler.ops import TAPS, StreamOp
from hw.compiler.timing import stage_of
from hw.compiler.transforms import stream_nodes, vectors

Cost = Callable[[str, Mapping[str, int | str]], Resources]
"""`hw.compiler.cost.resources`, or another with its arguments."""

STYLES = {
    "XnorMVU": ("auto", "block"),
    "Int8MVU": ("auto", "block"),
    "Table": ("auto", "distributed"),
}
"""Memories that the folding chooses, by kind of node; all others are left to their modules."""

NOTHING = Resources(0, 0, 0, 0)


@dataclass(frozen=True)
class Module:
    """An instance: a module of `hw/rtl/`, its parameters, and pixels per input pixel along one axis."""

    name: str
    parameters: dict[str, int | str]
    scale: int


@dataclass(frozen=True)
class Option:
    """A folding of a unit.

    Attributes:
        settings: attributes by node.
        stages: of its nodes.
        modules: their instances, by node.
    """

    settings: Config
    stages: tuple[Stage, ...]
    modules: dict[str, Module]

    @property
    def busy(self) -> int:
        """Cycles per pixel of the network's input."""
        return max(stage.busy for stage in self.stages)


@dataclass(frozen=True)
class Tensor:
    """A stream between units: who writes and reads it, and its elements."""

    name: str
    writer: str
    reader: str
    channels: int
    bits: int
    scale: int


@dataclass
class Space:
    """All that can be chosen in a graph.

    Attributes:
        units: the options of every unit, in the order of the graph; its name is that of its last node.
        tensors: the streams between units.
        price: resources by module and parameters.
    """

    units: dict[str, list[Option]]
    tensors: dict[str, Tensor]
    price: Cost
    _known: dict[tuple, Resources] = field(default_factory=dict)
    _modules: dict[tuple[int, int, int], tuple[Module, Resources]] = field(default_factory=dict)

    def cost(self, module: str, parameters: Mapping[str, int | str]) -> Resources:
        """Return the resources of a module, asked for once."""
        key = (module, *sorted((k, v) for k, v in parameters.items() if not str(v).endswith(".mem")))
        if key not in self._known:
            self._known[key] = self.price(module, parameters)
        return self._known[key]

    def module(self, module: Module, width: int, held: int = 0) -> Resources:
        """Return the resources of an instance for frames up to a width; a `nearest_up` holds beats."""
        key = id(module), width, held  # the instance is kept too, so that its id stays its own
        if key not in self._modules:
            self._modules[key] = module, self._module(module, width, held)
        return self._modules[key][1]

    def _module(self, module: Module, width: int, held: int) -> Resources:
        parameters = dict(module.parameters)
        if "MAX_WIDTH" in parameters:
            parameters["MAX_WIDTH"] = width * module.scale
        if module.name == "nearest_up":
            row = width * module.scale * parameters["CHANNELS"] // parameters["P"]
            parameters["DEPTH"] = max(2, row, held)
        return self.cost(module.name, parameters)

    def converter(self, tensor: Tensor, before: int, after: int) -> Resources:
        """Return the resources of the width converter between beats of so many elements, if there is one."""
        if before == after:
            return NOTHING
        widths = {"IN_WIDTH": before * tensor.bits, "OUT_WIDTH": after * tensor.bits}
        return self.cost("stream_width", widths)

    def fifo(self, bits: int, depth: int) -> Resources:
        """Return the resources of a FIFO."""
        return self.cost("stream_fifo", {"WIDTH": bits, "DEPTH": depth})

    def stages(self, chosen: Mapping[str, Option]) -> list[Stage]:
        """Return the stages of a folding, with the width converters that it needs."""
        graph: list[Stage] = []
        for name in self.units:
            for stage in chosen[name].stages:
                inputs = []
                for tensor, beats in zip(stage.inputs, stage.in_beats, strict=True):
                    known = self.tensors.get(tensor)
                    writer = known and self.beats(tensor, chosen)[0]
                    if known is None or writer == beats:
                        inputs.append(tensor)
                        continue
                    result = f"{tensor}/width"
                    inputs.append(result)
                    bits = [known.channels * known.bits // count for count in (writer, beats)]
                    ends = (tensor,), (result,), (writer,), (beats,), (bits[0],), (bits[1],)
                    graph.append(Stage(result, "WidthConverter", *ends, scale=known.scale))
                graph.append(replace(stage, inputs=tuple(inputs)))
        return graph

    def beats(self, tensor: str, chosen: Mapping[str, Option]) -> tuple[int, int]:
        """Return the beats of a pixel of a stream, as written and as read."""
        known = self.tensors[tensor]
        return out_beats(chosen[known.writer], tensor), in_beats(chosen[known.reader], tensor)


def out_beats(option: Option, tensor: str) -> int:
    """Return the beats of a pixel of a stream that a unit writes."""
    return next(s.out_beats[s.outputs.index(tensor)] for s in option.stages if tensor in s.outputs)


def in_beats(option: Option, tensor: str) -> int:
    """Return the beats of a pixel of a stream that a unit reads."""
    return next(s.in_beats[s.inputs.index(tensor)] for s in option.stages if tensor in s.inputs)


def explore(model: ModelWrapper, pinned: Config, price: Cost) -> Space:
    """Return all options of a graph whose nodes are specialised.

    Args:
        model: the graph; the attributes of its nodes do not matter and are changed.
        pinned: a configuration that the options agree with.
        price: the cost model.

    Raises:
        BuildError: no folding of a node agrees with `pinned`, or it names a node that there is not.
    """
    height = model.get_tensor_shape(L.PIXELS)[1]
    ops = {node.name: getCustomOp(node) for node in stream_nodes(model)}
    for name in pinned:
        if name not in ops and name != "Defaults" and not name.endswith(("/width", "/fifo")):
            raise BuildError(f"the folding pins '{name}', which is no node; there are {', '.join(ops)}")
    ones = vectors(model)
    units: dict[str, list[Option]] = {}
    ports: dict[str, tuple[str, int, int, int]] = {}
    tensors: dict[str, Tensor] = {}
    for name, op in ops.items():
        if op.onnx_node.op_type.startswith("Window"):
            continue
        source = model.find_producer(op.onnx_node.input[0])
        window = ops[source.name] if source is not None and source.op_type.startswith("Window") else None
        members = [window, op] if window is not None else [op]
        vector = op.onnx_node.input[0] in ones
        least = vector and op.kind != "RepeatPixels"
        options = _agreeing(members, height, vector, pinned, least)
        if not options and least:
            options = _agreeing(members, height, vector, pinned)
        if not options:
            raise BuildError(
                f"node '{name}': no folding agrees with what is pinned, {_pins(members, pinned)}"
            )
        units[name] = options
        for tensor, port in zip(members[0].onnx_node.input, members[0].inputs(), strict=False):
            if tensor in ports:
                writer, channels, bits, scale = ports[tensor]
                tensors[tensor] = Tensor(tensor, writer, name, channels, bits, scale)
            del port
        for tensor, port in zip(op.onnx_node.output, op.outputs(), strict=True):
            scale = 0 if tensor in ones else port.height // height
            ports[tensor] = name, port.channels, port.datatype.bitwidth(), scale
    return Space(units, tensors, price)


def _agreeing(
    members: list[StreamOp], height: int, vector: bool, pinned: Config, least: bool = False
) -> list[Option]:
    """Return the foldings of a unit that agree with what is pinned; see `_options`."""
    options = _options(members, height, vector, least)
    return [option for option in options if _agrees(option, members, pinned)]


def _options(members: list[StreamOp], height: int, vector: bool, least: bool) -> list[Option]:
    """Return the foldings of a unit that its modules accept; raise what they say if there is none.

    Args:
        members: its nodes.
        height: of the frame.
        vector: whether its first input is a vector.
        least: only those with the least hardware: a vector has the time of a whole frame.
    """
    options: list[Option] = []
    refusal: BuildError | None = None
    for values in _choices(members[-1], least):
        try:
            options.append(_option(members, values, height, vector))
        except BuildError as error:
            refusal = error
    if not options and refusal is not None:
        raise refusal
    return options


def _choices(op: StreamOp, least: bool) -> list[dict[str, int | str]]:
    kind = op.kind
    axes: dict[str, list] = {}
    for name, total in op.folds().items():
        step = op.taps if name == "SIMD" else 1
        axes[name] = [step * d for d in range(1, total // step + 1) if total // step % d == 0]
        if least:
            del axes[name][1:]
    if kind in STYLES:
        axes["ram_style"] = list(STYLES[kind])
    if "pack" in op.get_nodeattr_types():
        axes["pack"] = [0, 1]
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _option(members: list[StreamOp], values: dict[str, int | str], height: int, vector: bool) -> Option:
    settings: Config = {}
    for op in members:
        mine = values if op is members[-1] else {"P": values["SIMD"] // TAPS}
        settings[op.onnx_node.name] = mine
        for name, value in mine.items():
            op.set_nodeattr(name, value)
    modules = {}
    for op in members:
        instance = op.rtl()
        modules[op.onnx_node.name] = Module(instance.module, instance.parameters, op["ImgDim"][0] // height)
    return Option(settings, tuple(stage_of(op, height, vector) for op in members), modules)


def _pins(members: list[StreamOp], pinned: Config) -> Config:
    """What is pinned of some nodes: by their names, or for all nodes of a type as FINN's "Defaults" do."""
    pins: Config = {}
    for op in members:
        name, kind = op.onnx_node.name, op.onnx_node.op_type
        pins[name] = {}
        for attribute, (value, kinds) in pinned.get("Defaults", {}).items():
            if attribute in op.get_nodeattr_types() and ("all" in kinds or kind in kinds):
                pins[name][attribute] = value
        pins[name] |= {key: value for key, value in pinned.get(name, {}).items() if key in ATTRIBUTES}
    return pins


def _agrees(option: Option, members: list[StreamOp], pinned: Config) -> bool:
    pins = _pins(members, pinned)
    return all(
        option.settings[node].get(key, value) == value
        for node, values in pins.items()
        for key, value in values.items()
    )
