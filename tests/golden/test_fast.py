# SPDX-License-Identifier: BSD-3-Clause
"""The Numba engine equals the reference to the bit, on any network and any image."""

import json
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from golden_examples import tiny_network
from golden_graphs import random_graph
from hypothesis import example, given, settings
from hypothesis import strategies as st

import golden
from golden import Base, ConvInt8, IntegerNetwork, Output, Requant, make_engine, run
from golden.random_attention import attention_like, ebsr_like
from golden.random_networks import VARIANTS, bbcu_like, random_image, random_network

pytest.importorskip("numba", reason="the Numba engine is optional: pip install bitmend[fast]")
from golden.fast import FastEngine
from golden.fast_ops import CODE, LANES, REQUANT, REQUANT_WIDE, STREAM

ROOT = Path(__file__).parents[2]
seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=150, deadline=None)


def check(network, height, width, rng, threads=1):
    image = random_image(rng, height, width, network.channels)
    result = FastEngine(network, threads).run(image)
    assert result.dtype == np.uint8
    assert np.array_equal(result, run(network, image))


@some
@given(seeds)
def test_random_networks(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_width=40)
    check(network, *rng.integers(1, 50, 2), rng, threads=int(rng.integers(1, 4)))


@some
@given(seeds)
@example(3399061)  # bits shuffled into one channel: the same rows in the same order, but not the stored shape
def test_random_graphs(seed):
    """Whatever the validator accepts: forks, moved bits and sums, joins of a tensor with itself."""
    rng = np.random.default_rng(seed)
    network = random_graph(rng, steps=int(rng.integers(3, 30)))
    check(network, *rng.integers(1, 50, 2), rng, threads=int(rng.integers(1, 4)))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("extreme", [0.0, 1.0])
def test_bbcu_variants(variant, scale, extreme):
    rng = np.random.default_rng(scale)
    check(bbcu_like(rng, 9, 2, scale, 3, variant, extreme), 13, LANES + 5, rng)


@pytest.mark.parametrize("width", [1, 2, 3, 31, 32, 33, 63, 64, 65, 96, 100, 127, 128, 129, 130])
def test_channels(width):
    rng = np.random.default_rng(width)
    check(bbcu_like(rng, width, 1, 2, 3), 5, 7, rng)


def test_many_channels():
    rng = np.random.default_rng(0)
    check(bbcu_like(rng, 700, 1, 1, 1), 2, 3, rng)


SHAPES = [
    (1, 1),
    (1, 2),
    (2, 1),
    (1, 200),
    (200, 1),
    (3, 31),
    (17, 32),
    (16, 33),
    (15, 64),
    (9, 65),
    (150, 3),
]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape, channels):
    rng = np.random.default_rng(channels)
    check(bbcu_like(rng, 5, 3, 2, channels), *shape, rng, threads=2)


def test_one_engine_many_sizes():
    """Nothing of an image remains, and results that were handed out do not change."""
    rng = np.random.default_rng(0)
    network = bbcu_like(rng, 6, 2, 3, 1)
    engine = FastEngine(network, threads=2)
    images = [random_image(rng, *rng.integers(1, 60, 2), 1) for _ in range(8)]
    images += images[::-1]
    results = [engine.run(image) for image in images]
    for image, result in zip(images, results, strict=True):
        assert np.array_equal(result, run(network, image))


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 16])
def test_threads(threads):
    rng = np.random.default_rng(0)
    check(bbcu_like(rng, 8, 4, 2, 3), 41, 37, rng, threads)


