# SPDX-License-Identifier: BSD-3-Clause
"""Bad input: exit code 2, one line that says what is wrong, and nothing written."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from host_examples import picture, pixels, png_header, png_of_16_bits, restore
from PIL import Image


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def part(data, share):
    return data[: int(len(data) * share)]


def animation(kind):
    return encoded(picture(9, 9), kind, save_all=True, duration=50, append_images=[picture(9, 9, seed=1)])


PHOTO = picture(60, 80)
IMAGES = {
    "no image": (b"just text", "is not an image that can be read, expected PNG, JPEG, WebP or BMP"),
    "empty": (b"", "is not an image that can be read"),
    "GIF": (encoded(PHOTO.convert("P"), "GIF"), "is not an image that can be read"),
    "TIFF": (encoded(PHOTO, "TIFF"), "is not an image that can be read"),
    "truncated PNG": (part(encoded(PHOTO, "PNG"), 0.5), "is a damaged or truncated PNG file"),
    "truncated JPEG": (part(encoded(PHOTO, "JPEG"), 0.5), "is a damaged or truncated JPEG file"),
    "truncated WebP": (part(encoded(PHOTO, "WEBP"), 0.5), "is a damaged or truncated WEBP file"),
    "truncated BMP": (part(encoded(PHOTO, "BMP"), 0.5), "is a damaged or truncated BMP file"),
    "PNG header only": (encoded(PHOTO, "PNG")[:20], "is a damaged or truncated PNG file"),
    "JPEG header only": (encoded(PHOTO, "JPEG")[:20], "is a damaged or truncated JPEG file"),
    "damaged PNG": (
        encoded(PHOTO, "PNG").replace(b"IDAT", b"IDAT\xff\xff"),
        "is a damaged or truncated PNG file",
    ),
    "16-bit grey PNG": (
        encoded(Image.fromarray(pixels(5, 6, 1)[..., 0].astype(np.uint16) * 257), "PNG"),
        "has 16 bits per channel, expected 8",
    ),
    "16-bit RGB PNG": (png_of_16_bits(pixels(5, 6), 2), "has 16 bits per channel, expected 8"),
    "16-bit RGBA PNG": (png_of_16_bits(pixels(5, 6, 4), 6), "has 16 bits per channel, expected 8"),
    "CMYK": (encoded(PHOTO.convert("CMYK"), "JPEG"), "has colour mode CMYK, expected 8-bit RGB or grey"),
    "animated PNG": (animation("PNG"), "is an animation of 2 frames, expected a single image"),
    "animated WebP": (animation("WEBP"), "is an animation of 2 frames"),
    "huge": (
        png_header(40_000, 30_000),
        "is 40000 x 30000 = 1,200,000,000 pixels, expected at most 1,000,000,000",
    ),
}


def fails(capsys, out, *arguments):
    """Run the command, which must fail cleanly and leave `out` empty; return its line."""
    assert restore(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("restore: ")
    assert list(out.iterdir()) == []
    return printed.err


@pytest.fixture
def photo(tmp_path):
    PHOTO.save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("in_folder", [False, True])
def test_images(tmp_path, out, models, capsys, name, in_folder):
    content, message = IMAGES[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(content)
    given = (folder, out) if in_folder else (folder / "a.png", out / "b.png")
    assert f"a.png: {message}" in fails(capsys, out, *given, "--model", models / "x2.npz")


def test_every_truncation_of_a_png_is_noticed_or_harmless(tmp_path, out, models, capsys):
    data = encoded(picture(12, 12), "PNG")
    complete = data.index(b"IEND") - 8  # without the end marker the picture is still complete
    for length in range(0, complete - 4, 37):
        (tmp_path / "a.png").write_bytes(data[:length])
        fails(capsys, out, tmp_path / "a.png", out / "b.png", "--model", models / "x2.npz")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("missing.png", "missing.png: does not exist, expected an image or a folder of images"),
        ("empty", "empty: holds no image, expected PNG, JPEG, WebP or BMP files"),
        ("pipe.png", "pipe.png: is not a regular file"),
    ],
)
def test_inputs(tmp_path, out, models, capsys, given, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("text")
    os.mkfifo(tmp_path / "pipe.png")
    target = out / "new" if given == "empty" else out / "b.png"
    assert message in fails(capsys, out, tmp_path / given, target, "--model", models / "x2.npz")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "a.gif",
            "a.gif: has the suffix '.gif', expected .png, .jpg, .jpeg, .webp, .bmp or an existing folder",
        ),
        ("a", "a: has no suffix, expected .png"),
        ("new/a.png", "does not exist: create it first"),
        ("../photo.png/a.png", "cannot be written: Not a directory"),
        ("../photo.png", "is the input itself: choose another name"),
        ("../link.png", "is the input itself: choose another name"),
        ("../pipe.png", "is not a regular file"),
        ("x" * 300 + ".png", "File name too long"),
    ],
)
def test_outputs(photo, out, models, capsys, target, message):
    (photo.parent / "link.png").symlink_to(photo)
    os.mkfifo(photo.parent / "pipe.png")
    before = photo.read_bytes()
    assert message in fails(capsys, out, photo, out / target, "--model", models / "x2.npz")
    assert photo.read_bytes() == before


def test_the_comparison_must_not_replace_the_input_either(photo, out, models, capsys):
    renamed = photo.rename(out.parent / "photo_compare.png")
    message = fails(capsys, out, renamed, out.parent / "photo.png", "--model", models / "x2.npz", "--compare")
    assert "photo_compare.png: is the input itself" in message


@pytest.mark.parametrize(
    ("target", "message"),
    [("photo.png", "is a file, but"), (".", "is the input folder itself"), ("no/where", "cannot be made")],
)
def test_folders_as_output(photo, out, models, capsys, target, message):
    assert message in fails(capsys, out, photo.parent, photo.parent / target, "--model", models / "x2.npz")


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_alpha_in_formats_without(tmp_path, out, models, capsys, suffix):
    PHOTO.convert("RGBA").save(tmp_path / "a.png")
    message = fails(capsys, out, tmp_path / "a.png", out / f"b.{suffix}", "--model", models / "x2.npz")
    assert "the image has transparency, which" in message
    assert "write .png or .webp" in message


@pytest.mark.parametrize(
    ("width", "height", "suffix", "message"),
    [
        (32_751, 1, "jpg", "the result is 65502 x 2 pixels, JPEG holds at most 65500 each way: write .png"),
        (1, 8_192, "webp", "the result is 2 x 16384 pixels, WEBP holds at most 16383 each way"),
    ],
)
def test_results_too_large_for_the_format(tmp_path, out, models, capsys, width, height, suffix, message):
    picture(height, width).save(tmp_path / "a.png")
    given = (tmp_path / "a.png", out / f"b.{suffix}", "--model", models / "x2.npz")
    assert message in fails(capsys, out, *given)


def test_results_too_large_to_be_held(photo, out, models, capsys, monkeypatch):
    monkeypatch.setattr("host.output.MAX_HELD_PIXELS", 160 * 120 - 1)
    message = fails(capsys, out, photo, out / "b.bmp", "--model", models / "x2.npz")
    assert "the result is 160 x 120 pixels, expected at most 19,199 in all for BMP: write .png" in message


def test_max_pixels(photo, out, models, capsys):
    options = ("--model", models / "x2.npz", "--max-pixels")
    assert "is 80 x 60 = 4,800 pixels" in fails(capsys, out, photo, out / "a.png", *options, 4_799)
    assert restore(photo, out / "a.png", *options, 4_800) == 0


def damaged_model(path, models, kind):
    data = (models / "x2.npz").read_bytes()
    if kind == "truncated":
        data = data[: len(data) // 2]
    elif kind == "text":
        data = b"no model"
    elif kind == "version":
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
            for info in old.infolist():
                content = old.read(info)
                if info.filename == "header.npy":
                    header = {**json.loads(np.load(io.BytesIO(content)).tobytes()), "format": 99}
                    array = io.BytesIO()
                    np.save(array, np.frombuffer(json.dumps(header).encode(), np.uint8))
                    content = array.getvalue()
                new.writestr(info, content)
        data = file.getvalue()
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("truncated", "is a truncated or damaged .npz file"),
        ("text", "is not an .npz file"),
        ("version", "is format version 99, this bitmend reads version"),
    ],
)
def test_damaged_models(photo, out, models, capsys, tmp_path, kind, message):
    damaged_model(tmp_path / "bad.npz", models, kind)
    line = fails(capsys, out, photo, out / "a.png", "--model", tmp_path / "bad.npz")
    assert "bad.npz" in line
    assert message in line


def test_missing_model(photo, out, capsys):
    assert "no.npz: no such network, give --model" in fails(
        capsys, out, photo, out / "a.png", "--model", "no.npz"
    )


def test_unknown_backend(photo, out, capsys):
    with pytest.raises(SystemExit) as exit_:
        restore(photo, out / "a.png", "--backend", "abacus")
    assert exit_.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("restore: argument --backend: invalid choice: 'abacus'")
    assert line.count("\n") == 1


def test_an_engine_that_is_not_installed(photo, out, models, capsys, monkeypatch):
    def missing(*_):
        raise ImportError("engine 'numba' is not available")

    monkeypatch.setattr("host.backend_golden.make_engine", missing)
    line = fails(capsys, out, photo, out / "a.png", "--model", models / "x2.npz")
    assert line == "restore: engine 'numba' is not available\n"


def test_a_name_with_a_line_break_makes_no_second_line(tmp_path, out, models, capsys):
    (tmp_path / "a\nb.png").write_text("no image")
    fails(capsys, out, tmp_path / "a\nb.png", out / "c.png", "--model", models / "x2.npz")
