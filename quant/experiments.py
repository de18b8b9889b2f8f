# SPDX-License-Identifier: BSD-3-Clause
"""Several networks trained at the same budget on the same data, and measured on the same images.

What `quant.zoo` and `quant.ablate` share. Each network has its folder with checkpoints; a finished one is not
trained again, an interrupted one goes on where it stopped.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from quant.config import ConfigError, NetworkConfig
from quant.export import float64_network, from_checkpoint
from quant.networks import RestorationNetwork, build
from quant.outputs import write_json
from quant.scoring import clean_files, make_case, mean_score, score
from quant.train import TrainConfig, train

Say = Callable[[str], None]


@dataclass(frozen=True)
class Experiment:
    """A network to train.

    Attributes:
        name: of its folder and its row.
        config: the network.
    """

    name: str
    config: NetworkConfig


@dataclass(frozen=True)
class Measured:
    """A trained network's figures.

    Attributes:
        name: of the experiment.
        iterations: it was trained for.
        psnr_db: by data set; with the level of noise or JPEG behind the name where there is one.
        input_psnr_db: of the degraded inputs (bicubic for super-resolution).
    """

    name: str
    iterations: int
    psnr_db: dict[str, float]
    input_psnr_db: dict[str, float]


@dataclass(frozen=True)
class Budget:
    """How long each network is trained: so many iterations, or the iterations of so many minutes."""

    iterations: int | None = None
    minutes: float | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """ "2000" is iterations, "10m" minutes per network.

        Raises:
            ConfigError: neither.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(m?)", text)
        if not match or float(match[1]) <= 0 or (not match[2] and "." in match[1]):
            raise ConfigError(f"budget {text!r}: expected iterations, such as 2000, or minutes, such as 10m")
        return cls(minutes=float(match[1])) if match[2] else cls(iterations=int(match[1]))

    def in_iterations(self, config: NetworkConfig, training: TrainConfig, folder: Path) -> int:
        """Iterations for every network; minutes are measured on `config` once, and kept in the folder."""
        if self.iterations:
            return self.iterations
        known = folder / "budget.json"
        if known.exists():
            saved = json.loads(known.read_text(encoding="utf-8"))
            if saved["minutes"] == self.minutes:
                return saved["iterations"]
        iterations = max(1, int(60 * self.minutes / seconds_per_iteration(config, training)))
        write_json(known, {"minutes": self.minutes, "iterations": iterations})
        return iterations


def seconds_per_iteration(config: NetworkConfig, training: TrainConfig, tries: int = 5) -> float:
    """Time of one training step on random patches here, uncompiled: the median of a few."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build(config).to(device, memory_format=torch.channels_last)
    side = training.patch // config.scale
    pixels = torch.randint(0, 256, (training.batch, config.channels, side, side), device=device).float()
    seconds = []
    for _ in range(tries + 1):
        start = time.perf_counter()
        network(pixels).abs().mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:]))


def levels_of(config: NetworkConfig) -> Sequence[float | None]:
    """Noise levels or JPEG qualities to measure at; the papers' for blind networks, else its own."""
    if config.task == "sr":
        return (None,)
    trained, papers = (
        (config.sigma, (15, 25, 50)) if config.task == "denoise" else (config.quality, (10, 20, 30, 40))
    )
    return (trained[0],) if trained[0] == trained[1] else papers


def restorer(network: RestorationNetwork) -> Callable[[np.ndarray], np.ndarray]:
    """The network as a function of images, (H, W, C) uint8 or float32 to (rH, rW, C) uint8.

    A network in paper mode runs in float32; one in hardware mode in float64, which gives the pixels of its
    integers.
    """
    exact = network.config.mode == "hardware"
    ready = float64_network(network) if exact else network.float().eval()

    def restore(low: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(np.array(low)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            out = ready.forward(pixels.double() if exact else pixels.float())
        return out[0].round().clamp(0, 255).permute(1, 2, 0).to(torch.uint8).numpy()

    return restore


def measure(network: RestorationNetwork, folders: Sequence[Path], limit: int | None = None) -> Measured:
    """PSNR of a network on folders of clean images, each in the convention of its task."""
    config, restore = network.config, restorer(network)
    psnr, inputs = {}, {}
    for folder in folders:
        for level in levels_of(config):
            scores = []
            for file in clean_files(folder, limit):
                case = make_case(file, config, level, seed=0)
                scores.append(score(case, restore(case.low), config))
            mean = mean_score(scores)
            name = folder.name if level is None else f"{folder.name} {level:g}"
            psnr[name], inputs[name] = round(mean.psnr_db, 3), round(mean.input_psnr_db, 3)
    done = int(network.provenance.get("iterations_done", 0))
    return Measured("", done, psnr, inputs)


def run_all(
    experiments: Sequence[Experiment],
    training: TrainConfig,
    data: Path,
    folder: Path,
    test_sets: Sequence[Path],
    *,
    limit: int | None = None,
    workers: int = 0,
    stop_at: int | None = None,
    say: Say = print,
) -> list[Measured]:
    """Train what is not trained yet, measure what is not measured yet.

    Args:
        experiments: the networks, with different names.
        training: for all; `iterations` is the budget.
        data: clean images to train on.
        folder: one folder per experiment is made in it.
        test_sets: folders of clean images.
        limit: images per test set.
        workers: processes that make patches.
        stop_at: leave each after this iteration, unmeasured, as if interrupted.
        say: gets one line per network.

    Returns:
        One entry per experiment that is measured, in their order.
    """
    results = []
    for experiment in experiments:
        run = folder / experiment.name
        kept = run / "measured.json"
        known = _known(kept, training, test_sets, limit)
        if known is None:
            start = time.monotonic()
            last = train(
                experiment.config, training, data, run, workers=workers, stop_at=stop_at, progress=False
            )
            if stop_at and stop_at < training.iterations:
                say(f"{experiment.name}: stopped at iteration {stop_at}")
                continue
            known = measure(from_checkpoint(last), test_sets, limit)
            known = replace(known, name=experiment.name)
            write_json(kept, {**asdict(known), **_conditions(training, test_sets, limit)})
            minutes = (time.monotonic() - start) / 60
            figures = ", ".join(f"{name} {value:.2f} dB" for name, value in known.psnr_db.items())
            say(f"{experiment.name}: {figures} ({minutes:.1f} minutes)")
        results.append(known)
    return results


def _conditions(training: TrainConfig, test_sets: Sequence[Path], limit: int | None) -> dict[str, object]:
    return {"training": asdict(training), "sets": [p.name for p in test_sets], "limit": limit}


def _known(kept: Path, training: TrainConfig, sets: Sequence[Path], limit: int | None) -> Measured | None:
    """The figures of an earlier run under the same conditions."""
    if not kept.exists():
        return None
    saved = json.loads(kept.read_text(encoding="utf-8"))
    if any(saved.get(key) != value for key, value in _conditions(training, sets, limit).items()):
        return None
    return Measured(saved["name"], saved["iterations"], saved["psnr_db"], saved["input_psnr_db"])
