# SPDX-License-Identifier: BSD-3-Clause
"""The trained networks in the whole programmable logic: a photo through the driver, as on a board."""

import numpy as np
import pytest
from board_examples import shelled
from PIL import Image
from rough_cost import rough

from golden import IntegerNetwork, run
from golden.statistics import means
from host.backend import Options
from host.backends import open_backend
from host.restore import main
from hw.compiler.boards import BOARDS
from hw.compiler.fifos import decide
from hw.compiler.folding import Goal, plan
from hw.compiler.lower import Job, lower
from hw.compiler.stitch import stitch
from hw.modules import ROOT

HEIGHT, WIDTH = 24, 48
RATES = {
    "bbcu_nano_x2": 20,
    "bbcu_nano_x4": 6,
    "dncnn3_nano_q10": 30,
    "dncnn_nano_s25": 30,
    "ebsr_nano_x2": 6,
}
"""Frames of 640 x 360 per second: the foldings are of this order of size."""


@pytest.fixture(scope="module", params=RATES)
def shipped(request, tmp_path_factory):
    path = ROOT / "models" / f"{request.param}.npz"
    network = IntegerNetwork.load(path)
    rate = RATES[request.param] * (640 * 360) / (HEIGHT * WIDTH)
    folding = plan(network, Goal(HEIGHT, WIDTH, BOARDS["pynq-z2"], rate, strips=1), rough).folding
    folder = tmp_path_factory.mktemp(request.param)
    model = lower(Job(network, lambda model: folding, decide), HEIGHT, WIDTH)
    stitch(model, "nano", network.content_hash, folder / "stitched")
    return path, network, shelled(folder, HEIGHT, WIDTH, HEIGHT * WIDTH * 24)


def test_all_networks_that_ship():
    assert {path.stem for path in (ROOT / "models").glob("*.npz")} == set(RATES)


def test_a_photo_wider_than_a_strip(shipped, tmp_path, capsys):
    path, network, build = shipped
    photo = pytest.importorskip("skimage.data", reason="scikit-image is not installed").astronaut()
    tile = np.ascontiguousarray(photo[95:131, 180:265, : network.channels])
    Image.fromarray(tile.squeeze()).save(tmp_path / "photo.png")
    options = ["--model", str(path), "--backend", "board-sim", "--build", str(build)]
    assert main([str(tmp_path / "photo.png"), str(tmp_path / "large.png"), *options]) == 0
    with Image.open(tmp_path / "large.png") as image:
        result = np.asarray(image)
    said = capsys.readouterr().out
    assert "repeated" not in said
    with open_backend("board-sim", network, Options(build=build)) as backend:
        plan, expected = backend.plan(tile), backend.expected(tile)
    assert len(plan) > 1
    assert np.array_equal(result, expected.squeeze())
    assert np.array_equal(expected, run(network, tile)) == (not means(network))
    assert ("statistics are those of the tile before" in said) == bool(means(network))
