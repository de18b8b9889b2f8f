# SPDX-License-Identifier: BSD-3-Clause
"""EBSR: formulas by hand, gradients, printed counts, and integers equal to float64."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from test_export import assert_equal_everywhere, shaken

import golden
from golden.statistics import means
from quant import page_results, streaming
from quant.config import ConfigError, NetworkConfig
from quant.counting import convention, count, total
from quant.export import to_integers
from quant.integer_ops import TorchOps
from quant.networks import FAMILIES, build
from quant.networks.ebsr import (
    CHANNEL,
    SPATIAL,
    ChannelRescale,
    EbsrConfig,
    EConv,
    SpatialRescale,
    operations,
)
from quant.printed import csv_rows
from quant.units import Stream

SMALL = {"width": 18, "depth": 2}
KINDS = [(spatial, channel) for spatial in SPATIAL for channel in CHANNEL]
FAMILY = FAMILIES["ebsr"]
LN3 = float(np.log(3))  # sigmoid(ln 3) = 3/4


def config(**fields):
    return EbsrConfig(**{**SMALL, **fields})


def random_image(seed, height, width, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def fill(parameter, value):
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(value).expand_as(parameter))


def test_spatial_rescaling_by_hand():
    module = SpatialRescale(2, None)
    fill(module.conv.weight, 0.0)
    fill(module.conv.weight[0, 0, 1], torch.tensor([1.0, 0.0, 0.0]))  # channel 0 of the left neighbour
    fill(module.bias, LN3)
    x = torch.tensor([[[[-2 * LN3, 5.0]], [[7.0, 7.0]]]])
    torch.testing.assert_close(module(x), torch.tensor([[[[0.75, 0.25]]]]))


@pytest.mark.parametrize("fused", [True, False])
def test_channel_rescaling_by_hand(fused):
    module = ChannelRescale(2, fused, int8=False).eval()
    for squeeze in module.squeeze:
        fill(squeeze.reduce.conv.weight, torch.tensor([[[[1.0]], [[0.0]]]]))  # the mean of channel 0
    rows = torch.tensor([10.0, 20.0, 1.0, -1.0]).reshape(4, 1, 1, 1)
    for expand, part in zip(module.expand, (rows,) if fused else rows.split(2), strict=True):
        fill(expand.conv.weight, part)
    x = torch.tensor([[[[0.0, 2 * LN3]], [[3.0, 4.0]]]])
    shift, scale = module(x)
    torch.testing.assert_close(shift.ravel(), torch.tensor([10 * LN3, 20 * LN3]))
    torch.testing.assert_close(scale.ravel(), torch.tensor([0.75, 0.25]))


def test_unit_by_hand():
    """x + a sign(x - beta - shift) * s sign(W) S C_r, one pixel."""
    unit = EConv(1, "float", "fused", int8=False)
    fill(unit.conv.weight, -0.5)
    fill(unit.scale.value, 2.0)  # the logarithm: a = 4
    fill(unit.beta, 1.0)
    fill(unit.spatial.conv.weight, 0.0)
    fill(unit.spatial.bias, LN3)
    for part in (unit.channel.squeeze[0].reduce, unit.channel.expand[0]):
        fill(part.conv.weight, 0.0)
    fill(unit.channel.expand[0].bias, torch.tensor([2.0, -LN3]))
    size = 4 * 0.5 * 0.75 * 0.25
    for x, bit in ((3.5, 1), (2.5, -1)):  # the threshold is 1 + 2
        assert unit(torch.full((1, 1, 1, 1), x)).item() == pytest.approx(x - bit * size)


@pytest.mark.parametrize("mode", ["paper", "hardware"])
def test_thresholds_belong_to_the_image(mode):
    """Two images of a batch are restored as each of them alone."""
    torch.manual_seed(0)
    network = build(config(mode=mode)).double().eval()
    images = torch.randint(0, 256, (2, 3, 6, 7)).double()
    images[1] = images[1] // 5
    with torch.no_grad():
        both, alone = network(images), torch.cat([network(images[:1]), network(images[1:])])
    torch.testing.assert_close(both, alone)


@pytest.mark.parametrize("mode", ["paper", "hardware"])
@pytest.mark.parametrize(("spatial", "channel"), KINDS)
def test_shapes_and_gradients(spatial, channel, mode):
    torch.manual_seed(1)
    network = build(config(spatial=spatial, channel=channel, scale=3, mode=mode, depth=1))
    y = network(torch.randint(0, 256, (2, 3, 6, 5)).float())
    assert y.shape == (2, 3, 18, 15)
    (y * torch.randn_like(y)).sum().backward()
    dead = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not dead
    assert network.body[0].scale.value.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("bits", "levels"), [((1, 8), {-1, 1}), ((2, 4), {-2, -1, 0, 1}), ((4, 4), set(range(-8, 8)))]
)
def test_few_bits(bits, levels):
    torch.manual_seed(0)
    module = SpatialRescale(64, bits)

    def found():
        return set(module._integers()[0].unique().int().tolist())

    assert found() <= levels
    assert len(found()) > 1
    fill(module.conv.weight, module.conv.weight * 100)
    assert {min(levels), max(levels)} <= found() <= levels
    assert module(torch.randn(1, 64, 5, 5) * 100).shape == (1, 1, 5, 5)


@pytest.mark.parametrize(("spatial", "channel"), KINDS)
def test_float64_network_equals_golden_in_every_tensor(spatial, channel):
    seed = KINDS.index((spatial, channel))
    fields = {"scale": 2 + seed % 3, "channels": (3, 1)[seed % 2], "stream_bits": (14, 12, 16)[seed % 3]}
    network = shaken(config(spatial=spatial, channel=channel, **fields), seed)
    for size in ((1, 1), (6, 5)):
        assert_equal_everywhere(network, random_image(seed, *size, network.config.channels))


def test_thresholds_on_integers():
    """x > v is x >= floor(v) + 1, with v = beta + shift in LSBs."""
    unit = EConv(4, "none", "fused", int8=True).double().eval()
    fill(unit.channel.expand[0].conv.weight, 0.0)
    fill(unit.beta, torch.tensor([3.0, 3.4, -2.5, -3.0]))
    found = {}
    x = torch.zeros(1, 4, 3, 3, dtype=torch.float64)
    unit.hardware(TorchOps(trace=found), "u", x, Stream(1.0, 12))
    assert found["u.threshold"].ravel().tolist() == [4, 4, -2, -2]


@pytest.mark.parametrize(
    ("spatial", "channel"), [("float", "none"), ("none", "fused"), ("float", "separate")]
)
def test_integers_are_near_the_formula(spatial, channel):
    """The residual of a unit on a fine stream is that of the float unit with the same weights."""
    torch.manual_seed(0)
    unit = EConv(16, spatial, channel, int8=True).double().eval()
    plain = EConv(16, spatial, channel, int8=False).double().eval()
    with torch.no_grad():
        for name, parameter in unit.named_parameters():
            fill(parameter, -5.0 if name.endswith("step.value") else parameter + 0.1)
    plain.load_state_dict(unit.state_dict(), strict=False)
    stream = Stream(1024.0, 14)
    x = torch.randint(-3000, 3000, (1, 16, 12, 12)).double()
    with torch.no_grad():
        ours = (unit.hardware(TorchOps(), "u", x, stream) - x) / stream.unit
        expected = plain(x / stream.unit) - x / stream.unit
    inner = np.s_[:, :, 1:-1, 1:-1]  # bits are padded with -1, floats with 0
    error = (ours - expected)[inner].abs().mean() / expected[inner].abs().mean()
    assert error < 0.05


@pytest.mark.parametrize("value", [0, 255])
def test_saturating_stream(value):
    assert_equal_everywhere(shaken(config(), 3, strength=2.0), np.full((4, 5, 3), value, np.uint8))


def test_engines_agree_on_an_exported_network():
    integers = to_integers(shaken(config(scale=2), 5))
    image = random_image(5, 17, 35)
    expected = golden.run(integers, image)
    assert expected.std() > 1
    assert len(means(integers)) == 2
    assert np.array_equal(golden.run(integers, image, "plain"), expected)
    assert np.array_equal(golden.restore(integers, image, (6, 16)), expected)
    frozen = golden.freeze(integers, golden.measure(integers, image))
    assert not {type(layer).__name__ for layer in frozen.layers} & {"GlobalMean", "Compare"}
    assert np.array_equal(golden.run(frozen, image), expected)


def test_separate_modules_have_a_mean_each():
    assert len(means(to_integers(shaken(config(channel="separate"), 5)))) == 4


@pytest.mark.parametrize(
    ("name", "parameters", "layers", "with_means"),
    [
        ("ebsr_light_x4", 78_832, "2.171", "2.238"),
        ("ebsr_x4", 1_102_000, "28.011", "28.548"),
        ("ebsr_baseline_x4", 31_568, "1.567", "1.567"),
        ("ebsr_spatial_x4", 50_032, "2.171", "2.171"),
        ("ebsr_separate_x4", 87_152, "2.171", "2.305"),
        ("ebsr_sq_w1a8_x4", 60_400 + 32, "1.642", "1.709"),  # a learned step of the activations in each unit
        ("ebsr_sq_w4a4_x4", 60_400 + 64, "1.718", "1.785"),  # and one of the weights
    ],
)
def test_counts(name, parameters, layers, with_means):
    """Parameters, and 10^9 operations: of the layers, and with the means over the image."""
    one, rule = replace(FAMILY.presets[name], mode="paper"), convention("ebsr_table4")
    counted, ops = total(count(one, *rule.size)), operations(one)
    assert rule.params(counted) == parameters
    assert rule.ops(counted) == ops
    assert f"{float(rule.ops(replace(counted, pooled=0))) / 1e9:.3f}" == layers
    assert f"{float(ops) / 1e9:.3f}" == with_means


def test_what_is_unexplained_is_the_same_in_all_rows():
    """What docs/complexity.md says of the rows with channel-wise re-scaling."""
    printed = {row.key: Fraction(row.ops_g) for row in csv_rows()}
    rows = {key: known for key, known in FAMILY.misprints.items() if known.kind == "unexplained"}
    assert {FAMILY.rows[key].channel for key in rows} == {"fused", "separate"}
    assert len(rows) == 7
    digit = Fraction(1, 200)
    least = [printed[key] - digit - known.ops / 10**9 for key, known in rows.items()]
    most = [printed[key] + digit - known.ops / 10**9 for key, known in rows.items()]
    assert min(least) > Fraction("0.026")
    assert max(most) < Fraction("0.046")
    assert max(least) < Fraction("0.036") < min(most)
    one_product = {  # and the other candidate
        key: known.ops + config.depth * 128**2 * (config.width + 5)
        for key, known in rows.items()
        for config in [FAMILY.rows[key]]
    }
    fits = {key for key, ops in one_product.items() if abs(ops / 10**9 - printed[key]) <= digit}
    assert rows.keys() - fits == {("ebsr_table4", "EBSR", "x4")}
    assert f"{float(one_product['ebsr_table4', 'EBSR', 'x4']) / 1e9:.2f}" == "28.82"


def test_the_spatial_row_is_below_its_convolutions():
    (key,) = [key for key, known in FAMILY.misprints.items() if known.kind == "misprint"]
    counted = total(count(FAMILY.rows[key], 128, 128))
    assert 2 * (counted.macs + Fraction(counted.binary_macs, 64)) > 2_165_000_000
    assert {row.ops_g for row in csv_rows() if row.key == key} == {"2.16"}


def test_every_printed_row_has_its_network():
    assert {key[1] for key in FAMILY.rows if key[0] == "ebsr_table4"} == {
        "EBSR-light",
        "EBSR",
        "EBSR-SQ (W1A8)",
        "EBSR-SQ (W2A4)",
        "EBSR-SQ (W4A4)",
    }
    assert sum(key[0] in ("ebsr_table6", "ebsr_table7") for key in FAMILY.rows) == 6
    for key in FAMILY.rows:
        assert (key in FAMILY.misprints) == (key[0] in ("ebsr_table3", "ebsr_table4"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"spatial": "w3a3"}, "spatial = 'w3a3'"),
        ({"channel": True}, "channel = True"),
        ({"unit": "v4"}, "unit = 'v4'"),
        ({"binary": ()}, r"binary = \(\)"),
        ({"bias": True}, "no biases"),
        ({"task": "denoise"}, "task = 'denoise'"),
    ],
)
def test_bad_configurations(fields, message):
    with pytest.raises(ConfigError, match=message) as caught:
        config(**fields)
    assert "\n" not in str(caught.value)


def test_configuration_survives_json():
    one = config(spatial="w2a4", channel="separate")
    assert NetworkConfig.from_dict(one.to_dict()) == one


def test_cost_of_streaming(tmp_path, capsys):
    """The command restores in every way; with statistics that decide nothing, all ways are equal."""
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(2):
        Image.fromarray(random_image(index, 80, 96)).save(folder / f"{index}.png")
    network = shaken(config(scale=2, depth=1), 1, strength=0.5)
    path = tmp_path / "n.npz"
    to_integers(network).save(path)
    numbers = ["--data", str(folder), "--window", "40", "--tile", "16"]
    assert streaming.main(["--model", str(path), *numbers, "--json", str(tmp_path / "a.json")]) == 0
    records = json.loads((tmp_path / "a.json").read_text())["images"]
    assert [r["images"] for r in records] == [2, 2, 2, 2, 1]
    assert records[0]["change_db"] == 0
    assert any(r["change_db"] != 0 for r in records[1:])
    assert all(r["worst_db"] <= r["change_db"] for r in records)
    assert any(r["worst_db"] < r["change_db"] for r in records)
    for part in (*network.body[0].channel.squeeze, *network.body[0].channel.expand):
        fill(getattr(part, "reduce", part).conv.weight, 0.0)
    to_integers(network).save(path)
    assert streaming.main(["--model", str(path), *numbers, "--json", str(tmp_path / "a.json")]) == 0
    assert {r["change_db"] for r in json.loads((tmp_path / "a.json").read_text())["images"]} == {0.0}
    assert "moving camera, 4 pixels" in capsys.readouterr().out


def test_published_cost_of_streaming_stands_on_the_page(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Image.fromarray(random_image(0, 60, 64)).save(tmp_path / name / "a.png")
    assert "".join(page_results.streaming(tmp_path)) == ""
    integers = to_integers(shaken(config(scale=2, depth=1), 1))
    integers.meta["training"] = {"iterations": 7, "batch": 2, "patch": 16, "lr": 0.001}
    integers.save(tmp_path / "n.npz")
    argv = ["--model", str(tmp_path / "n.npz"), "--data", str(tmp_path / "one"), str(tmp_path / "two")]
    argv += ["--tile", "16", "--publish", str(tmp_path / "streaming.json"), "--trained-on", "photos"]
    for _ in range(2):  # the second takes the place of the first
        assert streaming.main(argv) == 0
    (record,) = json.loads((tmp_path / "streaming.json").read_text())
    assert list(record["sets"]) == ["one", "two"]
    text = "\n".join(page_results.streaming(tmp_path))
    exact, initial, *_ = record["sets"]["two"]
    line = f"| `n` | 1 | two (1) | {exact['psnr_db']:.2f} | {initial['change_db']:+.3f}"
    assert text.count(line) == 1
    assert "7 iterations, batch 2, patch 16, learning rate 0.001, on photos" in text
    assert "--data one two --publish" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tile", "0"], "expected at least 1"),
        (["--step", "90"], "use a smaller --step"),
        (["--data", "/nowhere"], "looked at /nowhere"),
    ],
)
def test_streaming_refuses(tmp_path, capsys, arguments, message):
    Image.fromarray(random_image(0, 80, 96)).save(tmp_path / "0.png")
    to_integers(shaken(config(scale=2, depth=1), 1)).save(tmp_path / "n.npz")
    given = ["--model", str(tmp_path / "n.npz"), "--data", str(tmp_path), *arguments]
    assert streaming.main(given) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    to_integers(shaken(config(channel="none", depth=1), 1)).save(tmp_path / "n.npz")
    assert streaming.main(["--model", str(tmp_path / "n.npz")]) == 2
    assert "has no statistics of the image" in capsys.readouterr().err
