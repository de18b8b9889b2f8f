# SPDX-License-Identifier: BSD-3-Clause
"""Whole networks: against the naive executor, both binary convolutions, types, engines, bad images."""

import sys
import types
import weakref

import numpy as np
import pytest
from golden_examples import tiny_layers, tiny_network
from golden_naive import run as naive_run

from golden import make_engine, run, trace
from golden.random_networks import VARIANTS, bbcu_like, random_image, random_network


@pytest.mark.parametrize("seed", range(40))
def test_random_network_equals_naive(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_width=5, max_depth=2)
    image = random_image(rng, *rng.integers(1, 5, 2), network.channels)
    expected = naive_run(network, image)
    names = []
    for name, tensor in trace(network, image):
        names.append(name)
        assert np.array_equal(tensor, expected[name]), name
    assert names == list(expected)


@pytest.mark.parametrize("seed", range(60))
def test_packed_equals_plain_and_types_hold(seed):
    rng = np.random.default_rng(1000 + seed)
    network = random_network(rng)
    image = random_image(rng, *rng.integers(1, 20, 2), network.channels)
    dtypes = {"pixels": np.uint8, "bits": np.uint8, "image": np.uint8, "stream": np.int16}
    for (name, packed), (_, plain) in zip(trace(network, image), trace(network, image, "plain"), strict=True):
        kind = network.types[name]
        assert np.array_equal(packed, plain), name
        assert packed.dtype == plain.dtype == dtypes.get(kind.kind, np.int32)
        assert packed.shape == (image.shape[0] * kind.factor, image.shape[1] * kind.factor, kind.channels)
        assert kind.low <= packed.min(), name
        assert packed.max() <= kind.high, name
        if kind.kind != "image":
            unsigned = kind.high.bit_length() <= kind.bits and kind.low >= 0
            signed = -(1 << (kind.bits - 1)) <= kind.low and kind.high < 1 << (kind.bits - 1)
            assert signed if kind.signed else unsigned


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_bbcu_variants(variant, scale):
    rng = np.random.default_rng(scale)
    network = bbcu_like(rng, 8, 2, scale, 3, variant, extreme=0.2)
    image = random_image(rng, 6, 7, 3)
    result = run(network, image)
    assert result.shape == (6 * scale, 7 * scale, 3)
    assert np.array_equal(result, run(network, image, "plain"))
    assert ("RepeatChannels" in str(network.record())) == (variant == "H")
    assert network.task == ("sr" if scale > 1 else "denoise")
    assert (network.types[network.layers[-1].inputs[0]].kind == "stream") == (variant == "T")


def test_bbcu_variant_that_does_not_exist():
    with pytest.raises(ValueError, match="variant is 'X', expected one of M, L, V3, H, T"):
        bbcu_like(np.random.default_rng(0), variant="X")


def test_signals_stay_alive():
    """Deep random networks are a test only if their streams still vary and their images are not clipped."""
    rng = np.random.default_rng(5)
    network = bbcu_like(rng, 16, 12, 2)
    values = dict(trace(network, rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)))
    last = values["body.11"]
    assert last.std() > 200
    assert 0.05 < values["hr.sign"].mean() < 0.95
    assert np.mean((values["image"] > 0) & (values["image"] < 255)) > 0.2


def test_grey_image_without_channel_axis():
    rng = np.random.default_rng(0)
    network = bbcu_like(rng, 4, 1, 2, channels=1)
    image = rng.integers(0, 256, (5, 6), dtype=np.uint8)
    assert run(network, image).shape == (10, 12)
    assert np.array_equal(run(network, image), run(network, image[:, :, None])[:, :, 0])
    assert run(network, image[:, ::-1].T).shape == (12, 10)  # any memory layout


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([[1]], "image is a list, expected a NumPy array of uint8"),
        (np.zeros((4, 4, 3)), "image is of dtype float64, expected uint8"),
        (np.zeros((4, 4, 3), np.int8), "image is of dtype int8, expected uint8"),
        (np.zeros((4, 4, 4), np.uint8), r"image has shape \(4, 4, 4\), expected \(H, W, 3\)$"),
        (np.zeros((4, 4), np.uint8), r"image has shape \(4, 4\), expected \(H, W, 3\)$"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"image has shape \(1, 4, 4, 3\)"),
        (np.zeros(3, np.uint8), r"image has shape \(3,\)"),
        (np.zeros((), np.uint8), r"image has shape \(\)"),
        (np.zeros((0, 4, 3), np.uint8), r"image has shape \(0, 4, 3\), expected at least one pixel"),
    ],
)
def test_bad_images(image, message):
    with pytest.raises(ValueError, match=message):
        run(tiny_network(), image)
    with pytest.raises(ValueError, match=message):
        trace(tiny_network(), image)


def test_bad_convolution_name():
    with pytest.raises(ValueError, match="conv_xnor is 'fast', expected one of packed, plain"):
        trace(tiny_network(), np.zeros((2, 2, 3), np.uint8), "fast")


def test_tensors_are_freed_after_their_last_use():
    layers = list(tiny_layers().values())
    last_use = {name: index for index, layer in enumerate(layers) for name in layer.inputs}
    alive = {}
    image = np.zeros((4, 4, 3), np.uint8)
    for index, (name, tensor) in enumerate(trace(tiny_network(), image), start=-1):
        alive[name] = weakref.ref(tensor)
        del tensor
        for old, reference in alive.items():
            if old != "pixels" and last_use.get(old, len(layers)) < index:
                assert reference() is None, f"{old} is kept at {name}"


def test_engines():
    network = tiny_network()
    image = random_image(np.random.default_rng(1), 5, 4, 3)
    engine = make_engine(network, "numpy")
    assert engine.name == "numpy"
    assert engine.network is network
    assert np.array_equal(engine.run(image), run(network, image))
    with pytest.raises(ValueError, match="engine is 'gpu', expected one of auto, numpy, numba"):
        make_engine(network, "gpu")


def test_engine_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "golden.fast", None)
    assert make_engine(tiny_network()).name == "numpy"
    with pytest.raises(ImportError, match=r"engine 'numba' is not available .* pip install bitmend\[fast\]"):
        make_engine(tiny_network(), "numba")


def test_engine_with_numba(monkeypatch):
    class FastEngine:
        def __init__(self, network):
            self.run = lambda image: f"fast {network.task}"

    monkeypatch.setitem(sys.modules, "golden.fast", types.SimpleNamespace(FastEngine=FastEngine))
    for name in ("auto", "numba"):
        engine = make_engine(tiny_network(), name)
        assert (engine.name, engine.run(None)) == ("numba", "fast sr")
