# SPDX-License-Identifier: BSD-3-Clause
"""SRResNet for super-resolution, any of its four parts full precision or 1-bit (BBCU Sec. 3.2, 4.2)."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quant.config import BASELINES, FULL, LITE, NANO, PARTS, UNITS, NetworkConfig
from quant.integer_ops import TorchOps, quantize_affine
from quant.layers import Requant8, ScaledConv2d, scaled_kaiming
from quant.networks.base import RestorationNetwork, binary_body, head_init
from quant.networks.family import Family, Key, Misprint
from quant.units import BodyUnit, HeadUnit, TailUnit, UpUnit

LEAKY = 0.1
Q_STEP = 0.125  # initial step of the int8 tensors, in k-scaled units


class ResidualBlock(nn.Module):
    """conv - ReLU - conv with a skip, without BN: the full-precision body (EDSR, BasicSR's MSRResNet).

    Args:
        channels: C.
        convs: how many convolutions, with a ReLU between each two. A block of one has its ReLU behind the
            convolution, or the body would be linear.
    """

    def __init__(self, channels: int, convs: int = 2):
        super().__init__()
        self.convs = convs
        for i in range(convs):
            self.add_module(f"conv{i + 1}", ScaledConv2d(channels, channels, int8=False))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        y = self.conv1(x)
        if self.convs == 1:
            return x + F.relu(y)
        for i in range(1, self.convs):
            y = self.get_submodule(f"conv{i + 1}")(F.relu(y))
        return x + y


class SRResNet(RestorationNetwork):
    """head - body - upsampling - conv_hr - tail, plus the bilinearly upsampled input.

    x2 and x3 have one upsampler, x4 two of x2. There is neither a global feature skip nor a last
    body convolution.
    """

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        c, n = config.width, config.channels
        binary, int8 = set(config.binary), config.mode == "hardware"
        self.factors = (2, 2) if config.scale == 4 else (config.scale,)
        self.head = (
            HeadUnit(n, c) if "head" in binary else ScaledConv2d(n, c, int8, init_scale=head_init(config))
        )
        if "body" in binary:
            self.body = binary_body(config)
        else:
            convs = config.residual or 2
            self.body = nn.Sequential(*(ResidualBlock(c, convs) for _ in range(config.depth // convs)))
        if "upsampling" in binary:
            self.up = nn.ModuleList(UpUnit(c, r) for r in self.factors)
            self.hr = BodyUnit(c)
            for unit in (*self.up, self.hr):
                scaled_kaiming(unit.branch.conv.weight)
        else:
            self.up = nn.ModuleList(ScaledConv2d(c, c * r * r, int8) for r in self.factors)
            self.hr = ScaledConv2d(c, c, int8)
        self.tail = TailUnit(c, n) if "tail" in binary else ScaledConv2d(c, n, int8)
        if int8:  # one 8-bit tensor in front of every int8 convolution behind the body
            float_up = "upsampling" not in binary
            self.to_up = Requant8(Q_STEP) if float_up else None
            self.between = nn.ModuleList(Requant8(Q_STEP, LEAKY) for _ in self.factors if float_up)
            self.to_tail = None if "tail" in binary else Requant8(Q_STEP, LEAKY)

    def paper(self, x: Tensor) -> Tensor:
        """k-scaled floats, (N, c, H, W) to (N, c, rH, rW)."""
        binary = self.config.binary
        feat = self.head(x) if "head" in binary else F.leaky_relu(self.head(x), LEAKY)
        feat = self.body(feat)
        for up, r in zip(self.up, self.factors, strict=True):
            feat = up(feat) if "upsampling" in binary else F.leaky_relu(F.pixel_shuffle(up(feat), r), LEAKY)
        feat = F.leaky_relu(self.hr(feat), LEAKY)
        base = F.interpolate(x, scale_factor=self.config.scale, mode="bilinear", align_corners=False)
        return self.tail(feat) + base

    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The integer contract, grey levels in and out."""
        config, stream, c = self.config, self.stream, self.config.width
        if "head" in config.binary:
            x = self.head.hardware(ops, "head", self._pixels_to_stream(ops, pixels), stream)
        else:
            x = self._int8_head(ops, pixels, self.head, LEAKY)
        x = self.body.hardware(ops, x, stream)
        if "upsampling" in config.binary:
            for i, up in enumerate(self.up):
                x = up.hardware(ops, f"up.{i}", x, stream)
            x = self.hr.hardware(ops, "hr", x, stream)
            if "tail" not in config.binary:
                q, step = self._stream_to_q(ops, "tail.requant", x, self.to_tail, c)
        else:
            q, step = self._stream_to_q(ops, "up.requant", x, self.to_up, c)
            for i, (up, r) in enumerate(zip(self.up, self.factors, strict=True)):
                acc, slope, bias = self._int8(ops, f"up.{i}", q, step, up)
                q, step = self.between[i].hardware(ops, f"up.{i}.requant", acc, slope, bias)
                q = ops.pixel_shuffle(f"up.{i}.shuffle", q, r)
            acc, slope, bias = self._int8(ops, "hr", q, step, self.hr)
            if "tail" in config.binary:
                x = self._int8_to_stream(ops, "hr.requant", acc, slope, bias)
            else:
                q, step = self.to_tail.hardware(ops, "hr.requant", acc, slope, bias)
        base = ops.base("base", pixels, config.scale)
        if "tail" not in config.binary:
            return self._int8_tail(ops, q, step, self.tail, base)
        # T puts out a residue of a few grey levels: at least 2 fraction bits, whatever the stream has.
        fraction = max(config.stream_fraction, 2)
        residue_unit = stream.unit * 2.0 ** (fraction - config.stream_fraction)
        residual = self.tail.hardware(ops, "tail", x, stream, residue_unit)
        gain = self.tail.branch.act.zeta.new_full((config.channels,), 2.0**-fraction)
        return ops.output("output", residual, base, config.scale, gain, torch.zeros_like(gain))

    def _pixels_to_stream(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        slope = self.head.branch.act.zeta.new_full((self.config.channels,), 2.0**self.config.stream_fraction)
        zero = torch.zeros_like(slope)
        return ops.requant(
            "head.input", pixels, quantize_affine(slope, zero, slope, zero, zero), self.stream.bits
        )

    def _int8_to_stream(self, ops: TorchOps, name: str, acc: Tensor, slope: Tensor, bias: Tensor) -> Tensor:
        a, b = slope * self.stream.unit, bias * self.stream.unit
        affine = quantize_affine(a, b, a * LEAKY, b * LEAKY, -bias / slope)
        return ops.requant(name, acc, affine, self.stream.bits)


PRINTED = {
    "BNN": "bnn",
    "Bi-Real": "bireal",
    "BAM": "bam",
    "IRNet": "irnet",
    "BTM": "btm",
    "ReActNet": "reactnet",
}


def _presets() -> dict[str, NetworkConfig]:
    out: dict[str, NetworkConfig] = {}
    for scale in (2, 3, 4):
        medium = NetworkConfig(scale=scale)
        large = replace(medium, binary=("body",))
        out[f"bbcu_m_x{scale}"] = medium
        out[f"bbcu_l_x{scale}"] = large
        out[f"bbcu_nano_x{scale}"] = replace(medium, **NANO)
        out[f"srresnet_x{scale}"] = replace(medium, **FULL)
        out[f"srresnet_lite_x{scale}"] = replace(medium, **LITE)
        for unit in UNITS:
            out[f"bbcu_{unit}_x{scale}"] = replace(large, unit=unit)
        for unit in BASELINES:
            out[f"{unit}_x{scale}"] = replace(large, unit=unit, mode="paper")
    return out


def _rows(presets: dict[str, NetworkConfig]) -> dict[Key, NetworkConfig]:
    rows: dict[Key, NetworkConfig] = {}

    def add(table: str, method: str, setting: str, preset: str, **changes: object) -> None:
        rows[table, method, setting] = replace(presets[preset], mode="paper", **changes)

    stems = {"SRResNet": "srresnet", "SRResNet-Lite": "srresnet_lite", "BBCU-M": "bbcu_m", "BBCU-L": "bbcu_l"}
    for scale in ("x2", "x4"):
        for method, stem in (stems | PRINTED).items():
            add("bbcu_table1", method, scale, f"{stem}_{scale}")
    for unit in UNITS:
        add("bbcu_table4", f"BBCU-{unit.upper()}", "x4", f"bbcu_{unit}_x4")
    for scale in ("x2", "x3", "x4"):  # BNN and DoReFa on SRResNet's own blocks, a skip around two
        add("ebsr_table6", "SRResNet-BNN", scale, f"bnn_{scale}", residual=2)
        add("ebsr_table6", "SRResNet-DoReFa", scale, f"dorefa_{scale}", residual=2)
        add("ebsr_table6", "SRResNet-BAM", scale, f"bam_{scale}")
    for part in PARTS:
        add("bbcu_table6", f"{part}, full precision", "x4", "srresnet_x4")
        add("bbcu_table6", f"{part}, binary", "x4", "srresnet_x4", binary=(part,))
    return rows


_L_X4 = 79_194_931_200
MISPRINTS: dict[Key, Misprint] = {
    ("bbcu_table1", "BBCU-M", "x2"): Misprint(1_824_768_000),
    ("bbcu_table1", "SRResNet", "x4"): Misprint(146_080_972_800),
    **{
        ("bbcu_table1", method, "x4"): Misprint(_L_X4)
        for method in ("BBCU-L", "BNN", "Bi-Real", "IRNet", "BTM", "ReActNet")
    },
    **{("bbcu_table4", f"BBCU-{unit.upper()}", "x4"): Misprint(_L_X4) for unit in UNITS},
    ("bbcu_table6", "body, full precision", "x4"): Misprint(67_947_724_800, note="in the last digit"),
    ("bbcu_table6", "tail, full precision", "x4"): Misprint(1_592_524_800, note="in the last digit"),
}
_PRESETS = _presets()
FAMILY = Family("srresnet", SRResNet, _PRESETS, _rows(_PRESETS), MISPRINTS)
