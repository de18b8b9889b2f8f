# SPDX-License-Identifier: BSD-3-Clause
"""Operators of attention and EBSR: each against plain Python integers; networks, statistics."""

import math
from fractions import Fraction

import golden_naive as naive
import numpy as np
import pytest
from golden_examples import numbers, requant
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import (
    Base,
    Compare,
    ConvInt8,
    ConvPoint,
    Engine,
    GlobalMean,
    IntegerNetwork,
    Multiply,
    Output,
    PixelShuffle,
    PlainOutput,
    Table,
    freeze,
    make_engine,
    measure,
    restore,
    run,
    run_streaming,
    trace,
)
from golden import operators as op
from golden.random_attention import ATTENTIONS, attention_like, ebsr_like, random_attention_network
from golden.random_networks import random_image
from golden.reference import apply_layer
from golden.statistics import initial, means, run_with

seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 5)
quick = settings(max_examples=40, deadline=None)


def stream(rng, *shape, bits=16):
    limit = 1 << (bits - 1)
    ends = rng.choice((-limit, 1 - limit, -1, 0, 1, limit - 1), shape)
    return np.where(rng.random(shape) < 0.5, ends, rng.integers(-limit, limit, shape)).astype(np.int16)


def check(layer, *tensors, scale=1):
    result = apply_layer(layer, tensors, scale)
    assert np.array_equal(result, naive.apply(layer, [t.tolist() for t in tensors], scale))
    return result


