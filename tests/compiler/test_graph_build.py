# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import onnx
import pytest
from compiler_examples import executed
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from golden import layers as L
from golden.network import IntegerNetwork
from golden.random_networks import Recipe, random_network
from golden.random_networks import build as build_random
from hw.compiler import BuildError
from hw.compiler.graph import EXACT, build
from hw.compiler.verify import Verifier, sample_images


@pytest.mark.parametrize("seed", range(6))
def test_every_tensor_has_a_shape_an_integer_datatype_and_a_readable_name(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    model = build(network, 5, 3)
    for name, kind in network.types.items():
        assert model.get_tensor_shape(name) == [1, 5 * kind.factor, 3 * kind.factor, kind.channels]
        datatype = model.get_tensor_datatype(name)
        assert datatype.min() <= kind.low or kind.kind == "bits"
        assert datatype.max() >= kind.high
        assert datatype.bitwidth() == kind.bits or (kind.kind == "acc" and kind.bits < 2)
    for name in model.get_all_tensor_names():
        assert model.get_tensor_shape(name) is not None
        assert name.split("/")[0] in network.types
        if not name.endswith(("/pads", "/axes", "/outside")):
            assert model.get_tensor_datatype(name).is_integer(), name
    assert {node.name.split("/")[0] for node in model.graph.node} == set(network.types) - {L.PIXELS}


def test_the_file_is_valid_onnx_and_gives_the_same_result(tmp_path):
    network = random_network(np.random.default_rng(3), scale=2)
    model = build(network, 4, 6)
    model.save(str(tmp_path / "graph.onnx"))
    onnx.checker.check_model(onnx.load(tmp_path / "graph.onnx"), full_check=True)
    again = ModelWrapper(str(tmp_path / "graph.onnx"))
    Verifier(network, sample_images(4, 6, network.channels)).check(again, "load")


def test_standard_operators_where_there_are_any():
    recipe = Recipe(width=4, depth=1, head="int8", up="U", tail="int8", factors=(2,))
    network = build_random(np.random.default_rng(0), recipe, 3)
    model = build(network, 4, 4)
    convolutions = [layer for layer in network.layers if isinstance(layer, L.ConvInt8 | L.ConvXnor)]
    nodes = {node.input[1]: node for node in model.graph.node if node.op_type == "Conv"}
    assert set(nodes) == {f"{layer.name}/weight" for layer in convolutions}
    for layer in convolutions:
        kind = model.get_tensor_datatype(f"{layer.name}/weight")
        assert kind == DataType["BIPOLAR" if isinstance(layer, L.ConvXnor) else "INT8"]


def test_a_padded_bit_is_minus_one():
    network = build_random(np.random.default_rng(0), Recipe(width=3, depth=1), 3)
    tensors = executed(build(network, 1, 1))
    padded = tensors["body.0.conv/pad"]
    assert padded.shape == (1, 3, 3, 3)
    assert set(np.unique(np.delete(padded.reshape(9, 3), 4, axis=0))) == {-1}


@pytest.mark.parametrize(("height", "width"), [(0, 4), (4, -1), (2048, 4), (4, 2048)])
def test_frames_that_hardware_cannot_count_are_refused(height, width):
    network = random_network(np.random.default_rng(0), scale=2)
    with pytest.raises(BuildError, match=f"the frame is {width} x {height}"):
        build(network, height, width)


def wide(weight):
    channels = weight.shape[3]
    per_channel = np.zeros(channels, np.int64)
    layers = (
        L.Requant("x", (L.PIXELS,), *[per_channel[:1]] * 5, 0, 8),
        L.RepeatChannels("wide", ("x",), channels),
        L.Requant(
            "full",
            ("wide",),
            per_channel,
            per_channel,
            per_channel - 128,
            per_channel - 128,
            per_channel,
            0,
            8,
        ),
        L.ConvInt8("tail", ("full",), weight),
        L.Base("base", (L.PIXELS,), 1),
        L.Output("image", ("tail", "base"), np.array([1]), np.array([0]), 8),
    )
    return IntegerNetwork("denoise", 1, 1, layers)


def test_sums_beyond_float32_are_refused():
    taps = EXACT // (128 * 128)
    flat = np.zeros(9 * 114, np.int64)
    flat[:taps] = -128
    network = wide(flat.reshape(1, 3, 3, 114))
    assert network.types["tail"].high == EXACT
    verifier = Verifier(network, sample_images(3, 3, 1))
    verifier.check(build(network, 3, 3), "build")
    flat[taps] = -1
    with pytest.raises(BuildError, match=rf"layer 'tail': values may reach {EXACT + 128}"):
        build(wide(flat.reshape(1, 3, 3, 114)), 3, 3)
