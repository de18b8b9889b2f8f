# SPDX-License-Identifier: BSD-3-Clause
"""EDSR with attention in its binary blocks ("Efficient Image Super Resolution Using Attention in BNNs").

Body unit: a1 Att(RPReLU(BC(x))) + a2 Att(x), one of `quant.attention.ATTENTIONS` on each branch. The backbone
is EDSR's small form: head, 32 units, one more, + head, binary upsampling as in BBCU, tail. Equation 10 of the
paper has k in each block, which would let the stream grow as k^33; here k acts on the input only, as in BBCU.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quant.attention import ATTENTIONS, attention
from quant.config import NANO, ConfigError, NetworkConfig
from quant.integer_ops import Affine, TorchOps, quantize_affine
from quant.layers import BinaryConv2d, Requant8, RPReLU, RSign, ScaledConv2d
from quant.networks import edsr
from quant.networks.base import RestorationNetwork
from quant.networks.family import Family, Key, Misprint
from quant.units import Stream, UpUnit


@dataclass(frozen=True)
class AttentionConfig(NetworkConfig):
    """EDSR with `depth` + 1 units in the body.

    Args:
        on_binary, on_residual: attention on the two branches of a unit, of `quant.attention.ATTENTIONS`.
    """

    ARCHS: ClassVar[tuple[str, ...]] = ("edsr_attention",)

    arch: str = "edsr_attention"
    on_binary: str = "none"
    on_residual: str = "none"

    def check(self) -> None:
        """Body and upsampling are binary, in both modes."""
        self._one_of("binary", (("body", "upsampling"),))
        self._one_of("unit", ("v4",))
        self._one_of("on_binary", ATTENTIONS)
        self._one_of("on_residual", ATTENTIONS)
        if self.bias or self.residual != NetworkConfig.residual or self.broken:
            raise ConfigError("edsr_attention has no biases in its units, and a skip around each of them")

    @property
    def scales(self) -> bool:
        """Whether the units have a1 and a2; the paper's baseline, without attention, has none."""
        return (self.on_binary, self.on_residual) != ("none", "none")


