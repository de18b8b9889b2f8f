# SPDX-License-Identifier: BSD-3-Clause
"""Bodies of binary units, their residual connections, and the registry of families."""

from dataclasses import replace

import pytest
import torch

from quant.config import BASELINES, DEBLOCK, DENOISE, HARDWARE_UNITS, PRESETS, ConfigError, NetworkConfig
from quant.methods import BinaryBody
from quant.methods.bam import BamUnit
from quant.networks import FAMILIES, build
from quant.networks.e2fif import E2fifConfig
from quant.networks.edsr import EdsrConfig


def image(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_skip_around_every_unit_is_what_v4_has():
    torch.manual_seed(1)
    own = BinaryBody(3, 4, "v4", False)
    explicit = BinaryBody(3, 4, "v4", False, residual=1)
    explicit.load_state_dict(own.state_dict())
    x = image(1, 3, 5, 5)
    assert torch.equal(own(x), explicit(x))


def test_skip_around_two_and_a_broken_skip():
    torch.manual_seed(1)
    body = BinaryBody(3, 4, "v4", False, residual=2)
    x = image(1, 3, 5, 5)
    inner = [lambda v, u=u: u.branch.act(u.branch(v)) for u in body]
    y = x + inner[1](inner[0](x))
    assert torch.allclose(body(x), y + inner[3](inner[2](y)))
    broken = BinaryBody(3, 4, "v4", False, broken=(2,))
    broken.load_state_dict(body.state_dict())
    y = inner[1](x + inner[0](x))
    for f in inner[2:]:
        y = y + f(y)
    assert torch.allclose(broken(x), y)


def test_full_precision_blocks_of_n_convolutions():
    base = NetworkConfig(width=3, depth=4, binary=(), mode="paper")
    for residual, blocks, convs in ((0, 2, 2), (1, 4, 1), (2, 2, 2), (4, 1, 4)):
        network = build(replace(base, residual=residual))
        assert len(network.body) == blocks
        assert all(sum(1 for _ in b.children()) == convs for b in network.body)
    ours, plain = build(replace(base, residual=2)), build(base)
    plain.load_state_dict(ours.state_dict())
    pixels = torch.rand(1, 3, 4, 4) * 255
    assert torch.equal(ours(pixels), plain(pixels))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"residual": 3, "mode": "paper"}, "residual"),
        ({"residual": 2}, "residual"),
        ({"residual": 2, "mode": "paper", "unit": "bam"}, "bam"),
        ({"broken": (9,), "mode": "paper"}, "broken"),
        ({"broken": (1,)}, "broken"),
        ({"unit": "bam"}, "integer form"),
    ],
)
def test_impossible_bodies_are_clear_errors(change, words):
    with pytest.raises(ConfigError, match=words):
        NetworkConfig(**{"depth": 8, "width": 4, **change})
    with pytest.raises(ConfigError, match="binary body"):
        EdsrConfig(mode="hardware")
    with pytest.raises(ConfigError, match="two convolutions"):
        E2fifConfig(depth=3)


# The registry


def test_presets_of_all_families_are_found_and_read_back():
    assert len(PRESETS) == sum(len(f.presets) for f in FAMILIES.values())
    for name, config in PRESETS.items():
        assert NetworkConfig.from_dict(config.to_dict()) == config, name
    with pytest.raises(ConfigError, match="known are"):
        NetworkConfig.from_dict({"arch": "unet"})


def test_hardware_units_are_all_but_bam():
    assert set(BASELINES) - set(HARDWARE_UNITS) == {"bam"}
    for base in (DENOISE, DEBLOCK):
        assert build(replace(base, unit="bnn", width=4, depth=1)).config.mode == "hardware"


def test_bam_counts_its_index():
    with pytest.raises(ValueError, match="zip"):
        BamUnit(2, 3)([torch.zeros(1, 2, 3, 3)] * 3, [torch.zeros(2, 2, 3, 3)] * 2)
