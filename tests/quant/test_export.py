# SPDX-License-Identifier: BSD-3-Clause
"""Export: the float64 torch network, its integers on golden, tensor by tensor, equal."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import golden
from quant.config import DEBLOCK, DENOISE, HARDWARE_UNITS, ConfigError, NetworkConfig
from quant.export import float64_network, from_checkpoint, main, to_integers
from quant.integer_ops import TorchOps
from quant.networks import build
from quant.networks.e2fif import E2fifConfig
from quant.networks.edsr import EdsrConfig
from quant.trained import load_network, save_network

SMALL = {"width": 6, "depth": 2}
BINARY_PARTS = [
    ("body",),
    ("body", "upsampling"),
    ("head", "body"),
    ("body", "tail"),
    ("head", "body", "upsampling", "tail"),
]


def sr_configs():
    return st.builds(
        NetworkConfig,
        scale=st.sampled_from((2, 3, 4)),
        channels=st.sampled_from((1, 3)),
        width=st.integers(1, 9),
        depth=st.integers(1, 3),
        binary=st.sampled_from(BINARY_PARTS),
        unit=st.sampled_from(HARDWARE_UNITS),
        bias=st.booleans(),
        fraction_bits=st.sampled_from((None, 0, 2, 5)),
        stream_bits=st.sampled_from((8, 12, 14)),
    )


def same_size_configs():
    return st.builds(
        lambda base, **kw: replace(base, **kw),
        st.sampled_from((DENOISE, DEBLOCK)),
        width=st.integers(1, 9),
        depth=st.integers(1, 3),
        unit=st.sampled_from(HARDWARE_UNITS),
        channels=st.sampled_from((1, 3)),
        bias=st.booleans(),
    )


def grey_level_configs():
    """The families without a base image, on grey levels."""
    e2fif = st.builds(
        E2fifConfig, scale=st.sampled_from((2, 3, 4)), width=st.integers(1, 6), depth=st.just(2)
    )
    edsr = st.builds(
        EdsrConfig,
        scale=st.sampled_from((2, 3, 4)),
        channels=st.sampled_from((1, 3)),
        width=st.integers(1, 6),
        depth=st.integers(1, 3),
        binary=st.just(("body",)),
        unit=st.sampled_from(HARDWARE_UNITS),
        mode=st.just("hardware"),
    )
    return st.one_of(e2fif, edsr)


def shaken(config: NetworkConfig, seed: int, strength: float = 0.1):
    """A network with random parameters everywhere, running statistics included."""
    torch.manual_seed(seed)
    network = build(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * strength)
    network.train()
    network(torch.randint(0, 256, (2, config.channels, 8, 8)).float())
    return network.eval()


def assert_equal_everywhere(network, image: np.ndarray) -> None:
    """Every named tensor of the float64 network equals golden's."""
    integers = to_integers(network)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    ours: dict = {}
    with torch.no_grad():
        float64_network(network).hardware(TorchOps(trace=ours), pixels)
    compared = 0
    for layer, (name, expected) in zip((None, *integers.layers), golden.trace(integers, image), strict=True):
        if layer is None:
            continue
        value = ours[name][0].permute(1, 2, 0).numpy()
        if integers.types[name].kind == "bits":
            value = (value + 1) / 2  # +-1 to bits
        np.testing.assert_array_equal(value, expected, err_msg=name)
        compared += 1
    assert compared == len(integers.layers) == len(ours)


@settings(max_examples=40, deadline=None)
@given(
    config=st.one_of(sr_configs(), same_size_configs(), grey_level_configs()),
    seed=st.integers(0, 999),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
)
def test_float64_network_equals_golden_in_every_tensor(config, seed, height, width):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, config.channels), dtype=np.uint8)
    assert_equal_everywhere(shaken(config, seed), image)


@pytest.mark.parametrize("value", [0, 255])
def test_saturating_stream(value):
    network = shaken(NetworkConfig(scale=2, **SMALL), 3, strength=3.0)
    image = np.full((5, 4, 3), value, np.uint8)
    assert_equal_everywhere(network, image)


def test_call_in_evaluation_mode_returns_the_same_pixels():
    network = float64_network(shaken(NetworkConfig(scale=3, **SMALL), 5))
    image = np.random.default_rng(5).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    with torch.no_grad():
        ours = network(torch.from_numpy(image).permute(2, 0, 1)[None].double())[0].permute(1, 2, 0)
    np.testing.assert_array_equal(ours.numpy(), golden.run(to_integers(network), image))


def test_paper_mode_has_no_integers():
    with pytest.raises(ConfigError, match="hardware"):
        to_integers(build(NetworkConfig(mode="paper", **SMALL)))


def test_meta_keeps_the_configuration():
    config = replace(DEBLOCK, **SMALL)
    integers = to_integers(build(config), "tiny")
    assert integers.meta["name"] == "tiny"
    assert NetworkConfig.from_dict(integers.meta["config"]) == config


def test_saved_network_exports_the_same_integers(tmp_path):
    network = shaken(NetworkConfig(scale=4, **SMALL), 8)
    save_network(network, tmp_path / "n.pt")
    again = load_network(tmp_path / "n.pt")
    assert to_integers(again).content_hash == to_integers(network).content_hash


@pytest.mark.parametrize("content", [b"", b"not a network", b"PK\x03\x04 truncated"])
def test_damaged_files_are_one_clear_error(tmp_path, content):
    for read in (load_network, from_checkpoint):
        path = tmp_path / "bad.pt"
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"bad\.pt") as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_network_of_another_configuration_is_one_clear_error(tmp_path):
    torch.save({"config": NetworkConfig(**SMALL).to_dict(), "state": {}, "provenance": {}}, tmp_path / "n.pt")
    with pytest.raises(ConfigError, match="Missing key") as caught:
        load_network(tmp_path / "n.pt")
    assert "\n" not in str(caught.value)


def test_command_line(tmp_path, capsys):
    save_network(shaken(NetworkConfig(scale=2, **SMALL), 1), tmp_path / "a.pt")
    assert main(["--network", str(tmp_path / "a.pt"), "--out", str(tmp_path / "b.npz")]) == 0
    assert golden.IntegerNetwork.load(tmp_path / "b.npz").scale == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pt", "b.npz", "b.pt"]
    capsys.readouterr()
    assert main(["--folder", str(tmp_path / "none"), "--out", str(tmp_path / "c.npz")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "last.ckpt" in error
    assert main(["--network", str(tmp_path / "a.pt"), "--out", str(tmp_path / "c.onnx")]) == 2
    assert not (tmp_path / "c.onnx").exists()
