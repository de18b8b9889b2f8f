# SPDX-License-Identifier: BSD-3-Clause
"""Training patches cut on the device: all images lie there as bytes, a batch is one gather.

For GPUs, where making patches on the host would take longer than a training step. JPEG needs the host.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from quant.data import PatchDataset


class _Images:
    """uint8 images of any sizes, one after the other, as pixels (P, C) on the device."""

    def __init__(self, images: list[np.ndarray], side: int, device: torch.device):
        self.side = side
        pixels = np.concatenate([i.reshape(-1, i.shape[2]) for i in images])
        self.pixels = torch.from_numpy(pixels).to(device)
        self.widths = np.array([i.shape[1] for i in images])
        sizes = np.array([i.shape[0] * i.shape[1] for i in images])
        self.starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        grid = np.arange(side * side).reshape(side, side)
        turned = [np.rot90(grid, t) for t in range(4)]
        views = np.stack([v for t in turned for v in (t, t[:, ::-1])]).reshape(8, -1)
        self.rows = torch.from_numpy(views // side).to(device)  # (8, side^2): where view v looks
        self.columns = torch.from_numpy(views % side).to(device)

    def cut(self, which: np.ndarray, y: np.ndarray, x: np.ndarray, view: np.ndarray) -> Tensor:
        """Squares with top-left corners (y, x) of the images `which`, as (N, C, side, side) in 0..255."""
        device = self.pixels.device
        corner = torch.from_numpy(self.starts[which] + y * self.widths[which] + x).to(device)
        width = torch.from_numpy(self.widths[which]).to(device)
        chosen = torch.from_numpy(view).to(device)
        index = corner[:, None] + self.rows[chosen] * width[:, None] + self.columns[chosen]
        patches = self.pixels[index].float()  # (N, side^2, C)
        return patches.reshape(len(which), self.side, self.side, -1).permute(0, 3, 1, 2)


class DevicePatches:
    """Endless batches from iteration `start` on; batch i depends on (seed, rank, i) alone.

    Args:
        dataset: decoded images, for super-resolution or denoising.
        batch: patches per batch.
        device: where images and batches are.
        start: first iteration.
        rank: number of this process.
    """

    def __init__(
        self, dataset: PatchDataset, batch: int, device: torch.device, start: int = 0, rank: int = 0
    ):
        if dataset.config.task == "deblock":
            raise ValueError("JPEG patches are made on the host: use PatchDataset")
        self.config, self.batch, self.start, self.rank = dataset.config, batch, start, rank
        self.seed, self.cumulative = dataset.seed, dataset.cumulative
        self.sizes = np.array([i.shape[:2] for i in dataset.clean]) // dataset.config.scale
        self.side = dataset.patch // dataset.config.scale
        self.clean = _Images(dataset.clean, dataset.patch, device)
        self.low = _Images(dataset.low, self.side, device) if dataset.low else None

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        step = self.start
        while True:
            yield self.make(step)
            step += 1

    def make(self, step: int) -> tuple[Tensor, Tensor]:
        """(input, clean) of that iteration, float tensors (N, C, h, w) in grey levels."""
        rng = np.random.default_rng((self.seed, self.rank, step))
        which = np.searchsorted(self.cumulative, rng.random(self.batch)).clip(max=len(self.sizes) - 1)
        y, x = (rng.integers(self.sizes[which, axis] - self.side + 1) for axis in (0, 1))
        view, r = rng.integers(8, size=self.batch), self.config.scale
        clean = self.clean.cut(which, y * r, x * r, view)
        if self.low is not None:
            return self.low.cut(which, y, x, view), clean
        return self._noisy(clean, int(rng.integers(2**62)), rng), clean

    def _noisy(self, clean: Tensor, seed: int, rng: np.random.Generator) -> Tensor:
        generator = torch.Generator(clean.device).manual_seed(seed)
        sigma = torch.from_numpy(rng.uniform(*self.config.sigma, size=(self.batch, 1, 1, 1))).float()
        noise = torch.randn(clean.shape, generator=generator, device=clean.device)
        noisy = clean + noise * sigma.to(clean.device)
        return noisy if self.config.mode == "paper" else noisy.round().clamp(0, 255)
