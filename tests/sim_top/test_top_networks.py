# SPDX-License-Identifier: BSD-3-Clause
"""Random networks with random folding: torch in float64, golden, the graph and the RTL are equal.

BITMEND_TOPS=<n> adds n networks that hypothesis draws; a failing one is left in build/failures/.
"""

import os

import numpy as np
import pytest
import torch
from compiler_examples import random_folding
from golden_graphs import random_graph
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from top_examples import deep_fifos, random_frames

from golden.random_attention import random_attention_network
from golden.random_networks import Recipe, build, random_network
from hw.compiler.fifos import decide
from quant.config import NetworkConfig
from quant.export import float64_network, to_integers
from quant.networks import build as build_torch
from sim.equivalence import Case, check
from sim.top import Ports

NUMBER = int(os.environ.get("BITMEND_TOPS", "0"))


def case(rng, network, fifos=decide, stall=0.3, frames=5):
    ports = Ports(*rng.uniform(0, 2 * stall, 3), seed=int(rng.integers(1 << 30)))
    images = random_frames(rng, network.channels, frames)
    return Case(network, images, random_folding(rng), fifos, ports)


# Each structure that a network can have is in one of these; so is each scale
RECIPES = {
    "denoise": (3, Recipe(width=4, depth=2, unit="V3", long_skip=True, extreme=0.3)),
    "x2-binary-head": (3, Recipe(width=3, depth=1, factors=(2,), head="binary", up="U", bits=10)),
    "x3-int8": (1, Recipe(width=2, depth=1, factors=(3,), up="L", extreme=0.3)),
    "x4-binary-tail": (3, Recipe(width=2, depth=1, factors=(2, 2), tail="binary", bits=16)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_structure(name):
    channels, recipe = RECIPES[name]
    rng = np.random.default_rng(sum(name.encode()))
    network = build(rng, recipe, channels)
    check(case(rng, network), f"structure-{name}")


def test_torch_in_float64_equals_the_rtl():
    torch.manual_seed(1)
    network = build_torch(NetworkConfig(scale=2, width=4, depth=1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    network = float64_network(network.eval())
    this = case(np.random.default_rng(1), to_integers(network), deep_fifos)
    result = check(this, "torch")
    for frame, image in zip(this.frames, result.images, strict=True):
        with torch.no_grad():
            ours = network(torch.from_numpy(frame).permute(2, 0, 1)[None].double())[0].permute(1, 2, 0)
        np.testing.assert_array_equal(ours.numpy(), image)


@pytest.mark.skipif(not NUMBER, reason="BITMEND_TOPS=<n> asks for n random networks")
@settings(
    max_examples=max(NUMBER, 1),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would compile for hours
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 1 << 32), kind=st.sampled_from(("network", "graph", "attention")))
def test_random_network(seed, kind):
    rng = np.random.default_rng(seed)
    draw = {
        "network": lambda: random_network(rng, max_width=6, max_depth=2),
        "graph": lambda: random_graph(rng, steps=8, max_width=6),
        "attention": lambda: random_attention_network(rng, max_width=6),
    }
    check(case(rng, draw[kind]()), f"random-{seed}-{kind}")
