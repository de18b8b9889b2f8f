# SPDX-License-Identifier: BSD-3-Clause
"""FIFO depths against a simulation that is slow, simple and independent of the schedule."""

from dataclasses import replace

import numpy as np
import pytest
from compiler_examples import random_folding
from cycle_model import simulate
from qonnx.custom_op.registry import getCustomOp

from golden.random_attention import attention_like, ebsr_like
from golden.random_networks import Recipe, build
from hw.compiler.fifos import as_config, decide, depths
from hw.compiler.folding import specialised
from hw.compiler.lower import Job, lower
from hw.compiler.options import explore
from hw.compiler.timing import fifo_depths, pace, schedule, stages
from hw.compiler.transforms import stream_nodes

RECIPES = {
    "x2": Recipe(width=4, depth=2, factors=(2,)),
    "x3 long skip": Recipe(width=4, depth=1, factors=(3,), long_skip=True),
    "binary head": Recipe(width=6, depth=1, factors=(2,), head="binary"),
    "V3, same size": Recipe(width=4, depth=2, unit="V3"),
    "x4": Recipe(width=2, depth=1, factors=(2, 2)),
}

ATTENTION = {
    "EBSR": lambda rng: ebsr_like(rng, 4, 2, 2),
    "EBSR, spatial": lambda rng: ebsr_like(rng, 4, 1, 3, channel=False),
    "pixel, spatial": lambda rng: attention_like(rng, 4, 1, 2, 3, "pixel", "spatial"),
    "squeeze, same size": lambda rng: attention_like(rng, 4, 1, 1, 3, "se", "se"),
}
EVERY = [*RECIPES, *ATTENTION]


def example(name, rng):
    return ATTENTION[name](rng) if name in ATTENTION else build(rng, RECIPES[name], 3)


def folded(recipe, seed):
    """The stages of a network with a random folding."""
    rng = np.random.default_rng(seed)
    network = example(recipe, rng)
    space = explore(specialised(network, 4, 4), {}, lambda module, parameters: None)
    chosen = {name: options[rng.integers(len(options))] for name, options in space.units.items()}
    return space.stages(chosen)


def with_depths(graph, found, width):
    """The stages with the capacity of each NearestUp, which is a row at least."""
    return [
        replace(s, details={"depth": max(found.up[s.name], width * s.scale * s.in_beats[0])})
        if s.name in found.up
        else s
        for s in graph
    ]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("recipe", EVERY)
def test_graphs_with_these_depths_are_as_fast_as_their_busiest_stage(recipe, seed):
    graph = folded(recipe, seed)
    height, width = 6, 9
    found = depths(graph, height, width)
    frames = 4
    cycles, streams = simulate(with_depths(graph, found, width), [(height, width)] * frames, found.depths)
    assert cycles is not None, "deadlock"
    predicted = schedule(graph, [(height, width)] * frames, set(found.depths)).finished[-1]
    assert cycles <= predicted + 0.02 * predicted + 60
    assert cycles >= frames * height * width * pace(graph)
    for name, depth in found.depths.items():
        assert streams[name].most <= depth


@pytest.mark.parametrize("recipe", EVERY)
def test_smaller_frames_and_mixed_ones_pass(recipe):
    graph = folded(recipe, 4)
    found = depths(graph, 6, 9)
    sizes = [(6, 9), (1, 1), (2, 9), (3, 4), (1, 9), (5, 1), (6, 9), (4, 7)]
    cycles, _ = simulate(with_depths(graph, found, 9), sizes, found.depths)
    assert cycles is not None, "deadlock"


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_smaller_frames_need_no_more(width):
    for recipe in EVERY:
        graph = folded(recipe, 5)
        largest, smaller = depths(graph, 6, 9), depths(graph, 6, width)
        for name, depth in smaller.depths.items():
            assert depth <= largest.depths.get(name, 0), (recipe, name)


@pytest.mark.parametrize("recipe", ["x2", "x3 long skip", "x4", "EBSR"])
def test_much_shorter_fifos_stop_the_graph(recipe):
    """The depths are no guess from above: with 3 beats instead, nothing comes out."""
    graph = folded(recipe, 6)
    width = 9
    found = depths(graph, 6, width)
    rows = [
        name
        for stage in graph
        for name, beats in zip(stage.outputs, stage.out_beats, strict=True)
        if found.needed.get(name, 0) > width * stage.scale * stage.factor * beats
    ]
    assert rows
    for name in rows:
        cycles, _ = simulate(with_depths(graph, found, width), [(6, width)] * 2, found.depths | {name: 3})
        assert cycles is None, name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_beats_wait_where_they_are_few(seed):
    """Pixels wait before they are enlarged or repeated, a skip in the memory of its NearestUp."""
    found = depths(folded("x2", seed), 6, 9)
    assert {"pixels/fork.a", "pixels/fork.a/width"} & set(found.depths)
    assert not {"base", "base/width", "up.0.skip", "up.0.skip/width"} & set(found.depths)
    assert found.up["up.0.skip"] > 9
    graph = folded("binary head", seed)
    (repeat,) = (stage for stage in graph if stage.kind == "RepeatChannels")
    found = depths(graph, 6, 9)
    assert repeat.outputs[0] not in found.depths
    assert f"{repeat.outputs[0]}/width" not in found.depths


def test_the_graph_that_is_built_has_these_fifos():
    network = build(np.random.default_rng(7), RECIPES["x2"], 3)
    job = Job(network, random_folding(np.random.default_rng(8)), decide)
    model = lower(job, 6, 9)
    found = depths(stages(model), 6, 9)
    assert fifo_depths(model) == found.depths
    assert found.depths
    up = {n.name: getCustomOp(n)["depth"] for n in stream_nodes(model, "NearestUp")}
    assert up == found.up
    config = as_config(stages(model), found)
    again = lower(Job(network, random_folding(np.random.default_rng(8)), lambda _: config), 6, 9)
    assert fifo_depths(again) == found.depths
