# SPDX-License-Identifier: BSD-3-Clause
"""Networks with factors and statistics: 1x1 convolutions, tables, products, means, vectors beside pixels."""

from functools import partial

import numpy as np
import pytest
from compiler_examples import lowered
from golden_examples import numbers, requant
from hypothesis import given, settings
from hypothesis import strategies as st
from qonnx.custom_op.registry import getCustomOp
from rough_cost import rough
from test_graph_lower import check_finished

from golden import Base as BaseLayer
from golden import (
    Compare,
    ConvPoint,
    ConvXnor,
    GlobalMean,
    IntegerNetwork,
    Join,
    Multiply,
    Output,
    PlainOutput,
    RepeatChannels,
    Table,
)
from golden.random_attention import attention_like, ebsr_like, random_attention_network
from hw.compiler import BuildError
from hw.compiler.boards import find
from hw.compiler.fifos import area_of, decide
from hw.compiler.folding import Goal, plan, specialised
from hw.compiler.lower import Job, lower
from hw.compiler.options import explore
from hw.compiler.timing import estimate, pace, stages
from hw.compiler.transforms import stream_nodes, vectors
from hw.compiler.vectors import pixel_path, waits


@settings(max_examples=4)
@given(seed=st.integers(0, 1 << 32), height=st.integers(1, 5), width=st.integers(1, 5))
def test_random_networks(seed, height, width):
    network = random_attention_network(np.random.default_rng(seed), 6)
    check_finished(lowered(network, height, width, seed))


def whatever_the_contract_allows():
    """A 1x1 convolution of the pixels, from 1 to 1 channel too, a square, and all that vectors can do."""
    rows = [
        ConvPoint("one", ("pixels",), numbers(-128, 127, 1, 1)),
        requant("x", "one", 1, bits=8, shift=7),
        ConvPoint("wide.sums", ("x",), numbers(-128, 127, 4, 1)),
        requant("wide", "wide.sums", 4, bits=10, shift=7),
        Multiply("square", ("wide", "wide"), 9, 12),
        GlobalMean("mean", ("square",), numbers(-99, 99, 4), 3, 16),
        GlobalMean("lone", ("x",), [5], 2, 6),
        Table("looked", ("lone",), numbers(-900, 900, 64), 11),
        RepeatChannels("four", ("looked",), 4),
        Join("both", ("mean", "four"), 14),
        Multiply("scaled", ("both", "looked"), 9, 12),
        Compare("bits", ("square", "scaled")),
        ConvXnor("conv", ("bits",), numbers(0, 1, 4, 3, 3, 4)),
        requant("y", "conv", 4, bits=12, shift=2),
        Multiply("z", ("y", "looked"), 9, 16),
        Multiply("image.in", ("z", "both"), 9, 12),
        ConvPoint("narrow", ("x",), numbers(-128, 127, 1, 1)),
        requant("factor", "narrow", 1, bits=8, shift=7),
        Multiply("last", ("image.in", "factor"), 6, 12),
        requant("last.8", "last", 4, bits=8, shift=3),
        ConvPoint("tail", ("last.8",), numbers(-128, 127, 1, 4)),
    ]
    return rows


@pytest.mark.parametrize("based", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (3, 4)])
def test_whatever_the_contract_allows(size, based):
    layers = whatever_the_contract_allows()
    if based:
        layers += [BaseLayer("base", ("pixels",), 1), Output("image", ("tail", "base"), [3], [9], 8)]
    else:
        layers.append(PlainOutput("image", ("tail",), [30], [100 << 9], 9))
    model = lowered(IntegerNetwork("denoise", 1, 1, layers), *size, 3)
    check_finished(model)
    ones = {name.split("/")[0] for name in vectors(model)}
    assert ones == {"mean", "lone", "looked", "four", "both", "scaled"}
    repeated = {n.name: getCustomOp(n)["NumChannels"] for n in stream_nodes(model, "RepeatPixels")}
    assert repeated == {"bits/repeat": 4, "z/repeat": 1, "image.in/repeat": 4}
    graph = stages(model)
    assert {(wait.mean, wait.stage) for wait in waits(graph)} == {
        *(("mean", name) for name in ("bits", "image.in")),
        *(("lone", name) for name in ("bits", "image.in", "z")),
    }
    guess = estimate(graph, 6, 5)
    assert 30 * pace(graph) < guess.steady < 30 * pace(graph) + 1000
    units = {node.name: getCustomOp(node)["Taps"] for node in stream_nodes(model, "Int8MVU")}
    assert units == dict.fromkeys(("one", "wide.sums", "narrow", "tail"), 1)


@pytest.fixture(scope="module")
def ebsr():
    return specialised(ebsr_like(np.random.default_rng(1), 8, 1), 1, 1)


