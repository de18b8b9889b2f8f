# SPDX-License-Identifier: BSD-3-Clause
"""EDSR (Lim et al. 2017), full precision or with a binary body: the backbone of EBSR's Tables 6 and 7.

What EBSR calls SRResNet-fp is EDSR's small form, 16 blocks of 64 channels: its printed costs say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quant.config import BASELINES, HARDWARE_UNITS, UNITS, ConfigError, NetworkConfig
from quant.integer_ops import TorchOps, quantize_affine
from quant.layers import Requant8, ScaledConv2d
from quant.networks.base import RestorationNetwork, binary_body
from quant.networks.family import Family, Key

Q_STEP = 0.5  # initial step of the int8 tensors, in grey levels
RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""Of DIV2K's training images on 0..1, the constants of EDSR's published code."""


@dataclass(frozen=True)
class EdsrConfig(NetworkConfig):
    """EDSR: `depth` convolutions, two per residual block.

    Args:
        residual_scale: factor on the residual of a full-precision block, 0.1 in the large network.
    """

    ARCHS: ClassVar[tuple[str, ...]] = ("edsr",)

    arch: str = "edsr"
    binary: tuple[str, ...] = ()
    unit: str = "bireal"
    mode: str = "paper"
    residual_scale: float = 1.0

    def check(self) -> None:
        """Full precision, or a binary body in either mode."""
        if self.mode == "hardware" and not (self.binary and self.unit in HARDWARE_UNITS):
            raise ConfigError(f"hardware mode needs a binary body of units {', '.join(HARDWARE_UNITS)}")
        self._one_of("binary", ((), ("body",)))
        self._one_of("unit", UNITS + BASELINES)
        if not self.binary and self.depth % 2:
            raise ConfigError(f"depth {self.depth}: full-precision EDSR has two convolutions per block")
        self._check_skips()

    @property
    def k(self) -> float:
        """EDSR works on grey levels, 0..255; the units that define a k of their own keep it."""
        own = self.amplification is not None or (self.binary and self.unit in ("v3", "v4", "btm"))
        return super().k if own else 255.0


class EdsrBlock(nn.Module):
    """x + scale * (conv - ReLU - conv)."""

    def __init__(self, channels: int, scale: float):
        super().__init__()
        self.scale = scale
        self.conv1 = plain_conv(channels, channels)
        self.conv2 = plain_conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return x + self.scale * self.conv2(F.relu(self.conv1(x)))


def plain_conv(in_channels: int, out_channels: int, int8: bool = False) -> ScaledConv2d:
    """3x3 convolution with bias and PyTorch's initialisation of its weight."""
    return ScaledConv2d(in_channels, out_channels, int8, init_scale=None)


def mean_of(x: Tensor, config: NetworkConfig) -> Tensor:
    """The mean that the networks on grey levels subtract, in k-scaled units, shape (1, C, 1, 1)."""
    mean = RGB_MEAN if config.channels == 3 else (sum(RGB_MEAN) / 3,)
    # BTM normalises by itself (NetworkConfig.offset).
    return (x.new_tensor(mean) * (config.k if not config.offset else 0.0)).reshape(1, -1, 1, 1)


