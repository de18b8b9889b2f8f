# SPDX-License-Identifier: BSD-3-Clause
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from compiler_examples import lowered
from golden_graphs import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.custom_op.registry import getCustomOp

from golden.network import IntegerNetwork
from golden.random_networks import VARIANTS, Recipe, bbcu_like, build, random_network
from hw.compiler.lower import CHECK_SIZE, STEPS, Job, lower
from hw.compiler.ops import OPERATORS
from hw.compiler.transforms import channel_orders, stream_nodes
from hw.compiler.verify import check_beats

MODELS = Path(__file__).resolve().parents[2] / "models"


def check_finished(model):
    """Nothing but our RTL operators is left, and they can be stitched."""
    assert len(stream_nodes(model)) == len(model.graph.node)
    assert {node.op_type for node in model.graph.node} <= {f"{op.__name__}_rtl" for op in OPERATORS}
    assert all(getCustomOp(node)["cycles_estimate"] > 0 for node in model.graph.node)
    check_beats(model)


@settings(max_examples=6)
@given(seed=st.integers(0, 1 << 32), height=st.integers(1, 6), width=st.integers(1, 6))
def test_random_networks(seed, height, width):
    network = random_network(np.random.default_rng(seed))
    check_finished(lowered(network, height, width, seed))


@settings(max_examples=8)
@given(seed=st.integers(0, 1 << 32))
def test_random_graphs(seed):
    """Whatever the validator accepts: bits read twice, shuffled bits, the same tensor added to itself, ..."""
    network = random_graph(np.random.default_rng(seed), max_width=9)
    check_finished(lowered(network, 4, 3, seed))


@pytest.mark.parametrize(
    ("variant", "scale"), [*zip(VARIANTS, (1, 2, 3, 4, 2), strict=True), ("M", 4), ("T", 1)]
)
def test_variants(variant, scale):
    rng = np.random.default_rng(scale)
    network = bbcu_like(rng, width=6, depth=1, scale=scale, channels=(1, 3)[scale % 2], variant=variant)
    check_finished(lowered(network, 3, 5, scale))


def test_a_shuffled_tail_and_a_long_skip():
    recipe = Recipe(width=5, depth=2, factors=(3,), up="tail", long_skip=True)
    model = lowered(build(np.random.default_rng(0), recipe, 3), 4, 4, 0)
    assert channel_orders(model) == {"tail.conv": [3, 3]}
    check_finished(model)


def test_one_channel_everywhere():
    recipe = Recipe(width=1, depth=2, factors=(2,), up="L", unit="V3", extreme=1.0)
    for size in ((1, 1), (1, 4), (4, 1)):
        check_finished(lowered(build(np.random.default_rng(0), recipe, 1), *size, 1))


@pytest.mark.parametrize("name", ["bbcu_nano_x2", "dncnn3_nano_q10"])
def test_shipped_networks_for_a_whole_frame(name, tmp_path):
    network = IntegerNetwork.load(MODELS / f"{name}.npz")
    steps = []
    model = lower(Job(network), 360, 640, folder=tmp_path, progress=steps.append)
    check_finished(model)
    _, height, width, channels = model.get_tensor_shape(network.layers[-1].name)
    assert (height, width, channels) == (360 * network.scale, 640 * network.scale, network.channels)
    cycles = {node.name: getCustomOp(node)["cycles_estimate"] for node in model.graph.node}
    assert cycles["body.0.conv"] == 360 * 640 * 32 * 32
    assert steps == ["build", *(step.name for step in STEPS)]
    files = sorted(tmp_path.iterdir())
    assert [file.stem[3:] for file in files] == steps
    for file in files:
        onnx.checker.check_model(onnx.load(file), full_check=True)


def test_lowering_is_reproducible(tmp_path):
    network = random_network(np.random.default_rng(5), scale=2)
    for folder in ("a", "b"):
        lowered(network, *CHECK_SIZE, 7, folder=tmp_path / folder)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_shuffles_get_their_channels_in_order_where_they_can():
    network = bbcu_like(np.random.default_rng(0), width=4, depth=1, scale=4)
    model = lowered(network, 3, 3)
    shuffles = stream_nodes(model, "PixelShuffle")
    assert [getCustomOp(node)["Order"] for node in shuffles] == [1, 1]
    assert channel_orders(model) == {
        f"up.{stage}.{part}": [4, 2] for stage in (0, 1) for part in ("conv", "requant")
    }
    orders = {json.dumps(order) for order in channel_orders(model).values()}
    assert len(orders) == 1
