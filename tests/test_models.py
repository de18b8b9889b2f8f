# SPDX-License-Identifier: BSD-3-Clause
"""The networks that ship: files, cards, README agree; integers equal the float64 network on every pixel."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

import golden
from quant import card
from quant.degrade import crop_to_multiple, degrade
from quant.evaluate import main as evaluate
from quant.export import float64_network, to_integers
from quant.images import image_files, read_image
from quant.trained import load_network

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
NAMES = sorted(p.stem for p in MODELS.glob("*.npz"))
TARGETS = {  # set, least PSNR in dB of the exported integers
    "bbcu_nano_x2": ("Set5", 36.7),
    "dncnn_nano_s25": ("CBSD68", 28.3),
    "dncnn3_nano_q10": ("Classic5", 27.82 + 0.7),
    "ebsr_nano_x2": ("Set5", 33.97 + 1.5),
}


@cache
def integers(name: str) -> golden.IntegerNetwork:
    return golden.IntegerNetwork.load(MODELS / f"{name}.npz")


@cache
def figures(name: str) -> dict:
    return json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))


def test_the_networks_are_there():
    assert {"bbcu_nano_x4", *TARGETS} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_float_twin_exports_the_same_integers(name):
    again = to_integers(load_network(MODELS / f"{name}.pt"), name)
    assert again.content_hash == integers(name).content_hash
    assert again.meta == integers(name).meta


@pytest.mark.parametrize("name", NAMES)
def test_card_belongs_to_the_network(name):
    found = figures(name)
    assert found["content_hash"] == integers(name).content_hash
    assert (MODELS / f"{name}.md").read_text(encoding="utf-8") == card.to_markdown(found)
    training = found["training"]
    assert training["iterations_done"] == training["iterations"]
    assert {"data", "hardware"} <= set(training)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_targets(name):
    dataset, least = TARGETS[name]
    reached = {f["dataset"]: f["psnr_db"] for f in figures(name)["figures"]}
    assert reached[dataset] >= least


def test_readme_shows_the_cards(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text((ROOT / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    card.update_readme(readme, MODELS)
    assert readme.read_text(encoding="utf-8") == (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_figures_can_be_measured_again(name, data_dir, tmp_path):
    """Three images of the card's set, evaluated anew, give the card's figures for them to the last bit."""
    dataset = TARGETS[name][0]
    out = tmp_path / "out.json"
    folder = tmp_path / dataset
    folder.mkdir()
    for file in image_files(data_dir / "test" / dataset)[:3]:
        (folder / file.name).symlink_to(file)
    assert evaluate(["--model", str(MODELS / f"{name}.npz"), "--data", str(folder), "--json", str(out)]) == 0
    measured = {i["name"]: i["psnr_db"] for i in json.loads(out.read_text(encoding="utf-8"))["per_image"]}
    card_values = next(f for f in figures(name)["figures"] if f["dataset"] == dataset)["psnr_db_per_image"]
    assert len(measured) == 3
    assert {key: round(value, 4) for key, value in measured.items()} == {
        key: card_values[key] for key in measured
    }


def sets_for_exactness() -> list[tuple[str, str]]:
    """Set5 and Set14 for super-resolution; Set5 for the others, where a pixel costs four times as much."""
    pairs = [(name, "Set5") for name in NAMES]
    return pairs + [(name, "Set14") for name in NAMES if integers(name).task == "sr"]


@pytest.mark.parametrize(("name", "dataset"), sets_for_exactness())
def test_float64_equals_golden_on_every_pixel(name, dataset, data_dir):
    network = float64_network(load_network(MODELS / f"{name}.pt"))
    config = network.config
    level = {"denoise": config.sigma, "deblock": config.quality}.get(config.task, (0,))[0]
    files = image_files(data_dir / "test" / dataset)
    assert files
    for index, file in enumerate(files):
        clean = crop_to_multiple(read_image(file, config.channels), config.scale)
        low = degrade(config, clean, level, np.random.default_rng(index))
        with torch.no_grad():
            ours = network(torch.tensor(low).permute(2, 0, 1)[None].double())[0].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(ours, golden.run(integers(name), low), err_msg=file.name)
