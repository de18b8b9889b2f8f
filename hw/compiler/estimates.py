# SPDX-License-Identifier: BSD-3-Clause
"""What is known of a compiled network before anything is synthesized or simulated, as FINN's report files.

`estimate_layer_cycles.json`, `estimate_layer_resources.json`, `op_and_param_counts.json` and
`estimate_network_performance.json` have FINN's names and keys; `layers.json` and `design.json` are what
`hw.compiler.report` makes its summary and its page of.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from hw.catalogue import CATALOGUE
from hw.compiler.build_folder import BuildFolder
from hw.compiler.cost import Resources, resources
from hw.compiler.folding import Goal, Plan
from hw.compiler.ops import MatrixVectorUnit, StreamOp
from hw.compiler.options import NOTHING
from hw.compiler.timing import estimate, fifo_depths, stages
from hw.compiler.top import WHOLE, Top
from hw.compiler.transforms import stream_nodes


def write_estimates(build: BuildFolder, model: ModelWrapper, top: Top, found: Plan, goal: Goal) -> None:
    """Write the estimates of a lowered and stitched graph.

    Args:
        build: the folder.
        model: the graph after the last step.
        top: what was stitched.
        found: the plan it was folded by.
        goal: what was asked for.
    """
    ops = {node.name: getCustomOp(node) for node in stream_nodes(model)}
    costs = {name: op.estimate() for name, op in ops.items()}
    sized = sum(op.rtl().sized for op in ops.values())
    fork = resources("stream_fork", {"WIDTH": 2 * top.dim_bits})
    costs[WHOLE] = sum([fork] * max(0, sized - 1), NOTHING)
    total = sum(costs.values(), NOTHING)
    _, height, width, channels = model.get_tensor_shape(model.graph.input[0].name)
    graph = stages(model)
    with_fifos = set(fifo_depths(model))
    cycles = estimate(graph, height, width, with_fifos)
    strip_columns, strips = found.strips.columns, found.strips.number
    cycles_per_frame = round(cycles.steady * strip_columns / width)
    fps = goal.board.clock_mhz * 1e6 / cycles_per_frame

    layers = [_layer(name, op, costs[name], cycles.utilisation.get(name)) for name, op in ops.items()]
    build.write("layers", layers)
    records = ({k: v for k, v in asdict(stage).items() if k != "start"} for stage in graph)
    build.write("stages", list(records))
    build.write("estimate_layer_cycles", {layer["name"]: layer["cycles"] for layer in layers})
    build.write(
        "estimate_layer_resources",
        {name: _finn(cost) for name, cost in costs.items()} | {"total": _finn(total)},
    )
    build.write(
        "op_and_param_counts",
        {n: op.get_op_and_param_counts() for n, op in ops.items() if isinstance(op, MatrixVectorUnit)},
    )
    slowest = max(layers, key=lambda layer: layer["cycles"])
    build.write(
        "estimate_network_performance",
        {
            "critical_path_cycles": cycles.frame,
            "max_cycles": slowest["cycles"],
            "max_cycles_node_name": slowest["name"],
            "estimated_throughput_fps": fps,
            "estimated_latency_ns": cycles.first * 1e3 / goal.board.clock_mhz,
        },
    )
    has, budget = goal.board.has, goal.board.budget
    build.write(
        "design",
        {
            "name": top.name,
            "network": top.hash,
            "board": goal.board.name,
            "part": goal.board.part,
            "clock_mhz": goal.board.clock_mhz,
            "device": _named(has),
            "budget": _named(budget),
            "frame": {
                "height": goal.height,
                "width": goal.width,
                "channels": channels,
                "scale": top.scale,
                "strips": strips,
                "strip_width": width,
                "columns": strip_columns,
            },
            "asked_fps": goal.fps,
            "fps": fps,
            "cycles_per_frame": cycles_per_frame,
            "cycles_per_strip": cycles.steady,
            "latency_cycles": cycles.first,
            "single_strip_cycles": cycles.frame,
            "bottleneck": list(found.bottleneck),
            "estimate": _named(total),
            "overhead": _named(costs[WHOLE]),
            "fifo_streams": sorted(with_fifos),
            "fifos": {i.node: i.depth for i in top.instances if i.depth},
        },
    )


def _layer(name: str, op: StreamOp, cost: Resources, utilisation: float | None) -> dict[str, Any]:
    """Return the record of a node."""
    instance = op.rtl()
    record: dict[str, Any] = {
        "name": name,
        "op": op.kind,
        "module": instance.module,
        "inputs": [tensor for tensor in op.onnx_node.input[: len(op.inputs())]],
        "outputs": list(op.onnx_node.output),
        "in_shapes": [port.shape[1:] for port in op.inputs()],
        "out_shapes": [port.shape[1:] for port in op.outputs()],
        "in_types": [port.datatype.name for port in op.inputs()],
        "out_types": [port.datatype.name for port in op.outputs()],
        "folding": {key: op[key] for key in op.foldings},
        "cycles": op.get_exp_cycles(),
        "utilisation": utilisation,
        "estimate": _named(cost),
        "memory_bits": memory_bits(op),
    }
    if "DEPTH" in instance.parameters:
        record["depth"] = instance.parameters["DEPTH"]
    if isinstance(op, MatrixVectorUnit):
        record["macs"] = sum(v for k, v in op.get_op_and_param_counts().items() if k.startswith("op_mac"))
        record["macs_per_cycle"] = op["SIMD"] * op["PE"]
    return record


def memory_bits(op: StreamOp) -> int:
    """Return the bits that a node stores by its function: weights, rows, beats of a FIFO."""
    if isinstance(op, MatrixVectorUnit):
        return op["MW"] * op["MH"] * op.get_input_datatype(1).bitwidth()
    instance = op.rtl()
    return CATALOGUE[instance.module].bits(instance.parameters)


def _named(cost: Resources) -> dict[str, float]:
    return {"lut": cost.lut, "ff": cost.ff, "bram36": cost.bram36, "dsp": cost.dsp}


def _finn(cost: Resources) -> dict[str, int]:
    return {"BRAM_18K": cost.bram18, "LUT": cost.lut, "URAM": 0, "DSP": cost.dsp, "FF": cost.ff}
