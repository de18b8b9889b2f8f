# SPDX-License-Identifier: BSD-3-Clause
"""Network configurations: the dataclass that all families share, and the presets of all families by name.

A family that needs more fields derives its own dataclass, in its file of `quant.networks`. This file does not
need torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import ClassVar

PARTS = ("head", "body", "upsampling", "tail")
UNITS = ("v1", "v2", "v3", "v4")
BASELINES = ("bnn", "bireal", "irnet", "bam", "btm", "reactnet", "dorefa")
HARDWARE_UNITS = (*UNITS, *(unit for unit in BASELINES if unit != "bam"))
"""Body units with an integer form; docs/networks.md says why BAM has none."""
BTM_MEAN, BTM_STD = 0.42, 0.25
"""With which BTM normalises: mean and deviation of the training images' pixels (every fourth image of
train_compact.tar), all channels together, on 0..1."""


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
        unit: the body unit: BBCU's version "v1".."v4", or a method of BASELINES.
        bias: biases inside the binary convolutions (DnCNN-3) and, in DnCNN, on head and tail.
        mode: "paper" (float stream, zero padding) or "hardware" (the integer contract, docs/numerics.md).
        amplification: k of Sec. 3.1, on input in 0..1; None is 130 * width / 64 for v3 and v4, 1 for v1, v2
            and for full precision.
        fraction_bits: f, fraction bits of the hardware stream (LSB = 2^-f grey levels); None chooses
            3 where k amplifies and 0 where it does not.
        stream_bits: b, bits of the hardware stream.
        sigma: (low, high) noise level for "denoise"; equal ends train for one level.
        quality: (low, high) JPEG quality for "deblock".
        residual: convolutions of the body with one residual connection around them (BBCU Fig. 5); 0 is what
            the network has by itself: the method's own where the body is binary, 2 in full precision.
        broken: body units without residual connection, counted from 1 (BBCU Table 5).
    """

    ARCHS: ClassVar[tuple[str, ...]] = ("srresnet", "dncnn")
    _of_arch: ClassVar[dict[str, type[NetworkConfig]]] = {}

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
    residual: int = 0
    broken: tuple[int, ...] = ()

    def __init_subclass__(cls) -> None:
        for arch in cls.ARCHS:
            NetworkConfig._of_arch[arch] = cls

    def __post_init__(self) -> None:
        for field in fields(self):  # lists, when it comes from JSON
            if isinstance(getattr(self, field.name), list):
                object.__setattr__(self, field.name, tuple(getattr(self, field.name)))
        self._one_of("arch", self.ARCHS)
        self._one_of("task", ("denoise", "deblock") if self.arch == "dncnn" else ("sr",))
        self._one_of("scale", (2, 3, 4) if self.task == "sr" else (1,))
        self._one_of("channels", (1, 3))
        self._one_of("mode", ("paper", "hardware"))
        if self.width < 1 or self.depth < 1:
            raise ConfigError(f"width {self.width} and depth {self.depth}: both must be at least 1")
        self.check()

    def check(self) -> None:
        """Raise ConfigError where fields do not go together; a family's own class replaces this."""
        self._one_of("unit", UNITS + BASELINES)
        unknown = set(self.binary) - set(PARTS)
        if unknown or (self.arch == "dncnn" and set(self.binary) - {"body"}):
            allowed = PARTS if self.arch == "srresnet" else ("body",)
            raise ConfigError(f"binary = {self.binary}: {self.arch} has the binary parts {allowed}")
        if self.mode == "hardware" and "body" not in self.binary:
            raise ConfigError("hardware mode needs a binary body: add 'body' to binary, or use mode 'paper'")
        if self.mode == "hardware" and self.unit not in HARDWARE_UNITS:
            raise ConfigError(f"unit {self.unit!r} has no integer form: use mode 'paper'")
        if self.arch == "srresnet" and "body" not in self.binary and not self.residual and self.depth % 2:
            raise ConfigError(f"depth {self.depth}: full-precision SRResNet has two convolutions per block")
        self._check_skips()

    def _check_skips(self) -> None:
        if self.residual < 0 or (self.residual and self.depth % self.residual):
            raise ConfigError(
                f"residual = {self.residual}: expected 0, or a divisor of the depth {self.depth}"
            )
        if self.residual and (self.mode == "hardware" or self.arch == "dncnn" or self.unit == "bam"):
            raise ConfigError(f"residual = {self.residual}: only SR in mode 'paper' has it, not unit 'bam'")
        if self.broken and (self.mode == "hardware" or self.residual or "body" not in self.binary):
            raise ConfigError("broken skips need mode 'paper', a binary body and residual 0")
        if not all(1 <= position <= self.depth for position in self.broken):
            raise ConfigError(f"broken = {self.broken}: expected positions from 1 to the depth {self.depth}")

    def _one_of(self, field: str, allowed: tuple) -> None:
        value = getattr(self, field)
        if value not in allowed:
            raise ConfigError(f"{field} = {value!r}: {self.arch} allows {', '.join(map(repr, allowed))}")

    @property
    def k(self) -> float:
        """Amplification factor on input in 0..1 (BBCU Eq. 8 and Sec. 4.5: k* = 130 n / 64)."""
        if self.amplification is not None:
            return float(self.amplification)
        if self.binary and self.unit == "btm":
            return 1 / BTM_STD
        return 130.0 * self.width / 64 if self.binary and self.unit in ("v3", "v4") else 1.0

    @property
    def offset(self) -> float:
        """What is subtracted from the input in 0..1 before it is multiplied by k, and added at the end."""
        return BTM_MEAN if self.binary and self.unit == "btm" else 0.0

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
        """JSON-able form; `NetworkConfig.from_dict` reads it back.

        Fields that came later are left out at their defaults, so that stored networks keep their form.
        """
        later = {"residual": 0, "broken": ()}
        return {name: value for name, value in asdict(self).items() if later.get(name, ...) != value}

    @classmethod
    def from_dict(cls, data: dict) -> NetworkConfig:
        """Inverse of `to_dict`, for any family: `arch` says which; an unknown field is an error."""
        cls = config_class(data.get("arch", cls.ARCHS[0]))
        unknown = set(data) - {f.name for f in fields(cls)}
        if unknown:
            raise ConfigError(f"unknown field {sorted(unknown)}: known are {[f.name for f in fields(cls)]}")
        return cls(**data)


