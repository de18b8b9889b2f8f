# SPDX-License-Identifier: BSD-3-Clause
"""PSNR, SSIM, the Y channel, and bicubic resizing against torch and against hand calculations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quant.bicubic import matlab_resize, torch_upscale
from quant.config import DEBLOCK, DENOISE, NetworkConfig
from quant.metrics import comparable, psnr, rgb_to_y, ssim

SR = NetworkConfig(scale=3)


def images(channels=(1, 3), least=1, most=20):
    shapes = st.tuples(st.integers(least, most), st.integers(least, most), st.sampled_from(channels))
    return shapes.flatmap(lambda shape: hnp.arrays(np.uint8, shape))


@given(images(), st.integers(1, 200))
def test_psnr_of_a_known_error(image, error):
    other = image.astype(np.float64) + error
    assert psnr(image.astype(np.float64), other) == pytest.approx(20 * np.log10(255 / error), rel=1e-12)


@given(images(), st.randoms(use_true_random=False))
def test_psnr_is_symmetric_and_ignores_the_order_of_pixels(image, random):
    a = image.astype(np.float64)
    b = 255 - a[::-1]
    assert psnr(a, b) == psnr(b, a)
    order = random.sample(range(a.size), a.size)
    shuffled = [v.ravel()[order].reshape(a.shape) for v in (a, b)]
    assert psnr(*shuffled) == pytest.approx(psnr(a, b), rel=1e-12)


@given(images(least=11, most=16))
def test_equal_images_are_perfect(image):
    a = image.astype(np.float64)
    assert psnr(a, a) == np.inf
    assert ssim(a, a) == pytest.approx(1)


@settings(max_examples=25)
@given(images(least=11, most=20), st.integers(0, 99))
def test_ssim_is_symmetric_bounded_and_falls_with_noise(image, seed):
    a = image.astype(np.float64)
    noise = np.random.default_rng(seed).standard_normal(a.shape)
    little, much = (ssim(a, a + sigma * noise) for sigma in (2, 200))
    assert -1 <= much < little < 1
    assert ssim(a, a + noise) == pytest.approx(ssim(a + noise, a))


def test_ssim_of_constant_images_is_the_formula():
    a, b = np.full((11, 11, 1), 100.0), np.full((11, 11, 1), 140.0)
    c1 = (0.01 * 255) ** 2
    assert ssim(a, b) == pytest.approx((2 * 100 * 140 + c1) / (100**2 + 140**2 + c1))


def test_ssim_window_is_an_11_pixel_gaussian():
    """One window fits: SSIM is that of the Gaussian-weighted moments (Wang et al., sigma 1.5)."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 255, (2, 11, 11))
    bell = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    weight = np.outer(bell, bell) / bell.sum() ** 2
    mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
    var_a, var_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
    covariance = (weight * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    expected /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    assert ssim(a[..., None], b[..., None]) == pytest.approx(expected, rel=1e-9)


def test_ssim_needs_a_window():
    with pytest.raises(ValueError, match="11 x 11"):
        ssim(np.zeros((10, 30, 3)), np.zeros((10, 30, 3)))


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_shapes_must_agree(metric):
    with pytest.raises(ValueError, match="same dimensions"):
        metric(np.zeros((12, 12, 3)), np.zeros((12, 13, 3)))


@pytest.mark.parametrize(
    ("rgb", "y"),
    [((0, 0, 0), 16), ((255, 255, 255), 235), ((255, 0, 0), 81.481), ((0, 255, 0), 144.553)],
)
def test_y_of_known_colours(rgb, y):
    assert rgb_to_y(np.array([[rgb]], np.uint8)) == pytest.approx(y)


@given(images(channels=(3,)))
def test_y_is_linear_and_not_rounded(image):
    y = rgb_to_y(image)
    assert y.shape == (*image.shape[:2], 1)
    for at, value in zip(np.ndindex(image.shape[:2]), y.ravel(), strict=True):
        r, g, b = map(float, image[at])
        assert value == pytest.approx(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255)


@given(images(least=7))
def test_each_task_looks_at_its_own_part(image):
    assert comparable(image, SR).shape == (image.shape[0] - 6, image.shape[1] - 6, 1)
    for config in (DENOISE, DEBLOCK):
        assert np.array_equal(comparable(image, config), image)


def test_the_border_does_not_count_in_super_resolution():
    a = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    b = a.copy()
    b[:3], b[-3:], b[:, :3], b[:, -3:] = 0, 0, 0, 0
    assert psnr(comparable(a, SR), comparable(b, SR)) == np.inf
    b[3, 3] ^= 255
    assert psnr(comparable(a, SR), comparable(b, SR)) < 60


@settings(deadline=None)
@given(images(most=12), st.integers(2, 4))
def test_torch_upscale_is_torch(image, scale):
    tensor = torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None]
    up = torch.nn.functional.interpolate(tensor, scale_factor=scale, mode="bicubic", align_corners=False)
    exact = up[0].permute(1, 2, 0).numpy()
    assert np.abs(torch_upscale(image, scale) - exact.clip(0, 255)).max() <= 0.5 + 1e-6


@settings(deadline=None)
@given(images(most=12), st.integers(1, 12), st.integers(1, 12))
def test_matlab_resize_in_float_is_linear_and_keeps_constants(image, height, width):
    a, b = image.astype(np.float64), image[::-1, ::-1].astype(np.float64)
    assert matlab_resize(np.full_like(a, 77.0), height, width) == pytest.approx(77.0)
    both = matlab_resize(a, height, width) + 2 * matlab_resize(b, height, width)
    assert matlab_resize(a + 2 * b, height, width) == pytest.approx(both, abs=1e-8)


def test_matlab_resize_by_hand():
    """Halving a row: taps of the kernel widened to 8 pixels, weights -3 -9 29 111 111 29 -9 -3 / 256."""
    row = np.zeros((1, 16, 1))
    row[0, 7] = 256
    small = matlab_resize(row, 1, 8).ravel()  # outputs 2, 3, 4, 5 see pixel 7
    assert small[[2, 3, 4, 5]] == pytest.approx([-9, 111, 29, -3])
    assert small[[0, 1, 6, 7]] == pytest.approx(0)


def test_matlab_resize_mirrors_at_the_border():
    row = np.arange(16.0).reshape(1, 16, 1)
    mirrored = np.concatenate([row[:, ::-1], row, row[:, ::-1]], axis=1)
    whole = matlab_resize(mirrored, 1, 24)
    assert matlab_resize(row, 1, 8) == pytest.approx(whole[:, 8:16])


def test_matlab_resize_of_8_bits_rounds_rows_first():
    image = np.random.default_rng(1).integers(0, 256, (16, 12, 3), dtype=np.uint8)
    rows = matlab_resize(image.astype(np.float64), 8, 12)
    rows = np.clip(np.floor(rows + 0.5), 0, 255)
    both = np.clip(np.floor(matlab_resize(rows, 8, 6) + 0.5), 0, 255)
    result = matlab_resize(image, 8, 6)
    assert result.dtype == np.uint8
    assert np.array_equal(result, both)