class EDSR(RestorationNetwork):
    """head - body - convolution - + head - upsampling - tail; the mean of the images is taken off first."""

    config: EdsrConfig

    def __init__(self, config: EdsrConfig):
        super().__init__(config)
        c, n, int8 = config.width, config.channels, config.mode == "hardware"
        self.factors = (2, 2) if config.scale == 4 else (config.scale,)
        self.head = plain_conv(n, c, int8)
        if config.binary:
            self.body = binary_body(config)
        else:
            blocks = (EdsrBlock(c, config.residual_scale) for _ in range(config.depth // 2))
            self.body = nn.Sequential(*blocks)
        self.end = plain_conv(c, c, int8)
        self.up = nn.ModuleList(plain_conv(c, c * r * r, int8) for r in self.factors)
        self.tail = plain_conv(c, n, int8)
        if int8:  # one 8-bit tensor in front of every int8 convolution behind the head
            step = Q_STEP * config.k / 255
            self.to_end, self.to_up = Requant8(step), Requant8(step)
            self.between = nn.ModuleList(Requant8(step) for _ in self.factors)

    def paper(self, x: Tensor) -> Tensor:
        """(N, c, H, W) to (N, c, rH, rW) in k-scaled units."""
        mean = mean_of(x, self.config)
        feat = self.head(x - mean)
        feat = self.end(self.body(feat)) + feat
        for up, r in zip(self.up, self.factors, strict=True):
            feat = F.pixel_shuffle(up(feat), r)
        return self.tail(feat) + mean

    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The integer contract, grey levels in and out; the mean goes into the biases of head and output."""
        config, stream, c = self.config, self.stream, self.config.width
        mean = mean_of(self.tail.conv.weight, config).flatten() + config.offset * config.k
        head = self._int8_head(ops, pixels, self.head, 1.0, mean)
        x = self.body.hardware(ops, head, stream)
        q, step = self._stream_to_q(ops, "end.input", x, self.to_end, c)
        acc, slope, bias = self._int8(ops, "end", q, step, self.end)
        a, b = slope * stream.unit, bias * stream.unit
        end = ops.requant("end.requant", acc, quantize_affine(a, b, a, b, torch.zeros_like(b)), stream.bits)
        x = ops.join("end.join", head, end, stream.bits)
        q, step = self._stream_to_q(ops, "up.requant", x, self.to_up, c)
        for i, (up, r) in enumerate(zip(self.up, self.factors, strict=True)):
            acc, slope, bias = self._int8(ops, f"up.{i}", q, step, up)
            q, step = self.between[i].hardware(ops, f"up.{i}.requant", acc, slope, bias)
            q = ops.pixel_shuffle(f"up.{i}.shuffle", q, r)
        acc, slope, bias = self._int8(ops, "tail", q, step, self.tail)
        grey = 255 / config.k
        return ops.plain_output("output", acc, slope * grey, (bias + mean) * grey)


PRINTED = {"BNN": "bnn", "BiReal": "bireal", "IBTM": "btm"}


def _presets() -> dict[str, NetworkConfig]:
    out: dict[str, NetworkConfig] = {}
    for scale in (2, 3, 4):
        large = EdsrConfig(scale=scale, width=256, depth=64, residual_scale=0.1)
        out[f"edsr_baseline_x{scale}"] = EdsrConfig(scale=scale)
        out[f"edsr_x{scale}"] = large
        for unit in PRINTED.values():
            skips = 2 if unit == "bnn" else 0  # BNN has none of its own; EDSR's blocks keep theirs
            binary = replace(large, binary=("body",), unit=unit, residual=skips)
            out[f"edsr_{unit}_x{scale}"] = binary
    return out


def _rows(presets: dict[str, NetworkConfig]) -> dict[Key, NetworkConfig]:
    rows: dict[Key, NetworkConfig] = {
        ("ebsr_table4", "SRResNet-fp", "x4"): presets["edsr_baseline_x4"],
        ("ebsr_table4", "EDSR-fp", "x4"): presets["edsr_x4"],
    }
    for scale in ("x2", "x3", "x4"):
        rows["ebsr_table6", "SRResNet-fp", scale] = presets[f"edsr_baseline_{scale}"]
        rows["ebsr_table7", "EDSR-fp", scale] = presets[f"edsr_{scale}"]
        for method, unit in PRINTED.items():
            rows["ebsr_table7", f"EDSR-{method}", scale] = presets[f"edsr_{unit}_{scale}"]
    return rows


PARTS_OF = {"head": "head", "body": "body", "end": "body_end", "up": "upsampling", "tail": "tail"}
_PRESETS = _presets()
FAMILY = Family("edsr", EDSR, _PRESETS, _rows(_PRESETS), parts=PARTS_OF)
