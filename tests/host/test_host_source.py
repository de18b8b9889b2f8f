# SPDX-License-Identifier: BSD-3-Clause
"""Reading images: any region, upright and converted, equals Pillow on the whole image."""

import numpy as np
import pytest
from host_examples import picture
from PIL import Image, ImageOps

from host.source import looks_like_image, open_source

HEIGHT, WIDTH = 23, 31
REGIONS = [(0, HEIGHT, 0, WIDTH), (0, 1, 0, 1), (5, 17, 3, 22), (HEIGHT - 4, HEIGHT, WIDTH - 6, WIDTH)]


def whole(source):
    return source.region(0, source.height, 0, source.width)


@pytest.mark.parametrize("orientation", range(10))  # 0 and 9 do not exist and mean nothing
def test_exif_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture(HEIGHT, WIDTH).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    source = open_source(tmp_path / "a.png")
    assert (source.height, source.width) == expected.shape[:2]
    assert np.array_equal(whole(source), expected)
    for y0, y1, x0, x1 in ((0, 1, 0, 1), (3, 20, 5, 22), (20, 23, 20, 23)):
        assert np.array_equal(source.region(y0, y1, x0, x1), expected[y0:y1, x0:x1])


def test_damaged_exif_is_no_reason_to_refuse(tmp_path):
    picture(HEIGHT, WIDTH).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\xff\xff rubbish")
    assert whole(open_source(tmp_path / "a.jpg")).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("RGB", "RGB"), ("L", "L"), ("1", "L"), ("P", "RGB"), ("RGBA", "RGBA"), ("LA", "LA")],
)
def test_modes(tmp_path, mode, expected):
    image = picture(HEIGHT, WIDTH).convert(mode)
    if "A" in mode:
        image.putalpha(picture(HEIGHT, WIDTH, 1, seed=1))
    image.save(tmp_path / "a.png")
    source = open_source(tmp_path / "a.png")
    array = np.asarray(image.convert(expected)).reshape(HEIGHT, WIDTH, -1)
    assert (source.colour, source.alpha, source.channels) == (
        "RGB" in expected,
        "A" in expected,
        array.shape[2],
    )
    for y0, y1, x0, x1 in REGIONS:
        assert np.array_equal(source.region(y0, y1, x0, x1), array[y0:y1, x0:x1])


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_one_colour_may_be_transparent(tmp_path, mode):
    image = picture(HEIGHT, WIDTH).quantize(8) if mode == "P" else picture(HEIGHT, WIDTH).convert(mode)
    image.save(tmp_path / "a.png", transparency=image.getpixel((4, 4)))
    with Image.open(tmp_path / "a.png") as saved:
        expected = np.asarray(saved.convert("RGBA"))
    source = open_source(tmp_path / "a.png")
    assert source.alpha
    assert source.colour == (mode != "L")
    assert np.array_equal(whole(source), expected if source.colour else expected[..., (0, 3)])
    assert whole(source)[4, 4, -1] == 0


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp", "png"])
def test_the_content_decides_the_format_not_the_name(tmp_path, suffix):
    picture(HEIGHT, WIDTH).save(tmp_path / f"a.{suffix}")
    expected = np.asarray(Image.open(tmp_path / f"a.{suffix}").convert("RGB"))
    (tmp_path / f"a.{suffix}").rename(tmp_path / "picture.txt")
    assert looks_like_image(tmp_path / "picture.txt")
    assert np.array_equal(whole(open_source(tmp_path / "picture.txt")), expected)


def test_a_phone_photo_with_a_preview_is_the_photo(tmp_path):
    Image.init()
    if "MPO" not in Image.SAVE_ALL:
        pytest.skip("this Pillow reads multi-picture JPEGs but cannot write them")
    picture(HEIGHT, WIDTH).save(
        tmp_path / "a.jpg", "MPO", save_all=True, append_images=[picture(6, 8)], quality=95
    )
    assert whole(open_source(tmp_path / "a.jpg")).shape == (HEIGHT, WIDTH, 3)


def test_what_claims_to_be_an_image(tmp_path):
    for name, content in {"a.PNG": b"", "b.txt": b"BM, said the text", "c": b"\xff\xd8\xff"}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.png").mkdir()
    assert [file.name for file in sorted(tmp_path.iterdir()) if looks_like_image(file)] == ["a.PNG", "c"]
