# SPDX-License-Identifier: BSD-3-Clause
"""The search for a folding, on a rough cost model that is not calibrated."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
from qonnx.custom_op.registry import getCustomOp
from rough_cost import rough

from golden.inference import receptive_field
from golden.random_networks import Recipe, build
from hw.compiler import BuildError
from hw.compiler.boards import find
from hw.compiler.cost import Resources
from hw.compiler.elimination import minimise
from hw.compiler.fifos import area_of, decide
from hw.compiler.folding import DoesNotFit, Goal, cut, over, plan, specialised
from hw.compiler.lower import Job, lower
from hw.compiler.timing import fifo_depths, pace, stages
from hw.compiler.transforms import stream_nodes

RECIPE = Recipe(width=8, depth=2, factors=(2,))
SIZE = (90, 160)


def board(clock=100.0, **budget):
    pynq = find("pynq-z2")
    has = Resources(**({"lut": 53_200, "ff": 106_400, "bram18": 280, "dsp": 220} | budget))
    return replace(pynq, has=has, reserved=Resources(0, 0, 8, 0), clock_mhz=clock)


@pytest.fixture(scope="module")
def network():
    return build(np.random.default_rng(5), RECIPE, 3)


@pytest.fixture(scope="module")
def search(network):
    model = specialised(network, 8, 8)

    def run(fps, strips=None, pinned=None, size=SIZE, **budget):
        return plan(network, Goal(*size, board(**budget), fps, strips, pinned or {}), rough, model)

    return run


def test_elimination_finds_the_least_sum():
    rng = np.random.default_rng(1)
    for _ in range(20):
        sizes = {name: int(rng.integers(1, 5)) for name in "abcdef"}
        pairs = ["ab", "bc", "cd", "bd", "de", "ef", "be"]
        tables = [(tuple(pair), rng.integers(0, 50, [sizes[v] for v in pair])) for pair in pairs]
        tables += [((v,), rng.integers(0, 50, sizes[v])) for v in sizes]

        def total(values, tables=tables):
            return sum(table[tuple(values[v] for v in variables)] for variables, table in tables)

        found = minimise(sizes, tables)
        every = (dict(zip(sizes, v, strict=True)) for v in product(*(range(n) for n in sizes.values())))
        assert total(found) == min(total(values) for values in every)


@pytest.mark.parametrize("fps", [20, 200, 800])
def test_the_rate_is_met_on_the_budget(search, fps):
    found = search(fps)
    assert found.fps >= fps
    assert found.fits
    assert found.cycles_per_frame == found.pace * SIZE[0] * found.strips.columns
    assert found.strips.number == 1


def test_faster_is_not_smaller(search):
    areas = [search(fps).total.lut for fps in (10, 100, 1000)]
    assert areas == sorted(areas)
    assert areas[0] < areas[2]


def test_the_graph_has_the_folding_and_the_area_of_the_plan(network, search):
    found = search(300)
    height, width = SIZE[0], found.strips.widest
    model = lower(Job(network, lambda _: found.folding, partial(decide, area=area_of(rough))), height, width)
    assert pace(stages(model)) == found.pace
    total = Resources(0, 0, 0, 0)
    for node in stream_nodes(model):
        instance = getCustomOp(node).rtl()
        total += rough(instance.module, instance.parameters)
    chain = found.nodes["frame sizes"]
    for key in ("lut", "ff", "bram18", "dsp"):
        expected = getattr(found.total, key) - getattr(chain, key)
        assert getattr(total, key) == expected
    assert len(fifo_depths(model)) == sum(name.endswith("/fifo") for name in found.nodes)


def test_what_is_pinned_stays(search):
    pinned = {"body.0.conv": {"SIMD": 18, "PE": 4}, "Defaults": {"PE": [2, ["RSign_rtl"]]}}
    found = search(100, pinned=pinned)
    assert found.folding["body.0.conv"]["SIMD"] == 18
    assert found.folding["body.0.conv"]["PE"] == 4
    assert found.folding["body.0.conv/window"]["P"] == 2
    signs = [name for name in found.folding if name.endswith("sign")]
    assert signs
    assert all(found.folding[name]["PE"] == 2 for name in signs)


def test_a_pinned_node_limits_the_rate(search):
    with pytest.raises(
        DoesNotFit, match=r"'hr\.conv' takes \d+ cycles per pixel at best, and there are"
    ) as error:
        search(500, pinned={"hr.conv": {"SIMD": 9, "PE": 1}})
    assert error.value.best.bottleneck == ("hr.conv",)
    assert error.value.best.fps < 500


@pytest.mark.parametrize(
    ("pinned", "message"),
    [
        ({"hr.conf": {"PE": 1}}, "pins 'hr.conf', which is no node"),
        ({"hr.conv": {"PE": 3}}, "node 'hr.conv': no folding agrees with what is pinned"),
        ({"hr.conv": {"SIMD": 18}, "hr.conv/window": {"P": 1}}, "no folding agrees"),
    ],
)
def test_pins_that_no_folding_agrees_with(search, pinned, message):
    with pytest.raises(BuildError, match=message):
        search(10, pinned=pinned)


def test_too_fast_for_any_folding(search):
    with pytest.raises(DoesNotFit, match="cycles per pixel at best") as error:
        search(100_000)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("key", "less"), [("lut", 8000), ("dsp", 24)])
def test_too_fast_for_the_board(search, key, less):
    budget = {key: less}
    with pytest.raises(DoesNotFit) as error:
        search(1500, **budget)
    message, best = str(error.value), error.value.best
    assert f" {key.upper()} of {getattr(board(**budget).budget, key)} (most of them: " in message
    assert "\n" not in message
    assert best.fits
    assert 0 < best.fps < 1500
    assert str(best) in message


def test_the_best_rate_is_found_and_met(search):
    budget = {"lut": 8000, "dsp": 24}
    best = search(None, **budget)
    assert best.fits
    again = search(best.fps * 0.999, **budget)
    assert again.fits
    with pytest.raises(DoesNotFit):
        search(best.fps * 1.2, **budget)


def test_a_scarce_resource_is_exchanged_for_others(search):
    free = search(800)
    tight = search(800, lut=int((free.total.lut - 40) / find("pynq-z2").lut_share))
    assert tight.fits
    assert tight.total.lut < free.total.lut


def test_nothing_fits(search):
    with pytest.raises(DoesNotFit, match="LUT of") as error:
        search(1, lut=100)
    assert error.value.best is None
    with pytest.raises(DoesNotFit, match="LUT of"):
        search(None, lut=100)


def test_frames_are_cut_into_strips_where_block_ram_is_short(network, search):
    whole = search(60)
    scarce = whole.total.bram18 * 6 // 10 + 8
    found = search(60, bram18=scarce)
    halo = receptive_field(network)
    assert found.fits
    assert found.strips.number > 1
    assert found.strips == cut(*SIZE, found.strips.number, halo)
    assert found.strips.columns > SIZE[1]
    assert found.fps >= 60
    with pytest.raises(DoesNotFit, match="BRAM18 of"):
        search(60, strips=found.strips.number - 1, bram18=scarce)


def test_strips_can_be_given(search):
    found = search(60, strips=3)
    assert found.strips.number == 3
    assert found.fits


def test_strips_cover_a_frame():
    assert cut(4, 100, 1, 11) == cut(4, 100, 1, 0)
    strips = cut(4, 100, 4, 11)
    assert (strips.number, strips.widest, strips.columns) == (4, 25 + 22, 100 + 6 * 11)
    assert cut(4, 100, 2, 11).widest == 61


def test_over_names_what_is_missing():
    assert over(Resources(1, 2, 3, 4), Resources(1, 1, 3, 3)) == ["ff", "dsp"]


def test_boards():
    pynq = find("pynq-z2")
    assert pynq.budget == Resources(42_320, 103_400, 274, 220)
    with pytest.raises(BuildError, match="no board 'zedboard', expected one of pynq-z2"):
        find("zedboard")
