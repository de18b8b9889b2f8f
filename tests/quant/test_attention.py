# SPDX-License-Identifier: BSD-3-Clause
"""Attention in the block: formulas by hand, gradients, printed rows, and integers equal to float64."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from test_export import assert_equal_everywhere, shaken

import golden
from quant.attention import (
    ATTENTIONS,
    FACTOR_BITS,
    PixelAttention,
    Pool,
    SpatialAttention,
    SqueezeExcite,
    scaled_sign,
    sigmoid_table,
)
from quant.config import ConfigError, NetworkConfig
from quant.counting import convention, count, total
from quant.export import float64_network, to_integers
from quant.integer_ops import TorchOps
from quant.networks import FAMILIES, build
from quant.networks.edsr_attention import AttentionConfig, AttentionUnit, LearnedScaleConv2d
from quant.printed import csv_rows, prints_as
from quant.units import Stream

SMALL = {"width": 6, "depth": 2}
PAIRS = [(binary, residual) for binary in ATTENTIONS for residual in ATTENTIONS]
ROWS = FAMILIES["edsr_attention"].rows
LN3 = float(np.log(3))  # sigmoid(ln 3) = 3/4


def config(binary="se", residual="spatial", **fields):
    return AttentionConfig(**{**SMALL, "on_binary": binary, "on_residual": residual, **fields})


def random_image(seed, height, width, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def set_map(module, weight, bias):
    with torch.no_grad():
        module.conv.weight.copy_(torch.tensor(weight).reshape(module.conv.weight.shape))
        module.bias.copy_(torch.tensor(bias))


def test_spatial_by_hand():
    module = SpatialAttention(2, int8=False)
    set_map(module.map, [1.0, 2.0], [0.0])
    x = torch.tensor([[[[LN3, 0.0]], [[0.0, -LN3 / 2]]]])  # pixel sums ln 3 and -ln 3
    torch.testing.assert_close(module(x), x * torch.tensor([0.75, 0.25]))


def test_pixel_by_hand():
    module = PixelAttention(2, int8=False)
    set_map(module.map, [[1.0, 0.0], [1.0, 1.0]], [0.0, LN3])
    x = torch.tensor([[[[LN3]], [[-LN3]]]])
    torch.testing.assert_close(module(x), torch.tensor([[[[0.75 * LN3]], [[-0.75 * LN3]]]]))


def test_squeeze_excite_by_hand():
    module = SqueezeExcite(2, int8=False)
    set_map(module.squeeze.reduce, [[1.0, -1.0]], [0.0])
    set_map(module.expand, [[1.0], [-1.0]], [0.0, 0.0])
    x = torch.tensor([[[[0.0, 2 * LN3]], [[LN3, -LN3]]], [[[0.0, 0.0]], [[1.0, 1.0]]]])
    got = module.eval()(x)  # means (ln 3, 0): hidden ln 3; and (0, 1): hidden ReLU(-1) = 0
    torch.testing.assert_close(got[0], x[0] * torch.tensor([0.75, 0.25]).reshape(2, 1, 1))
    torch.testing.assert_close(got[1], x[1] / 2)


def test_block_by_hand():
    """a1 Att(RPReLU(BC)) + a2 Att(x), one pixel, one channel."""
    unit = AttentionUnit(1, "spatial", "pixel", scales=True, int8=False)
    with torch.no_grad():
        unit.conv.weight.fill_(1.0)
        unit.conv.log_scale.fill_(3.0)  # scale 8
        unit.act.gamma.fill_(1.0)
        unit.act.zeta.fill_(0.5)
        unit.a1.fill_(2.0)
        unit.a2.fill_(-3.0)
    set_map(unit.binary_attention.map, [0.0], [LN3])
    set_map(unit.residual_attention.map, [0.0], [-LN3])
    x = torch.tensor([[[[4.0]]]])
    for sign, branch in ((1, (8 - 1) + 0.5), (-1, 0.25 * (-8 - 1) + 0.5)):
        expected = 2 * 0.75 * branch - 3 * 0.25 * sign * 4.0
        torch.testing.assert_close(unit(sign * x), torch.full((1, 1, 1, 1), expected))


def test_learned_scale_begins_at_the_mean_and_stays_positive():
    conv = LearnedScaleConv2d(3, 2)
    signs, scale = conv.sign_and_scale()
    torch.testing.assert_close(scale, conv.weight.abs().mean((1, 2, 3)))
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    (signs * scale.reshape(-1, 1, 1, 1)).sum().backward()
    assert conv.log_scale.grad is not None
    assert conv.weight.grad.abs().sum() > 0
    with torch.no_grad():
        conv.log_scale.fill_(-30.0)
    assert (conv.sign_and_scale()[1] > 0).all()


def test_baseline_has_neither_attention_nor_scales():
    names = [name for name, _ in build(config("none", "none")).named_parameters()]
    assert not any("a1" in name or "a2" in name or "attention" in name for name in names)
    assert any("a2" in name for name, _ in build(config("se", "none")).named_parameters())


@pytest.mark.parametrize("mode", ["paper", "hardware"])
@pytest.mark.parametrize(("binary", "residual"), PAIRS)
def test_shapes_and_gradients(binary, residual, mode):
    torch.manual_seed(0)
    network = build(config(binary, residual, scale=2, mode=mode, depth=1))
    y = network(torch.randint(0, 256, (2, 3, 7, 5)).float())
    assert y.shape == (2, 3, 14, 10)
    (y * torch.randn_like(y)).sum().backward()
    dead = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not dead


def test_k_acts_on_the_input_only():
    """Without its binary branches a stack of units is the identity: nothing grows with k."""
    network = build(config("se", "none", mode="paper", depth=4, amplification=130.0)).eval()
    seen = {}
    network.end.register_forward_hook(lambda module, args, result: seen.update(end=result))
    network.head.register_forward_hook(lambda module, args, result: seen.update(head=result))
    with torch.no_grad():
        for unit in (*network.body, network.end):
            unit.a1.zero_()
        network(torch.rand(1, 3, 6, 6) * 255)
    torch.testing.assert_close(seen["end"], seen["head"])


@pytest.mark.parametrize("scale", [1.0, -1.0, 0.3, 2.5, 1e-9, 100.0])
def test_table_of_the_sigmoid(scale):
    entries, slopes, fraction = sigmoid_table(torch.tensor(scale, dtype=torch.float64))
    limit = 2 ** (FACTOR_BITS - 1)
    assert torch.equal(entries, entries.round())
    assert -limit <= entries.min()
    assert entries.max() < limit
    x = torch.arange(-512, 512, dtype=torch.float64) / 64
    error = (entries / 2**fraction - scale * torch.sigmoid(x)).abs().max()
    assert error <= 2.0**-fraction  # half a step, or a whole one where the sigmoid is nearly 1
    numeric = (scale * torch.sigmoid(x + 1e-4) - scale * torch.sigmoid(x - 1e-4)) * 2**fraction / 2e-4 / 64
    torch.testing.assert_close(slopes, numeric, rtol=1e-4, atol=1e-6)


def test_gradients_of_the_table():
    scale = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    entries, slopes, fraction = sigmoid_table(scale)
    x = torch.tensor([[[[5.0, -70.0]]]], dtype=torch.float64, requires_grad=True)
    TorchOps().table("t", x, entries, slopes, FACTOR_BITS).sum().backward()
    sigmoid = torch.sigmoid(x.detach() / 64)
    torch.testing.assert_close(x.grad, 0.7 * 2**fraction * sigmoid * (1 - sigmoid) / 64)
    torch.testing.assert_close(scale.grad, (sigmoid * 2**fraction).sum())


@pytest.mark.parametrize("u", [-1.5, -0.75, -0.25, 0.25, 0.75, 1.5])
def test_scaled_sign_has_the_gradients_of_ebsr(u):
    """Eq. 3 and 4 for x^ = a sign((x - b) / a) with u = (x - b) / a, in the middle of each piece."""
    a, b = 2.0, 0.5
    x = torch.full((1, 1, 1, 1), b + a * u)
    window = torch.tensor(a, requires_grad=True)
    center = torch.full((1, 1, 1, 1), b, requires_grad=True)
    (window * scaled_sign(x, center, window)).sum().backward()
    if abs(u) > 1:
        expected = np.sign(u), 0.0
    elif u < 0:
        expected = -2 * u**2 - 2 * u - 1, -2 - 2 * u
    else:
        expected = 2 * u**2 - 2 * u + 1, -2 + 2 * u
    assert (window.grad.item(), center.grad.item()) == pytest.approx(expected)


def test_running_mean_follows_training_only():
    pool = Pool(2)
    x = torch.ones(3, 2, 4, 4) * torch.tensor([1.0, -2.0]).reshape(1, 2, 1, 1)
    pool.eval()(x)
    assert pool.running.tolist() == [0.0, 0.0]
    pool.train()(x)
    torch.testing.assert_close(pool.running, torch.tensor([0.01, -0.02]))
    network = build(config("none", "se", mode="hardware")).train()
    network(torch.full((1, 3, 5, 5), 200.0))
    assert network.body[0].residual_attention.squeeze.pool.running.abs().sum() > 0


@pytest.mark.parametrize(("binary", "residual"), PAIRS)
def test_float64_network_equals_golden_in_every_tensor(binary, residual):
    seed = PAIRS.index((binary, residual))
    network = shaken(config(binary, residual, scale=2 + seed % 3, channels=(1, 3)[seed % 2]), seed)
    for size in ((1, 1), (5, 7)):
        assert_equal_everywhere(network, random_image(seed, *size, network.config.channels))


@pytest.mark.parametrize(("binary", "residual"), [("se", "none"), ("none", "se"), ("spatial", "pixel")])
def test_integers_are_near_the_formula(binary, residual):
    """A unit on a fine stream gives what the float unit with the same weights gives."""
    torch.manual_seed(0)
    unit, plain = (AttentionUnit(16, binary, residual, True, int8).double().eval() for int8 in (True, False))
    with torch.no_grad():
        for name, parameter in unit.named_parameters():
            parameter.copy_(
                torch.full_like(parameter, -5.0) if name.endswith("step.value") else parameter + 0.1
            )
        unit.a1.fill_(1.7)
        unit.a2.fill_(-0.6)
    plain.load_state_dict(unit.state_dict(), strict=False)
    stream = Stream(1024.0, 14)
    x = torch.randint(-3000, 3000, (1, 16, 12, 12)).double()
    with torch.no_grad():
        ours = unit.hardware(TorchOps(), "u", x, stream) / stream.unit
        expected = plain(x / stream.unit)
    inner = np.s_[:, :, 1:-1, 1:-1]  # bits are padded with -1, floats with 0
    assert (ours - expected)[inner].abs().mean() < 0.02 * expected[inner].abs().mean()


@pytest.mark.parametrize("value", [0, 255])
def test_saturating_stream(value):
    network = shaken(config("pixel", "se"), 3, strength=3.0)
    assert_equal_everywhere(network, np.full((4, 5, 3), value, np.uint8))


@pytest.mark.parametrize(("a1", "a2"), [(-1.5, 0.25), (0.0, -3.0), (40.0, 1e-4)])
@pytest.mark.parametrize("kinds", [("spatial", "pixel"), ("none", "se"), ("se", "none")])
def test_scales_of_any_sign_and_size(a1, a2, kinds):
    network = shaken(config(*kinds), 4)
    with torch.no_grad():
        for unit in (*network.body, network.end):
            unit.a1.fill_(a1)
            unit.a2.fill_(a2)
    assert_equal_everywhere(network, random_image(4, 6, 5))


def test_stream_of_another_width():
    network = shaken(config("se", "pixel", stream_bits=16, fraction_bits=5), 7)
    assert network.stream == Stream(network.config.stream_unit, 16)
    assert_equal_everywhere(network, random_image(7, 5, 4))


def test_engines_agree_on_an_exported_network():
    network = shaken(config("se", "spatial"), 5)
    integers = to_integers(network)
    image = random_image(5, 19, 33)
    expected = golden.run(integers, image)
    assert expected.std() > 1
    assert np.array_equal(golden.run(integers, image, "plain"), expected)
    assert np.array_equal(golden.restore(integers, image, (7, 16)), expected)
    with torch.no_grad():
        ours = float64_network(network)(torch.from_numpy(image).permute(2, 0, 1)[None].double())
    assert np.array_equal(ours[0].permute(1, 2, 0).numpy(), expected)


def test_running_mean_is_what_streaming_begins_with():
    network = shaken(config("none", "se"), 6)
    first = golden.statistics.means(to_integers(network))[0]
    running = network.body[0].residual_attention.squeeze.pool.running.double()
    expected = torch.floor(running * network.stream.unit * 2**first.shift + 0.5)
    assert np.array_equal(first.initial, expected.clamp(-(2**15), 2**15 - 1).numpy())
    assert np.abs(first.initial).sum() > 0


@pytest.mark.parametrize("kinds", [("spatial", "pixel"), ("none", "se"), ("none", "none")])
def test_the_graph_of_the_compiler_is_the_network(kinds):
    pytest.importorskip("qonnx", reason="the compiler is optional: pip install bitmend[compile]")
    from hw.compiler.graph import build as build_graph
    from hw.compiler.verify import Verifier, sample_images

    integers = to_integers(shaken(config(*kinds), 0))
    Verifier(integers, sample_images(5, 6, 3)).check(build_graph(integers, 5, 6), "build")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"binary": "channel"}, "on_binary = 'channel'"),
        ({"residual": None}, "on_residual = None"),
        ({"unit": "v1"}, "unit = 'v1'"),
        ({"bias": True}, "no biases"),
        ({"scale": 1}, "scale = 1"),
    ],
)
def test_bad_configurations(fields, message):
    with pytest.raises(ConfigError, match=message) as caught:
        config(**fields)
    assert "\n" not in str(caught.value)


def test_configuration_survives_json():
    one = config("pixel", "se")
    assert NetworkConfig.from_dict(one.to_dict()) == one
    with pytest.raises(ConfigError, match="unknown field"):
        NetworkConfig.from_dict({**one.to_dict(), "attention": 1})


def test_every_printed_row_has_its_network():
    kinds = {(c.on_binary, c.on_residual) for c in ROWS.values() if isinstance(c, AttentionConfig)}
    assert len(ROWS) == 10
    assert kinds == {(a, b) for a in ("none", "se", "spatial") for b in ("none", "se", "spatial")}
    assert ROWS["attention_table1", "Res SE + Bin Spat", "x2"].on_binary == "spatial"
    assert ROWS["attention_table1", "Res Spat", "x2"].on_residual == "spatial"


def test_printed_operations():
    """128 x 128 and x2: EDSR is as printed, 45.1 G, BinEDSR 6.0 G, and neither by its convolutions alone."""
    rule = convention("attention_table1")
    for name, convolutions, elements, printed in [
        ("Vanilla EDSR", 44_977_618_944, (34 * 64 + 256 + 4 * 3) + 16 * 64, "45.1"),  # biases, ReLU
        ("BinEDSR", 5_869_928_448, (64 + 4 * 3) + (33 * 64 + 256), "6.0"),  # biases, RPReLU
    ]:
        ops = rule.ops(total(count(ROWS["attention_table1", name, "x2"], *rule.size)))
        assert ops == convolutions + 2 * elements * 128**2
        assert prints_as(ops / 10**9, printed)
        assert not prints_as(Fraction(convolutions, 10**9), printed)


def test_no_count_gives_what_is_printed_with_attention():
    """Costs of the two branches add up, and a1 and a2 come with the first attention."""
    printed = {key: row.ops_g for row in csv_rows() if (key := row.key) in ROWS}
    figures = {printed[key] for key in printed if key[1] not in ("Vanilla EDSR", "BinEDSR")}
    assert figures == {"8.1", "10.4"}
    first = Fraction("8.15") - Fraction("5.95")  # at most, for 6.0 and 8.1
    second = Fraction("10.35") - Fraction("8.15")  # at least, for 8.1 and 10.4
    assert first == second  # but the second is not dearer than the first
    counted = {key: known.ops for key, known in FAMILIES["edsr_attention"].misprints.items()}
    both = counted["attention_table1", "Res SE + Bin Spat", "x2"]
    one = [counted["attention_table1", name, "x2"] for name in ("Res SE", "Bin Spat")]
    rule = convention("attention_table1")
    none = rule.ops(total(count(ROWS["attention_table1", "BinEDSR", "x2"], *rule.size)))
    assert both - one[0] == one[1] - none
    assert all(ops < Fraction("6.1") * 10**9 for ops in counted.values())


def test_presets_are_those_of_the_paper_and_small_ones():
    presets = FAMILIES["edsr_attention"].presets
    full = presets["attention_spatial_se_x2"]
    assert (full.width, full.depth, full.k, full.mode) == (64, 32, 130.0, "hardware")
    assert replace(full, width=32, depth=8) == presets["attention_spatial_se_nano_x2"]
