# SPDX-License-Identifier: BSD-3-Clause
"""The binary baselines: their papers' formulas on small examples, gradients, and that they are 1-bit."""

import copy
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from quant.config import BASELINES, HARDWARE_UNITS, NetworkConfig
from quant.integer_ops import TorchOps
from quant.layers import BinaryConv2d
from quant.methods import BinaryBody, decays, make_unit, set_progress
from quant.networks import FAMILIES, build
from quant.networks.e2fif import E2fifConfig, E2fifUnit
from quant.networks.edsr import EdsrConfig
from quant.surrogates import T_MAX, T_MIN, DecaySign, SignClip
from quant.units import Stream

UNIT_METHODS = ("bnn", "bireal", "irnet", "btm", "dorefa", "reactnet")


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def line(*values):
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, 1, -1)


def prepared(unit: str, seed: int = 3):
    torch.manual_seed(seed)
    module = make_unit(unit, 2, False).double()
    norm = module.branch.norm
    if norm is not None:
        with torch.no_grad():
            norm.running_mean.copy_(torch.tensor([0.5, -1.0]))
            norm.running_var.copy_(torch.tensor([4.0, 0.25]))
            norm.weight.copy_(torch.tensor([2.0, -3.0]))
            norm.bias.copy_(torch.tensor([0.1, 0.2]))
    return module.eval()


def bn(u):
    columns = ([0.5, -1.0], [4.0, 0.25], [2.0, -3.0], [0.1, 0.2])
    mean, var, gain, shift = (torch.tensor(v, dtype=torch.float64).reshape(1, -1, 1, 1) for v in columns)
    return (u - mean) / torch.sqrt(var + 1e-5) * gain + shift


def by_the_paper(unit, x, w):
    """The unit's output, from the formula of its paper and nothing of ours."""
    sign = torch.where(x > 0, 1.0, -1.0).double()
    signs = torch.where(w > 0, 1.0, -1.0).double()
    channel = w.abs().mean((1, 2, 3), keepdim=True)
    match unit:
        case "bnn":
            return bn(F.conv2d(sign, signs, padding=1))
        case "bireal":
            return x + bn(F.conv2d(sign, signs * channel, padding=1))
        case "reactnet":  # thresholds and shifts are 0, the slope 0.25 at the start
            y = x + bn(F.conv2d(sign, signs * channel, padding=1))
            return torch.where(y > 0, y, 0.25 * y)
        case "irnet":
            v = (w - w.mean((1, 2, 3), keepdim=True)) / w.std((1, 2, 3), keepdim=True)
            power = 2 ** torch.round(torch.log2(v.abs().mean((1, 2, 3), keepdim=True)))
            return x + bn(F.conv2d(sign, torch.where(v > 0, 1.0, -1.0).double() * power, padding=1))
        case "dorefa":
            bits = torch.round(x.clamp(0, 1))
            return x + bn(F.conv2d(bits, signs * w.abs().mean(), padding=1))
        case "btm":
            u = F.conv2d(sign, signs * channel, padding=1)
            return x + torch.where(u > 0, u, 0.25 * u)


@pytest.mark.parametrize("unit", UNIT_METHODS)
def test_a_unit_computes_its_papers_formula(unit):
    module, x = prepared(unit), randn(2, 2, 5, 4)
    with torch.no_grad():
        ours = module(x)
        expected = by_the_paper(unit, x, module.branch.conv.weight)
    assert torch.allclose(ours, expected, atol=1e-9)


def test_two_pixels_by_hand():
    """One channel, weights 1, 2, -3 in the middle row, x = (0.4, -0.2); BN as it starts, the identity."""
    expected = {
        # sign x = (+1, -1): left (0 + 2 + 3), right (1 - 2)  with |w| -> s = 6 / 9
        "bnn": (1 * 1 + -1 * -1, 1 * 1 + -1 * 1),
        "bireal": (0.4 + 6 / 9 * 2, -0.2 + 6 / 9 * 0),
        "dorefa": (0.4 + 0, -0.2 + 0),  # 0.4 and -0.2 round to 0
        "btm": (0.4 + 6 / 9 * 2, -0.2 + 0),
    }
    for unit, values in expected.items():
        module = make_unit(unit, 1, False).double().eval()
        with torch.no_grad():
            module.branch.conv.weight.zero_()
            module.branch.conv.weight[0, 0, 1] = torch.tensor([1.0, 2.0, -3.0])
            found = module(line(0.4, -0.2)).flatten().tolist()
        assert found == pytest.approx(values, abs=1e-4), unit


