# SPDX-License-Identifier: BSD-3-Clause
"""Random foldings and FIFO depths, and the whole way down for a network."""

import json

import numpy as np
import pytest
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp

from golden import layers as L
from hw.compiler.lower import Job, lower
from hw.compiler.ops import DIM_BITS
from hw.compiler.transforms import stream_nodes
from hw.compiler.verify import sample_images


def divisors(number):
    return [d for d in range(1, number + 1) if number % d == 0]


def random_folding(rng):
    def decide(model):
        config = {"Defaults": {}}
        for node in stream_nodes(model):
            if node.op_type == "Window_rtl":
                continue
            op = getCustomOp(node)
            config[node.name] = {
                name: op.taps * int(rng.choice(divisors(total // op.taps)))
                if name == "SIMD"
                else int(rng.choice(divisors(total)))
                for name, total in op.folds().items()
            }
        return config

    return decide


def random_depths(rng):
    def decide(model):
        return {
            node.name: {
                "inFIFODepths": rng.integers(2, 9, len(getCustomOp(node).inputs())).tolist(),
                "outFIFODepths": rng.integers(2, 9, len(getCustomOp(node).outputs())).tolist(),
            }
            for node in stream_nodes(model)
        }

    return decide


def lowered(network, height, width, seed=None, **options):
    """The network after all steps, with the least folding, or with a random one and random FIFOs."""
    if seed is None:
        return lower(Job(network), height, width, **options)
    rng = np.random.default_rng(seed)
    return lower(Job(network, random_folding(rng), random_depths(rng)), height, width, **options)


def executed(model):
    """All tensors of a graph, by name, for a noise image."""
    _, height, width, channels = model.get_tensor_shape(L.PIXELS)
    image = sample_images(height, width, channels)[0].astype(np.float32)[None]
    return execute_onnx(model, {L.PIXELS: image}, return_full_exec_context=True)


def replay(model, node, tensors):
    """Run the module of a node in Verilator on the streams that the graph computes."""
    runner = pytest.importorskip("sim.runner", reason="Verilator and cocotb are not installed")
    op = getCustomOp(node)
    instance = op.rtl()
    names = [*node.input[: len(op.inputs())], *node.output]
    ports = op.inputs() + op.outputs()
    beats = {port.name: port.stream(tensors[name]) for name, port in zip(names, ports, strict=True)}
    if instance.sized:
        beats["s_size"] = [op["ImgDim"][0] << DIM_BITS | op["ImgDim"][1]]
    files = {**op.memories(model), "streams.json": as_json(beats)}
    if op.kind == "GlobalMean":  # the vector that the first frame is restored with
        (port,) = op.outputs()
        files["before.json"] = as_json({port.name: port.stream(op.initial(model).reshape(port.shape))})
    runner.run(runner.build(instance.module, instance.parameters), "sim.tb_replay", files=files)


def as_json(beats):
    return json.dumps({name: [f"{beat:x}" for beat in values] for name, values in beats.items()})