def config_class(arch: str) -> type[NetworkConfig]:
    """The configuration class of a family; an unknown one is an error that lists the known ones."""
    if arch in NetworkConfig.ARCHS:
        return NetworkConfig
    import quant.networks  # noqa: F401 - its families register themselves; it needs torch

    known = {**dict.fromkeys(NetworkConfig.ARCHS, NetworkConfig), **NetworkConfig._of_arch}
    if arch not in known:
        raise ConfigError(f"arch = {arch!r}: known are {', '.join(known)}")
    return known[arch]


NANO = {"width": 32, "depth": 8}
LITE = {"width": 12, "binary": (), "mode": "paper"}
FULL = {"binary": (), "mode": "paper"}
DENOISE = NetworkConfig(arch="dncnn", task="denoise", scale=1, depth=18, binary=("body",))
DEBLOCK = replace(DENOISE, task="deblock", channels=1, bias=True)


class _Presets(Mapping[str, NetworkConfig]):
    """The presets of all families, which are imported when the first one is asked for."""

    def _all(self) -> dict[str, NetworkConfig]:
        from quant.networks import FAMILIES

        return {name: config for family in FAMILIES.values() for name, config in family.presets.items()}

    def __getitem__(self, name: str) -> NetworkConfig:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


PRESETS: Mapping[str, NetworkConfig] = _Presets()


def preset(name: str) -> NetworkConfig:
    """The preset of that name; an unknown name is an error that lists the known ones."""
    if name not in PRESETS:
        raise ConfigError(f"no network named {name!r}: known are {', '.join(sorted(PRESETS))}")
    return PRESETS[name]
