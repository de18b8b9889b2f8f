# SPDX-License-Identifier: BSD-3-Clause
"""Training: it lowers the loss, resumes as if it had not stopped, and its command line."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from quant.config import DENOISE, ConfigError, NetworkConfig
from quant.export import from_checkpoint
from quant.train import TrainConfig, main, train

TINY = NetworkConfig(scale=2, width=8, depth=2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Images of sharp-edged squares, which bilinear upsampling blurs: something to learn."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i in range(4):
        squares = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        squares.resize((84, 84), Image.Resampling.NEAREST).save(folder / f"{i}.png")
    return folder


def losses(run) -> list[float]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard")).Reload()
    return [e.value for e in events.Scalars("loss")]


@pytest.mark.parametrize(
    ("config", "share"),
    [
        (TINY, 0.95),
        (replace(DENOISE, width=8, depth=2, sigma=(25, 25)), 0.75),
        (replace(DENOISE, width=8, depth=2, sigma=(25, 25), mode="paper"), 0.75),
    ],
    ids=["sr-hardware", "denoise-hardware", "denoise-paper"],
)
def test_200_iterations_lower_the_loss(photos, tmp_path, config, share):
    training = TrainConfig(iterations=200, batch=4, patch=32, lr=5e-3, warmup=10, compile=False)
    train(config, training, photos, tmp_path, progress=False, log_every=1)
    values = losses(tmp_path)
    assert len(values) == 200
    assert np.mean(values[-40:]) < share * np.mean(values[:10])


def weights(run):
    return from_checkpoint(run / "last.ckpt").state_dict()


def test_resuming_equals_not_stopping(photos, tmp_path):
    training = TrainConfig(iterations=12, batch=2, patch=16, compile=False)
    kwargs = {"progress": False, "save_every": 5}
    train(TINY, training, photos, tmp_path / "whole", **kwargs)
    train(TINY, training, photos, tmp_path / "stopped", stop_at=7, **kwargs)
    before = weights(tmp_path / "stopped")
    train(TINY, training, photos, tmp_path / "stopped", **kwargs)
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert any(not torch.equal(before[key], resumed[key]) for key in whole)


def test_compiled_training_agrees_with_eager(photos, tmp_path):
    settings = {"iterations": 3, "batch": 2, "patch": 16, "precision": "fp32", "warmup": 1}
    flat = {}
    for name in ("compiled", "eager"):
        training = TrainConfig(**settings, compile=name == "compiled")
        train(TINY, training, photos, tmp_path / name, progress=False)
        flat[name] = torch.cat([value.flatten() for value in weights(tmp_path / name).values()])
    difference = (flat["compiled"] - flat["eager"]).abs()
    # A step moves a parameter by about lr. Sums in another order turn the sign of some vanishing gradients.
    assert (difference > 0.05 * TrainConfig.lr).float().mean() < 0.02


def test_training_tells_irnet_how_far_it_is(photos, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("quant.train.set_progress", lambda modules, f: seen.append((len(modules), f)))
    training = TrainConfig(iterations=4, batch=2, patch=16, compile=False)
    train(replace(TINY, unit="irnet"), training, photos, tmp_path, progress=False, stop_at=2)
    train(replace(TINY, unit="irnet"), training, photos, tmp_path, progress=False)
    assert seen == [(4, 0.0), (4, 0.25), (4, 0.5), (4, 0.75)]


def test_another_body_does_not_resume_a_run(photos, tmp_path):
    training = TrainConfig(iterations=1, batch=2, patch=16, compile=False)
    paper = replace(TINY, mode="paper", binary=("body",))
    train(replace(paper, residual=2), training, photos, tmp_path, progress=False)
    with pytest.raises(ConfigError, match="residual = 2, not None"):
        train(paper, training, photos, tmp_path, progress=False)


def test_finished_run_is_left_alone(photos, tmp_path):
    training = TrainConfig(iterations=2, batch=2, patch=16, compile=False)
    first = weights(train(TINY, training, photos, tmp_path, progress=False).parent)
    again = weights(train(TINY, training, photos, tmp_path, progress=False).parent)
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_other_settings_do_not_resume_a_run(photos, tmp_path, capsys):
    common = ["--model", "bbcu_nano_x2", "--data", str(photos), "--folder", str(tmp_path)]
    common += ["--set", "depth=1", "--iterations", "1", "--batch", "2", "--patch", "16", "--no-compile"]
    assert main([*common, "--set", "width=4"]) == 0
    for change, field in ((["--set", "width=8"], "width"), (["--set", "width=4", "--seed", "1"], "seed")):
        capsys.readouterr()
        assert main([*common, *change]) == 2
        assert field in capsys.readouterr().err
    (tmp_path / "last.ckpt").write_bytes(b"damaged")
    assert main([*common, "--set", "width=4"]) == 2
    assert "last.ckpt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--model", "nothing"], "bbcu_nano_x2"),
        (["--model", "bbcu_nano_x2", "--data", "/nonexistent"], "no data found"),
        (["--model", "bbcu_nano_x2", "--set", "width=0"], "width 0"),
        (["--model", "bbcu_nano_x2", "--set", "wings=2"], "wings"),
        (["--model", "srresnet_x2", "--mode", "hardware"], "binary body"),
    ],
)
def test_bad_command_lines_are_one_line(argv, words, capsys, tmp_path):
    assert main([*argv, "--folder", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert not (tmp_path / "run").exists()


def test_command_line_trains(photos, tmp_path, capsys):
    run = tmp_path / "run"
    argv = ["--model", "dncnn3_nano_q10", "--set", "width=4", "--set", "depth=1", "--data", str(photos)]
    argv += ["--folder", str(run), "--iterations", "3", "--batch", "2", "--patch", "16", "--no-compile"]
    assert main([*argv, "--validate", str(photos), "--validate-every", "3"]) == 0
    assert (run / "psnr.txt").read_text().startswith("3 ")
    assert from_checkpoint(run / "last.ckpt").config.width == 4


def test_two_processes_train_as_one_on_the_same_batch(photos, tmp_path):
    common = ["--model", "bbcu_nano_x2", "--set", "width=4", "--set", "depth=1", "--data", str(photos)]
    common += ["--iterations", "4", "--patch", "16", "--no-compile", "--threads", "1"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = ["-m", "quant.train", *common, "--batch", "2", "--folder", str(tmp_path / "two")]
    subprocess.run([*launcher, *two], check=True, capture_output=True, timeout=300)
    assert main([*common, "--batch", "4", "--folder", str(tmp_path / "one")]) == 0
    one, both = weights(tmp_path / "one"), weights(tmp_path / "two")
    # Not to the bit: gradients are averaged in another order.
    assert all(torch.allclose(one[key], both[key], atol=1e-4) for key in one)
