# SPDX-License-Identifier: BSD-3-Clause
"""Evaluation: the inputs score what the papers print, engines agree on every pixel, and the command line."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from quant import evaluate
from quant.config import DEBLOCK, DENOISE, ConfigError, NetworkConfig
from quant.degrade import degrade, to_uint8
from quant.export import to_integers
from quant.images import DataError, read_image
from quant.inputs import input_rows, matlab_bicubic, paper_bicubic
from quant.metrics import psnr
from quant.networks import build
from quant.outputs import replacing, text_table
from quant.restorer import TILE, load_restorer
from quant.scoring import (
    Case,
    Score,
    clean_files,
    degradation_level,
    make_case,
    mean_score,
    noise_source,
    score,
)
from quant.sheet import CROP, ContactSheet, busiest_crop, gain_map
from quant.trained import save_network

TINY = {"width": 4, "depth": 1}
CONFIGS = {
    "sr": NetworkConfig(scale=2, **TINY),
    "denoise": replace(DENOISE, **TINY),
    "deblock": replace(DEBLOCK, **TINY, quality=(20, 20)),
}
ROOT = Path(__file__).resolve().parents[2]


def make_model(folder: Path, config: NetworkConfig, name: str = "tiny", seed: int = 0) -> Path:
    """An untrained network, made to do something visible, as models/NAME.pt and .npz."""
    torch.manual_seed(seed)
    network = build(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    save_network(network, folder / f"{name}.pt")
    if config.mode == "hardware":
        to_integers(network, name).save(folder / f"{name}.npz")
    return folder / f"{name}.npz"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {task: make_model(folder, config, task) for task, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three smooth images of odd sizes, the second one grey."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name, size in (("a", (41, 33)), ("b", (30, 47)), ("c", (36, 36))):
        blocks = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        image = blocks.resize(size, Image.Resampling.BICUBIC)
        (image.convert("L") if name == "b" else image).save(folder / f"{name}.png")
    return folder


# What the inputs score: the figures of the papers, to the printed digit.

BICUBIC = {  # (set, scale): (MATLAB's PSNR, SSIM), (the BBCU paper's)
    ("Set5", 2): (("33.66", "0.9299"), ("33.97", "0.9330")),
    ("Set5", 4): (("28.42", "0.8104"), ("28.63", None)),  # 0.8138; the paper prints 0.8128
    ("Set14", 2): (("30.23", "0.8687"), ("30.55", "0.8750")),
    ("Set14", 4): (("26.00", "0.702"), ("26.21", "0.7087")),
}


def assert_prints(value: float, printed: str | None) -> None:
    if printed is not None:
        assert f"{value:.{len(printed.partition('.')[2])}f}" == printed


def mean(pairs) -> list[float]:
    return [sum(column) / len(column) for column in zip(*pairs, strict=True)]


@pytest.mark.parametrize(("dataset", "scale"), BICUBIC)
def test_bicubic_scores_what_is_printed(data_dir, dataset, scale):
    files = clean_files(data_dir / "test" / dataset)
    config = NetworkConfig(scale=scale)
    matlab = mean(matlab_bicubic(f, scale) for f in files)
    paper = mean(paper_bicubic(f, config) for f in files)
    for figures, printed in zip((matlab, paper), BICUBIC[dataset, scale], strict=True):
        for value, text in zip(figures, printed, strict=True):
            assert_prints(value, text)
    # Pillow's low resolution, which networks get, differs from MATLAB's by so little:
    *_, row = input_rows("sr", scale)
    ours = mean(map(row.figures, files))
    assert abs(paper[0] - ours[0]) < 0.01
    assert abs(paper[1] - ours[1]) < 0.0003


@pytest.mark.parametrize(
    ("quality", "db", "ssim"),
    [(10, "27.82", "0.7595"), (20, "30.12", "0.8344"), (30, "31.48", "0.8666"), (40, "32.43", "0.8849")],
)
def test_jpeg_scores_what_is_printed(data_dir, quality, db, ssim):
    (row,) = input_rows("deblock", quality=quality)
    values = mean(map(row.figures, clean_files(data_dir / "test" / "Classic5")))
    assert_prints(values[0], db)
    assert_prints(values[1], ssim)


def test_noise_scores_what_is_printed(data_dir):
    unclipped = replace(DENOISE, mode="paper")
    files = clean_files(data_dir / "test" / "CBSD68")
    clean = [read_image(f, 3) for f in files]
    for sigma, printed in ((15, "24.61"), (25, "20.17"), (50, "14.15")):
        total = clipped = 0.0
        for file, image in zip(files, clean, strict=True):
            noisy = degrade(unclipped, image, sigma, noise_source(file.name, 0))
            total += psnr(noisy.astype(float), image.astype(float))
            clipped += psnr(to_uint8(noisy).astype(float), image.astype(float))
        assert_prints(total / len(files), printed)
        assert clipped > total  # clipping takes noise away


# Cases


@pytest.mark.parametrize("task", CONFIGS)
def test_case_has_the_sizes_of_the_task(photos, task):
    config = CONFIGS[task]
    for file in clean_files(photos):
        case = make_case(file, config, degradation_level(config, None, None), 0)
        assert case.clean.shape == case.before.shape
        assert case.clean.shape[2] == config.channels
        assert case.clean.shape[0] == case.low.shape[0] * config.scale
        assert case.low.dtype == np.uint8


def test_grey_image_for_an_rgb_network_has_three_equal_channels(photos):
    case = make_case(photos / "b.png", CONFIGS["sr"], None, 0)
    assert np.array_equal(case.clean, case.clean[..., :1].repeat(3, axis=2))


def test_noise_depends_on_name_and_seed_alone(photos, tmp_path):
    def low(file, seed=0):
        return make_case(file, CONFIGS["denoise"], 25.0, seed).low

    first = low(photos / "c.png")
    assert np.array_equal(first, low(photos / "c.png"))
    assert not np.array_equal(first, low(photos / "c.png", seed=1))
    Image.open(photos / "c.png").save(tmp_path / "c.bmp")
    Image.open(photos / "c.png").save(tmp_path / "d.png")
    assert np.array_equal(first, low(tmp_path / "c.bmp"))
    assert not np.array_equal(first, low(tmp_path / "d.png"))


def test_level_is_the_trained_one_else_the_default_and_a_flag_wins():
    fixed, blind = replace(DENOISE, sigma=(50, 50)), DENOISE
    assert degradation_level(fixed, None, None) == 50
    assert degradation_level(blind, None, None) == 25
    assert degradation_level(fixed, 15, None) == 15
    assert degradation_level(DEBLOCK, None, None) == 10
    assert degradation_level(CONFIGS["deblock"], None, None) == 20
    assert degradation_level(CONFIGS["deblock"], None, 35) == 35
    assert degradation_level(CONFIGS["sr"], None, None) is None
    for config, sigma, quality in ((DENOISE, None, 10), (DEBLOCK, 25, None), (CONFIGS["sr"], 25, None)):
        with pytest.raises(ConfigError, match="only for task"):
            degradation_level(config, sigma, quality)


def test_files_of_a_folder_not_of_its_subfolders(photos, tmp_path):
    assert [f.name for f in clean_files(photos)] == ["a.png", "b.png", "c.png"]
    assert [f.name for f in clean_files(photos, 2)] == ["a.png", "b.png"]
    for name in ("one", "two/deep"):
        (tmp_path / name).mkdir(parents=True)
        Image.open(photos / "a.png").save(tmp_path / name / "a.png")
    with pytest.raises(DataError, match="subfolders: one, two"):
        clean_files(tmp_path)
    with pytest.raises(DataError, match="folder of clean images"):
        clean_files(photos / "a.png")


def test_restoring_perfectly_scores_infinity_and_means_are_plain():
    clean = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    case = Case("x.png", clean, clean[::2, ::2], 255 - clean)
    perfect = score(case, clean, CONFIGS["sr"])
    assert perfect.psnr_db == np.inf
    assert evaluate.score_record(perfect)["psnr_db"] is None
    scores = [Score("a", 9, 9, 30, 0.5, 20, 0.1), Score("b", 99, 99, 40, 0.7, 24, 0.3)]
    assert mean_score(scores) == Score("mean", 0, 0, 35, pytest.approx(0.6), 22, pytest.approx(0.2))
    assert mean_score(scores).gain_db == 13


# Engines


@pytest.mark.parametrize("task", CONFIGS)
def test_engines_agree_on_every_pixel_and_figure(models, photos, task):
    ours, theirs = (load_restorer(models[task], engine) for engine in ("golden", "torch"))
    assert (ours.engine, theirs.engine, theirs.backend) == ("golden", "torch", "float64")
    assert ours.config == theirs.config == CONFIGS[task]
    level = degradation_level(ours.config, None, None)
    for file in clean_files(photos):
        case = make_case(file, ours.config, level, 0)
        assert np.array_equal(ours.run(case.low), theirs.run(case.low))
    files = clean_files(photos)
    assert evaluate.evaluate(ours, files, level) == evaluate.evaluate(theirs, files, level)


def test_images_larger_than_a_tile_are_restored_whole(models):
    restorer = load_restorer(models["denoise"], "torch")
    image = np.random.default_rng(0).integers(0, 256, (12, TILE + 40, 3), dtype=np.uint8)
    whole = load_restorer(models["denoise"].with_suffix(".pt"), "torch")  # without tiles
    assert np.array_equal(restorer.run(image), whole.run(image))


def test_torch_engine_refuses_a_network_of_other_integers(photos, tmp_path):
    model = make_model(tmp_path, CONFIGS["sr"], "one", seed=1)
    make_model(tmp_path, CONFIGS["sr"], "two", seed=2)
    (tmp_path / "two.pt").rename(tmp_path / "one.pt")
    with pytest.raises(ConfigError, match=r"one\.pt: exports integers"):
        load_restorer(model, "torch")


def test_configuration_must_be_that_of_the_network(tmp_path):
    network = to_integers(build(CONFIGS["sr"]))
    other = replace(CONFIGS["sr"], scale=3).to_dict()
    replace(network, meta={"config": other}).save(tmp_path / "x.npz")
    with pytest.raises(ConfigError, match=r"x\.npz: its meta says .* 3, 3, .* but it is"):
        load_restorer(tmp_path / "x.npz")


def test_paper_mode_network_is_scored_without_integers(photos, tmp_path, capsys):
    make_model(tmp_path, replace(CONFIGS["denoise"], mode="paper"), "float")
    argv = ["--model", str(tmp_path / "float.pt"), "--data", str(photos)]
    assert evaluate.main([*argv, "--engine", "torch"]) == 0
    assert "neither clipped nor rounded" in capsys.readouterr().out
    assert evaluate.main(argv) == 2
    assert "--engine torch" in capsys.readouterr().err


# Contact sheet


def test_the_busiest_crop_is_where_the_detail_is():
    image = np.full((120, 160, 3), 128, np.uint8)
    image[20:80, 70:150] += np.random.default_rng(0).integers(0, 60, (60, 80, 3), dtype=np.uint8)
    y, x = busiest_crop(image, 80)
    assert y <= 20
    assert x in range(68, 73)
    image[0] = 0  # a black edge is not detail
    assert busiest_crop(image, 80) == (y, x)
    assert busiest_crop(np.zeros((30, 200, 1), np.uint8), 80) == (0, 0)


def test_gain_map_is_green_where_the_error_shrinks():
    clean = np.full((2, 2, 1), 100, np.uint8)
    before, after = clean.copy(), clean.copy()
    before[0, 0], after[1, 1] = 110, 90
    result = gain_map(Case("x", clean, before, before), after)
    assert result[0, 0].tolist() == [0, 80, 0]
    assert result[1, 1].tolist() == [80, 0, 0]
    assert result[0, 1].tolist() == [0, 0, 0]


def test_sheet_shows_original_input_and_result(photos, models):
    config = CONFIGS["denoise"]
    sheet = ContactSheet("title", "note", "noisy")
    case = make_case(photos / "a.png", config, 25.0, 0)
    restored = load_restorer(models["denoise"]).run(case.low)
    sheet.add(case, restored, score(case, restored, config))
    cells = [np.asarray(picture) for picture, *_ in sheet.rows[0]]
    for cell, image in zip(cells[1:4], (case.clean, case.before, restored), strict=True):
        assert np.array_equal(cell[::3, ::3], image[:CROP, :CROP])
    captions = [" ".join(texts) for _, *texts in sheet.rows[0]]
    assert "dB" in captions[2]
    assert "dB (" in captions[3]
    assert sheet.image().width > 5 * 240


# Command line


def test_command_line(models, photos, tmp_path):
    """As a user calls it: a table, a JSON file, a sheet; equal runs give equal files."""
    out, picture = tmp_path / "new" / "figures.json", tmp_path / "sheet.png"
    argv = ["--model", models["sr"], "--data", photos, "--json", out, "--sheet", picture]
    done = subprocess.run(
        [sys.executable, "-m", "quant.evaluate", *map(str, argv)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["a.png", "b.png", "c.png", "mean"]
    assert "bicubic as in the BBCU paper" in done.stdout
    assert "engine golden" in done.stdout
    figures = json.loads(out.read_text())
    assert figures["dataset"] == photos.name
    assert figures["images"] == len(figures["per_image"]) == 3
    for key in ("psnr_db", "ssim", "input_psnr_db", "input_ssim"):
        assert figures[key] == pytest.approx(sum(i[key] for i in figures["per_image"]) / 3)
    assert figures["per_image"][0]["name"] == "a.png"
    assert (figures["per_image"][0]["width"], figures["per_image"][0]["height"]) == (40, 32)
    assert f"{figures['psnr_db']:.2f}" in lines[5]
    assert Image.open(picture).format == "PNG"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "sheet.png"]


def test_json_of_an_image_does_not_depend_on_the_others(models, photos, tmp_path):
    paths = [tmp_path / f"{n}.json" for n in (1, 3)]
    for path in paths:
        argv = ["--model", str(models["denoise"]), "--data", str(photos), "--json", str(path)]
        assert evaluate.main([*argv, "--limit", path.stem]) == 0
    one, three = (json.loads(p.read_text()) for p in paths)
    assert one["per_image"] == three["per_image"][:1]
    assert one["level"] == 25


@pytest.mark.parametrize(
    ("task", "words"), [("sr", "BBCU paper"), ("denoise", "sigma 50"), ("deblock", "40")]
)
def test_input_only(photos, tmp_path, capsys, task, words):
    out = tmp_path / "inputs.json"
    assert evaluate.main(["--input-only", "--task", task, "--data", str(photos), "--json", str(out)]) == 0
    assert words in capsys.readouterr().out
    figures = json.loads(out.read_text())
    assert len(figures["rows"]) == {"sr": 3, "denoise": 6, "deblock": 4}[task]
    assert figures["images"] == 3
    for row in figures["rows"]:
        assert row["psnr_db"] == pytest.approx(sum(i["psnr_db"] for i in row["per_image"]) / 3)


def test_a_name_is_found_below_bitmend_data(models, photos, tmp_path, monkeypatch, capsys):
    (tmp_path / "test").mkdir()
    os.symlink(photos, tmp_path / "test" / "Mine")
    monkeypatch.setenv("BITMEND_DATA", str(tmp_path))
    assert evaluate.main(["--model", str(models["deblock"]), "--data", "Mine", "--limit", "1"]) == 0
    assert "JPEG, quality 20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "--model"),
        (["--model", "none.npz"], "none.npz"),
        (["--model", "MODEL", "--data", "/nonexistent"], "no data found"),
        (["--model", "MODEL", "--data", "PARENT"], "subfolders: bad, inside, small"),
        (["--model", "MODEL", "--data", "PHOTOS", "--sigma", "25"], "only for task 'denoise'"),
        (["--model", "MODEL", "--data", "PHOTOS", "--limit", "0"], "--limit 0"),
        (["--model", "MODEL", "--data", "PHOTOS", "--seed", "-1"], "--seed -1"),
        (["--model", "MODEL", "--data", "BAD"], "broken.png"),
        (["--model", "MODEL", "--data", "SMALL"], "15 x 15"),
        (["--model", "MODEL", "--task", "sr"], "--input-only"),
        (["--input-only", "--data", "PHOTOS"], "--task"),
        (["--input-only", "--task", "sr", "--model", "MODEL"], "leave out --model"),
        (["--input-only", "--task", "deblock", "--scale", "2"], "--scale 2"),
        (["--model", "META", "--data", "PHOTOS"], "no usable configuration"),
        (["--input-only", "--task", "denoise", "--sigma", "-3", "--data", "PHOTOS"], "--sigma -3"),
        (["--input-only", "--task", "sr", "--sigma", "3", "--data", "PHOTOS"], "only for task 'denoise'"),
        (["--input-only", "--task", "deblock", "--quality", "0", "--data", "PHOTOS"], "--quality 0"),
    ],
)
def test_bad_input_is_one_line(argv, words, models, photos, tmp_path, capsys):
    places = {"MODEL": models["sr"], "PHOTOS": photos}
    for name in ("inside", "bad", "small"):
        (tmp_path / "parent" / name).mkdir(parents=True)
    Image.new("RGB", (40, 40)).save(tmp_path / "parent" / "inside" / "x.png")
    (tmp_path / "parent" / "bad" / "broken.png").write_bytes(b"\x89PNG no")
    Image.new("RGB", (14, 40)).save(tmp_path / "parent" / "small" / "x.png")
    places |= {"PARENT": tmp_path / "parent", "BAD": tmp_path / "parent" / "bad"}
    places |= {"SMALL": tmp_path / "parent" / "small", "META": tmp_path / "meta.npz"}
    network = to_integers(build(CONFIGS["sr"]))
    replace(network, meta={}).save(tmp_path / "meta.npz")
    out = tmp_path / "out.json"
    assert evaluate.main([str(places.get(a, a)) for a in argv] + ["--json", str(out)]) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("quant.evaluate:")]
    assert len(error) == 1
    assert words in error[0]
    assert not out.exists()


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_half_way():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_text_table_aligns():
    table = text_table(("name", "x"), [("a", "1.5"), ("longer", "10.25")])
    assert table.splitlines() == ["name        x", "------  -----", "a         1.5", "longer  10.25"]