def test_shared_engine():
    """Several threads may use one engine."""
    rng = np.random.default_rng(0)
    network = bbcu_like(rng, 8, 2, 2, 3)
    engine = FastEngine(network, threads=2)
    images = [random_image(rng, 20, 30, 3) for _ in range(6)]
    results = [None] * len(images)

    def work(index):
        results[index] = engine.run(images[index])

    workers = [threading.Thread(target=work, args=(index,)) for index in range(len(images))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for image, result in zip(images, results, strict=True):
        assert np.array_equal(result, run(network, image))


def requant_network(a, b, shift, threshold):
    """Sums of an int8 convolution, requantized with these constants, to pixels."""
    weight = np.full((3, 3, 3, 3), 127)
    requant = Requant(
        "requant", ("conv",), [a] * 3, [a - 1] * 3, [b] * 3, [-b] * 3, [threshold] * 3, shift, 16
    )
    return IntegerNetwork(
        "denoise",
        1,
        3,
        (
            ConvInt8("conv", ("pixels",), weight),
            requant,
            Base("base", ("pixels",), 1),
            Output("image", ("requant", "base"), [1, -1, 3], [0, 1, 2], 5),
        ),
    )


@pytest.mark.parametrize("b", [0, 1 << 20, (1 << 31) - 1])
@pytest.mark.parametrize("a", [32767, -32767, 1])
def test_requant_in_64_bits(a, b):
    """Sums of 20 bits times 16 bits, plus 32 bits: no 32-bit arithmetic gets this right."""
    rng = np.random.default_rng(0)
    network = requant_network(a, b, 21, 400000)
    codes = FastEngine(network)._assembler.program.ops[:, CODE]
    assert REQUANT_WIDE in codes
    assert REQUANT not in codes
    check(network, 20, 40, rng)


def test_requant_in_32_bits():
    """A binary body is requantized by the fast kernel: sums of 9 * 32 bits and slopes of 16 fit."""
    rng = np.random.default_rng(0)
    network = bbcu_like(rng, 32, 4, 2, 3)
    codes = list(FastEngine(network)._assembler.program.ops[:, CODE])
    assert codes.count(REQUANT) >= 4 + 2
    check(network, 9, 50, rng)


@pytest.mark.parametrize("bits", [9, 16])
@pytest.mark.parametrize("shift", [0, 1, 2, 15, 31])
@pytest.mark.parametrize("slope", [-32768, -32767, 32767])
def test_requant_limits(slope, shift, bits):
    """Ends of the ranges, where the slopes -2 a of a binary convolution leave 16 bits."""
    rng = np.random.default_rng(0)
    layers = {layer.name: layer for layer in tiny_network().layers}
    old = layers["body.0.requant"]
    offset = [-(1 << 31), (1 << 31) - 1, 0, 1]
    layers["body.0.requant"] = Requant(
        old.name,
        old.inputs,
        [slope] * 4,
        [slope // 2, 0, -1, 1],
        offset,
        offset[::-1],
        old.threshold,
        shift,
        bits,
    )
    check(tiny_network(layers=layers.values()), 6, 40, rng)


def test_images_of_any_layout():
    """Read-only images, views, and grey ones without a channel axis; the image is not changed."""
    rng = np.random.default_rng(0)
    network = bbcu_like(rng, 4, 1, 2, 3)
    engine = make_engine(network, "numba")
    image = random_image(rng, 20, 30, 3)
    before = image.copy()
    image.setflags(write=False)
    for view in (image, image[::-1, 3:], image.transpose(1, 0, 2), image[:, ::2]):
        assert np.array_equal(engine.run(view), run(network, view))
    assert np.array_equal(image, before)
    grey = bbcu_like(rng, 4, 1, 2, 1)
    assert FastEngine(grey).run(image[..., 0]).shape == (40, 60)
    assert np.array_equal(FastEngine(grey).run(image[..., 0]), run(grey, image[..., 0]))


def test_bad_arguments():
    engine = FastEngine(tiny_network())
    for image in (np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3), np.int16)):
        with pytest.raises(ValueError, match="image") as error:
            engine.run(image)
        with pytest.raises(ValueError, match="image") as expected:
            run(engine.network, image)
        assert str(error.value) == str(expected.value)
    with pytest.raises(ValueError, match="threads is 0"):
        FastEngine(tiny_network(), threads=0)


def test_memory_does_not_grow_with_height():
    """Tensors in between exist as a few lines, and units write the stream where they read it."""
    engine = FastEngine(bbcu_like(np.random.default_rng(0), 32, 8, 2, 3), threads=1)
    small, large = (engine._make_bands(height, 64)[0].memory for height in (100, 1000))
    assert large.streams.size == small.streams.size
    assert large.words.size == small.words.size
    streams = [buffer for buffer in engine._assembler.buffers if buffer.form == STREAM]
    assert len(streams) == 1 + 8 + 2  # image, head, body, up
    assert len({buffer.home for buffer in streams}) == 3


SCRIPT = """
import sys
sys.path.insert(0, "tests/golden")
import numpy as np
from golden import run
from golden.fast import FastEngine
from golden.random_networks import random_image, random_network
for seed in range(12):
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_width=40)
    image = random_image(rng, *rng.integers(1, 50, 2), network.channels)
    assert np.array_equal(FastEngine(network).run(image), run(network, image)), seed
"""


@pytest.mark.parametrize("processor", ["generic", "haswell"])
def test_other_processors(processor):
    """Without AVX-512 other instructions count ones and multiply; results are the same."""
    if processor == "haswell" and "avx2" not in features():
        pytest.skip("this processor has no AVX2")
    environment = {**os.environ, "NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": FEATURES[processor]}
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, check=True, timeout=300)


