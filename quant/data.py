# SPDX-License-Identifier: BSD-3-Clause
"""Training patches: decoded once, kept in memory, degraded on the fly, the same for the same iteration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from quant.config import NetworkConfig
from quant.degrade import crop_to_multiple, degrade, downscale
from quant.images import DataError, training_images

JPEG_GRID = 8


class PatchDataset(Dataset):
    """Random patches, endless: item i depends on (seed, i) alone, so that training resumes anywhere.

    Args:
        images: clean images, (H, W, C) uint8.
        config: the network, which fixes the degradation.
        patch: side of the clean patch in pixels; a multiple of the scale.
        seed: of all randomness.

    Items are (input, clean): float tensors (C, h, w) in grey levels.
    """

    def __init__(self, images: list[np.ndarray], config: NetworkConfig, patch: int, seed: int = 0):
        if patch % config.scale:
            raise DataError(f"patch {patch}: must be a multiple of the scale {config.scale}")
        self.config, self.patch, self.seed = config, patch, seed
        # A JPEG patch is cut out of a larger one, so that the block grid lies anywhere on it.
        self.margin = JPEG_GRID if config.task == "deblock" else 0
        need = patch + self.margin
        self.clean = [crop_to_multiple(i, config.scale) for i in images if min(i.shape[:2]) >= need]
        if not self.clean:
            raise DataError(f"no image has {need} x {need} pixels: choose a smaller patch or larger images")
        self.low = [downscale(i, config.scale) for i in self.clean] if config.task == "sr" else None
        areas = np.array([i.shape[0] * i.shape[1] for i in self.clean], float)
        self.cumulative = np.cumsum(areas / areas.sum())

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng((self.seed, index))
        which = min(int(np.searchsorted(self.cumulative, rng.random())), len(self.clean) - 1)
        low, clean = self._super_resolution(which, rng) if self.low else self._same_size(which, rng)
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        return _tensor(low, turns, flip), _tensor(clean, turns, flip)

    def _super_resolution(self, which: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        low, clean, r = self.low[which], self.clean[which], self.config.scale
        side = self.patch // r
        y, x = (int(rng.integers(n - side + 1)) for n in low.shape[:2])
        high = clean[y * r : (y + side) * r, x * r : (x + side) * r]
        return low[y : y + side, x : x + side], high

    def _same_size(self, which: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        clean, side = self.clean[which], self.patch + self.margin
        y, x = (int(rng.integers(n - side + 1)) for n in clean.shape[:2])
        clean = clean[y : y + side, x : x + side]
        if self.config.task == "denoise":
            level = rng.uniform(*self.config.sigma)
        else:
            level = rng.integers(self.config.quality[0], self.config.quality[1] + 1)
        low = degrade(self.config, clean, level, rng)
        if self.margin:
            y, x = rng.integers(self.margin, size=2)
            low, clean = (i[y : y + self.patch, x : x + self.patch] for i in (low, clean))
        return low, clean


def _tensor(image: np.ndarray, turns: int, flip: bool) -> torch.Tensor:
    image = np.rot90(image, turns)
    image = image[:, ::-1] if flip else image
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float()


class EndlessSampler(Sampler[int]):
    """start, start + stride, ... without end; one process of several takes every `stride`-th index."""

    def __init__(self, start: int, stride: int):
        super().__init__()
        self.start, self.stride = start, stride

    def __iter__(self) -> Iterator[int]:
        index = self.start
        while True:
            yield index
            index += self.stride


class PatchData(L.LightningDataModule):
    """Loads the images once and serves batches from the trainer's current iteration on.

    Args:
        path: folder or .tar of training images.
        config: the network.
        batch: patches per iteration and process.
        patch, seed: as in `PatchDataset`.
        workers: loader processes; 0 makes patches in the training process.
    """

    def __init__(
        self, path: Path, config: NetworkConfig, batch: int, patch: int, seed: int, workers: int = 0
    ):
        super().__init__()
        self.path, self.config, self.batch, self.patch = path, config, batch, patch
        self.seed, self.workers = seed, workers
        self.dataset: PatchDataset | None = None

    def setup(self, stage: str) -> None:
        """Decode all images into memory."""
        if self.dataset is None:
            images = training_images(self.path, self.config.channels)
            images = list(tqdm(images, desc=f"decoding {self.path.name}", unit="image", leave=False))
            self.dataset = PatchDataset(images, self.config, self.patch, self.seed)

    def train_dataloader(self) -> DataLoader | Iterable[tuple[torch.Tensor, torch.Tensor]]:
        """Batches from iteration `trainer.global_step` on, disjoint between processes; a GPU cuts its own."""
        ranks, rank = self.trainer.world_size, self.trainer.global_rank
        device = self.trainer.strategy.root_device
        if device.type == "cuda" and self.config.task != "deblock":
            from quant.device_data import DevicePatches

            return DevicePatches(self.dataset, self.batch, device, self.trainer.global_step, rank)
        start = self.trainer.global_step * self.batch * ranks + rank
        return DataLoader(
            self.dataset,
            batch_size=self.batch,
            sampler=EndlessSampler(start, ranks),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