@quick
@given(seeds, sides, sides, st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_conv_point(seed, height, width, c_in, c_out, pixels):
    rng = np.random.default_rng(seed)
    x = stream(rng, height, width, c_in, bits=8)
    x = (x + 128).astype(np.uint8) if pixels else x
    layer = ConvPoint("acc", ("x",), stream(rng, c_out, c_in, bits=8))
    assert check(layer, x).dtype == np.int32


@quick
@given(seeds, st.integers(2, 12), st.integers(2, 16))
def test_table(seed, index_bits, bits):
    rng = np.random.default_rng(seed)
    layer = Table("y", ("x",), stream(rng, 1 << index_bits, bits=bits), bits)
    assert check(layer, stream(rng, 3, 4, 2, bits=index_bits)).dtype == np.int16


@quick
@given(
    seeds,
    sides,
    sides,
    st.integers(1, 4),
    st.integers(0, 30),
    st.integers(2, 16),
    st.booleans(),
    st.booleans(),
)
def test_multiply(seed, height, width, channels, shift, bits, one_channel, vector):
    rng = np.random.default_rng(seed)
    g = stream(rng, *((1, 1) if vector else (height, width)), 1 if one_channel else channels)
    layer = Multiply("y", ("x", "g"), shift, bits)
    assert check(layer, stream(rng, height, width, channels), g).dtype == np.int16


@pytest.mark.parametrize(
    ("product", "rounded"), [(-7, -2), (-6, -1), (-5, -1), (-2, 0), (1, 0), (2, 1), (5, 1), (6, 2)]
)
def test_multiply_rounds_half_up(product, rounded):
    x, g = np.full((1, 1, 1), product, np.int16), np.ones((1, 1, 1), np.int16)
    assert op.multiply(x, g, 2, 16).item() == rounded


def test_multiply_at_the_ends():
    low = np.full((1, 1, 1), -(1 << 15), np.int16)
    assert op.multiply(low, low, 30, 16).item() == 1
    assert op.multiply(low, low, 0, 16).item() == (1 << 15) - 1
    assert op.multiply(low, -1 - low, 0, 2).item() == -2


@quick
@given(seeds, sides, sides, st.integers(1, 3), st.integers(0, 15), st.integers(2, 16))
def test_global_mean(seed, height, width, channels, shift, bits):
    rng = np.random.default_rng(seed)
    x = stream(rng, height, width, channels)
    layer = GlobalMean("m", ("x",), np.zeros(channels, np.int64), shift, bits)
    assert check(layer, x).shape == (1, 1, channels)


def test_mean_of_more_pixels_than_any_float_holds():
    total, count = (1 << 62) + 1, (1 << 48) - 1  # a mean of 16384.0000000582, times 2 it is still below 1/2
    assert op.rounded_mean(np.array([total], object), count, 0, 16).item() == 16384
    half = op.rounded_mean(np.array([3, -3, 1, -1], object), 2, 0, 16).ravel().tolist()
    assert half == [2, -1, 1, 0]


@quick
@given(seeds, sides, sides, st.integers(1, 4))
def test_compare(seed, height, width, channels):
    rng = np.random.default_rng(seed)
    x = stream(rng, height, width, channels)
    threshold = np.where(rng.random(channels) < 0.5, x[0, 0], stream(rng, channels)).reshape(1, 1, -1)
    assert check(Compare("bits", ("x", "t")), x, threshold.astype(np.int16)) is not None


@quick
@given(seeds, st.integers(0, 31))
def test_plain_output(seed, shift):
    rng = np.random.default_rng(seed)
    a, b = stream(rng, 3).astype(np.int64), rng.integers(-(1 << 31), 1 << 31, 3)
    acc = rng.integers(-(1 << 31), 1 << 31, (2, 3, 3)).astype(np.int32)
    assert check(PlainOutput("image", ("acc",), a, b, shift), acc).dtype == np.uint8
    assert check(PlainOutput("image", ("x",), a, b, shift), stream(rng, 2, 2, 3)).dtype == np.uint8


@pytest.mark.parametrize("seed", range(25))
def test_networks_equal_naive(seed):
    rng = np.random.default_rng(seed)
    network = random_attention_network(rng, 5)
    image = random_image(rng, *rng.integers(1, 5, 2), network.channels)
    expected = naive.run(network, image)
    for name, tensor in trace(network, image):
        assert np.array_equal(tensor, expected[name]), name
        kind = network.types[name]
        assert tensor.shape == kind.shape(*image.shape[:2])
        assert kind.low <= tensor.min(), name
        assert tensor.max() <= kind.high, name


@pytest.mark.parametrize("seed", range(30))
def test_one_result_on_every_way(seed):
    """Plain, frozen, by tiles, and streaming with the image's own statistics."""
    rng = np.random.default_rng(100 + seed)
    network = random_attention_network(rng)
    image = random_image(rng, *rng.integers(1, 24, 2), network.channels)
    whole = run(network, image)
    assert np.array_equal(whole, run(network, image, "plain"))
    statistics = measure(network, image)
    by_tiles = measure(network, image, (5, 7))
    assert statistics.keys() == by_tiles.keys()
    assert all(np.array_equal(statistics[name], by_tiles[name]) for name in statistics)
    frozen = freeze(network, statistics)
    assert not means(frozen)
    assert not any(isinstance(layer, Compare) for layer in frozen.layers)
    assert np.array_equal(whole, run(frozen, image))
    assert np.array_equal(whole, restore(make_engine(network, "numpy"), image, (6, 5)))
    again, measured = run_with(network, image, statistics)
    assert np.array_equal(whole, again)
    assert all(np.array_equal(statistics[name], measured[name]) for name in statistics)


@pytest.mark.parametrize("binary", ATTENTIONS)
@pytest.mark.parametrize("residual", ATTENTIONS)
def test_attention_signals_stay_alive(binary, residual):
    rng = np.random.default_rng(3)
    network = attention_like(rng, binary=binary, residual=residual)
    image = rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)
    values = dict(trace(network, image))
    assert values["body"].std() > 10
    assert len(means(network)) == 2 * [binary, residual].count("se")
    assert values["image"].std() > 1


def test_statistics_decide_the_result():
    """A network with statistics is not one without: another frame's give another image."""
    rng = np.random.default_rng(0)
    network = ebsr_like(rng)
    dark = rng.integers(0, 60, (9, 8, 3), dtype=np.uint8)
    light = rng.integers(190, 256, (9, 8, 3), dtype=np.uint8)
    frames = [dark, light, light, light, light]
    results = list(run_streaming(network, frames))
    exact = [run(network, frame) for frame in frames]
    assert np.array_equal(results[0], run_with(network, dark, initial(network))[0])
    assert not np.array_equal(results[1], exact[1])
    # Still frames: after one of them for each mean in a row, all statistics are those of the frame.
    assert np.array_equal(results[1 + len(means(network))], exact[1 + len(means(network))])


def test_statistics_must_fit():
    network = ebsr_like(np.random.default_rng(0))
    statistics = measure(network, np.zeros((3, 3, 3), np.uint8))
    name = means(network)[1].name
    for wrong in ({k: v for k, v in statistics.items() if k != name}, {**statistics, name: np.zeros(8)}):
        with pytest.raises(ValueError, match=f"statistics of '{name}' have shape .*, expected"):
            freeze(network, wrong)
        with pytest.raises(ValueError, match=f"statistics of '{name}'"):
            run_with(network, np.zeros((3, 3, 3), np.uint8), wrong)


