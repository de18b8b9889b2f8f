# SPDX-License-Identifier: BSD-3-Clause
"""The streaming PNG writer against Pillow's decoder, and its chunks against the specification."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from host.png_stream import PngWriter

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def write(array, cuts=(), **options):
    file = io.BytesIO()
    writer = PngWriter(file, array.shape[1], len(array), array.shape[2], **options)
    for rows in np.split(array, sorted(cuts)):
        writer.write(rows)
    writer.close()
    return file.getvalue()


def chunks(data):
    """(kind, data) of every chunk; lengths and checksums must be right."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, found = 8, []
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        body = data[position + 4 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length) == (zlib.crc32(body),)
        found.append((body[:4], body[4:]))
        position += 12 + length
    return found


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 30), st.integers(1, 30), st.integers(1, 4), st.integers(0, 9))
def test_pillow_reads_what_was_written(data, height, width, channels, level):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    array = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    if data.draw(st.booleans()):
        array //= 64  # repeats itself: the other filter wins
    cuts = data.draw(st.lists(st.integers(0, height), max_size=4))
    written = write(array, cuts, level=level)
    with Image.open(io.BytesIO(written)) as image:
        assert image.mode == MODES[channels]
        assert np.array_equal(np.asarray(image).reshape(array.shape), array)
    assert [kind for kind, _ in chunks(written)] == [b"IHDR", b"IDAT", b"IEND"]


def test_each_row_gets_the_better_filter():
    horizontal = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 4, axis=0)
    noise = np.random.default_rng(0).integers(0, 256, (4, 1, 1), dtype=np.uint8).repeat(32, axis=1)
    raw = zlib.decompress(dict(chunks(write(np.concatenate((horizontal, noise)))))[b"IDAT"])
    assert list(raw[:: 32 + 1]) == [1, 2, 2, 2, 1, 1, 1, 1]


def test_filters_are_right_across_blocks(monkeypatch):
    monkeypatch.setattr("host.png_stream._BLOCK_BYTES", 100)
    array = np.random.default_rng(0).integers(0, 9, (50, 7, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(write(array)))), array)


def test_large_data_is_cut_into_chunks_that_are_written_early():
    array = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    file = io.BytesIO()
    writer = PngWriter(file, 500, 500, 3)
    writer.write(array[:400])
    assert file.tell() > 400_000
    writer.write(array[400:])
    writer.close()
    assert [kind for kind, _ in chunks(file.getvalue())].count(b"IDAT") > 1
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(file.getvalue()))), array)


def test_one_channel_may_come_without_its_axis():
    file = io.BytesIO()
    writer = PngWriter(file, 3, 2, 1)
    writer.write(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    writer.close()
    assert np.asarray(Image.open(io.BytesIO(file.getvalue()))).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_the_colour_profile_is_kept():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    written = write(np.zeros((2, 2, 3), np.uint8), icc=profile)
    assert [kind for kind, _ in chunks(written)] == [b"IHDR", b"iCCP", b"IDAT", b"IEND"]
    with Image.open(io.BytesIO(written)) as image:
        assert image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("size", "message"),
    [((0, 1, 3), "size 0 x 1"), ((1, 1 << 31, 3), "size 1 x"), ((1, 1, 5), "5 channels")],
)
def test_impossible_images_are_refused(size, message):
    with pytest.raises(ValueError, match=message):
        PngWriter(io.BytesIO(), *size)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((1, 4, 1), np.uint8), r"rows are uint8 \(1, 4, 1\), expected uint8 \(n, 4, 3\)"),
        (np.zeros((1, 5, 3), np.uint8), r"rows are uint8 \(1, 5, 3\)"),
        (np.zeros((1, 4, 3), np.int16), "rows are int16"),
        (np.zeros((4, 4, 3), np.uint8), "got 4 rows, expected at most 3 more"),
    ],
)
def test_wrong_rows_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        PngWriter(io.BytesIO(), 4, 3, 3).write(rows)


def test_missing_rows_are_noticed():
    writer = PngWriter(io.BytesIO(), 4, 3, 3)
    writer.write(np.zeros((1, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="2 rows are missing"):
        writer.close()
