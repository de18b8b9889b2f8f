# SPDX-License-Identifier: BSD-3-Clause
"""Network configurations: one dataclass, and the named presets that the papers and this project use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

PARTS = ("head", "body", "upsampling", "tail")
UNITS = ("v1", "v2", "v3", "v4")


class ConfigError(ValueError):
    """A configuration that names no network; the message says which field and what is allowed."""


@dataclass(frozen=True)
class NetworkConfig:
    """What a restoration network is, apart from its weights.

    Args:
        arch: "srresnet" (BBCU Sec. 4.2) or "dncnn" (Sec. 4.3 and 4.4).
        task: "sr", "denoise" or "deblock".
        scale: upsampling factor, 2..4 for "sr", else 1.
        channels: image channels, 3 (RGB) or 1 (grey).
        width: feature channels C.
        depth: convolutions in the body (32 in SRResNet, 18 in DnCNN).
        binary: the parts made 1-bit, of head, body, upsampling, tail. BBCU-L is ("body",), BBCU-M
            ("body", "upsampling"); () is the full-precision network.
        unit: BBCU version of the body unit, "v1".."v4".
        bias: biases inside the binary convolutions (DnCNN-3) and, in DnCNN, on head and tail.
        mode: "paper" (float stream, zero padding) or "hardware" (the integer contract, docs/numerics.md).
        amplification: k of Sec. 3.1, on input in 0..1; None is 130 * width / 64 for v3 and v4, 1 for v1, v2
            and for full precision.
        fraction_bits: f, fraction bits of the hardware stream (LSB = 2^-f grey levels); None chooses
            3 where k amplifies and 0 where it does not.
        stream_bits: b, bits of the hardware stream.
        sigma: (low, high) noise level for "denoise"; equal ends train for one level.
        quality: (low, high) JPEG quality for "deblock".
    """

    arch: str = "srresnet"
    task: str = "sr"
    scale: int = 2
    channels: int = 3
    width: int = 64
    depth: int = 32
    binary: tuple[str, ...] = ("body", "upsampling")
    unit: str = "v4"
    bias: bool = False
    mode: str = "hardware"
    amplification: float | None = None
    fraction_bits: int | None = None
    stream_bits: int = 12
    sigma: tuple[float, float] = (0.0, 75.0)
    quality: tuple[int, int] = (1, 50)

    def __post_init__(self) -> None:
        for name in ("binary", "sigma", "quality"):  # lists, when it comes from JSON
            object.__setattr__(self, name, tuple(getattr(self, name)))
        self._one_of("arch", ("srresnet", "dncnn"))
        self._one_of("task", ("sr",) if self.arch == "srresnet" else ("denoise", "deblock"))
        self._one_of("scale", (2, 3, 4) if self.task == "sr" else (1,))
        self._one_of("channels", (1, 3))
        self._one_of("unit", UNITS)
        self._one_of("mode", ("paper", "hardware"))
        if self.width < 1 or self.depth < 1:
            raise ConfigError(f"width {self.width} and depth {self.depth}: both must be at least 1")
        unknown = set(self.binary) - set(PARTS)
        if unknown or (self.arch == "dncnn" and set(self.binary) - {"body"}):
            allowed = PARTS if self.arch == "srresnet" else ("body",)
            raise ConfigError(f"binary = {self.binary}: {self.arch} has the binary parts {allowed}")
        if self.mode == "hardware" and "body" not in self.binary:
            raise ConfigError("hardware mode needs a binary body: add 'body' to binary, or use mode 'paper'")
        if self.arch == "srresnet" and not self.binary and self.depth % 2:
            raise ConfigError(f"depth {self.depth}: full-precision SRResNet has two convolutions per block")

    def _one_of(self, field: str, allowed: tuple) -> None:
        value = getattr(self, field)
        if value not in allowed:
            raise ConfigError(f"{field} = {value!r}: {self.arch} allows {', '.join(map(repr, allowed))}")

    @property
    def k(self) -> float:
        """Amplification factor on input in 0..1 (BBCU Eq. 8 and Sec. 4.5: k* = 130 n / 64)."""
        if self.amplification is not None:
            return float(self.amplification)
        return 130.0 * self.width / 64 if self.binary and self.unit in ("v3", "v4") else 1.0

    @property
    def stream_fraction(self) -> int:
        """Fraction bits f of the stream."""
        if self.fraction_bits is not None:
            return self.fraction_bits
        return 3 if self.k > 16 else 0

    @property
    def stream_unit(self) -> float:
        """Stream LSBs in one k-scaled unit of the paper: 255 * 2^f / k."""
        return 255.0 * 2**self.stream_fraction / self.k

    def to_dict(self) -> dict:
        """JSON-able form; `NetworkConfig.from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> NetworkConfig:
        """Inverse of `to_dict`; an unknown field is an error that names it."""
        unknown = set(data) - {f.name for f in fields(cls)}
        if unknown:
            raise ConfigError(f"unknown field {sorted(unknown)}: known are {[f.name for f in fields(cls)]}")
        return cls(**data)


NANO = {"width": 32, "depth": 8}
LITE = {"width": 12, "binary": (), "mode": "paper"}
FULL = {"binary": (), "mode": "paper"}
DENOISE = NetworkConfig(arch="dncnn", task="denoise", scale=1, depth=18, binary=("body",))
DEBLOCK = replace(DENOISE, task="deblock", channels=1, bias=True)


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
    for stem, config in (("dncnn", DENOISE), ("dncnn3", DEBLOCK)):
        out[f"bbcu_{stem}"] = config
        out[stem] = replace(config, bias=True, **FULL)
        out[f"{stem}_lite"] = replace(config, bias=True, **LITE)
    for sigma in (15, 25, 50):
        out[f"dncnn_nano_s{sigma}"] = replace(DENOISE, **NANO, sigma=(sigma, sigma))
    for quality in (10, 20, 30, 40):
        out[f"dncnn3_nano_q{quality}"] = replace(DEBLOCK, **NANO, quality=(quality, quality))
    return out


PRESETS = _presets()


def preset(name: str) -> NetworkConfig:
    """The preset of that name; an unknown name is an error that lists the known ones."""
    if name not in PRESETS:
        raise ConfigError(f"no network named {name!r}: known are {', '.join(sorted(PRESETS))}")
    return PRESETS[name]
