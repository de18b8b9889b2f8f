# SPDX-License-Identifier: BSD-3-Clause
"""Each operator against the pixel-at-a-time implementation in `golden_naive`, with extreme values."""

import golden_naive as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import operators as op
from golden.layers import (
    Base,
    ConvInt8,
    ConvXnor,
    Join,
    NearestUp,
    Output,
    PixelShuffle,
    RepeatChannels,
    Requant,
    RSign,
)
from golden.packing import pack_bytes, pack_words, popcount, popcount_by_table, unpack_bytes
from golden.reference import apply_layer

INT16 = (-(1 << 15), (1 << 15) - 1)
INT32 = (-(1 << 31), (1 << 31) - 1)
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 5)
quick = settings(max_examples=40, deadline=None)


def draw(rng, low, high, shape):
    """Integers of low..high, half of them from its ends and around 0."""
    ends = [v for v in (low, low + 1, -1, 0, 1, high - 1, high) if low <= v <= high]
    uniform = rng.integers(low, high, shape, endpoint=True, dtype=np.int64)
    return np.where(rng.random(shape) < 0.5, rng.choice(np.array(ends, np.int64), shape), uniform)


def check(layer, *tensors, scale=1):
    """Compare the operator of `layer` on `tensors` with the naive one."""
    result = apply_layer(layer, tensors, scale)
    assert np.array_equal(result, naive.apply(layer, [t.tolist() for t in tensors], scale))
    return result


@quick
@given(seeds, sides, sides, st.integers(1, 6), st.integers(1, 4), st.booleans())
def test_conv_int8(seed, height, width, c_in, c_out, is_pixels):
    rng = np.random.default_rng(seed)
    low, high, dtype = (0, 255, np.uint8) if is_pixels else (-128, 127, np.int16)
    x = draw(rng, low, high, (height, width, c_in)).astype(dtype)
    layer = ConvInt8("acc", ("x",), draw(rng, -128, 127, (c_out, 3, 3, c_in)))
    assert check(layer, x).dtype == np.int32


def test_conv_int8_is_exact_at_the_largest_accumulator():
    x = np.full((3, 3, 4096), -128, np.int16)
    weight = np.full((1, 3, 3, 4096), -128, np.int8)
    x[0, 0, 0] = weight[0, 0, 0, 0] = -127  # an odd sum near 2^29, beyond float32
    assert op.conv_int8(x, weight)[1, 1, 0] == 9 * 4096 * 128 * 128 - 128 * 128 + 127 * 127


@pytest.mark.parametrize("conv", [op.conv_int8, op.conv_xnor_plain])
def test_convolutions_by_blocks_of_rows(conv, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (7, 5, 3), dtype=np.uint8)
    weight = rng.integers(0, 2, (2, 3, 3, 3), dtype=np.uint8)
    whole = conv(x, weight)
    for rows in (0, 1, 2, 3, 6):
        monkeypatch.setattr(op, "_WINDOW_VALUES", rows * 5 * 3 * 9)
        assert np.array_equal(conv(x, weight), whole)