class LearnedScaleConv2d(BinaryConv2d):
    """Binary convolution with a learned positive scale per channel (Sec. 3.1), trained as its logarithm."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels)
        start = self.weight.detach().abs().mean((1, 2, 3))
        self.log_scale = nn.Parameter(torch.log2(start))

    def sign_and_scale(self) -> tuple[Tensor, Tensor]:
        """(sign(W) (C_out, C_in, 3, 3), scale (C_out,) with gradient)."""
        signs, _ = super().sign_and_scale()
        return signs, torch.exp2(self.log_scale)


class AttentionUnit(nn.Module):
    """a1 Att(RPReLU(BC(x))) + a2 Att(x), C to C channels.

    On integers a scale costs nothing where its branch has attention: it is in the sigmoid's table. Without
    attention a1 is in the RPReLU's pieces, and a2 needs a Requant of the stream.
    """

    def __init__(self, channels: int, on_binary: str, on_residual: str, scales: bool, int8: bool):
        super().__init__()
        self.sign = RSign(channels)
        self.conv = LearnedScaleConv2d(channels, channels)
        self.act = RPReLU(channels)
        self.binary_attention = attention(on_binary, channels, int8)
        self.residual_attention = attention(on_residual, channels, int8)
        self.a1, self.a2 = (nn.Parameter(torch.ones(())) if scales else None for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, C, H, W) to the same."""
        signs, scale = self.conv.sign_and_scale()
        y = self.act(F.conv2d(self.sign(x), signs * scale.reshape(-1, 1, 1, 1), padding=1))
        y = y if self.binary_attention is None else self.binary_attention(y)
        skip = x if self.residual_attention is None else self.residual_attention(x)
        return y + skip if self.a1 is None else self.a1 * y + self.a2 * skip

    def hardware(self, ops: TorchOps, name: str, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode, stream to stream."""
        bits = self.sign.hardware(ops, f"{name}.rsign", x, stream.unit, stream.bits)
        signs, scale = self.conv.sign_and_scale()
        m = ops.conv_xnor(f"{name}.conv", bits, signs)
        y = ops.requant(f"{name}.requant", m, self._pieces(scale, stream), stream.bits)
        a1, a2 = (torch.ones_like(scale[0]) if a is None else a for a in (self.a1, self.a2))
        if self.binary_attention is not None:
            y = self.binary_attention.hardware(ops, f"{name}.binary", y, stream, a1)
        if self.residual_attention is not None:
            x = self.residual_attention.hardware(ops, f"{name}.residual", x, stream, a2)
        elif self.a2 is not None:
            slope = a2.expand(len(scale))
            zero = torch.zeros_like(scale)
            x = ops.requant(f"{name}.skip", x, quantize_affine(slope, zero, slope, zero, zero), stream.bits)
        return ops.join(f"{name}.join", x, y, stream.bits)

    def _pieces(self, scale: Tensor, stream: Stream) -> Affine:
        *pieces, knee = self.act.pieces(scale, torch.zeros_like(scale), stream.unit)
        if self.a1 is not None and self.binary_attention is None:
            pieces = [self.a1 * piece for piece in pieces]
        return quantize_affine(*pieces, knee)


class AttentionEDSR(RestorationNetwork):
    """head - units - + head - binary upsampling - tail; no base image."""

    config: AttentionConfig

    def __init__(self, config: AttentionConfig):
        super().__init__(config)
        c, n, int8 = config.width, config.channels, config.mode == "hardware"

        def unit() -> AttentionUnit:
            return AttentionUnit(c, config.on_binary, config.on_residual, config.scales, int8)

        self.factors = (2, 2) if config.scale == 4 else (config.scale,)
        self.head = ScaledConv2d(n, c, int8, init_scale=None)
        self.body = nn.ModuleList(unit() for _ in range(config.depth))
        self.end = unit()
        self.up = nn.ModuleList(UpUnit(c, r) for r in self.factors)
        self.tail = ScaledConv2d(c, n, int8, init_scale=None)
        self.to_tail = Requant8(config.k / 128) if int8 else None

    def paper(self, x: Tensor) -> Tensor:
        """k-scaled floats, (N, c, H, W) to (N, c, rH, rW)."""
        head = feat = self.head(x)
        for unit in (*self.body, self.end):
            feat = unit(feat)
        feat = feat + head
        for up in self.up:
            feat = up(feat)
        return self.tail(feat)

    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The integer contract, grey levels in and out."""
        stream, bits = self.stream, self.stream.bits
        head = x = self._int8_head(ops, pixels, self.head, 1.0)
        for i, unit in enumerate(self.body):
            x = unit.hardware(ops, f"body.{i}", x, stream)
        x = ops.join("body", head, self.end.hardware(ops, "end", x, stream), bits)
        for i, up in enumerate(self.up):
            x = up.hardware(ops, f"up.{i}", x, stream)
        q, step = self._stream_to_q(ops, "tail.requant", x, self.to_tail, self.config.width)
        weight, scale = self.tail.integer_and_scale()
        acc = ops.conv_int8("tail.conv", q, weight)
        grey = 255 / self.config.k
        return ops.plain_output("output", acc, scale * step * grey, self.tail.bias_or_zero() * grey)


PRINTED = {"none": "", "se": "SE", "spatial": "Spat"}


def _presets() -> dict[str, NetworkConfig]:
    out: dict[str, NetworkConfig] = {}
    for scale in (2, 3, 4):
        for binary, residual in product(ATTENTIONS, ATTENTIONS):
            config = AttentionConfig(scale=scale, on_binary=binary, on_residual=residual)
            out[f"attention_{binary}_{residual}_x{scale}"] = config
            out[f"attention_{binary}_{residual}_nano_x{scale}"] = replace(config, **NANO)
    return out


def _rows(presets: dict[str, NetworkConfig]) -> dict[Key, NetworkConfig]:
    rows: dict[Key, NetworkConfig] = {
        ("attention_table1", "Vanilla EDSR", "x2"): edsr.FAMILY.presets["edsr_baseline_x2"]
    }
    for (binary, on_binary), (residual, on_residual) in product(PRINTED.items(), PRINTED.items()):
        parts = [f"Res {on_residual}"] * bool(on_residual) + [f"Bin {on_binary}"] * bool(on_binary)
        config = replace(presets[f"attention_{binary}_{residual}_x2"], mode="paper")
        rows["attention_table1", " + ".join(parts) or "BinEDSR", "x2"] = config
    return rows


_PIXELS = 128 * 128
_UNITS = 33
_ELEMENTS = (64 + 4 * 3) + (_UNITS * 64 + 256)  # behind the biases of head and tail, behind the RPReLUs
_BINARY = 2 * (1_728 + 6_912 + _ELEMENTS) * _PIXELS + 2 * (_UNITS * 36_864 + 147_456) * _PIXELS // 8
_ATTENTION = {
    "none": 0,
    "se": 64 * _PIXELS + 2 * 64 * 4 + (64 + 4) + 4,  # mean, fully connected layers, their biases, ReLU
    "spatial": (64 + 1) * _PIXELS,
}
"""MACs of one attention."""
_POINT = (
    "at least one of 6.0, 8.1 and 10.4 is a misprint: the first attention, with a1 and a2, would cost less "
    "than 8.15 - 5.95 = 2.2 G, one more on the other branch more than 10.35 - 8.15 = 2.2 G; and 8.1 - 6.0 "
    "would be some 60 operations on each element of each unit, where the paper's attentions have 2 or 3"
)


def _misprints(rows: dict[Key, NetworkConfig]) -> dict[Key, Misprint]:
    out = {}
    for key, config in rows.items():
        if isinstance(config, AttentionConfig) and config.scales:
            more = _ATTENTION[config.on_binary] + _ATTENTION[config.on_residual]
            out[key] = Misprint(_BINARY + 2 * _UNITS * more, None, "unexplained", _POINT)
    return out


PARTS_OF = {"head": "head", "body": "body", "end": "body_end", "up": "upsampling", "tail": "tail"}
_PRESETS = _presets()
_ROWS = _rows(_PRESETS)
FAMILY = Family("edsr_attention", AttentionEDSR, _PRESETS, _ROWS, _misprints(_ROWS), PARTS_OF)
