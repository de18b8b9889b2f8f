# SPDX-License-Identifier: BSD-3-Clause
"""Quantizers and units: forward values and gradients against the papers' equations written out."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from quant.config import PRESETS, ConfigError, NetworkConfig, preset
from quant.integer_ops import A_MAX, B_MAX, SHIFT_MAX, TorchOps, quantize_affine, quantize_output
from quant.layers import BinaryConv2d, RPReLU, ScaledConv2d
from quant.networks import build
from quant.quantizers import IntegerClamp, LearnedStep, SignPoly, fixed_point
from quant.units import BodyUnit, HeadUnit, TailUnit, UpUnit


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_sign_gradient_is_the_piecewise_polynomial():
    x = torch.tensor([-1.5, -1.0, -0.75, -0.25, 0.0, 0.25, 0.75, 1.0, 1.5], dtype=torch.float64)
    x = x.reshape(1, 1, 1, -1).requires_grad_()
    alpha = torch.zeros(1, 1, 1, 1, dtype=torch.float64, requires_grad=True)
    y = SignPoly.apply(x, alpha, 1.0)
    y.sum().backward()
    # Eq. 6: 2 + 2x on [-1, 0), 2 - 2x on [0, 1), 0 elsewhere; sign(0) = -1 as Eq. 2.
    assert y.flatten().tolist() == [-1, -1, -1, -1, -1, 1, 1, 1, 1]
    assert x.grad.flatten().tolist() == [0, 0, 0.5, 1.5, 2, 1.5, 0.5, 0, 0]
    assert alpha.grad.item() == -6.0


def test_sign_window_scales_the_gradient():
    x = torch.tensor([[[[8.0]]]], requires_grad=True)
    SignPoly.apply(x, torch.zeros(1, 1, 1, 1), 16.0).sum().backward()
    assert x.grad.item() == pytest.approx((2 - 2 * 8 / 16) / 16)


def test_binary_weight_is_scaled_sign_with_clamp_gradient():
    conv = BinaryConv2d(2, 3).double()
    with torch.no_grad():
        conv.weight.copy_(randn(3, 2, 3, 3))
        conv.weight[0, 0, 0, 0] = 0.0
    sign, scale = conv.sign_and_scale()
    weight = conv.weight.detach()
    expected = torch.where(weight > 0, 1.0, -1.0)  # Eq. 3: 0 gives -1
    assert torch.equal(sign, expected.double())
    assert torch.allclose(scale, weight.abs().mean((1, 2, 3)))
    assert not scale.requires_grad
    upstream = randn(3, 2, 3, 3, seed=1)
    (sign * scale.reshape(-1, 1, 1, 1)).backward(upstream)
    assert torch.allclose(conv.weight.grad, upstream * (weight.abs() <= 1))


@given(st.integers(-50, 50), st.integers(2, 5))
def test_integer_clamp_and_floor(value, bits):
    low, high = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    x = torch.tensor(float(value), requires_grad=True)
    y = IntegerClamp.apply(x, low, high)
    y.backward()
    assert y.item() == min(max(value, low), high)
    assert x.grad.item() == float(low <= value <= high)
    z = torch.tensor(value / 7, requires_grad=True)
    q = fixed_point(z, bits)
    q.backward()
    assert q.item() == min(max(math.floor(value / 7), low), high)
    assert z.grad.item() == float(low <= math.floor(value / 7) <= high)


def test_learned_step_starts_at_its_initial_value_and_learns():
    step = LearnedStep(0.125)
    assert step().item() == 0.125
    step().backward()
    assert step.value.grad.item() == pytest.approx(0.125 * math.log(2))


@given(st.integers(0, 10_000))
def test_affine_coefficients_fit_the_contract(seed):
    rng = np.random.default_rng(seed)
    a1, b1, a0, b0, knee = (
        torch.from_numpy(rng.standard_normal(4) * 10.0 ** rng.uniform(-5, 3.5)) for _ in range(5)
    )
    affine = quantize_affine(a1, b1, a0, b0, knee)
    shift = affine.shift.item()
    assert 0 <= shift <= SHIFT_MAX
    assert shift == int(shift)
    for real, integer in ((a1, affine.a1), (a0, affine.a0)):
        assert integer.abs().max() <= A_MAX
        assert (integer / 2**shift - real).abs().max() <= 0.5 / 2**shift
    for real, integer in ((b1, affine.b1), (b0, affine.b0)):
        assert integer.abs().max() <= B_MAX
        assert (integer / 2**shift - 0.5 * (shift > 0) - real).abs().max() <= 0.5 / 2**shift
    assert torch.equal(affine.threshold, torch.floor(knee))


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_output_shift_covers_the_base(factor):
    _, b, shift = quantize_output(torch.tensor([0.01]), torch.tensor([3.0]), factor)
    assert shift >= {1: 1, 2: 4, 3: 16, 4: 6}[factor]
    assert b.item() == 3.0 * 2**shift + 2 ** (shift - 1)


@pytest.mark.parametrize("factor", [2, 4])
def test_base_is_torch_bilinear(factor):
    pixels = torch.randint(0, 256, (1, 3, 5, 6)).double()
    base = TorchOps().base("base", pixels, factor) / 2 ** {2: 4, 4: 6}[factor]
    reference = F.interpolate(pixels, scale_factor=factor, mode="bilinear", align_corners=False)
    assert torch.allclose(base, reference, atol=1e-9)


def test_conv_xnor_pads_with_minus_one():
    bits = torch.where(randn(1, 3, 4, 5) > 0, 1.0, -1.0).double()
    weight = torch.where(randn(2, 3, 3, 3) > 0, 1.0, -1.0).double()
    expected = F.conv2d(F.pad(bits, (1, 1, 1, 1), value=-1.0), weight)
    assert torch.equal(TorchOps().conv_xnor("m", bits, weight), expected)


def plain_branch(branch, x):
    """RPReLU(BC(x)) of V4, written out from Eq. 2 to 4."""
    weight = branch.conv.weight
    scaled = torch.where(weight > 0, 1.0, -1.0) * weight.abs().mean((1, 2, 3), keepdim=True)
    bits = torch.where(x > branch.sign.alpha.reshape(1, -1, 1, 1), 1.0, -1.0).to(x.dtype)
    return F.conv2d(bits, scaled, branch.conv.bias, padding=1)


def plain_rprelu(act, y):
    gamma, zeta, beta = (v.reshape(1, -1, 1, 1) for v in (act.gamma, act.zeta, act.beta))
    return torch.where(y > gamma, y - gamma + zeta, beta * (y - gamma) + zeta)


def randomized(module, seed=0):
    module.double().eval()
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return module


@pytest.mark.parametrize("version", ["v1", "v2", "v3", "v4"])
def test_body_unit_paper_mode(version):
    unit, x = randomized(BodyUnit(4, version, bias=True)), randn(2, 4, 5, 6)
    u = plain_branch(unit.branch, x)
    if version == "v1":
        norm = unit.branch.norm
        mean, var, gain, shift = (
            v.reshape(1, -1, 1, 1) for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        u = (u - mean) / torch.sqrt(var + norm.eps) * gain + shift
    act = unit.branch.act
    expected = x + plain_rprelu(act, u) if version == "v4" else plain_rprelu(act, u + x)
    assert torch.allclose(unit(x), expected)


def test_head_up_and_tail_units_paper_mode():
    image, x = randn(1, 3, 4, 4), randn(1, 4, 4, 4)
    head = randomized(HeadUnit(3, 8))
    repeated = torch.stack([image[:, c % 3] for c in range(8)], 1)
    assert torch.allclose(
        head(image), repeated + plain_rprelu(head.branch.act, plain_branch(head.branch, image))
    )
    up = randomized(UpUnit(4, 2))
    y = plain_rprelu(up.branch.act, plain_branch(up.branch, x)) + x.repeat_interleave(4, 1)
    assert torch.allclose(up(x), F.pixel_shuffle(y, 2))  # the authors' form of nearest_up
    tail = randomized(TailUnit(4, 3))
    assert torch.allclose(tail(x), plain_rprelu(tail.branch.act, plain_branch(tail.branch, x)))


def test_amplification_is_a_change_of_unit():
    """Scaling {head, alpha, s, gamma, zeta} with k leaves the output as it is (docs/numerics.md)."""
    config = NetworkConfig(scale=2, width=8, depth=2, mode="paper", amplification=1.0)
    small = randomized(build(config))
    k = 65.0
    large = build(NetworkConfig(scale=2, width=8, depth=2, mode="paper", amplification=k)).double().eval()
    state = small.state_dict()
    for name in state:
        if name.rsplit(".", 1)[-1] in ("alpha", "gamma", "zeta", "bias") or (
            name.endswith("branch.conv.weight")
        ):
            state[name] = state[name] * k
    large.load_state_dict(state)
    pixels = torch.randint(0, 256, (1, 3, 6, 7)).double()
    with torch.no_grad():
        assert torch.allclose(small(pixels), large(pixels), atol=1e-6)


def test_rprelu_pieces_describe_rprelu():
    act = randomized(RPReLU(5))
    slope, intercept = randn(5).abs() + 0.1, randn(5, seed=2)
    a1, b1, a0, b0, knee = act.pieces(slope, intercept, 4.0)
    m = torch.arange(-30, 31, dtype=torch.float64)
    for c in range(5):
        expected = plain_rprelu(act, (slope[c] * m + intercept[c]).reshape(1, 1, -1, 1).expand(1, 5, -1, 1))
        pieces = torch.where(m > knee[c], a1[c] * m + b1[c], a0[c] * m + b0[c])
        assert torch.allclose(pieces, 4 * expected[0, c, :, 0])


def test_int8_weights_are_integers_with_a_scale_per_channel():
    conv = ScaledConv2d(4, 3, int8=True).double()
    integer, scale = conv.integer_and_scale()
    assert torch.equal(integer, integer.round())
    assert integer.abs().amax((1, 2, 3)).tolist() == [127.0] * 3
    error = integer * scale.reshape(-1, 1, 1, 1) - conv.conv.weight
    assert error.abs().max() <= scale.max() / 2 + 1e-12


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_runs(name):
    config = preset(name)
    if config.width > 32:  # the topology, not the size
        config = NetworkConfig.from_dict({**config.to_dict(), "width": 8, "depth": 4})
    network = build(config)
    pixels = torch.randint(0, 256, (1, config.channels, 8, 6)).float()
    restored = network(pixels)
    assert restored.shape == (1, config.channels, 8 * config.scale, 6 * config.scale)
    restored.mean().backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None]
    assert silent == []


@pytest.mark.parametrize(
    "change",
    [
        {"arch": "unet"},
        {"task": "denoise"},
        {"scale": 5},
        {"channels": 4},
        {"unit": "v5"},
        {"width": 0},
        {"binary": ("body", "feet")},
        {"binary": ("upsampling",)},
        {"nonsense": 1},
    ],
)
def test_bad_configurations_name_the_field(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        NetworkConfig.from_dict({**NetworkConfig().to_dict(), **change})


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(ConfigError, match="bbcu_nano_x2"):
        preset("resnet50")