def test_vectors_are_not_pixels_even_if_there_is_just_one(ebsr):
    """The graph is for frames of 1 x 1, in which shapes say nothing."""
    kinds = {stage.name: (stage.kind, stage.scale, stage.factor, stage.busy) for stage in stages(ebsr)}
    assert kinds["body.0.channel.mean"] == ("GlobalMean", 1, 0, 8)
    assert kinds["body.0.channel.hidden.sums"] == ("Int8MVU", 0, 1, 0)
    assert kinds["body.0.channel.hidden/fork"] == ("Fork", 0, 1, 0)
    assert kinds["body.0.sign/repeat"] == ("RepeatPixels", 1, 1, 8)
    path = {stage.name: stage for stage in pixel_path(stages(ebsr))}
    assert path["body.0.sign"].details == {"side": 8}
    assert len(path["body.0.sign"].inputs) == 1
    assert path["body.0.channel.mean"].outputs == ()
    assert "body.0.channel.hidden" not in path
    assert {wait.stage for wait in waits(stages(ebsr))} == {"body.0.sign", "body.0.scale"}
    assert all(0 < wait.initial < wait.cycles for wait in waits(stages(ebsr)))


def test_vectors_take_the_least_hardware(ebsr):
    space = explore(ebsr, {}, lambda module, parameters: None)
    options = space.units["body.0.channel.hidden.sums"]
    assert {(o.settings["body.0.channel.hidden.sums"][k]) for o in options for k in ("SIMD", "PE")} == {1}
    assert len(options) == 4  # where the weights are, and how they are multiplied
    assert len(space.units["body.0.channel.hidden"]) == 1
    assert len(space.units["body.0.channel.mean"]) == len(space.units["body.0.sign/repeat"]) == 4
    assert len(space.units["body.0.spatial.map"]) > 4


def test_vectors_can_be_pinned_to_more(ebsr):
    pins = {"body.0.channel.hidden.sums": {"SIMD": 4, "PE": 2}, "body.0.channel.hidden": {"PE": 2}}
    space = explore(ebsr, pins, lambda module, parameters: None)
    assert all(o.busy == 0 for name in pins for o in space.units[name])
    assert {o.settings["body.0.channel.hidden.sums"]["SIMD"] for o in space.units[next(iter(pins))]} == {4}
    with pytest.raises(BuildError, match=r"node 'body\.0\.channel\.hidden': no folding agrees"):
        explore(ebsr, {"body.0.channel.hidden": {"PE": 3}}, lambda module, parameters: None)


def test_a_slow_mean_sets_the_pace(ebsr):
    """GlobalMean and RepeatPixels see every pixel, if nothing else of the statistics does."""
    space = explore(ebsr, {}, lambda module, parameters: None)
    fast = {name: min(options, key=lambda option: option.busy) for name, options in space.units.items()}
    assert pace(space.stages(fast)) < 8
    slow = fast | {"body.0.channel.mean": max(space.units["body.0.channel.mean"], key=lambda o: o.busy)}
    assert pace(space.stages(slow)) == 8


def test_the_search_for_a_folding_counts_vectors_too():
    network = ebsr_like(np.random.default_rng(5), 8, 1, 2)
    height, width = 90, 160
    found = plan(network, Goal(height, width, find("pynq-z2"), 100, strips=1), rough)
    assert found.fits
    assert found.fps >= 100
    assert 0 < found.cycles_per_frame - found.pace * height * width < 1000  # what vectors may delay
    fifos = partial(decide, area=area_of(rough))
    model = lower(Job(network, lambda _: found.folding, fifos), height, width)
    assert pace(stages(model)) == found.pace
    assert estimate(stages(model), height, width).steady <= found.cycles_per_frame
    total = found.nodes["frame sizes"]
    for node in stream_nodes(model):
        instance = getCustomOp(node).rtl()
        total += rough(instance.module, instance.parameters)
    assert total == found.total
    sized = [node for node in stream_nodes(model) if getCustomOp(node).rtl().sized]
    assert {"GlobalMean", "RepeatPixels", "Window"} <= {getCustomOp(node).kind for node in sized}


def test_a_1x1_convolution_is_folded_like_a_matrix():
    network = attention_like(np.random.default_rng(0), 6, 1, 1, 3, "pixel", "none")
    name = "body.0.binary.map"
    model = lower(Job(network, lambda model: {name: {"SIMD": 2, "PE": 3}}), 2, 3)
    assert getCustomOp(next(n for n in stream_nodes(model) if n.name == name))["SIMD"] == 2
    with pytest.raises(BuildError, match=rf"node '{name}': SIMD is 4, expected a divisor of 6"):
        lower(Job(network, lambda model: {name: {"SIMD": 4}}), 2, 3)
