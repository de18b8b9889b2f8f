# SPDX-License-Identifier: BSD-3-Clause
"""E2FIF (Lang et al. 2022): a full-precision path from head to tail past every binary convolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quant.config import NANO, ConfigError, NetworkConfig
from quant.integer_ops import TorchOps, quantize_affine
from quant.layers import Requant8
from quant.methods.base import MethodUnit
from quant.networks.base import RestorationNetwork
from quant.networks.edsr import mean_of, plain_conv
from quant.networks.family import Family, Key, Misprint
from quant.quantizers import BinaryWeight
from quant.surrogates import StraightSignQuant, UnitScale
from quant.units import Stream

LEAKY = 0.1
Q_STEP = 0.5  # initial step of the int8 tail input, in grey levels
RESIDUE_FRACTION, WIDEST = 3, 16  # of the image in front of the pixel shuffle: fraction bits, bits


class StraightWeight(BinaryWeight):
    """sign(W), unscaled, with the identity as gradient."""

    tensor_quant = StraightSignQuant
    scaling_impl = UnitScale


class E2fifUnit(MethodUnit):
    """x + BN(sign(x) * sign(W) + bias), with the polynomial gradient of the sign."""

    weights = StraightWeight


@dataclass(frozen=True)
class E2fifConfig(NetworkConfig):
    """E2FIF: `depth` binary convolutions, two per block."""

    ARCHS: ClassVar[tuple[str, ...]] = ("e2fif",)

    arch: str = "e2fif"
    binary: tuple[str, ...] = ("body",)
    unit: str = "e2fif"
    bias: bool = True

    def check(self) -> None:
        """One network, in two sizes."""
        self._one_of("binary", (("body",),))
        self._one_of("unit", ("e2fif",))
        if self.depth % 2:
            raise ConfigError(f"depth {self.depth}: E2FIF has two convolutions per block")

    @property
    def k(self) -> float:
        """E2FIF works on grey levels, 0..255."""
        return super().k if self.amplification is not None else 255.0


class E2fifBlock(nn.Module):
    """Two units with a LeakyReLU between them."""

    def __init__(self, channels: int, bias: bool):
        super().__init__()
        self.first, self.second = (E2fifUnit(channels, bias) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return self.second(F.leaky_relu(self.first(x), LEAKY))

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode, stream to stream."""
        x = self.first.hardware(ops, f"{name}.first", x, stream)
        one = torch.ones_like(self.first.branch.conv.bias)
        affine = quantize_affine(one, 0 * one, LEAKY * one, 0 * one, 0 * one)
        x = ops.requant(f"{name}.act", x, affine, stream.bits)
        return self.second.hardware(ops, f"{name}.second", x, stream)


class E2FIF(RestorationNetwork):
    """head - blocks - + head - convolution to c r^2 channels - pixel shuffle."""

    def __init__(self, config: E2fifConfig):
        super().__init__(config)
        c, n = config.width, config.channels
        int8 = config.mode == "hardware"
        self.head = plain_conv(n, c, int8)
        self.body = nn.Sequential(*(E2fifBlock(c, config.bias) for _ in range(config.depth // 2)))
        self.tail = plain_conv(c, n * config.scale**2, int8)
        self.to_tail = Requant8(Q_STEP) if int8 else None

    def paper(self, x: Tensor) -> Tensor:
        """(N, c, H, W) to (N, c, rH, rW) in grey levels."""
        mean = mean_of(x, self.config)
        feat = self.head(x - mean)
        return F.pixel_shuffle(self.tail(self.body(feat) + feat), self.config.scale) + mean

    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The integer contract, grey levels in and out; the mean goes into the biases of head and output."""
        config, stream = self.config, self.stream
        mean = mean_of(self.tail.conv.weight, config).flatten()
        head = x = self._int8_head(ops, pixels, self.head, 1.0, mean)
        for i, block in enumerate(self.body):
            x = block.hardware(ops, f"body.{i}", x, stream)
        x = ops.join("body", head, x, stream.bits)
        q, step = self._stream_to_q(ops, "tail.requant", x, self.to_tail, config.width)
        acc, slope, bias = self._int8(ops, "tail", q, step, self.tail)
        grey = 255 / config.k
        fine = grey * 2**RESIDUE_FRACTION
        affine = quantize_affine(slope * fine, bias * fine, slope * fine, bias * fine, torch.zeros_like(bias))
        image = ops.pixel_shuffle("tail.shuffle", ops.requant("tail.grey", acc, affine, WIDEST), config.scale)
        gain = slope.new_full((config.channels,), 2.0**-RESIDUE_FRACTION)
        return ops.plain_output("output", image, gain, mean * grey)


def _presets() -> dict[str, NetworkConfig]:
    out: dict[str, NetworkConfig] = {}
    for scale in (2, 3, 4):
        out[f"e2fif_x{scale}"] = E2fifConfig(scale=scale)
        out[f"e2fif_nano_x{scale}"] = E2fifConfig(scale=scale, **NANO)
        out[f"edsr_e2fif_x{scale}"] = E2fifConfig(scale=scale, width=256, depth=64)
    return out


def _rows(presets: dict[str, NetworkConfig]) -> dict[Key, NetworkConfig]:
    presets = {name: replace(config, mode="paper") for name, config in presets.items()}
    rows: dict[Key, NetworkConfig] = {
        ("ebsr_table4", "SRResNet-E2FIF", "x4"): presets["e2fif_x4"],
        ("ebsr_table4", "EDSR-E2FIF", "x4"): presets["edsr_e2fif_x4"],
    }
    for scale in ("x2", "x3", "x4"):
        rows["ebsr_table6", "SRResNet-E2FIF", scale] = presets[f"e2fif_{scale}"]
        rows["ebsr_table7", "EDSR-E2FIF", scale] = presets[f"edsr_e2fif_{scale}"]
    return rows


_CUT = "in the last digit, cut instead of rounded"
MISPRINTS = {
    ("ebsr_table4", "SRResNet-E2FIF", "x4"): Misprint(1_835_008_000, None, note=_CUT),
    ("ebsr_table4", "EDSR-E2FIF", "x4"): Misprint(25_325_207_552, None, note=_CUT),
}
_PRESETS = _presets()
FAMILY = Family("e2fif", E2FIF, _PRESETS, _rows(_PRESETS), MISPRINTS)
