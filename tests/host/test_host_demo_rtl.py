# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from golden import restore
from golden.random_networks import Recipe, build
from host import RestoreError, demo_rtl
from host.demo_photo import Part
from host.demo_stages import Demo


class Hardware:
    """The backend of a simulation, which golden stands in for."""

    unit, description = "row", "a stand-in"

    def __init__(self, network, wrong=0):
        self.network, self.wrong, self.shapes = network, wrong, []

    def restore_bands(self, image, progress=None):
        self.shapes.append(image.shape)
        result = restore(self.network, image)
        result[0, 0, 0] ^= self.wrong
        yield 0, result

    def expected(self, image):
        return restore(self.network, image)

    def report(self):
        return "simulated 1,234 cycles"


@pytest.fixture
def demo(tmp_path):
    network = build(np.random.default_rng(0), Recipe(width=2, depth=1, factors=(2,)), 3)
    clean = np.random.default_rng(1).integers(0, 256, (80, 120, 3), np.uint8)
    return Demo(tmp_path, network, clean, clean[::2, ::2].copy(), [Part("an eye", 70, 100, 10)])


def test_whole_photo_through_the_hardware(demo):
    hardware = Hardware(demo.network)
    line = demo_rtl.rtl_stage(demo, hardware)
    assert hardware.shapes == [demo.degraded.shape]
    assert "28,800 values equal" in line
    assert "1,234 cycles" in line
    assert (demo.out / "rtl.png").exists()
    assert "simulated hardware" in demo.sections[-1].body


def test_a_tile_of_a_large_photo_lies_inside_it(demo, monkeypatch):
    monkeypatch.setattr(demo_rtl, "MOST_PIXELS", 16 * 16)
    hardware = Hardware(demo.network)
    demo_rtl.rtl_stage(demo, hardware)
    assert hardware.shapes == [(16, 16, 3)]


def test_a_wrong_pixel_is_an_error(demo):
    with pytest.raises(RestoreError, match="differ in 1 of"):
        demo_rtl.rtl_stage(demo, Hardware(demo.network, wrong=1))
