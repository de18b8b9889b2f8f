# SPDX-License-Identifier: BSD-3-Clause
"""Colours between image and network, and bicubic upsampling in bands."""

import numpy as np
import pytest
from host_examples import network, picture, pixels
from PIL import Image

from golden import run
from host import colour
from host.backend import Options
from host.backend_golden import GoldenBackend
from host.source import open_source

HEIGHT, WIDTH = 19, 26


@pytest.fixture
def source(request, tmp_path):
    """A picture in the mode that the test asks for."""
    image = picture(HEIGHT, WIDTH).convert(request.param)
    if "A" in request.param:
        image.putalpha(picture(HEIGHT, WIDTH, 1, seed=1))
    image.save(tmp_path / "a.png")
    return open_source(tmp_path / "a.png")


def restored(source, name, tile=7):
    backend = GoldenBackend(network(name), Options(tile, "numpy"))
    return np.concatenate([rows.restored for rows in colour.restored_rows(source, backend)])


def upsampled(channel, scale):
    return np.asarray(Image.fromarray(channel).resize((WIDTH * scale, HEIGHT * scale), Image.BICUBIC))


@pytest.mark.parametrize("source", ["RGBA", "L"], indirect=True)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("step", [1, 2, 7, 100])
def test_bicubic_in_bands_equals_pillow_on_the_whole(source, scale, step):
    whole = source.region(0, HEIGHT, 0, WIDTH)
    expected = np.stack([upsampled(channel, scale) for channel in np.moveaxis(whole, 2, 0)], axis=-1)
    bands = [colour.bicubic_rows(source, y, min(y + step, HEIGHT), scale) for y in range(0, HEIGHT, step)]
    assert np.array_equal(np.concatenate(bands), expected)


@pytest.mark.parametrize("source", ["RGB"], indirect=True)
@pytest.mark.parametrize("name", ["x2", "x3", "denoise"])
def test_rgb(source, name):
    assert np.array_equal(restored(source, name), run(network(name), pixels(HEIGHT, WIDTH)))


@pytest.mark.parametrize("source", ["L"], indirect=True)
def test_grey_through_a_grey_network_stays_grey(source):
    grey = np.asarray(picture(HEIGHT, WIDTH).convert("L"))
    assert np.array_equal(restored(source, "deblock")[..., 0], run(network("deblock"), grey))
    assert colour.note(source, network("deblock")) is None


@pytest.mark.parametrize("source", ["L"], indirect=True)
def test_grey_through_an_rgb_network_becomes_rgb(source):
    grey = np.asarray(picture(HEIGHT, WIDTH).convert("L"))
    assert np.array_equal(restored(source, "x2"), run(network("x2"), np.stack([grey] * 3, axis=-1)))
    assert "restored as RGB" in colour.note(source, network("x2"))


@pytest.mark.parametrize("source", ["RGB"], indirect=True)
def test_colour_through_a_grey_network_keeps_its_chroma(source):
    luma, *chroma = picture(HEIGHT, WIDTH).convert("YCbCr").split()
    luma = Image.fromarray(run(network("deblock"), np.asarray(luma)))
    expected = np.asarray(Image.merge("YCbCr", (luma, *chroma)).convert("RGB"))
    assert np.array_equal(restored(source, "deblock"), expected)
    assert "Y is restored" in colour.note(source, network("deblock"))


@pytest.mark.parametrize("source", ["RGB"], indirect=True)
def test_colour_through_a_grey_upsampling_network(source):
    size = (WIDTH * 2, HEIGHT * 2)
    _, *chroma = picture(HEIGHT, WIDTH).resize(size, Image.BICUBIC).convert("YCbCr").split()
    luma = np.asarray(picture(HEIGHT, WIDTH).convert("YCbCr"))[..., 0]
    luma = Image.fromarray(run(network("x2-y"), np.ascontiguousarray(luma)))
    expected = np.asarray(Image.merge("YCbCr", (luma, *chroma)).convert("RGB"))
    assert np.array_equal(restored(source, "x2-y"), expected)


@pytest.mark.parametrize(
    ("source", "name"), [("RGBA", "x2"), ("LA", "x2"), ("RGBA", "x2-y")], indirect=["source"]
)
def test_alpha_is_upsampled_and_kept(source, name):
    result = restored(source, name)
    assert result.shape == (HEIGHT * 2, WIDTH * 2, 4)
    assert np.array_equal(result[..., 3], upsampled(pixels(HEIGHT, WIDTH, 1, seed=1)[..., 0], 2))


@pytest.mark.parametrize("source", ["RGBA"], indirect=True)
def test_alpha_does_not_change_the_colours(source):
    assert np.array_equal(restored(source, "x2")[..., :3], run(network("x2"), pixels(HEIGHT, WIDTH)))


@pytest.mark.parametrize("source", ["LA"], indirect=True)
def test_grey_with_alpha_through_a_grey_network(source):
    result = restored(source, "deblock")
    grey = np.asarray(picture(HEIGHT, WIDTH).convert("L"))
    assert np.array_equal(result[..., 0], run(network("deblock"), grey))
    assert np.array_equal(result[..., 1], pixels(HEIGHT, WIDTH, 1, seed=1)[..., 0])
