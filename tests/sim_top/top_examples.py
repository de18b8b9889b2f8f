# SPDX-License-Identifier: BSD-3-Clause
"""Small networks, frames for them, and FIFOs that are never full."""

import numpy as np
from qonnx.custom_op.registry import getCustomOp

from golden.random_networks import Recipe, build, random_image
from hw.compiler.transforms import stream_nodes

FRAMES = 6  # that may be inside at once, of nominal size


def deep_fifos(model):
    """Depths with which no fork ever stops: whole frames."""
    forks = [node for node in stream_nodes(model) if node.op_type == "Fork_rtl"]
    return {
        node.name: {"outFIFODepths": [FRAMES * port.beats + 2 for port in getCustomOp(node).outputs()]}
        for node in forks
    }


def small_network(seed=0):
    """x2 with binary and int8 convolutions, skips around one, around all, and into the output."""
    recipe = Recipe(width=3, depth=1, factors=(2,), long_skip=True)
    return build(np.random.default_rng(seed), recipe, 3)


def random_frames(rng, channels, number, height=7, width=9):
    """Frames of different sizes, the largest, single rows, columns and pixels among them."""
    sizes = [(height, width), (1, 1), (1, width), (height, 1)]
    sizes += [(int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))) for _ in range(number)]
    order = rng.permutation(len(sizes))[:number]
    if 0 not in order:
        order[0] = 0
    return [random_image(rng, *sizes[index], channels) for index in order]
