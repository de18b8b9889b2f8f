# SPDX-License-Identifier: BSD-3-Clause
"""Comparisons: the same crop in every column, its figures, what may be published, and the sections."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from quant import comparison, page_results
from quant.comparison import Method, draw, load_methods, record, run_folders
from quant.config import ConfigError, NetworkConfig
from quant.crops import CROPS, FREE_PHOTOS, SIDE, Subject, free_photos, subjects
from quant.experiments import Experiment, run_all
from quant.images import DataError
from quant.networks import build
from quant.scoring import compare, make_case
from quant.train import TrainConfig
from quant.trained import save_network

ROOT = Path(__file__).parents[2]
TINY = NetworkConfig(scale=2, width=4, depth=2, mode="paper")
NOISE = NetworkConfig(arch="dncnn", task="denoise", scale=1, binary=("body",), sigma=(25.0, 25.0))


def photo(path, seed=0, height=96, width=128):
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize((width, height)).save(path)
    return path


def constant(value):
    return lambda low: np.full((2 * low.shape[0], 2 * low.shape[1], 3), value, np.uint8)


def model(path, config=TINY, seed=0):
    torch.manual_seed(seed)
    save_network(build(config), path)
    return path


def test_a_row_shows_the_same_crop_of_every_picture(tmp_path):
    file = photo(tmp_path / "a.png")
    methods = [Method("black", TINY, constant(0)), Method("grey", TINY, constant(100))]
    sheet, (result,) = draw(methods, [Subject(file, (13, 21))], None, "title")
    case = make_case(file, TINY, None, 0)
    captions = [(first, second) for _, first, second in sheet.rows[0]]
    figures = [compare(image, case.clean, TINY)[0] for image in (case.before, constant(0)(case.low))]
    assert captions[1] == ("original", f"{SIDE} x {SIDE} at 20, 12")  # multiples of the scale
    assert captions[2:4] == [("bicubic", f"{figures[0]:.2f} dB"), ("black", f"{figures[1]:.2f} dB")]
    assert (result.input_psnr_db, result.psnr_db["black"]) == tuple(figures)
    crops = [np.asarray(picture)[::3, ::3] for picture, *_ in sheet.rows[0][1:]]
    assert np.array_equal(crops[0], case.clean[12 : 12 + SIDE, 20 : 20 + SIDE])
    assert np.array_equal(crops[1], case.before[12 : 12 + SIDE, 20 : 20 + SIDE])
    assert (crops[2] == 0).all()
    assert (crops[3] == 100).all()
    frame = np.asarray(sheet.rows[0][0][0])
    red = np.argwhere((frame == (230, 30, 30)).all(axis=2))
    factor = 3 * SIDE / 128
    assert np.abs(red.min(0) - np.array([12, 20]) * factor).max() <= 2
    assert np.abs(red.max(0) - np.array([76, 84]) * factor).max() <= 2


def test_crops_stay_inside_and_unknown_images_give_the_most_detailed():
    clean = np.zeros((100, 90, 3), np.uint8)
    assert Subject(Path("x"), (80, 3)).place(clean, 3) == (36, 3)
    assert Subject(Path("x"), (0, 0)).place(clean[:20, :30], 2) == (0, 0)
    clean[30:80, 20:70] = np.random.default_rng(0).integers(0, 255, (50, 50, 1))
    y, x = Subject(Path("x"), None).place(clean, 2)
    assert 16 <= y <= 30
    assert 6 <= x <= 20


def test_images_of_a_known_set_are_those_of_the_table(tmp_path):
    for name in ("zebra", "ppt3", "other"):
        photo(tmp_path / "Set14" / f"{name}.png")
        photo(tmp_path / "mine" / f"{name}.png")
    known = subjects(TINY, [str(tmp_path / "Set14")], None)
    assert [(s.file.stem, s.corner) for s in known] == [
        (stem, corner) for (_, stem), corner in CROPS.items() if stem in ("ppt3", "zebra")
    ]
    mine = subjects(TINY, [str(tmp_path / "mine")], 2)
    assert [(s.file.stem, s.corner) for s in mine] == [("other", None), ("ppt3", None)]
    with pytest.raises(DataError, match="nowhere"):
        subjects(TINY, ["nowhere"], None)


def test_the_table_names_images_that_exist(data_dir):
    for (folder, stem), (y, x) in CROPS.items():
        with Image.open(data_dir / "test" / folder / f"{stem}.png") as image:
            assert 0 <= x <= image.width - SIDE
            assert 0 <= y <= image.height - SIDE


def test_free_photos():
    """They are there, and inside each is its crop; a grey network gets the grey one too."""
    found = free_photos(TINY)
    assert len(found) == len(FREE_PHOTOS) - 1
    assert len(free_photos(NetworkConfig(channels=1))) == len(FREE_PHOTOS)
    for subject in found:
        with Image.open(subject.file) as image:
            clean = np.asarray(image)
        assert subject.place(clean, 1) == subject.corner


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """A folder as quant.zoo leaves it: two finished runs and one that was interrupted."""
    folder = tmp_path_factory.mktemp("zoo")
    photo(folder / "train" / "a.png")
    photo(folder / "test" / "b.png", 1)
    training = TrainConfig(iterations=2, batch=1, patch=16, compile=False)
    runs = [Experiment(name, TINY) for name in ("bbcu_l", "bi_real", "irnet")]
    arguments = (training, folder / "train", folder / "zoo", [folder / "test"])
    run_all(runs[:2], *arguments, say=lambda _: None)
    run_all(runs[2:], *arguments, stop_at=1, say=lambda _: None)
    return folder


def test_runs_of_a_zoo_in_the_order_of_the_paper(zoo):
    methods = load_methods([zoo / "zoo"])
    assert [(m.label, m.iterations) for m in methods] == [("Bi-Real", 2), ("BBCU-L", 2)]
    assert run_folders(zoo / "zoo" / "irnet") == [zoo / "zoo" / "irnet"]
    with pytest.raises(ConfigError, match=r"expected last\.ckpt of a run"):
        run_folders(zoo / "train")


def test_command_gives_the_figures_of_the_zoo(zoo, tmp_path, capsys):
    out = tmp_path / "new" / "x.png"
    argv = [str(zoo / "zoo"), "--data", str(zoo / "test"), "--out", str(out)]
    assert comparison.main(argv) == 0
    printed = capsys.readouterr().out
    for name in ("bbcu_l", "bi_real"):
        measured = json.loads((zoo / "zoo" / name / "measured.json").read_text())
        assert f"{measured['psnr_db']['test']:.2f}" in printed
    with Image.open(out) as image:
        assert image.width == 5 * (3 * SIDE + 10) + 10
    first = out.read_bytes()
    assert comparison.main(argv) == 0
    assert out.read_bytes() == first


def test_only_networks_of_the_same_input(tmp_path):
    paths = [model(tmp_path / "a.pt"), model(tmp_path / "b.pt", NOISE)]
    with pytest.raises(ConfigError, match=r"a restores RGB images x2, downscaled, b RGB images x1, noise"):
        load_methods(paths)
    assert len(load_methods([paths[0], model(tmp_path / "c.pt", seed=1)])) == 2


def test_published_pictures_stand_on_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(comparison, "PUBLISHED", tmp_path / "comparison")
    argv = [str(model(tmp_path / "tiny.pt")), "--publish", "tiny", "--limit", "1"]
    assert comparison.main(argv) == 0
    printed = capsys.readouterr().out.split("\n")[2].split()
    text = "\n".join(page_results.comparisons(tmp_path))
    assert "### Super-resolution x2: tiny" in text
    assert "](comparison/tiny.png)" in text
    assert "astronaut.png (NASA, public domain)" in text
    assert f"| {' | '.join(printed)} |" in text
    assert "### " not in "\n".join(page_results.comparisons(tmp_path / "nothing"))


def test_published_records_are_json():
    result = comparison.Result("coffee.png", np.inf, {"a": 30.12345})
    content = record([Method("a", TINY, constant(0), 7)], [result], None, "t")
    assert json.loads(json.dumps(content, allow_nan=False))["rows"][0]["psnr_db"] == {"a": 30.123}
    assert content["rows"][0]["input_psnr_db"] is None
    assert content["rows"][0]["credit"] == "Rachel Michetti, CC0"
    assert content["iterations"] == {"a": 7}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.npz"], "nowhere.npz"),
        (["."], "expected last.ckpt"),
        (["x.npz", "--publish", "n", "--data", "Set14"], "only 'free' may be published"),
        (["x.npz", "--publish", "n", "--out", "o.png"], "give one of them"),
        (["x.npz", "--limit", "0"], "expected at least 1"),
    ],
)
def test_refuses(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert comparison.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("quant.comparison: ")
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.rglob("*.png"))


def test_committed_pictures_are_small_and_free():
    """Only the free photos, with a record beside each picture; see the note on the research images."""
    folder = ROOT / "docs" / "comparison"
    pictures = sorted(folder.glob("*.png"))
    assert pictures
    assert [p.stem for p in pictures] == [p.stem for p in sorted(folder.glob("*.json"))]
    free = {p.file for p in FREE_PHOTOS}
    for picture in pictures:
        assert picture.stat().st_size < 600_000
        rows = json.loads(picture.with_suffix(".json").read_text())["rows"]
        assert {row["image"] for row in rows} <= free