def test_tiles_of_an_engine_of_somebody_else():
    """Its network cannot be frozen, so the image is one tile, whatever tile is asked for."""
    rng = np.random.default_rng(1)
    network = ebsr_like(rng)
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    sizes = []

    def own(tile):
        sizes.append(tile.shape[:2])
        return run(network, tile)

    assert np.array_equal(restore(Engine("float64", network, own), image, (4, 4)), run(network, image))
    assert sizes == [(20, 30)]


def test_memory_of_the_statistics_is_bounded_by_the_tile():
    network = ebsr_like(np.random.default_rng(0), depth=1)

    class Image:
        shape, dtype = (400, 40, 3), np.dtype(np.uint8)

        def __getitem__(self, key):
            rows, columns = key
            assert rows.stop - rows.start <= 64 + 2 * 2
            return np.full((rows.stop - rows.start, columns.stop - columns.start, 3), 7, np.uint8)

    assert measure(network, Image(), (64, 20)).keys() == {"body.0.channel.mean"}


@pytest.mark.parametrize("seed", range(40))
def test_numba_equals_reference(seed):
    pytest.importorskip("numba", reason="the Numba engine is optional: pip install bitmend[fast]")
    rng = np.random.default_rng(200 + seed)
    network = random_attention_network(rng, 40)
    image = random_image(rng, *rng.integers(1, 50, 2), network.channels)
    engine = make_engine(network, "numba")
    assert engine.name == "numba"
    assert np.array_equal(engine.run(image), run(network, image))
    assert np.array_equal(restore(engine, image, (16, 17)), run(network, image))


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (33, 1), (32, 64)])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_numba_stores_any_tensor_for_the_means(size, factor):
    """Means of tensors that are views of others, at another resolution than the image."""
    pytest.importorskip("numba", reason="the Numba engine is optional: pip install bitmend[fast]")
    rng = np.random.default_rng(7)
    layers = [
        ConvInt8("conv", ("pixels",), numbers(-128, 127, factor**2, 3, 3, 1)),
        requant("x", "conv", factor**2),
        *([PixelShuffle("y", ("x",), factor)] if factor > 1 else []),
        GlobalMean("mean", ("y" if factor > 1 else "x",), [5], 2, 14),
        Multiply("z", ("y" if factor > 1 else "x", "mean"), 9, 12),
        PlainOutput("image", ("z",), [3], [100 << 4], 4),
    ]
    network = IntegerNetwork("sr", factor, 1, layers)
    image = rng.integers(0, 256, (*size, 1), dtype=np.uint8)
    engine = make_engine(network, "numba")
    found, expected = measure(network, image, None, engine.tensor_of), measure(network, image)
    assert found["mean"].item() == expected["mean"].item() != 5
    assert np.array_equal(engine.run(image), run(network, image))


def test_sigmoid_error_as_documented():
    """docs/numerics.md: index of 10 bits in steps of 2^-6, entries of 11 fraction bits."""
    index = np.arange(-512, 512)
    table = np.minimum(np.floor(2048 / (1 + np.exp(-index / 64)) + 0.5), 2047)
    worst = 0.0
    for x in np.arange(-12, 12, 1 / 1000):
        q = math.floor(Fraction(x) * 64 + Fraction(1, 2))
        worst = max(worst, abs(table[min(max(q, -512), 511) + 512] / 2048 - 1 / (1 + math.exp(-x))))
    assert 0.0019 < worst < 2**-9 + 2**-12


def test_base_is_not_needed():
    """PlainOutput is Output over a base of 0."""
    rng = np.random.default_rng(0)
    acc = rng.integers(-5000, 5000, (4, 5, 3)).astype(np.int32)
    a, b = np.array([3, -2, 1]), np.array([1 << 9, 1 << 10, 0])
    plain = apply_layer(PlainOutput("o", ("acc",), a, b, 4), [acc], 2)
    with_base = apply_layer(Output("o", ("acc", "base"), a, b, 4), [acc, np.zeros_like(acc)], 2)
    assert np.array_equal(plain, with_base)
    assert 0 < plain.mean() < 255
    assert Base("base", ("pixels",), 2).since == 1
