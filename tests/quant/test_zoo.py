# SPDX-License-Identifier: BSD-3-Clause
"""The zoo and the ablations on synthetic images: equal budget, resuming, figures, order of the methods."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from quant import ablate, experiments, page_results, zoo
from quant.ablations import ABLATIONS, PAPER_FULL, PAPER_PARTS, panels
from quant.config import DENOISE, PARTS, ConfigError, NetworkConfig
from quant.data import PatchDataset
from quant.device_data import DevicePatches
from quant.experiments import Budget, Experiment, Measured, run_all
from quant.export import from_checkpoint
from quant.train import TrainConfig
from quant.zoo import in_mode, methods, nano, pairs, printed_psnr

TINY = NetworkConfig(scale=2, width=4, depth=2, mode="paper")
TRAINING = TrainConfig(iterations=2, batch=2, patch=16, compile=False)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i in range(2):
        squares = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        squares.resize((40 + 8 * i, 48), Image.Resampling.NEAREST).save(folder / f"{i}.png")
    return folder


# Patches on the device


def patches(config, side=16, seed=3):
    """Images whose pixels say where they are: red is the column, green the row, blue the image."""
    images = []
    for i, (height, width) in enumerate(((64, 48), (40, 80))):
        y, x = np.mgrid[:height, :width]
        images.append(np.stack([x, y, np.full_like(x, i)], 2).astype(np.uint8))
    return PatchDataset(images, config, side, seed)


@pytest.mark.parametrize("config", [TINY, replace(DENOISE, sigma=(0, 0)), replace(TINY, scale=4)])
def test_device_patches_are_squares_of_the_images(config):
    dataset = patches(config)
    low, clean = DevicePatches(dataset, 64, torch.device("cpu")).make(5)
    assert clean.shape == (64, 3, 16, 16)
    assert low.shape == (64, 3, 16 // config.scale, 16 // config.scale)
    views = set()
    for patch, small in zip(clean.permute(0, 2, 3, 1).numpy(), low.permute(0, 2, 3, 1).numpy(), strict=True):
        image = dataset.clean[int(patch[0, 0, 2])]
        x, y = int(patch[..., 0].min()), int(patch[..., 1].min())
        assert x % config.scale == y % config.scale == 0
        square = image[y : y + 16, x : x + 16]
        turned = [(v, t, f) for t in range(4) for f in (0, 1) for v in [_view(square, t, f)]]
        ((_, turns, flip),) = [m for m in turned if np.array_equal(m[0], patch)]
        views.add((turns, flip))
        if dataset.low:  # the input is the same view of the same place
            source = dataset.low[int(patch[0, 0, 2])]
            r, n = config.scale, 16 // config.scale
            expected = source[y // r : y // r + n, x // r : x // r + n]
            assert np.array_equal(_view(expected, turns, flip), small)
    assert len(views) == 8


def _view(square, turns, flip):
    turned = np.rot90(square, turns)
    return turned[:, ::-1] if flip else turned


def test_device_patches_depend_on_seed_rank_and_iteration_alone():
    dataset, cpu = patches(TINY), torch.device("cpu")
    whole = iter(DevicePatches(dataset, 4, cpu))
    batches = [next(whole) for _ in range(3)]
    resumed = next(iter(DevicePatches(dataset, 4, cpu, start=2)))
    assert all(torch.equal(a, b) for a, b in zip(batches[2], resumed, strict=True))
    other = next(iter(DevicePatches(dataset, 4, cpu, start=2, rank=1)))
    assert not torch.equal(other[1], resumed[1])
    with pytest.raises(ValueError, match="JPEG"):
        DevicePatches(patches(replace(DENOISE, task="deblock", channels=3)), 4, cpu)


def test_device_noise_has_its_level_and_is_rounded_for_hardware():
    for mode, whole in (("paper", False), ("hardware", True)):
        dataset = patches(replace(DENOISE, sigma=(30, 30), mode=mode))
        noisy, clean = DevicePatches(dataset, 256, torch.device("cpu")).make(0)
        assert torch.equal(noisy, noisy.round()) is whole
        if mode == "paper":
            assert (noisy - clean).std().item() == pytest.approx(30, rel=0.02)


# Budgets, resuming


def test_budgets(tmp_path, monkeypatch):
    assert Budget.parse("300") == Budget(iterations=300)
    assert Budget.parse("1.5m") == Budget(minutes=1.5)
    for text in ("0", "2.5", "10s", "m", "-3"):
        with pytest.raises(ConfigError, match="budget"):
            Budget.parse(text)
    monkeypatch.setattr(experiments, "seconds_per_iteration", lambda *_: 0.5)
    assert Budget.parse("2m").in_iterations(TINY, TRAINING, tmp_path) == 240
    monkeypatch.setattr(experiments, "seconds_per_iteration", lambda *_: 0.25)
    assert Budget.parse("2m").in_iterations(TINY, TRAINING, tmp_path) == 240  # kept for resuming
    assert Budget.parse("3m").in_iterations(TINY, TRAINING, tmp_path) == 720
    assert experiments.seconds_per_iteration.__name__ == "<lambda>"


def test_a_step_takes_time():
    assert 0 < experiments.seconds_per_iteration(TINY, TRAINING, 1) < 60


def test_experiments_resume_and_are_not_repeated(photos, tmp_path):
    todo = [Experiment("a", TINY), Experiment("b", replace(TINY, unit="bnn", binary=("body",)))]
    args = (TRAINING, photos, tmp_path / "runs", [photos])
    assert run_all(todo, *args, stop_at=1, say=lambda _: None) == []
    said = []
    first = run_all(todo, *args, limit=1, say=said.append)
    assert [m.name for m in first] == ["a", "b"]
    assert len(said) == 2
    assert [m.iterations for m in first] == [2, 2]
    assert run_all(todo, *args, limit=1, say=said.append) == first
    assert len(said) == 2  # nothing was done again
    whole = run_all(todo[:1], TRAINING, photos, tmp_path / "whole", [photos], limit=1, say=said.append)
    assert whole[0].psnr_db == first[0].psnr_db  # stopped and resumed as if not stopped
    run_all(todo[:1], *args, limit=2, say=said.append)
    assert len(said) == 4  # other images: measured again
    states = [from_checkpoint(tmp_path / f / "a" / "last.ckpt").state_dict() for f in ("runs", "whole")]
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


# The zoo


def test_methods_of_a_table_in_the_papers_order():
    assert list(methods("bbcu_table1", "x2")) == [
        "SRResNet", "SRResNet-Lite", "BNN", "Bi-Real", "BAM", "IRNet", "BTM", "ReActNet", "BBCU-M", "BBCU-L",
    ]  # fmt: skip
    assert list(methods("bbcu_table2", "sigma25"))[-1] == "BBCU"
    with pytest.raises(ConfigError, match="bbcu_table1 x2"):
        methods("bbcu_table1", "x3")
    assert printed_psnr()["bbcu_table1", "BBCU-M", "x2"]["Set5"] == 37.44


def test_nano_keeps_the_kind_and_modes_are_those_that_exist():
    found = {m: nano(c) for m, c in methods("bbcu_table1", "x2").items()}
    assert {c.width for m, c in found.items() if m != "SRResNet-Lite"} == {32}
    assert found["SRResNet-Lite"].width == 6
    assert nano(methods("ebsr_table7", "x2")["EDSR-BiReal"]).width == 32
    modes = {m: in_mode(c, "hardware").mode for m, c in found.items()}
    assert {m for m, mode in modes.items() if mode == "paper"} == {"SRResNet", "SRResNet-Lite", "BAM"}
    assert {in_mode(c, "paper").mode for c in found.values()} == {"paper"}


def test_twins_are_left_out(capsys):
    found = zoo.without_twins({m: nano(c) for m, c in methods("ebsr_table4", "x4").items()})
    assert "EBSR-light" in found
    assert "EBSR" not in found
    assert "EBSR: left out, at this size the same network as EBSR-light" in capsys.readouterr().out
    assert list(zoo.without_twins(methods("ebsr_table4", "x4"))) == list(methods("ebsr_table4", "x4"))


def test_pairs_compare_the_order():
    found = pairs({"a": 30.0, "b": 31.0, "c": 31.0, "d": 9.0}, {"a": 20.0, "b": 21.0, "c": 19.0})
    assert [(p.better, p.worse, p.holds) for p in found] == [
        ("b", "a", True), ("c", "a", False), ("b", "c", True),
    ]  # fmt: skip
    lines = zoo.order_lines(found)
    assert "2 of 3 pairs" in lines[0]
    assert lines[1:] == ["  not: c over a: paper +1.00 dB, here -1.00 dB"]


def test_zoo_command(photos, tmp_path, capsys):
    out = tmp_path / "zoo.json"
    argv = ["--methods", "BNN", "BBCU-L", "--budget", "1", "--batch", "2", "--patch", "16", "--limit", "1"]
    argv += ["--data", str(photos), "--test", str(photos), "--folder", str(tmp_path / "runs")]
    assert zoo.main([*argv, "--publish", str(out)]) == 2  # "photos" is in no table of the paper
    assert "none of our test sets" in capsys.readouterr().err
    (tmp_path / "Set5").symlink_to(photos)
    argv[argv.index("--test") + 1] = str(tmp_path / "Set5")
    assert zoo.main([*argv, "--publish", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "1 pairs are as in the paper" in shown
    assert "37.58" in shown
    (record,) = json.loads(out.read_text())
    assert [r["method"] for r in record["rows"]] == ["BNN", "BBCU-L"]
    assert record["training"]["iterations"] == 1
    assert zoo.main([*argv, "--also", "dorefa_x2", "--publish", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "of 1 pairs" in shown  # what the table does not print is in no pair
    (record,) = json.loads(out.read_text())  # replaced, not added
    assert [r["method"] for r in record["rows"]] == ["BNN", "BBCU-L", "dorefa_x2"]
    assert [bool(r["printed_psnr_db"]) for r in record["rows"]] == [True, True, False]
    (row,) = [line for line in shown.splitlines() if line.startswith("dorefa_x2 ")]
    assert row.split()[1:] == ["1", f"{record['rows'][2]['psnr_db']['Set5']:.2f}"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--table", "nothing"], "bbcu_table1 x2"),
        (["--methods", "GPT"], "BBCU-L"),
        (["--also", "gpt_x2"], "no network named 'gpt_x2'"),
        (["--budget", "soon"], "10m"),
        (["--data", "/nonexistent"], "no data found"),
    ],
)
def test_bad_zoo_commands_are_one_line(argv, words, photos, tmp_path, capsys):
    common = ["--data", str(photos), "--test", str(photos), "--folder", str(tmp_path)]
    assert zoo.main([*common, *argv]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


# Ablations


@pytest.mark.parametrize("what", ABLATIONS)
def test_ablations_name_their_networks(what):
    ablation = ABLATIONS[what](4, 64, 32)
    names = [e.name for e in ablation.experiments]
    assert len(set(names)) == len(names)
    used = {n for s in ablation.series for n in s.experiments}
    assert used == set(names)
    assert len({e.config for e in ablation.experiments}) == len(names)
    ticks = {len(s.experiments) for s in ablation.series} | {len(line.values) for line in ablation.paper}
    assert ticks == {len(ablation.ticks)}
    psnr = {name: 20.0 + i for i, name in enumerate(names)}
    assert all(isinstance(test(psnr), bool) for _, test in ablation.claims)


def test_claims_are_those_of_the_papers_values():
    units = ABLATIONS["units"](4, 64, 32)
    assert all(
        t(dict(zip(("v1", "v2", "v3", "v4"), units.paper[0].values, strict=True))) for _, t in units.claims
    )
    parts = ABLATIONS["parts"](4, 64, 32)
    assert all(test({"full": PAPER_FULL, **PAPER_PARTS}) for _, test in parts.claims)
    broken = ABLATIONS["broken-skips"](4, 64, 32)
    names = [e.name for e in broken.experiments]
    assert all(test(dict(zip(names, broken.paper[0].values, strict=True))) for _, test in broken.claims)
    assert not broken.claims[0][1]({**dict.fromkeys(names, 25.0), "none": 25.1, "at_5": 25.2})


def test_conclusions_need_all_networks_and_say_which_hold():
    units = ABLATIONS["units"](4, 64, 32)
    psnr = dict(zip(("v1", "v2", "v3", "v4"), units.paper[0].values, strict=True))
    assert [c["holds"] for c in ablate.conclusions(units, psnr)] == [True, True, True]
    wrong = {**psnr, "v4": 20.0}
    assert [c["holds"] for c in ablate.conclusions(units, wrong)] == [True, True, False]
    del psnr["v4"]
    assert ablate.conclusions(units, psnr) == []


def test_benefits_are_those_of_table_6():
    found = ablate.benefits(ABLATIONS["parts"](4, 64, 32), {"full": PAPER_FULL, **PAPER_PARTS})
    printed_c = dict(zip(PARTS, (204.14, 3.29, 0.13, 535.83), strict=True))
    for benefit in found:
        assert benefit.v_c == pytest.approx(printed_c[benefit.part], rel=1e-4, abs=0.005)
    # V_P is printed from parameters rounded to 10 first: 1.73 - 0.05, not 1.728 - 0.054
    rounded = {"head": 1.68, "body": 1142.79, "upsampling": 285.69, "tail": 1.68}
    exact = {"head": 1.674, "body": 1142.784, "upsampling": 285.696, "tail": 1.674}
    printed_p = dict(zip(PARTS, (11.91, 0.19, 0.04, 500.0), strict=True))
    for b in found:
        assert b.v_p * exact[b.part] / rounded[b.part] == pytest.approx(printed_p[b.part], abs=0.006)


@pytest.mark.parametrize("what", ["residual", "broken-skips", "parts"])
def test_ablation_command_draws(what, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ablate, "PUBLISHED", tmp_path / "docs" / "ablations")
    argv = ["--what", what, "--budget", "1", "--width", "3", "--depth", "2", "--batch", "2", "--patch", "16"]
    argv += ["--data", str(photos), "--test", str(photos), "--limit", "1", "--folder", str(tmp_path / "a")]
    assert ablate.main([*argv, "--publish"]) == 0
    shown = capsys.readouterr().out
    assert "the paper's conclusions" in shown
    assert ("V_C" in shown) == (what == "parts")
    with Image.open(tmp_path / "a" / "figure.png") as picture:
        assert min(picture.size) > 300
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    rows = json.loads((tmp_path / "a" / "ablation.json").read_text())["rows"]
    assert len(rows) == len(ABLATIONS[what](2, 3, 2).experiments)
    assert (tmp_path / "docs" / "ablations" / f"{what}.png").exists()
    section = "\n".join(page_results.ablations(tmp_path / "docs"))
    assert f"](ablations/{what}.png)" in section
    assert "1 iterations each, batch 2, patch 16" in section
    assert ("V_P" in section) == (what == "parts")
    for row in rows:
        assert f"| {row['name']} | {next(iter(row['psnr_db'].values())):.2f} |" in section
    for line in shown.split("conclusions on")[1].splitlines()[1:]:
        if ": " in line and line.startswith("  "):
            assert f"- {line.strip()}" in section


def test_paper_points_that_are_not_printed_are_said_to_be_missing():
    results = [
        Measured(e.name, 5, {"Set5": 30.0}, {"Set5": 29.0})
        for e in ABLATIONS["residual"](2, 4, 4).experiments
    ]

    paper, ours = panels(ABLATIONS["residual"](2, 4, 4), results, "Set5")
    assert "only drawn" in paper.note
    assert "5 iterations" in ours.title
    assert [len(line.values) for line in ours.lines] == [3, 3]


def test_bad_ablation_command_is_one_line(photos, capsys):
    assert ablate.main(["--what", "units", "--width", "0", "--data", str(photos)]) == 2
    assert "--width 0" in capsys.readouterr().err
