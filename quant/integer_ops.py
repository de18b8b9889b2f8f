# SPDX-License-Identifier: BSD-3-Clause
"""The operators of docs/numerics.md as differentiable torch functions on integers held in floats.

`TorchOps` computes; `quant.export.Recorder` has the same methods and writes the layers down. A network
describes its hardware form once, against this interface, so what is trained and what is exported
cannot differ in structure. Tensors are (N, C, H, W). In float64 every result is exact; in float32
it is off by at most the rounding of the accumulator, which training does not notice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from brevitas.function.ops_ste import floor_ste, round_ste
from torch import Tensor

from quant.quantizers import IntegerClamp, SignPoly, fixed_point
from quant.shuffle import pixel_shuffle

A_MAX = 2**15 - 1  # slopes are int16
B_MAX = 2**31 - 1  # intercepts are int32
SHIFT_MAX = 24
BASE_FRACTION = {1: 0, 2: 4, 3: 16, 4: 6}  # s_b
BASE_TAPS = {  # weight of (left, centre, right) neighbour for each of the r output phases
    1: ((0, 1, 0),),
    2: ((1, 3, 0), (0, 3, 1)),
    3: ((85, 171, 0), (0, 256, 0), (0, 171, 85)),
    4: ((3, 5, 0), (1, 7, 0), (0, 7, 1), (0, 5, 3)),
}


class Affine(NamedTuple):
    """Integer coefficients of a requantizer, in float tensors of shape (C,), `shift` a scalar tensor.

    v = acc > threshold ? (a1 acc + b1) >> shift : (a0 acc + b0) >> shift; the half is in b1 and b0.
    """

    a1: Tensor
    b1: Tensor
    a0: Tensor
    b0: Tensor
    threshold: Tensor
    shift: Tensor


def _shift_for(slopes: list[Tensor], intercepts: list[Tensor], least: int = 0) -> Tensor:
    """The largest shift that keeps every slope in int16 and every intercept, half included, in int32."""
    a = torch.stack([s.detach().abs().max() for s in slopes]).max().clamp_min(1e-12)
    b = torch.stack([i.detach().abs().max() for i in intercepts]).max()
    room = torch.minimum(A_MAX / a, (B_MAX - 1) / (b + 0.5))
    return torch.floor(torch.log2(room)).clamp(least, SHIFT_MAX)


def quantize_affine(a1: Tensor, b1: Tensor, a0: Tensor, b0: Tensor, knee: Tensor) -> Affine:
    """Turn a two-piece affine function of an integer into the contract's integers.

    Args:
        a1, b1: slope and intercept above the knee, shape (C,), in output LSBs.
        a0, b0: the same at and below the knee.
        knee: real abscissa of the knee, shape (C,); acc > knee is acc > floor(knee) for integers.

    Returns:
        Affine, differentiable in slopes and intercepts (straight-through).
    """
    shift = _shift_for([a1, a0], [b1, b0])
    unit = torch.exp2(shift)
    half = torch.floor(unit / 2)

    threshold = torch.floor(knee.detach()).clamp(-(2**30), 2**30)
    return Affine(
        round_ste(a1 * unit),
        round_ste(b1 * unit) + half,
        round_ste(a0 * unit),
        round_ste(b0 * unit) + half,
        threshold,
        shift,
    )


def per_channel(v: Tensor) -> Tensor:
    """(C,) to (1, C, 1, 1)."""
    return v.reshape(1, -1, 1, 1)


def _saturate(x: Tensor, bits: int) -> Tensor:
    return IntegerClamp.apply(x, -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1)


class TorchOps:
    """Executes the operators on tensors.

    Args:
        dtype: type of the binary and tail convolutions in training (torch.bfloat16 is exact for inputs
            of +-1 up to 56 input channels and nearly so above); None keeps that of the stream.
        rounded: whether `output` rounds and clips to 0..255. Training on L1 wants it unrounded.
        trace: a dict that receives every tensor under its name, or None.
    """

    def __init__(self, dtype: torch.dtype | None = None, rounded: bool = True, trace: dict | None = None):
        self.dtype = dtype
        self.rounded = rounded
        self.trace = trace

    def _named(self, name: str, value: Tensor) -> Tensor:
        if self.trace is not None:
            self.trace[name] = value
        return value

    def _conv(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.dtype is None:
            return F.conv2d(x, weight, padding=1)
        return F.conv2d(x.to(self.dtype), weight.to(self.dtype), padding=1).to(x.dtype)

    def conv_int8(self, name: str, x: Tensor, weight: Tensor) -> Tensor:
        """Zero-padded 3x3 convolution with integer weights (C_out, C_in, 3, 3)."""
        y = F.conv2d(x, weight, padding=1) if x.shape[1] <= 3 else self._conv(x, weight)
        return self._named(name, y)

    def conv_xnor(self, name: str, bits: Tensor, weight: Tensor) -> Tensor:
        """3x3 convolution of +-1 with +-1, padded with -1; weight (C_out, C_in, 3, 3)."""
        # sum w x = 2 sum w (x + 1) / 2 - sum w: in this form padding with zero is padding with -1.
        half = self._conv((bits + 1) / 2, weight)
        return self._named(name, 2 * half - per_channel(weight.sum((1, 2, 3))))

    def requant(self, name: str, acc: Tensor, affine: Affine, bits: int) -> Tensor:
        """Two-piece affine requantizer, saturating to signed `bits`."""
        unit = torch.exp2(affine.shift)
        a1, b1, a0, b0 = (per_channel(v / unit) for v in affine[:4])
        # 1 above the threshold, 0 below: exact on integers, and faster on CPUs than a mask of booleans.
        above = (acc.detach() - per_channel(affine.threshold)).clamp(0, 1)
        v = (a0 + above * (a1 - a0)) * acc + (b0 + above * (b1 - b0))
        return self._named(name, fixed_point(v, bits))

    def rsign(
        self,
        name: str,
        x: Tensor,
        alpha: Tensor,
        window: float,
        bits: int,
        sign: Callable[[Tensor, Tensor, float], Tensor] | None = None,
    ) -> Tensor:
        """+1 where x > alpha, else -1: on integers, x >= floor(alpha) + 1. alpha (C,) in LSBs.

        `sign` has the gradient: sign(x, center, window) as `SignPoly.apply`.
        """
        centre = _saturate(floor_ste(alpha) + 1, bits + 1) - 0.5
        # Written out: torch.compile does not trace `SignPoly.apply` as a default argument.
        apply = SignPoly.apply if sign is None else sign
        return self._named(name, apply(x, per_channel(centre), window))

    def join(self, name: str, x: Tensor, y: Tensor, bits: int) -> Tensor:
        """Saturating sum."""
        return self._named(name, _saturate(x + y, bits))

    def pixel_shuffle(self, name: str, x: Tensor, factor: int) -> Tensor:
        """Channel c r^2 + i r + j of (y, x) to channel c of (y r + i, x r + j)."""
        return self._named(name, pixel_shuffle(x, factor))

    def nearest_up(self, name: str, x: Tensor, factor: int) -> Tensor:
        """Repeat every pixel factor x factor times."""
        n, c, h, w = x.shape
        y = x[:, :, :, None, :, None].expand(n, c, h, factor, w, factor)
        return self._named(name, y.reshape(n, c, h * factor, w * factor))

    def repeat_channels(self, name: str, x: Tensor, channels: int) -> Tensor:
        """Channel c of the result is channel c mod C_in of x."""
        index = torch.arange(channels, device=x.device) % x.shape[1]
        return self._named(name, x.index_select(1, index))

    def base(self, name: str, pixels: Tensor, factor: int) -> Tensor:
        """Bilinear upsampling (align_corners False, edge replicated) with s_b fraction bits."""
        if factor == 1:
            return self._named(name, pixels)
        taps = pixels.new_tensor(BASE_TAPS[factor])
        kernel = torch.einsum("ih,jw->ijhw", taps, taps).reshape(factor**2, 1, 3, 3)
        padded = F.pad(pixels, (1, 1, 1, 1), mode="replicate")
        channels = pixels.shape[1]
        y = F.conv2d(padded, kernel.repeat(channels, 1, 1, 1), groups=channels)
        return self._named(name, F.pixel_shuffle(y, factor))

    def conv_point(self, name: str, x: Tensor, weight: Tensor) -> Tensor:
        """1x1 convolution with integer weights (C_out, C_in); fully connected on (N, C_in, 1, 1)."""
        return self._named(name, F.conv2d(x, weight[:, :, None, None]))

    def table(self, name: str, x: Tensor, entries: Tensor, slopes: Tensor, bits: int) -> Tensor:
        """entries[x + L / 2]; integers in entries (L,), their slopes per LSB of x (L,) for the gradient."""
        index = (x.detach() + len(entries) // 2).long()
        straight = slopes.detach()[index] * (x - x.detach())  # 0, with a gradient
        return self._named(name, entries[index] + straight)

    def multiply(self, name: str, x: Tensor, g: Tensor, shift: Tensor, bits: int) -> Tensor:
        """x g / 2^shift, rounded half up and saturated; g (N, C or 1, H or 1, W or 1), shift a scalar."""
        unit = torch.exp2(shift)
        return self._named(name, fixed_point((x * g + torch.floor(unit / 2)) / unit, bits))

    def global_mean(self, name: str, x: Tensor, running: Tensor, shift: int, bits: int) -> Tensor:
        """Mean over the image times 2^shift, rounded half up, (N, C, H, W) to (N, C, 1, 1).

        Exact in float64 while the sum times 2^(shift + 1) stays below 2^52. `running` (C,), in LSBs of x, is
        what the streaming form begins with; it takes no part in the result.
        """
        count = x.shape[2] * x.shape[3]
        total = x.sum((2, 3), keepdim=True)
        return self._named(name, fixed_point((total * 2.0 ** (shift + 1) + count) / (2 * count), bits))

    def compare(
        self,
        name: str,
        x: Tensor,
        threshold: Tensor,
        window: float | Tensor,
        sign: Callable[[Tensor, Tensor, float], Tensor] | None = None,
    ) -> Tensor:
        """+1 where x >= threshold, else -1; threshold (N, C, 1, 1) holds integers. `sign` as in `rsign`.

        The gradient of the default sign is that of one threshold for the whole batch.
        """
        return self._named(name, sign(x, threshold - 0.5, window))

    def plain_output(self, name: str, acc: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        """clip_u8((a acc + b) >> S); gain and bias (C,) in grey levels per acc unit."""
        return self.output(name, acc, acc.new_zeros(()), 1, gain, bias)

    def output(self, name: str, acc: Tensor, base: Tensor, factor: int, gain: Tensor, bias: Tensor) -> Tensor:
        """clip_u8((base << (S - s_b)) + a acc + b >> S); gain and bias (C,) in grey levels per acc unit."""
        a, b, shift = quantize_output(gain, bias, factor)
        unit = torch.exp2(shift)
        y = base * 2.0 ** -BASE_FRACTION[factor] + (per_channel(a) * acc + per_channel(b)) / unit
        if not self.rounded:
            return self._named(name, y - 0.5)
        return self._named(name, torch.floor(y).clamp(0, 255))


def quantize_output(gain: Tensor, bias: Tensor, factor: int) -> tuple[Tensor, Tensor, Tensor]:
    """Integers (a, b with the half, shift) of the output stage; shift is at least s_b and 1."""
    shift = _shift_for([gain], [bias], least=max(1, BASE_FRACTION[factor]))
    unit = torch.exp2(shift)
    return round_ste(gain * unit), round_ste(bias * unit) + unit / 2, shift
