# SPDX-License-Identifier: BSD-3-Clause
"""From a lowered graph to one readable top module, its memory files and a description of both.

Every node becomes a named instance of its module, every tensor a stream. The sizes of frames go to the nodes
that need them along a chain of forks, in the order of the graph; the chain multiplies them where the image
becomes larger. What this writes needs nothing outside its folder.
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from hw.compiler import BuildError
from hw.compiler.ops import DIM_BITS, Port, StreamOp
from hw.compiler.top import DESCRIPTION, Instance, Stream, Top, tap_signals
from hw.compiler.transforms import stream_nodes
from hw.modules import sources
from hw.weights import Literal, columns

PIXEL_BITS = 8

HEADER = """\
// SPDX-License-Identifier: BSD-3-Clause
// {name}: written by hw.compiler.stitch, not by hand.
//
// Function      {function}
// Pixels        unsigned, 8 bits, in raster order, {channels} channels;
//               a beat of s_axis is {in_elements} of them, one of m_axis {out_elements}.
// Size          s_size: {{height, width}} of the image at s_axis, {dim} bits each, one beat per frame;
//               at most {max_width} wide.
// Taps          valid and ready of every stream, in the order of top.json, then of s_size.
"""


def identifier(name: str) -> str:
    """Return the name of a tensor or node as a Verilog identifier."""
    return re.sub(r"\W", "_", name)


def stitch(model: ModelWrapper, name: str, digest: str, folder: Path) -> Top:
    """Write the top module of a lowered graph.

    Args:
        model: the graph after `hw.compiler.lower.lower`.
        name: of the top module.
        digest: content hash of the network.
        folder: is made, and gets <name>.sv, <name>_weights.svh, memory files, rtl/ and top.json.

    Returns:
        What top.json says.

    Raises:
        BuildError: two names of the graph are the same identifier, or a node has no hardware.
    """
    ops = {node.name: getCustomOp(node) for node in stream_nodes(model)}
    streams = _streams(model, ops)
    instances, constants, memories = [], {}, {}
    for node, op in ops.items():
        instance = op.rtl()
        parameters = dict(instance.parameters)
        contents = op.memories(model)
        for parameter, (file, bits) in op.constants_of_files().items():
            constant = f"{identifier(node).upper()}_{parameter}"
            constants[constant] = columns(contents[file], bits)
            parameters[parameter] = constant
        memories |= contents
        depth = int(parameters.get("DEPTH", 0)) if instance.module in ("stream_fifo", "nearest_up") else 0
        instances.append(Instance(node, op.kind, f"u_{identifier(node)}", instance.module, parameters, depth))
    _check_unique([i.name for i in instances], "nodes")
    _check_unique([s.signal for s in streams], "tensors")

    (folder / "rtl").mkdir(parents=True, exist_ok=True)
    used: dict[str, Path] = {}
    for module in dict.fromkeys([i.module for i in instances] + ["stream_fork"]):
        used |= {path.name: path for path in sources(module)}
    for path in used.values():
        shutil.copy(path, folder / "rtl" / path.name)
    for file, text in memories.items():
        (folder / file).write_text(text)
    (folder / f"{name}_weights.svh").write_text(_weights(constants))

    _, width = _size(model, model.graph.input[0].name)
    first = next(s for s in streams if not s.source)
    last = next(s for s in streams if not s.target)
    channels = model.get_tensor_shape(model.graph.input[0].name)[3]
    top = Top(
        name=name,
        hash=digest,
        scale=_size(model, model.graph.output[0].name)[1] // width,
        channels=channels,
        in_elements=first.bits // PIXEL_BITS,
        out_elements=last.bits // PIXEL_BITS,
        dim_bits=DIM_BITS,
        max_width=width,
        sources=[*(f"rtl/{file}" for file in used), f"{name}.sv"],
        files=sorted(memories),
        instances=instances,
        streams=streams,
    )
    (folder / f"{name}.sv").write_text("".join(f"{line}\n" for line in _module(top, ops, bool(constants))))
    (folder / DESCRIPTION).write_text(json.dumps(asdict(top), indent=1) + "\n")
    return top


def _size(model: ModelWrapper, tensor: str) -> tuple[int, int]:
    _, height, width, _ = model.get_tensor_shape(tensor)
    return height, width


def _check_unique(names: list[str], what: str) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BuildError(f"several {what} are called {sorted(twice)[0]} in Verilog, expected distinct names")


def _streams(model: ModelWrapper, ops: dict[str, StreamOp]) -> list[Stream]:
    """Return the streams of a graph in the order of their writers."""
    written: dict[str, tuple[str, Port]] = {}
    read: dict[str, tuple[str, Port]] = {}
    for name, op in ops.items():
        node: NodeProto = op.onnx_node
        read |= {t: (name, port) for t, port in zip(node.input, op.inputs(), strict=False)}
        written |= {t: (name, port) for t, port in zip(node.output, op.outputs(), strict=True)}
    streams = []
    for tensor in dict.fromkeys([*read, *written]):
        source, target = written.get(tensor), read.get(tensor)
        port = (source or target)[1]
        signal = "s_axis" if source is None else "m_axis" if target is None else f"t_{identifier(tensor)}"
        source_name, source_port = (source[0], source[1].name) if source else ("", "s_axis")
        target_name, target_port = (target[0], target[1].name) if target else ("", "m_axis")
        streams.append(
            Stream(tensor, signal, source_name, source_port, target_name, target_port, port.bits, port.beats)
        )
    order = {name: index for index, name in enumerate(ops)}
    return sorted(streams, key=lambda stream: order.get(stream.source, -1))


def _weights(constants: dict[str, Literal]) -> str:
    lines = [
        "// SPDX-License-Identifier: BSD-3-Clause",
        "// Weights as xnor_rom.sv wants them: the memory files, transposed.",
    ]
    for name, value in constants.items():
        lines.append(f"localparam [{int(value.split(chr(39))[0]) - 1}:0] {name} = {value};")
    return "\n".join(lines) + "\n"


def _module(top: Top, ops: dict[str, StreamOp], weights: bool) -> Iterator[str]:
    """Write the top module, line by line."""
    last = list(ops.values())[-1].outputs()[0]
    function = f"{last.channels}-channel image to image, x{top.scale}; network {top.hash}"
    yield from HEADER.format(
        name=top.name,
        function=function,
        in_elements=top.in_elements,
        out_elements=top.out_elements,
        channels=top.channels,
        dim=top.dim_bits,
        max_width=top.max_width,
    ).splitlines()
    yield from ("// verilator lint_off PINCONNECTEMPTY", "`default_nettype none", "", f"module {top.name} (")
    yield from ("    input  wire logic        clk,", "    input  wire logic        rst,", "")
    for port, width in (("s_size", 2 * top.dim_bits), ("s_axis", PIXEL_BITS * top.in_elements)):
        yield f"    input  wire logic {f'[{width - 1}:0]':6} {port}_tdata,"
        yield f"    input  wire logic        {port}_tvalid,"
        yield f"    output wire logic        {port}_tready,"
        yield ""
    yield f"    output wire logic {f'[{PIXEL_BITS * top.out_elements - 1}:0]':6} m_axis_tdata,"
    yield "    output wire logic        m_axis_tvalid,"
    yield "    input  wire logic        m_axis_tready,"
    yield ""
    yield from _tap_ports(top)
    yield ");"
    if weights:
        yield f'`include "{top.name}_weights.svh"'
    yield ""
    yield "    // Streams, by the names of the tensors"
    for stream in top.streams:
        if stream.source and stream.target:
            yield from _wires(stream.signal, stream.bits)
    yield ""
    yield from _taps(top)
    sized = [instance for instance in top.instances if ops[instance.node].rtl().sized]
    sizes, lines = _size_chain(sized, ops, top)
    yield from lines
    for instance in top.instances:
        yield from _instance(instance, ops[instance.node], top, sizes.get(instance.node))
    yield "endmodule"
    yield ""
    yield "`default_nettype wire"


def _wires(signal: str, bits: int) -> Iterator[str]:
    yield f"    wire logic [{bits - 1}:0] {signal}_tdata;"
    yield f"    wire logic {signal}_tvalid, {signal}_tready;"


def _tap_ports(top: Top) -> Iterator[str]:
    for name, comma in (("valid", ","), ("ready", "")):
        yield f"    output wire logic {f'[{len(tap_signals(top)) - 1}:0]':6} taps_{name}{comma}"


def _taps(top: Top) -> Iterator[str]:
    """Write what the ports taps_valid and taps_ready say."""
    for name in ("valid", "ready"):
        bits = ", ".join(f"{signal}_t{name}" for signal in reversed(tap_signals(top)))
        yield f"    assign taps_{name} = {{"
        yield from textwrap.wrap(bits, 104, initial_indent=" " * 8, subsequent_indent=" " * 8)
        yield "    };"
    yield ""


def _size_chain(
    sized: list[Instance], ops: dict[str, StreamOp], top: Top
) -> tuple[dict[str, str], list[str]]:
    """Return the signal that brings the sizes to each of some instances, and the lines of the chain.

    The chain visits the nodes by the size of their image: it can multiply a size, not divide it.
    """
    bits, half = 2 * top.dim_bits, top.dim_bits
    factors = {i.node: ops[i.node]["ImgDim"][1] // top.max_width for i in sized}
    way = sorted(factors, key=lambda node: factors[node])
    if not way:
        unused = "    wire logic unused_size = &{1'b0, s_size_tdata, s_size_tvalid};"
        return {}, [unused, "    assign s_size_tready = 1'b1;", ""]
    lines = ["    // Sizes of the frames: a chain of forks; a node takes one when its frame begins"]
    sizes: dict[str, str] = {}
    signal, scale = "s_size", 1
    for index, node in enumerate(way):
        factor = factors[node]
        if factor != scale:
            ratio, name = f"{half}'d{factor // scale}", f"size_x{factor}"
            lines += [
                *_wires(name, bits),
                f"    assign {name}_tdata = {{{signal}_tdata[{bits - 1}:{half}] * {ratio}, "
                f"{signal}_tdata[{half - 1}:0] * {ratio}}};",
                f"    assign {name}_tvalid = {signal}_tvalid;",
                f"    assign {signal}_tready = {name}_tready;",
            ]
            signal, scale = name, factor
        if index == len(way) - 1:
            sizes[node] = signal
            break
        here, rest = f"size_{identifier(node)}", f"size_after_{index}"
        lines += [
            *_wires(here, bits),
            *_wires(rest, bits),
            f"    stream_fork #(.WIDTH({bits})) u_size_fork_{index} (",
            "        .clk(clk), .rst(rst),",
            f"        {_connect('s_axis', signal)},",
            f"        {_connect('m_a', here)},",
            f"        {_connect('m_b', rest)}",
            "    );",
        ]
        sizes[node], signal = here, rest
    return sizes, [*lines, ""]


def _connect(port: str, signal: str) -> str:
    return ", ".join(f".{port}_{wire}({signal}_{wire})" for wire in ("tdata", "tvalid", "tready"))


def _instance(instance: Instance, op: StreamOp, top: Top, size: str | None) -> Iterator[str]:
    """Write one instance, after a line about it."""
    shapes = " + ".join(_shape(port) for port in op.inputs())
    results = " + ".join(dict.fromkeys(_shape(port) for port in op.outputs()))
    folding = ", ".join(f"{name} {op[name]}" for name in op.foldings)
    depth = f", depth {instance.depth}" if instance.depth else ""
    yield f"    // {instance.node}: {shapes} -> {results}; {folding}{depth}"
    parameters = [f".{key}({_value(key, value)})" for key, value in instance.parameters.items()]
    text = ", ".join(parameters)
    yield f"    {instance.module} #("
    yield from textwrap.wrap(text, 104, initial_indent=" " * 8, subsequent_indent=" " * 8)
    yield f"    ) {instance.name} ("
    connections = [".clk(clk), .rst(rst)"]
    if size:
        connections.append(_connect("s_size", size))
    ends = {(s.source, s.source_port): s.signal for s in top.streams}
    ends |= {(s.target, s.target_port): s.signal for s in top.streams}
    for port in (*op.inputs(), *op.outputs()):
        connections.append(_connect(port.name, ends[instance.node, port.name]))
    if instance.module == "stream_fifo":
        connections.append(".count(), .high_water()")
    if instance.module == "nearest_up":
        connections.append(".high_water()")
    for index, line in enumerate(connections):
        yield f"        {line}{',' if index < len(connections) - 1 else ''}"
    yield "    );"
    yield ""


def _shape(port: Port) -> str:
    return f"{port.height}x{port.width}x{port.channels} {port.datatype.name.lower()}"


def _value(key: str, value: int | str) -> str:
    return str(value) if isinstance(value, int) or key == "COLUMNS" else f'"{value}"'