FEATURES = {"generic": "", "haswell": "+avx2"}


def features():
    if platform.machine() not in ("x86_64", "AMD64") or not Path("/proc/cpuinfo").exists():
        return []
    return Path("/proc/cpuinfo").read_text().split()


def test_bench(tmp_path):
    """`python -m quant.bench` measures, compares with the reference and writes what it found."""
    pytest.importorskip("torch", reason="the benchmark compares with PyTorch: pip install bitmend[train]")
    tiny_network().save(tmp_path / "tiny.npz")
    arguments = ["--model", str(tmp_path / "tiny.npz"), "--sizes", "20x10", "33x5", "--repeats", "3"]
    command = [
        sys.executable,
        "-m",
        "quant.bench",
        *arguments,
        "--threads",
        "1",
        "--json",
        str(tmp_path / "b"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "goal: 3 times PyTorch float32" in done.stdout
    record = json.loads((tmp_path / "b").read_text())
    assert record["equal"] is True
    assert record["content_hash"] == tiny_network().content_hash
    assert record["binary_macs_per_pixel"] == 9 * 4 * 4 + 9 * 4 * 16
    assert [size["width"] for size in record["sizes"]] == [20, 33]
    for size in record["sizes"]:
        assert len(size["ratios"]) == 3
        assert size["ratios"] == pytest.approx(np.divide(size["torch_s"], size["fast_s"]))


@pytest.mark.parametrize("arguments", [["--sizes", "3x"], ["--repeats", "0"], ["--model", "no/such.npz"]])
def test_bench_bad_arguments(arguments):
    pytest.importorskip("torch", reason="the benchmark compares with PyTorch: pip install bitmend[train]")
    from quant import bench

    assert bench.main(arguments) == 2


def test_float_twin():
    """PyTorch's network has the shapes of ours, whatever the layers."""
    torch = pytest.importorskip(
        "torch", reason="the benchmark compares with PyTorch: pip install bitmend[train]"
    )
    from quant.bench import FloatTwin

    networks = [
        bbcu_like(np.random.default_rng(seed), 4, 2, 1 + seed % 4, 3, variant)
        for seed, variant in enumerate(VARIANTS)
    ]
    networks += [
        attention_like(np.random.default_rng(0), binary="se", residual="spatial"),
        attention_like(np.random.default_rng(1), binary="pixel", residual="none"),
        ebsr_like(np.random.default_rng(2)),
    ]
    for network in networks:
        with torch.inference_mode():
            result = FloatTwin(network)(torch.rand(1, 3, 5, 6))
        assert result.shape == (1, 3, 5 * network.scale, 6 * network.scale)


def test_float_twin_computes_what_attention_is():
    """A factor is the sigmoid of a mean, and it multiplies: with all weights 0, everything is halved."""
    torch = pytest.importorskip(
        "torch", reason="the benchmark compares with PyTorch: pip install bitmend[train]"
    )
    from quant.bench import FloatTwin

    layers = (
        golden.GlobalMean("mean", ("x",), np.zeros(3, np.int16), 0, 8),
        golden.ConvPoint("fc", ("mean",), np.zeros((3, 3), np.int8)),
        golden.Table("gate", ("fc",), np.zeros(4, np.int16), 8),
        golden.Multiply("y", ("x", "gate"), 0, 8),
    )
    x = torch.rand(1, 3, 4, 5)
    twin = FloatTwin(SimpleNamespace(layers=layers))
    values = {"x": x}
    for layer in layers:
        values[layer.name] = twin._compute(layer, *(values[name] for name in layer.inputs))
        if layer.name == "mean":
            torch.testing.assert_close(values["mean"][0, :, 0, 0], x[0].mean((1, 2)))
        if layer.name == "fc":
            assert values["fc"].shape == (1, 3, 1, 1)
            values["fc"] = 0 * values["fc"]
    torch.testing.assert_close(values["y"], x / 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_bench_runs_the_exact_form(threads):
    """A network with statistics of the image is timed with its own statistics for each image."""
    pytest.importorskip("torch", reason="the benchmark compares with PyTorch: pip install bitmend[train]")
    from quant.bench import integer_engine

    network = attention_like(np.random.default_rng(3), 4, 1, binary="none", residual="se")
    engine = integer_engine(network, threads)
    for seed in range(2):
        image = np.random.default_rng(seed).integers(0, 100 + 155 * seed, (17, 9, 3), np.uint8)
        assert np.array_equal(engine(image), run(network, image))
