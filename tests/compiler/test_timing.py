# SPDX-License-Identifier: BSD-3-Clause
"""Schedules of whole graphs, against small cases by hand and a simulation that is slow and simple."""

import numpy as np
import pytest
from cycle_model import simulate
from test_fifos import RECIPES, folded, with_depths

from hw.compiler.fifos import depths
from hw.compiler.firing import Stage
from hw.compiler.timing import estimate, mvu_latency, pace, schedule


def pipe(name, kind, tensors, beats=1, **options):
    ins, outs = tensors
    return Stage(
        name,
        kind,
        ins,
        outs,
        (beats,) * len(ins),
        (beats,) * len(outs),
        (8,) * len(ins),
        (8,) * len(outs),
        **options,
    )


def residual(latency=7):
    """A fork whose branches meet again: one goes through a 3 x 3 window, the other is a skip."""
    return [
        pipe("fork", "Fork", (("x",), ("a", "b"))),
        pipe("window", "Window", (("a",), ("w",))),
        pipe("requant", "TwoPieceRequant", (("w",), ("r",)), latency=latency),
        pipe("join", "Join", (("r", "b"), ("y",)), latency=2),
    ]


def test_a_residual_by_hand():
    width, latency = 20, 7
    found = schedule(residual(latency), [(10, width)] * 2)
    # fork 1, window a row and a pixel and 3, requant, join 2
    assert found.first == 1 + width + 1 + 3 + latency + 2
    assert found.finished[1] - found.finished[0] == 10 * width
    # In the FIFO are the pixels that the window waits for, those in the window and the requantizer, and the
    # one that enters while the first leaves: a full FIFO takes no beat in the cycle in which it gives one.
    assert found.depths["b"] == width + 1 + 3 + latency + 1
    assert found.depths["a"] == found.depths["w"] == found.depths["r"] == 1


def test_a_row_of_one_pixel_takes_two_cycles():
    found = schedule(residual(), [(30, 1)] * 3)
    assert found.finished[2] - found.finished[1] == 2 * 30


def test_frames_of_other_widths_follow():
    sizes = [(3, 9), (2, 4), (1, 1), (4, 9)]
    finished = schedule(residual(), sizes).finished
    beats = np.cumsum([height * width for height, width in sizes])
    assert (np.diff(finished) >= np.diff(beats)).all()
    assert finished[-1] <= beats[-1] + 9 + 30 + 2 * 9  # the latency, and a row of each wide frame


@pytest.mark.parametrize(
    ("kind", "steps", "simd", "cycles"),
    [
        ("XnorMVU", 1, 288, 7 + 2),
        ("XnorMVU", 4, 72, 6 + 3),
        ("Int8MVU", 1, 27, 10 + 2),
        ("Int8MVU", 4, 72, 12 + 5),
    ],
)
def test_latency_of_matrix_vector_units(kind, steps, simd, cycles):
    assert mvu_latency(kind, steps, simd, {"PACK": 1, "NARROW": 0}) == cycles


@pytest.mark.parametrize("recipe", RECIPES)
def test_estimates_of_a_frame(recipe):
    graph = folded(recipe, 3)
    height, width = 20, 9
    found = depths(graph, height, width)
    guess = estimate(graph, height, width, set(found.depths))
    bounded = with_depths(graph, found, width)
    one, two = (simulate(bounded, [(height, width)] * n, found.depths)[0] for n in (1, 2))
    assert guess.steady == pytest.approx(two - one, abs=0.005 * guess.steady)
    assert guess.frame == pytest.approx(one, rel=0.08)
    assert guess.steady >= height * width * pace(graph)
    assert max(guess.utilisation.values()) == 1


@pytest.mark.parametrize("recipe", ["x2", "V3, same size"])
def test_a_tall_frame_is_estimated_from_some_of_its_rows(recipe):
    graph = folded(recipe, 2)
    guess = estimate(graph, 200, 6)
    whole = schedule(graph, [(200, 6)] * 3, throttled=False).finished
    assert guess.frame == pytest.approx(whole[0], abs=2)
    assert guess.steady == whole[2] - whole[1]
