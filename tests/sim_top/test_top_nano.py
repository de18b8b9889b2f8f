# SPDX-License-Identifier: BSD-3-Clause
"""A trained network, compiled as for the board but for narrow frames: a photo through its RTL."""

import pytest
from rough_cost import rough

from golden import IntegerNetwork
from hw.compiler.boards import BOARDS
from hw.compiler.fifos import decide
from hw.compiler.folding import Goal, plan
from hw.compiler.lower import Job, lower
from hw.compiler.stitch import stitch
from hw.compiler.timing import estimate, stages
from hw.compiler.transforms import stream_nodes
from hw.modules import ROOT
from sim.equivalence import compare
from sim.top import Ports, TopSimulator

HEIGHT, WIDTH = 24, 48
FPS = 20 * (640 * 360) / (HEIGHT * WIDTH)  # the folding is that of 20 frames per second of 640 x 360


@pytest.fixture(scope="module")
def nano():
    return IntegerNetwork.load(ROOT / "models" / "bbcu_nano_x2.npz")


@pytest.fixture(scope="module")
def model(nano):
    folding = plan(nano, Goal(HEIGHT, WIDTH, BOARDS["pynq-z2"], FPS, strips=1), rough).folding
    return lower(Job(nano, lambda model: folding, decide), HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def simulator(nano, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nano")
    stitch(model, "nano", nano.content_hash, folder)
    return TopSimulator(folder)


@pytest.fixture(scope="module")
def photo():
    return pytest.importorskip("skimage.data", reason="scikit-image is not installed").astronaut()


def test_a_photo_under_random_stalls(nano, simulator, photo):
    tile = photo[100 : 100 + HEIGHT, 200 : 200 + WIDTH]
    result = simulator.run([tile, tile[::-1]], Ports(0.2, 0.2, 0.4, seed=7))
    compare(nano, [tile, tile[::-1]], result.images)


def test_frames_of_different_sizes_back_to_back(nano, simulator, photo):
    sizes = [(HEIGHT, WIDTH), (1, 1), (3, WIDTH), (1, 2), (HEIGHT, 5), (2, 2), (7, 31), (1, WIDTH), (9, 1)]
    frames = [photo[90 : 90 + height, 210 : 210 + width] for height, width in sizes]
    compare(nano, frames, simulator.run(frames).images)


def test_cycles_are_those_that_the_compiler_expects(model, simulator, photo):
    fifos = {node.input[0] for node in stream_nodes(model, "Fifo")}
    expected = estimate(stages(model), HEIGHT, WIDTH, fifos)
    result = simulator.run([photo[:HEIGHT, :WIDTH]] * 3)
    first = result.frames[0]
    assert result.interval == pytest.approx(expected.steady, rel=0.1)
    assert first.first_out - first.first_in == pytest.approx(expected.first, rel=0.1)
    assert first.cycles == pytest.approx(expected.frame, rel=0.1)


def test_fifos_are_as_deep_as_they_need_to_be(simulator, photo):
    result = simulator.run([photo[:HEIGHT, :WIDTH]] * 3)
    deep = [fifo for fifo in simulator.fifos if fifo.depth > 64 and fifo.module == "stream_fifo"]
    assert deep
    for fifo in deep:
        assert 0.5 * fifo.depth <= result.high_water[fifo.node] <= fifo.depth, fifo.node