@quick
@given(seeds, sides, sides, st.integers(1, 140), st.integers(1, 3), st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_conv_xnor(seed, height, width, c_in, c_out, ones):
    rng = np.random.default_rng(seed)
    bits = (rng.random((height, width, c_in)) < ones).astype(np.uint8)
    weight = (rng.random((c_out, 3, 3, c_in)) < rng.random((c_out, 1, 1, 1))).astype(np.uint8)
    layer = ConvXnor("m", ("bits",), weight)
    packed = check(layer, bits)
    plain = op.conv_xnor_plain(bits, weight)
    assert packed.dtype == plain.dtype == np.int32
    assert np.array_equal(packed, plain)
    assert np.all(packed % 2 == 9 * c_in % 2)


def test_conv_xnor_reaches_both_ends():
    ones = np.ones((3, 3, 5), np.uint8)
    for conv in (op.conv_xnor_packed, op.conv_xnor_plain):
        assert conv(ones, np.ones((1, 3, 3, 5), np.uint8))[1, 1, 0] == 45
        assert conv(ones, np.zeros((1, 3, 3, 5), np.uint8))[1, 1, 0] == -45
        assert conv(0 * ones, np.zeros((1, 3, 3, 5), np.uint8))[0, 0, 0] == 45  # -1 outside too


@quick
@given(
    seeds, sides, sides, st.integers(1, 4), st.integers(0, 31), st.integers(2, 16), st.sampled_from("apsx")
)
def test_requant(seed, height, width, channels, shift, bits, source):
    rng = np.random.default_rng(seed)
    low, high, dtype = {
        "a": (*INT32, np.int32),
        "p": (0, 255, np.uint8),
        "s": (-2048, 2047, np.int16),
        "x": (-45, 45, np.int32),
    }[source]
    acc = draw(rng, low, high, (height, width, channels)).astype(dtype)
    layer = Requant(
        "v",
        ("acc",),
        *(draw(rng, *INT16, channels) for _ in range(2)),
        *(draw(rng, *INT32, channels) for _ in range(2)),
        threshold=rng.choice(np.append(acc.ravel(), INT32), channels),
        shift=shift,
        bits=bits,
    )
    result = check(layer, acc)
    assert result.dtype == np.int16


def test_requant_takes_the_lower_piece_at_the_threshold():
    acc = np.array([[[4], [5]]], np.int32)
    one, zero = np.array([1], np.int32), np.array([0], np.int64)
    got = op.requant(acc, one, -one, zero, zero, np.array([4], np.int32), 0, 12)
    assert got.ravel().tolist() == [-4, 5]


@quick
@given(seeds, sides, sides, st.integers(1, 4), st.integers(2, 16))
def test_rsign(seed, height, width, channels, bits):
    rng = np.random.default_rng(seed)
    limit = 1 << (bits - 1)
    x = draw(rng, -limit, limit - 1, (height, width, channels)).astype(np.int16)
    threshold = np.where(rng.random(channels) < 0.5, x[0, 0], draw(rng, -2 * limit, 2 * limit - 1, channels))
    result = check(RSign("bits", ("x",), threshold), x)
    assert result.dtype == np.uint8


@quick
@given(seeds, sides, sides, st.integers(1, 4), st.integers(2, 16))
def test_join(seed, height, width, channels, bits):
    rng = np.random.default_rng(seed)
    x, i = (draw(rng, *INT16, (height, width, channels)).astype(np.int16) for _ in range(2))
    assert check(Join("sum", ("x", "i"), bits), x, i).dtype == np.int16


@quick
@given(seeds, sides, sides, st.integers(1, 3), st.integers(2, 4))
def test_shuffle_nearest_repeat(seed, height, width, channels, factor):
    rng = np.random.default_rng(seed)
    x = draw(rng, *INT16, (height, width, channels * factor**2)).astype(np.int16)
    assert check(PixelShuffle("y", ("x",), factor), x).dtype == np.int16
    assert check(NearestUp("y", ("x",), factor), x).dtype == np.int16
    assert check(RepeatChannels("y", ("x",), factor * 5), x).dtype == np.int16


@quick
@given(seeds, sides, sides, st.integers(1, 4), st.integers(1, 4))
def test_shuffle_of_repeated_channels_is_nearest(seed, height, width, channels, factor):
    """BBCU-U: nearest upsampling equals repeat_interleave of the channels before the shuffle."""
    x = np.random.default_rng(seed).integers(-9, 9, (height, width, channels))
    interleaved = x.repeat(factor**2, axis=2)
    assert np.array_equal(op.pixel_shuffle(interleaved, factor), op.nearest_up(x, factor))


@quick
@given(seeds, st.integers(1, 7), st.integers(1, 7), st.integers(1, 3), st.integers(1, 4))
def test_base(seed, height, width, channels, factor):
    pixels = draw(np.random.default_rng(seed), 0, 255, (height, width, channels)).astype(np.uint8)
    result = check(Base("base", ("pixels",), factor), pixels)
    assert result.dtype == np.int32
    unit = 1 << op.BASE_FRACTION_BITS[factor]
    assert result.min() >= int(pixels.min()) * unit
    assert result.max() <= int(pixels.max()) * unit


@quick
@given(seeds, sides, sides, st.integers(1, 3), st.integers(1, 4), st.data())
def test_output(seed, height, width, channels, factor, data):
    rng = np.random.default_rng(seed)
    base_bits = op.BASE_FRACTION_BITS[factor]
    layer = Output(
        "image",
        ("acc", "base"),
        draw(rng, *INT16, channels),
        draw(rng, *INT32, channels),
        data.draw(st.integers(base_bits, 31)),
    )
    base = draw(rng, 0, 255 << base_bits, (height, width, channels)).astype(np.int32)
    for bounds, dtype in ((INT32, np.int32), ((-300, 300), np.int32), ((-2048, 2047), np.int16)):
        acc = draw(rng, *bounds, (height, width, channels)).astype(dtype)
        assert check(layer, acc, base, scale=factor).dtype == np.uint8


@quick
@given(st.integers(2, 16), st.integers(-(1 << 47), 1 << 47))
def test_saturate(bits, value):
    assert op.saturate(np.array([value], np.int64), bits)[0] == naive.signed(value, bits)


def test_operators_leave_their_arguments_alone():
    rng = np.random.default_rng(0)
    acc = rng.integers(-99, 99, (3, 4, 2)).astype(np.int32)
    base = rng.integers(0, 255, (3, 4, 2)).astype(np.int32)
    coefficients = np.array([3, -2], np.int32)
    before = acc.copy(), base.copy()
    op.requant(acc, *[coefficients] * 5, 1, 12)
    op.output(acc, base, coefficients, coefficients.astype(np.int64), 4, 0)
    assert np.array_equal(acc, before[0])
    assert np.array_equal(base, before[1])


@pytest.mark.parametrize("channels", [1, 7, 8, 9, 63, 64, 65, 130])
def test_packing(channels):
    bits = np.random.default_rng(channels).integers(0, 2, (3, 2, channels), dtype=np.uint8)
    assert np.array_equal(unpack_bytes(pack_bytes(bits), channels), bits)
    words = pack_words(bits)
    assert words.dtype == np.uint64
    assert words.shape == (3, 2, -(-channels // 64))
    expected = [sum(int(b) << (c % 64) for c, b in enumerate(bits[1, 1]) if c // 64 == w) for w in range(3)]
    assert words[1, 1].tolist() == expected[: words.shape[-1]]


def test_popcounts_agree():
    words = np.random.default_rng(0).integers(0, 2**64, (5, 7), dtype=np.uint64)
    words[0, :2] = 0, 2**64 - 1
    expected = [[bin(word).count("1") for word in row] for row in words.tolist()]
    assert popcount(words).tolist() == expected
    assert popcount_by_table(words).tolist() == expected
    assert popcount_by_table(words[:, ::2]).tolist() == [row[::2] for row in expected]
