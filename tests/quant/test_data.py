# SPDX-License-Identifier: BSD-3-Clause
"""Degradations, image sources, training patches."""

import io
import tarfile
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from quant.config import DEBLOCK, DENOISE, NetworkConfig
from quant.data import EndlessSampler, PatchDataset
from quant.degrade import crop_to_multiple, degrade, downscale, jpeg, noise, to_grey, to_uint8
from quant.images import DataError, find_data, read_image, training_images


def photo(height=40, width=48, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    smooth = rng.uniform(0, 255, (5, 6, channels)).repeat(height // 5 + 1, 0).repeat(width // 6 + 1, 1)
    return smooth[:height, :width].astype(np.uint8)


SR = NetworkConfig(scale=2)


def test_downscale_keeps_a_constant_and_the_size():
    image = np.full((12, 8, 3), 77, np.uint8)
    assert np.array_equal(downscale(image, 4), np.full((3, 2, 3), 77))
    assert crop_to_multiple(photo(41, 47), 4).shape == (40, 44, 3)


def test_noise_is_neither_clipped_nor_rounded():
    noisy = noise(np.zeros((200, 200, 3), np.uint8), 25, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    assert abs(noisy.std() - 25) < 0.5
    assert noisy.min() < 0
    assert to_uint8(np.array([-3.0, 0.6, 300.0])).tolist() == [0, 1, 255]


def test_hardware_mode_denoises_eight_bit_pixels():
    rng = np.random.default_rng(0)
    assert degrade(DENOISE, photo(), 25, rng).dtype == np.uint8
    assert degrade(replace(DENOISE, mode="paper"), photo(), 25, rng).dtype == np.float32


def test_jpeg_loses_more_at_lower_quality():
    image = to_grey(photo())
    errors = [np.abs(jpeg(image, q).astype(int) - image).mean() for q in (95, 40, 10)]
    assert errors == sorted(errors)
    assert jpeg(image, 10).shape == image.shape


@pytest.mark.parametrize("config", [SR, replace(SR, scale=3), DENOISE, DEBLOCK], ids=lambda c: c.task)
def test_items_depend_on_seed_and_index_alone(config):
    images = [photo(channels=config.channels, seed=i) for i in range(3)]
    first, again = (PatchDataset(images, config, 24, seed=5) for _ in range(2))
    low, clean = first[17]
    assert low.shape == (config.channels, 24 // config.scale, 24 // config.scale)
    assert clean.shape == (config.channels, 24, 24)
    assert all(torch.equal(a, b) for a, b in zip(first[17], again[17], strict=True))
    assert not torch.equal(first[18][1], clean)
    assert not torch.equal(PatchDataset(images, config, 24, seed=6)[17][1], clean)


def test_super_resolution_patches_are_aligned():
    dataset = PatchDataset([photo()], SR, 16, seed=1)
    for index in range(20):
        low, clean = dataset[index]
        box = clean.reshape(3, 8, 2, 8, 2).mean((2, 4))  # misaligned by one pixel this is three times larger
        assert (box - low).abs().mean() < 12


def test_patch_that_does_not_fit():
    with pytest.raises(DataError, match="multiple of the scale"):
        PatchDataset([photo()], SR, 15)
    with pytest.raises(DataError, match="64 x 64"):
        PatchDataset([photo()], SR, 64)


def test_sampler_splits_between_processes():
    taken = [list(islice(EndlessSampler(100 + rank, 3), 4)) for rank in range(3)]
    assert sorted(i for part in taken for i in part) == list(range(100, 112))


def test_images_from_folder_and_tar(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.png", "sub/a.png"):
        Image.fromarray(photo()).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        data = (tmp_path / "b.png").read_bytes()
        info = tarfile.TarInfo("x/b.png")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    assert [i.shape for i in training_images(tmp_path, 3)] == [(40, 48, 3)] * 2
    assert [i.shape for i in training_images(tmp_path / "all.tar", 1)] == [(40, 48, 1)]
    assert np.array_equal(read_image(tmp_path / "b.png"), photo())
    for empty in (tmp_path / "notes.txt", tmp_path / "none"):
        with pytest.raises(DataError, match="no images found"):
            list(training_images(empty, 3))


def test_find_data(tmp_path, monkeypatch):
    (tmp_path / "test" / "Set5").mkdir(parents=True)
    monkeypatch.setenv("BITMEND_DATA", str(tmp_path))
    assert find_data("Set5") == tmp_path / "test" / "Set5"
    assert find_data(None, "nothing.tar", "Set5") == tmp_path / "test" / "Set5"
    with pytest.raises(DataError, match="Set6"):
        find_data("Set6")
    monkeypatch.delenv("BITMEND_DATA")
    with pytest.raises(DataError, match="BITMEND_DATA"):
        find_data(None, "nothing.tar")
