# SPDX-License-Identifier: BSD-3-Clause
"""Train a network: `python -m quant.train --model bbcu_nano_x2 --data DIR`.

Lightning runs the loop, writes checkpoints and TensorBoard logs into runs/<name>/, and resumes from the
last one. One process on the CPU or a GPU; several GPUs with `torchrun --nproc-per-node N -m quant.train ...`.
"""

from __future__ import annotations

import argparse
import ast
import ctypes
import math
import os
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from quant.config import ConfigError, NetworkConfig, preset
from quant.data import PatchData
from quant.degrade import crop_to_multiple, degrade
from quant.images import DataError, find_data, image_files, read_image
from quant.methods import decays, set_progress
from quant.metrics import comparable, psnr
from quant.networks import build
from quant.outputs import one_line

TRAINING_SET = "train_compact.tar"


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained. The defaults suit the nano networks on a CPU.

    Args:
        iterations: optimizer steps.
        batch: patches per step and process; patch: side of the clean patch.
        lr: Adam's learning rate (betas 0.9, 0.99); "cosine" decays it to a hundredth after a short warm-up,
            "step" halves it at two thirds, as the paper does.
        precision: "bf16", "fp32" or "auto" (bf16 where the hardware multiplies it natively).
        compile: torch.compile the network.
    """

    iterations: int = 40_000
    batch: int = 16
    patch: int = 64
    lr: float = 1e-3
    schedule: str = "cosine"
    warmup: int = 200
    seed: int = 0
    precision: str = "auto"
    compile: bool = True


def bf16_is_native() -> bool:
    """Whether bfloat16 matrix products run in hardware here (GPU, or a CPU with AMX)."""
    return torch.cuda.is_available() or torch.cpu._is_amx_tile_supported()


class RestorationTask(L.LightningModule):
    """L1 training of one network (BBCU Eq. 12)."""

    def __init__(self, network: dict, training: dict):
        super().__init__()
        self.save_hyperparameters()
        self.training_config = TrainConfig(**training)
        self.network = build(NetworkConfig.from_dict(network))
        self.decays = decays(self.network)

    def configure_model(self) -> None:
        """Memory format, precision and compilation; parameters stay as they are."""
        config = self.training_config
        self.network.to(memory_format=torch.channels_last)
        bf16 = config.precision == "bf16" or (config.precision == "auto" and bf16_is_native())
        self.network.compute_dtype = torch.bfloat16 if bf16 else None
        if config.compile:
            self.network.compile(fullgraph=True)

    def on_train_batch_start(self, *_) -> None:
        """Tell the network how far the training is: IR-Net's gradient depends on it."""
        set_progress(self.decays, min(1.0, self.global_step / self.training_config.iterations))

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """Mean absolute error on 0..1."""
        low, clean = (t.contiguous(memory_format=torch.channels_last) for t in batch)
        loss = (self.network(low) - clean).abs().mean() / 255
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self):
        """Adam and the learning-rate schedule, stepped every iteration."""
        config = self.training_config
        optimizer = torch.optim.Adam(self.network.parameters(), config.lr, betas=(0.9, 0.99))

        def factor(step: int) -> float:
            warm = min(1.0, (step + 1) / max(1, config.warmup))
            if config.schedule == "step":
                return warm * (0.5 if step >= config.iterations * 2 / 3 else 1.0)
            return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / config.iterations))))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Validation(Callback):
    """PSNR on a small folder of clean images every `every` iterations, with the task's own metric."""

    def __init__(self, folder: Path, config: NetworkConfig, every: int):
        self.config, self.every = config, every
        level = {"denoise": config.sigma, "deblock": config.quality}.get(config.task, (0, 0))
        self.level = sum(level) / 2
        self.files = image_files(folder)
        if not self.files:
            raise DataError(f"{folder}: no images to validate on")

    def on_train_batch_end(self, trainer: L.Trainer, module: RestorationTask, *_) -> None:
        """Evaluate and log when it is time."""
        step = trainer.global_step
        if trainer.is_global_zero and (step % self.every == 0 or step == trainer.max_steps):
            value = self.mean_psnr(module.network)
            module.log("psnr", value, prog_bar=True, rank_zero_only=True)
            with open(Path(trainer.default_root_dir) / "psnr.txt", "a", encoding="utf-8") as log:
                log.write(f"{step} {value:.3f}\n")

    def mean_psnr(self, network) -> float:
        """Mean PSNR of the network as it is now, rounded to 8 bits."""
        network.eval()
        device = next(network.parameters()).device
        values = []
        for i, file in enumerate(self.files):
            clean = crop_to_multiple(read_image(file, self.config.channels), self.config.scale)
            low = degrade(self.config, clean, self.level, np.random.default_rng(i))
            tensor = torch.tensor(low).to(device).permute(2, 0, 1)[None].float()
            with torch.no_grad():  # forward, not call: the compiled graph is for training patches
                restored = network.forward(tensor)[0].round().clamp(0, 255).permute(1, 2, 0).cpu().numpy()
            values.append(psnr(comparable(restored, self.config), comparable(clean, self.config)))
        network.train()
        return sum(values) / len(values)


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory: page faults are a fifth of a CPU training step otherwise."""
    if sys.platform.startswith("linux"):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((-3, 1 << 25), (-1, 1 << 30), (-2, 1 << 27)):  # mmap, trim, top pad
            mallopt(option, value)


def train(
    network: NetworkConfig,
    training: TrainConfig,
    data: Path,
    run: Path,
    *,
    validate: Path | None = None,
    validate_every: int = 2000,
    save_every: int = 500,
    log_every: int = 50,
    workers: int = 0,
    stop_at: int | None = None,
    progress: bool = True,
) -> Path:
    """Train until `training.iterations`, resuming from the run's last checkpoint if there is one.

    Args:
        data: folder or .tar of clean images.
        run: folder for checkpoints (last.ckpt) and logs.
        validate: folder of clean images for a PSNR every `validate_every` iterations.
        stop_at: stop after this iteration, as if interrupted; the schedule stays that of all iterations.

    Returns:
        The last checkpoint.

    Raises:
        ConfigError, DataError: the folder holds another run; the data cannot be used.
    """
    last = run / "last.ckpt"
    if last.exists():
        check_same_run(last, network, training)
    keep_freed_memory()
    L.seed_everything(training.seed, verbose=False)
    task = RestorationTask(network.to_dict(), asdict(training))
    patches = PatchData(data, network, training.batch, training.patch, training.seed, workers)
    checkpoint = ModelCheckpoint(
        run,
        filename="best",
        save_last=True,
        every_n_train_steps=save_every,
        save_top_k=0,
        enable_version_counter=False,
    )
    callbacks: list[Callback] = [checkpoint, LearningRateMonitor("step")]
    if progress:
        callbacks.append(TQDMProgressBar(refresh_rate=10))
    if validate:
        callbacks.append(Validation(validate, network, validate_every))
    trainer = L.Trainer(
        accelerator="auto",
        devices="auto" if torch.cuda.is_available() else int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", "1")),  # both set by torchrun
        max_steps=min(training.iterations, stop_at or training.iterations),
        max_epochs=-1,
        default_root_dir=run,
        logger=TensorBoardLogger(run, name="", version="tensorboard"),
        callbacks=callbacks,
        log_every_n_steps=log_every,
        use_distributed_sampler=False,  # EndlessSampler splits by itself
        enable_model_summary=False,
        enable_progress_bar=progress,
        precision="bf16-mixed" if network.mode == "paper" and training.precision == "bf16" else "32-true",
    )
    trainer.fit(task, patches, ckpt_path=last if last.exists() else None)
    trainer.save_checkpoint(last)
    return last


def check_same_run(last: Path, network: NetworkConfig, training: TrainConfig) -> None:
    """Refuse to resume a run of another configuration.

    Raises:
        ConfigError: the checkpoint is damaged, or differs in what decides the result; names the field.
    """
    try:
        saved = torch.load(last, map_location="cpu", weights_only=True)["hyper_parameters"]
        saved_network = NetworkConfig.from_dict(saved["network"])
    except Exception as error:
        raise ConfigError(f"{last}: not a checkpoint to resume ({one_line(error)}); delete it") from None
    free = {"iterations", "precision", "compile"}  # may change between sessions
    pairs = [(saved_network.to_dict(), network.to_dict()), (saved["training"], asdict(training))]
    for old, new in pairs:
        for field in sorted({*old, *new} - free):
            if old.get(field) != new.get(field):
                raise ConfigError(
                    f"{last.parent} holds a run with {field} = {old.get(field)}, not {new.get(field)}: "
                    "continue it with its own settings, or choose another --folder"
                )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.train`."""
    parser = argparse.ArgumentParser(prog="quant.train", description="Train a restoration network.")
    add = parser.add_argument
    add("--model", required=True, help="a preset, such as bbcu_nano_x2 (quant/config.py lists them)")
    add("--mode", choices=("hardware", "paper"), help="default: the preset's")
    add("--data", help=f"folder or .tar of clean images (default: $BITMEND_DATA/{TRAINING_SET})")
    add("--folder", type=Path, help="of checkpoints and logs (default: runs/MODEL); resumed if it exists")
    add("--validate", help="folder of clean images for a PSNR now and then, such as Set5")
    add("--validate-every", type=int, default=2000, metavar="N")
    add("--save-every", type=int, default=500, metavar="N")
    add("--workers", type=int, default=0, help="processes that make patches")
    add("--threads", type=int, help="CPU threads of torch")
    for name, kind in (("iterations", int), ("batch", int), ("patch", int), ("lr", float), ("seed", int)):
        add(f"--{name}", type=kind, default=getattr(TrainConfig, name))
    add("--schedule", choices=("cosine", "step"), default="cosine")
    add("--precision", choices=("auto", "bf16", "fp32"), default="auto")
    add("--no-compile", dest="compile", action="store_false")
    add("--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of NetworkConfig")
    return parser.parse_args(argv)


def network_config(args: argparse.Namespace) -> NetworkConfig:
    """Preset with the command line's overrides."""
    changes: dict = {"mode": args.mode} if args.mode else {}
    for text in args.set:
        field, _, value = text.partition("=")
        try:
            changes[field] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            changes[field] = value
    return NetworkConfig.from_dict({**preset(args.model).to_dict(), **changes})


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    try:
        network = network_config(args)
        data = find_data(args.data, TRAINING_SET)
        validate = find_data(args.validate) if args.validate else None
        training = TrainConfig(
            args.iterations,
            args.batch,
            args.patch,
            args.lr,
            args.schedule,
            seed=args.seed,
            precision=args.precision,
            compile=args.compile,
        )
        if args.threads:
            torch.set_num_threads(args.threads)
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        last = train(
            network,
            training,
            data,
            args.folder or Path("runs") / args.model,
            validate=validate,
            validate_every=args.validate_every,
            save_every=args.save_every,
            workers=args.workers,
        )
    except (ConfigError, DataError) as error:
        print(f"quant.train: {error}", file=sys.stderr)
        return 2
    print(f"trained: {last}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
