# SPDX-License-Identifier: BSD-3-Clause
"""A trained network in the whole programmable logic: a photo through the driver, as on a board."""

import numpy as np
import pytest
from board_examples import shelled
from PIL import Image
from rough_cost import rough

from golden import IntegerNetwork, run
from host.restore import main
from hw.compiler.boards import BOARDS
from hw.compiler.fifos import decide
from hw.compiler.folding import Goal, plan
from hw.compiler.lower import Job, lower
from hw.compiler.stitch import stitch
from hw.modules import ROOT

HEIGHT, WIDTH = 24, 48
FPS = 20 * (640 * 360) / (HEIGHT * WIDTH)  # the folding is that of 20 frames per second of 640 x 360
MODEL = ROOT / "models" / "bbcu_nano_x2.npz"


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    network = IntegerNetwork.load(MODEL)
    folding = plan(network, Goal(HEIGHT, WIDTH, BOARDS["pynq-z2"], FPS, strips=1), rough).folding
    folder = tmp_path_factory.mktemp("nano")
    model = lower(Job(network, lambda model: folding, decide), HEIGHT, WIDTH)
    stitch(model, "nano", network.content_hash, folder / "stitched")
    return shelled(folder, HEIGHT, WIDTH, HEIGHT * WIDTH * 24)


def test_a_photo_wider_than_a_strip(build, tmp_path, capsys):
    photo = pytest.importorskip("skimage.data", reason="scikit-image is not installed").astronaut()
    tile = np.ascontiguousarray(photo[95:131, 180:265])
    Image.fromarray(tile).save(tmp_path / "photo.png")
    options = ["--model", str(MODEL), "--backend", "board-sim", "--build", str(build)]
    assert main([str(tmp_path / "photo.png"), str(tmp_path / "large.png"), *options]) == 0
    with Image.open(tmp_path / "large.png") as image:
        result = np.asarray(image)
    assert np.array_equal(result, run(IntegerNetwork.load(MODEL), tile))
    assert "repeated" not in capsys.readouterr().out
