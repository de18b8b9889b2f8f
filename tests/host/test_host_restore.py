# SPDX-License-Identifier: BSD-3-Clause
"""The restore command on good input: what it writes, and that nothing is left where it is stopped."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from host_examples import network, picture, pixels, read, restore
from PIL import Image, ImageCms

from golden import run
from host.backend_golden import GoldenBackend
from host.compare import CompareWriter
from host.labels import GAP

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH = 20, 27


@pytest.fixture
def photo(tmp_path):
    picture(HEIGHT, WIDTH).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def expected(name="x2"):
    return run(network(name), pixels(HEIGHT, WIDTH))


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("name", ["x2", "x3", "denoise"])
@pytest.mark.parametrize("tile", [[], ["--tile", "1"], ["--tile", "8"]])
def test_the_result_is_that_of_the_golden_model_on_the_whole_image(photo, out, models, name, tile):
    assert restore(photo, out / "a.png", "--model", models / f"{name}.npz", *tile) == 0
    assert np.array_equal(read(out / "a.png"), expected(name))
    assert names(out) == ["a.png"]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("name", ["x2", "x3", "x2-y", "denoise", "deblock"])
def test_smallest_images(tmp_path, out, models, size, name):
    picture(*size).save(tmp_path / "a.png")
    assert restore(tmp_path / "a.png", out / "a.png", "--model", models / f"{name}.npz", "--compare") == 0
    scale = network(name).scale
    assert read(out / "a.png").shape == (size[0] * scale, size[1] * scale, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "webp", "bmp"])
def test_output_formats(photo, out, models, suffix):
    path = out / f"a.{suffix}"
    assert restore(photo, path, "--model", models / "x2.npz") == 0
    with Image.open(path) as image:
        assert image.format == {"jpg": "JPEG"}.get(suffix, suffix.upper())
    difference = np.abs(read(path).astype(int) - expected())
    if suffix in ("jpg", "JPEG"):
        assert difference.mean() < 8
    else:
        assert not difference.any()
    assert names(out) == [path.name]


@pytest.mark.parametrize("suffix", ["png", "webp"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_formats_that_hold_alpha(photo, out, models, suffix, mode):
    image = picture(HEIGHT, WIDTH).convert(mode)
    image.putalpha(picture(HEIGHT, WIDTH, 1))
    image.save(photo)
    assert restore(photo, out / f"a.{suffix}", "--model", models / "x2.npz") == 0
    assert read(out / f"a.{suffix}").shape == (HEIGHT * 2, WIDTH * 2, 4)


def test_grey_stays_grey(photo, out, models):
    picture(HEIGHT, WIDTH, 1).save(photo)
    for suffix in ("png", "jpg", "bmp"):
        assert restore(photo, out / f"a.{suffix}", "--model", models / "deblock.npz") == 0
        assert Image.open(out / f"a.{suffix}").mode == "L"


@pytest.mark.parametrize(
    ("kind", "suffix", "kept"), [("sRGB", "png", True), ("sRGB", "jpg", True), ("LAB", "png", False)]
)
def test_a_fitting_colour_profile_is_kept(photo, out, models, kind, suffix, kept):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()
    picture(HEIGHT, WIDTH).save(photo, icc_profile=profile)
    assert restore(photo, out / f"a.{suffix}", "--model", models / "x2.npz") == 0
    assert Image.open(out / f"a.{suffix}").info.get("icc_profile") == (profile if kept else None)


def test_compare(photo, out, models):
    assert restore(photo, out / "a.jpg", "--model", models / "x2.npz", "--compare", "--tile", "5") == 0
    assert names(out) == ["a.jpg", "a_compare.png"]
    sheet = read(out / "a_compare.png")
    strip = len(sheet) - HEIGHT * 2
    panel = (sheet.shape[1] - GAP) // 2
    bicubic = np.asarray(picture(HEIGHT, WIDTH).resize((WIDTH * 2, HEIGHT * 2), Image.BICUBIC))
    assert np.array_equal(sheet[strip:, : WIDTH * 2], bicubic)
    assert np.array_equal(sheet[strip:, panel + GAP :][:, : WIDTH * 2], expected())
    for half in (sheet[:strip, :panel], sheet[:strip, panel + GAP :]):
        assert half.max() == 255  # a label


def test_compare_shows_transparency_on_white(photo, out, models):
    image = picture(HEIGHT, WIDTH)
    image.putalpha(0)
    image.save(photo)
    assert restore(photo, out / "a.png", "--model", models / "x2.npz", "--compare") == 0
    sheet = read(out / "a_compare.png")
    assert (sheet[-HEIGHT * 2 :, : WIDTH * 2] == 255).all()


def test_an_existing_file_is_replaced_unless_kept(photo, out, models, capsys):
    (out / "a.png").write_bytes(b"precious")
    assert restore(photo, out / "a.png", "--model", models / "x2.npz", "--keep") == 2
    assert "exists: leave out --keep" in capsys.readouterr().err
    assert (out / "a.png").read_bytes() == b"precious"
    assert restore(photo, out / "a.png", "--model", models / "x2.npz") == 0
    assert np.array_equal(read(out / "a.png"), expected())


def test_a_folder_as_target_of_an_image(photo, out, models):
    assert restore(photo, out, "--model", models / "x2.npz") == 0
    assert names(out) == ["photo.png"]


def test_what_is_printed(photo, out, models, capsys):
    picture(HEIGHT, WIDTH, 1).save(photo)
    assert restore(photo, out / "a.png", "--model", models / "x2.npz") == 0
    printed = capsys.readouterr()
    assert "photo.png -> " in printed.out
    assert "27 x 20 to 54 x 40 pixels" in printed.out
    assert "grey image, RGB network" in printed.out
    assert printed.err == ""
    assert restore(photo, out / "b.png", "--model", models / "x2.npz", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


class TestFolder:
    def test_all_images_and_nothing_else(self, tmp_path, models, capsys):
        folder, out = tmp_path / "in", tmp_path / "new"
        (folder / "sub.png").mkdir(parents=True)
        picture(HEIGHT, WIDTH).save(folder / "a.bmp")
        picture(HEIGHT, WIDTH).save(folder / "b.jpg")
        picture(HEIGHT, WIDTH).save(folder / "c", "PNG")
        (folder / "notes.txt").write_text("no image")
        (folder / ".hidden.png").write_text("no image")
        assert restore(folder, out, "--model", models / "x2.npz", "--compare") == 0
        assert names(out) == [f"{stem}{end}.png" for stem in "abc" for end in ("", "_compare")]
        assert np.array_equal(read(out / "a.png"), expected())
        assert capsys.readouterr().err == ""

    def test_a_bad_image_does_not_stop_the_others(self, tmp_path, out, models, capsys):
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "a.png").write_text("no image")
        picture(HEIGHT, WIDTH).save(folder / "b.png")
        picture(HEIGHT, WIDTH).convert("CMYK").save(folder / "c.jpg")
        assert restore(folder, out, "--model", models / "x2.npz") == 2
        assert names(out) == ["b.png"]
        first, second = capsys.readouterr().err.splitlines()
        assert "a.png: is not an image" in first
        assert "c.jpg: has colour mode CMYK" in second

    def test_equal_names(self, tmp_path, out, models, capsys):
        folder = tmp_path / "in"
        folder.mkdir()
        for name in ("a.bmp", "a.png", "a_compare.png"):
            picture(HEIGHT, WIDTH).save(folder / name)
        assert restore(folder, out, "--model", models / "x2.npz", "--compare") == 2
        assert names(out) == ["a.png", "a_compare.png"]
        first, second = capsys.readouterr().err.splitlines()
        assert "a.png: would be written to a.png as " in first
        assert "a_compare.png: would be written to a_compare.png as " in second

    def test_no_folder_is_left_if_nothing_was_restored(self, tmp_path, models):
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "a.png").write_text("no image")
        assert restore(folder, tmp_path / "new", "--model", models / "x2.npz") == 2
        assert not (tmp_path / "new").exists()


class TestInterruption:
    """Whatever stops the command: no temporary file is left, and an existing result stays as it was."""

    def stopped(self, photo, out, models, code):
        (out / "a.png").write_bytes(b"precious")
        options = ("--compare", "--tile", "5")
        assert restore(photo, out / "a.png", "--model", models / "x2.npz", *options) == code
        assert names(out) == ["a.png"]
        assert (out / "a.png").read_bytes() == b"precious"

    def break_after_one_band(self, monkeypatch, error):
        bands = GoldenBackend.restore_bands

        def broken(*arguments):
            yield next(bands(*arguments))
            raise error

        monkeypatch.setattr(GoldenBackend, "restore_bands", broken)

    def test_by_the_user(self, photo, out, models, monkeypatch, capsys):
        self.break_after_one_band(monkeypatch, KeyboardInterrupt())
        self.stopped(photo, out, models, 130)
        assert capsys.readouterr().err == "restore: interrupted; no unfinished file is left\n"

    def test_by_lack_of_memory(self, photo, out, models, monkeypatch, capsys):
        self.break_after_one_band(monkeypatch, MemoryError())
        self.stopped(photo, out, models, 2)
        assert "choose a smaller --tile" in capsys.readouterr().err

    def test_by_a_full_disk(self, photo, out, models, monkeypatch, capsys):
        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(CompareWriter, "close", full)
        self.stopped(photo, out, models, 2)
        assert capsys.readouterr().err.endswith("a.png: cannot be written: No space left on device\n")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_by_a_disk_that_is_full_when_the_last_bytes_are_flushed(
        self, photo, out, models, monkeypatch, capsys
    ):
        opened = []

        def open_full(path, mode):
            opened.append(path)
            Path(path).touch()
            return open("/dev/full", "wb")

        monkeypatch.setattr("host.output.open", open_full, raising=False)
        self.stopped(photo, out, models, 2)
        assert len(opened) == 2
        assert capsys.readouterr().err.endswith("No space left on device\n")

    def test_by_a_bug(self, photo, out, models, monkeypatch):
        self.break_after_one_band(monkeypatch, ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            self.stopped(photo, out, models, None)
        assert names(out) == ["a.png"]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_by_a_signal(self, photo, out, models, number):
        """The command stops itself after its first band, says so, and waits for the signal."""
        program = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
sys.path.insert(0, {str(ROOT)!r})
from host.backend_golden import GoldenBackend
bands = GoldenBackend.restore_bands
def one_band(self, image, progress=None):
    yield next(bands(self, image, progress))
    print("written", flush=True)
    signal.pause()
GoldenBackend.restore_bands = one_band
runpy.run_path({str(ROOT / "host" / "restore.py")!r}, run_name="__main__")
"""
        command = [sys.executable, "-c", program, photo, out / "a.png"]
        command += ["--model", models / "x2.npz", "--engine", "numpy", "--tile", "2"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "written\n"
        assert len(names(out)) == 1  # the unfinished one
        process.send_signal(number)
        assert process.communicate(timeout=60)[1] == "restore: interrupted; no unfinished file is left\n"
        assert process.returncode == 130
        assert names(out) == []


class TestProcess:
    """The command as users start it."""

    def run(self, arguments, cwd):
        return subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)

    def test_as_a_file_from_another_folder(self, photo, models):
        arguments = [
            ROOT / "host" / "restore.py",
            "photo.png",
            "a.png",
            "--model",
            models / "x2.npz",
            "--engine",
            "numpy",
        ]
        done = self.run(arguments, photo.parent)
        assert (done.returncode, done.stderr) == (0, "")
        assert np.array_equal(read(photo.parent / "a.png"), expected())

    def test_as_a_module(self, photo, out, models):
        arguments = [
            "-m",
            "host.restore",
            photo,
            out / "a.png",
            "--model",
            models / "x2.npz",
            "--engine",
            "numpy",
        ]
        done = self.run(arguments, ROOT)
        assert (done.returncode, done.stderr) == (0, "")
        assert np.array_equal(read(out / "a.png"), expected())

    def test_bad_input(self, tmp_path):
        done = self.run([ROOT / "host" / "restore.py", "missing.png", "a.png"], tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            done.stderr == "restore: missing.png: does not exist, expected an image or a folder of images\n"
        )

    def test_wrong_options(self, tmp_path):
        done = self.run([ROOT / "host" / "restore.py", "a.png", "b.png", "--tile", "0"], tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "restore: argument --tile: '0' is not a positive integer; --help explains the options\n"
        )

    def test_it_needs_nothing_that_the_board_lacks(self):
        heavy = {"torch", "quant", "hw", "skimage", "numba"}
        code = f"import host.restore, sys; print(sorted({heavy} & set(sys.modules)))"
        assert self.run(["-c", code], ROOT).stdout == "[]\n"