def test_clipped_sign():
    x = line(-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5).requires_grad_()
    y = SignClip.apply(x, torch.zeros(1, 1, 1, 1), 1.0)
    y.sum().backward()
    assert y.flatten().tolist() == [-1, -1, -1, -1, 1, 1, 1]
    assert x.grad.flatten().tolist() == [0, 1, 1, 1, 1, 1, 0]


def test_dorefa_bits_have_gradient_one_between_zero_and_one():
    x = line(-0.2, 0.1, 0.4, 0.6, 0.9, 1.3).float().requires_grad_()
    bits = make_unit("dorefa", 1, False).branch.sign(x)
    bits.sum().backward()
    assert bits.flatten().tolist() == [0, 0, 0, 1, 1, 1]
    assert x.grad.flatten().tolist() == [0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("t", [0.1, 1.0, 4.0])
def test_decaying_gradient(t):
    x = line(-0.7, 0.2, 0.9).requires_grad_()
    DecaySign.apply(x, torch.zeros(1, 1, 1, 1), 1.0, torch.tensor(t)).sum().backward()
    k = max(1 / t, 1)
    expected = [k * t * (1 - math.tanh(t * v) ** 2) for v in (-0.7, 0.2, 0.9)]
    assert x.grad.flatten().tolist() == pytest.approx(expected, rel=1e-6)


def test_progress_reaches_weights_and_activations_and_decays_geometrically():
    network = build(NetworkConfig(unit="irnet", width=4, depth=2))
    found = decays(network)
    assert len(found) == 2 * 2
    for fraction, t in ((0.0, T_MIN), (0.5, 1.0), (1.0, T_MAX)):
        set_progress(found, fraction)
        assert [d.t.item() for d in found] == pytest.approx([t] * 4)
    assert not [key for key in network.state_dict() if "decay" in key]


def weight_gradient(unit, upstream, weight):
    conv = make_unit(unit, 2, False).double().branch.conv
    with torch.no_grad():
        conv.weight.copy_(weight)
    sign, scale = conv.sign_and_scale()
    (sign * scale.reshape(-1, 1, 1, 1)).backward(upstream)
    return conv.weight.grad


def test_weight_gradients():
    weight, upstream = 2 * randn(2, 2, 3, 3), randn(2, 2, 3, 3, seed=1)
    clamp = upstream * (weight.abs() <= 1)
    for unit in ("bnn", "bireal", "btm"):
        assert torch.allclose(weight_gradient(unit, upstream, weight), clamp), unit
    assert torch.allclose(weight_gradient("dorefa", upstream, weight), upstream)
    # IR-Net: through mean and std, so a shift or a stretch of a filter changes nothing
    grad = weight_gradient("irnet", upstream, weight)
    assert torch.allclose(grad.sum((1, 2, 3)), torch.zeros(2).double(), atol=1e-12)
    centred = weight - weight.mean((1, 2, 3), keepdim=True)
    assert torch.allclose((grad * centred).sum((1, 2, 3)), torch.zeros(2).double(), atol=1e-12)
    assert grad.abs().sum() > 0


def accumulating_reference(x, body):
    """BAM by the equations in quant/methods/bam.py, written with loops."""
    activations, weights = [x], []
    for unit in body:
        weights.append(unit.branch.conv.weight)
        beta, alpha = unit.beta.weight[0], unit.branch.alpha.weight
        summed = sum(beta[i] * a for i, a in enumerate(activations))
        norm = unit.norm
        mean, var = (v.reshape(1, -1, 1, 1) for v in (norm.running_mean, norm.running_var))
        bits = torch.where((summed - mean) / torch.sqrt(var + norm.eps) > 0, 1.0, -1.0).double()
        mixed = sum(alpha[i] * w for i, w in enumerate(weights))
        centred = mixed - mixed.mean((1, 2, 3), keepdim=True)
        binary = torch.where(centred > 0, 1.0, -1.0).double() * weights[-1].abs().mean(
            (1, 2, 3), keepdim=True
        )
        scale = sum(beta[i] * a.abs().mean(1, keepdim=True) for i, a in enumerate(activations))
        activations.append(activations[-1] + F.conv2d(bits, binary, padding=1) * scale)
    return activations[-1]


def test_bam_accumulates_bits_weights_and_scales():
    torch.manual_seed(5)
    body = BinaryBody(3, 4, "bam", bias=False).double().eval()
    with torch.no_grad():
        for unit in body:
            unit.beta.weight.copy_(torch.randn_like(unit.beta.weight))
            unit.branch.alpha.weight.copy_(torch.randn_like(unit.branch.alpha.weight))
        x = randn(1, 3, 5, 6)
        assert torch.allclose(body(x), accumulating_reference(x, body), atol=1e-9)
    x.requires_grad_()
    body(x).sum().backward()
    last = body[3]
    assert (last.beta.weight.grad != 0).any()
    assert (body[0].branch.conv.weight.grad != 0).any()


@pytest.mark.parametrize("unit", [*BASELINES, "v4"])
def test_only_two_values_enter_a_binary_convolution(unit, monkeypatch):
    seen = []
    plain = F.conv2d

    def spy(x, weight, *args, **kwargs):
        seen.append((x, weight))
        return plain(x, weight, *args, **kwargs)

    network = build(NetworkConfig(unit=unit, width=4, depth=3, mode="paper", binary=("body",)))
    monkeypatch.setattr(F, "conv2d", spy)
    network(torch.randint(0, 256, (1, 3, 6, 5)).float())
    body = [(x, w) for x, w in seen if x.shape[1] == 4 and tuple(x.shape[2:]) == (6, 5)][:3]
    assert len(body) == 3
    for x, weight in body:
        levels = {0.0, 1.0} if unit == "dorefa" else {-1.0, 1.0}
        assert set(x.unique().tolist()) <= levels
        magnitude = weight.abs().amax((1, 2, 3), keepdim=True)
        assert torch.allclose(weight.abs(), magnitude.expand_as(weight))


def small(config):
    """The same kind of network in a size that runs in an instant."""
    depth = config.residual or 2
    broken = tuple(p for p in config.broken if p <= depth)
    return replace(config, width=4, depth=depth, broken=broken)


PRINTED = {small(config): key for family in FAMILIES.values() for key, config in family.rows.items()}


@pytest.mark.parametrize("config", PRINTED, ids=lambda c: " ".join(PRINTED[c]).replace(" ", "-"))
def test_every_printed_network_runs_and_learns(config):
    torch.manual_seed(0)
    network = build(config)
    pixels = torch.randint(0, 256, (2, config.channels, 8, 7)).float()
    out = network(pixels)
    scale = config.scale
    assert out.shape == (2, config.channels, 8 * scale, 7 * scale)
    (out - 100).abs().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    convs = [m for m in network.modules() if isinstance(m, BinaryConv2d)]
    assert len(convs) > 0 or not config.binary
    # BNN has no path past the sign: a convolution may have no gradient by chance, but not all of them
    assert any(conv.weight.grad.abs().sum() > 0 for conv in convs) or not convs


HARDWARE_METHODS = [unit for unit in (*UNIT_METHODS, "v1", "v4") if unit in HARDWARE_UNITS]


@pytest.mark.parametrize("unit", HARDWARE_METHODS)
def test_hardware_is_the_papers_formula_within_rounding(unit):
    """Folding is right: away from the border, whose padding differs, only the stream's rounding is left."""
    module, lsb = prepared(unit), 2.0**-9
    x = torch.round(randn(1, 2, 9, 9) / lsb) * lsb
    stream = Stream(1 / lsb, 24)
    with torch.no_grad():
        paper = module(x)
        ours = module.hardware(TorchOps(), "u", x / lsb, stream) * lsb
    difference = (ours - paper).abs()
    assert difference[..., 1:-1, 1:-1].max() <= 1.5 * lsb
    if unit == "dorefa":  # 0 is what -1 stands for, in the padding too
        assert difference.max() <= 1.5 * lsb


def test_btm_hardware_head_is_that_of_normalised_pixels():
    torch.manual_seed(2)
    config = NetworkConfig(unit="btm", width=4, depth=1, stream_bits=24, fraction_bits=8)
    network = build(config).double().eval()
    pixels = torch.randint(0, 256, (1, 3, 7, 7)).double()
    trace = {}
    with torch.no_grad():
        network.hardware(TorchOps(trace=trace), pixels)
        weight, scale = network.head.integer_and_scale()
        x = (pixels / 255 - 0.42) / 0.25
        expected = F.leaky_relu(F.conv2d(x, weight * scale.reshape(-1, 1, 1, 1), padding=1), 0.1)
    found = trace["head.requant"] / network.stream.unit
    assert torch.allclose(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=2e-3)


@pytest.mark.parametrize(
    "config",
    [
        EdsrConfig(width=4, depth=2, binary=("body",), unit="bireal", mode="hardware"),
        E2fifConfig(width=4, depth=2, scale=3),
    ],
    ids=["edsr", "e2fif"],
)
def test_grey_level_networks_on_integers_are_near_their_float_twin(config):
    """With bodies that put out nothing, what differs is rounding: the mean is folded in on both sides."""
    torch.manual_seed(4)
    config = replace(config, fraction_bits=6, stream_bits=18)
    hardware = build(config).double()
    with torch.no_grad():
        for name, parameter in hardware.named_parameters():
            if "norm.weight" in name or "norm.bias" in name:
                parameter.zero_()  # the binary bits of two rounded streams may differ
    twin = build(replace(config, mode="paper")).double()
    missing = twin.load_state_dict(hardware.state_dict(), strict=False)
    assert not missing.missing_keys
    pixels = torch.randint(90, 140, (1, 3, 9, 9)).double()
    with torch.no_grad():
        ours = hardware.hardware(TorchOps(), pixels)
        theirs = twin.eval()(pixels)
    border = 4 * config.scale  # the pixels' padding is 0 there, not the mean
    inner = (..., slice(border, -border), slice(border, -border))
    assert ours[inner].std() > 0
    assert (ours - theirs.clamp(0, 255))[inner].abs().max() < 1.5


def test_reactnet_is_bbcu_v1():
    torch.manual_seed(0)
    ours, bbcu = make_unit("reactnet", 3, False), make_unit("v1", 3, False)
    bbcu.load_state_dict(ours.state_dict())
    x = randn(1, 3, 4, 4).float()
    assert torch.equal(ours(x), bbcu(x))


def test_e2fif_unit_has_unscaled_weights_and_a_bias():
    unit = E2fifUnit(2, bias=True).double().eval()
    x = randn(1, 2, 3, 3)
    sign, weight = (torch.where(v > 0, 1.0, -1.0).double() for v in (x, unit.branch.conv.weight))
    expected = x + F.conv2d(sign, weight, unit.branch.conv.bias, padding=1) / math.sqrt(1 + 1e-5)
    assert torch.allclose(unit(x), expected)
    upstream = randn(2, 2, 3, 3)
    unit.branch.conv.sign_and_scale()[0].backward(upstream)
    assert torch.equal(unit.branch.conv.weight.grad, upstream)


def test_btm_sees_normalised_pixels_and_gives_them_back():
    config = NetworkConfig(unit="btm", width=4, depth=1, mode="paper", binary=("body",))
    network = build(config).double()
    with torch.no_grad():
        network.tail.conv.weight.zero_()
    pixels = torch.randint(0, 256, (1, 3, 5, 5)).double()
    seen = []
    network.head.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    out = network(pixels)
    assert torch.allclose(seen[0], (pixels / 255 - 0.42) / 0.25)
    assert torch.allclose(out, F.interpolate(pixels, scale_factor=2, mode="bilinear"), atol=1e-9)


@pytest.mark.parametrize("unit", ["irnet", "bam", "dorefa", "reactnet"])
def test_a_network_is_one_graph_for_the_compiler(unit):
    """Traced without a break, as training compiles it; the backend just runs the graph."""
    torch.manual_seed(0)
    mode = "hardware" if unit in HARDWARE_UNITS else "paper"
    network = build(NetworkConfig(unit=unit, width=3, depth=2, binary=("body",), mode=mode))
    pixels = torch.randint(0, 256, (1, 3, 6, 6)).float()
    eager = copy.deepcopy(network)(pixels)
    compiled = torch.compile(network, fullgraph=True, backend="eager")(pixels)
    assert torch.allclose(eager, compiled, atol=1e-3)
    compiled.mean().backward()
