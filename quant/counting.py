# SPDX-License-Identifier: BSD-3-Clause
"""Operations, parameters and storage of a network, counted on the network that is built, part by part.

A `Count` holds what is there; a `Convention` turns it into the figures that a paper prints. BBCU (Sec. 4.1):
one multiply-accumulate of a convolution is one operation; a binary one counts 1/64, a binary parameter 1/32;
biases, activations, thresholds, scales and the base image count nothing. The other papers' figures are those
of two profilers of PyTorch networks, which also count some work on single elements (`ELEMENTS`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from quant.config import NetworkConfig
from quant.layers import BinaryConv2d
from quant.networks import FAMILIES, RestorationNetwork, build

SIZE = (320, 180)
ELEMENTS = {
    "biased": "biases",
    "activated": "activations",
    "normalized": "normalisation",
    "pooled": "means",
}
"""The fields of `Count` that are single elements, and what they are called."""


@dataclass(frozen=True)
class Count:
    """What a part of a network, or all of it, costs.

    Attributes:
        macs, binary_macs: multiply-accumulates of full-precision and of binary convolutions (and of fully
            connected layers). One of w-bit weights with a-bit activations counts as w a binary ones
            (DoReFa-Net), one of w-bit weights as w binary weights.
        weights, binary_weights: of these convolutions; binary_weights is also their storage in bits.
        words: everything else that a float implementation must store: full-precision weights, biases,
            alpha, the weight scale s, gamma, beta, zeta, and BN's four vectors.
        learned: parameters that an optimizer trains, without the latent weights of binary convolutions.
        biased: elements that come out of a convolution with a bias.
        activated: elements that come out of a ReLU, PReLU or LeakyReLU.
        normalized: elements that come out of a batch normalisation.
        pooled: elements that go into a mean over the image.
    """

    macs: int = 0
    binary_macs: int = 0
    weights: int = 0
    binary_weights: int = 0
    words: int = 0
    learned: int = 0
    biased: int = 0
    activated: int = 0
    normalized: int = 0
    pooled: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def ops(self) -> Fraction:
        """Operations as BBCU counts them."""
        return self.macs + Fraction(self.binary_macs, 64)

    @property
    def params(self) -> Fraction:
        """Parameters as BBCU counts them."""
        return self.weights + Fraction(self.binary_weights, 32)


@dataclass(frozen=True)
class Convention:
    """How a paper counts.

    Attributes:
        size: width and height of the input in pixels.
        flops: operations of one full-precision multiply-accumulate.
        binary: binary operations that count as one full-precision one.
        params: printed parameters of a count.
        elements: multiply-accumulates that an element of each of `ELEMENTS` counts as; none if left out.
        params_digit: the unit of the last printed digit of parameters, if not that of the printed string
            (in 10^3), such as 10 where millions are printed with two digits.
        note: in words.
    """

    size: tuple[int, int]
    flops: int
    binary: int
    params: Callable[[Count], Fraction]
    elements: Mapping[str, int] = field(default_factory=dict)
    params_digit: int | None = None
    note: str = ""

    def ops(self, count: Count) -> Fraction:
        """Operations as the paper counts them."""
        more = sum(self.on_elements(count, kind) for kind in self.elements)
        return self.flops * (count.macs + Fraction(count.binary_macs, self.binary)) + more

    def on_elements(self, count: Count, kind: str) -> int:
        """Operations on the elements of one of `ELEMENTS`."""
        return self.flops * self.elements[kind] * getattr(count, kind)


CONVENTIONS = {
    "bbcu": Convention(SIZE, 1, 64, lambda c: c.params, note="input 320 x 180, 1 MAC = 1 OP, binary / 64"),
    "attention": Convention(
        (128, 128),
        2,
        8,
        lambda c: c.params,
        elements={"biased": 1, "activated": 1, "pooled": 1},
        note="input 128 x 128, 1 MAC = 2 OPs, binary / 8, and as the profiler ptflops counts, 1 MAC for each "
        "element behind a bias or an activation and in front of a mean over the image",
    ),
    "ebsr": Convention(
        (128, 128),
        2,
        64,
        lambda c: Fraction(c.learned),
        elements={"normalized": 4, "pooled": 1},
        params_digit=10,
        note="input 128 x 128, 1 MAC = 2 OPs, binary / 64, and as the profiler thop counts, 4 MACs for each "
        "element of a batch normalisation, 1 for each in front of a mean over the image, none for biases and "
        "activations; parameters with biases, without binary weights",
    ),
}
"""By the first word of a table's name in paper_tables.csv."""


def convention(table: str) -> Convention:
    """How the paper of that table counts."""
    return CONVENTIONS[table.split("_")[0]]


@cache
def count(config: NetworkConfig, width: int = SIZE[0], height: int = SIZE[1]) -> Mapping[str, Count]:
    """Count a network by part (its family names them) for an input of width x height pixels.

    The network is built without memory for its weights and run without arithmetic, on torch's "meta"
    device, where every convolution and matrix product that it executes reports its size. A hardware network
    is counted as its float twin in paper mode, which has the same convolutions. A layer is an `nn.Conv2d` or
    `nn.Linear`, called itself or by the module that holds it as its only one; its attribute `bits`, if it
    has one, is (bits of a weight, bits of an activation). The parameters of a module with `counted` set
    count as those of convolutions.
    """
    with torch.device("meta"), torch.no_grad():
        network = build(replace(config, mode="paper")).eval().requires_grad_(False)
        with FlopCounterMode(display=False) as counter, _ElementCounter(counter) as elements:
            network(torch.empty(1, config.channels, height, width))
    flops = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    part_of = FAMILIES[config.arch].parts
    parts = {part: Count() for part in part_of.values()}
    executed = 0
    for name, module in network.named_modules():
        if _is_layer(module):
            own = _flops_of(name, network, flops)
            parts[_part(name, part_of)] += _cost(module, own // 2)
            executed += own
    if executed != flops["Global"]:
        raise RuntimeError("the network executes a convolution that belongs to no layer known here")
    for name, more in elements.found.items():
        parts[_part(name, part_of)] += more
    for part, more in _storage(network, part_of).items():
        parts[part] += more
    for name, module in network.named_modules():
        if getattr(module, "counted", False):
            parts[_part(name, part_of)] += Count(weights=sum(p.numel() for p in module.parameters()))
    return MappingProxyType(parts)


class _ElementCounter(TorchDispatchMode):
    """Counts the elements of `ELEMENTS`, by the module of the network that they are in.

    What the network itself calls belongs to the module that it called before.
    """

    ACTIVATIONS = frozenset({"relu", "relu_", "leaky_relu", "leaky_relu_", "_prelu_kernel"})

    def __init__(self, counter: FlopCounterMode):
        super().__init__()
        self.tracker = counter.mod_tracker
        self.found: dict[str, Count] = {}
        self.module = ""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        inside = [path.split(".")[1] for path in self.tracker.parents if "." in path]
        self.module = inside[0] if inside else self.module
        more = self._elements(func.overloadpacket.__name__, args, out)
        if more != Count():
            self.found[self.module] = self.found.get(self.module, Count()) + more
        return out

    def _elements(self, name: str, args: tuple, out: Tensor | tuple) -> Count:
        if name == "convolution" and args[2] is not None:
            return Count(biased=out.numel())
        if name in self.ACTIVATIONS:
            return Count(activated=out.numel())
        if name.lstrip("_").startswith("native_batch_norm"):
            return Count(normalized=out[0].numel())
        if name == "mean" and list(args[1:2]) == [[2, 3]]:
            return Count(pooled=args[0].numel())
        return Count()


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d | nn.Linear)


def _bits(module: nn.Module) -> tuple[int, int] | None:
    """(bits of a weight, bits of an activation), None in full precision."""
    return (1, 1) if isinstance(module, BinaryConv2d) else getattr(module, "bits", None)


def _cost(module: nn.Module, macs: int) -> Count:
    bits = _bits(module)
    if bits is None:
        return Count(macs, 0, module.weight.numel())
    return Count(0, macs * bits[0] * bits[1], 0, module.weight.numel() * bits[0])


def _flops_of(name: str, network: RestorationNetwork, flops: Mapping[str, int]) -> int:
    """Operations of a layer: its own, or those of its owner where that calls the function itself."""
    root = type(network).__name__
    if f"{root}.{name}" in flops:
        return flops[f"{root}.{name}"]
    owner = name.rpartition(".")[0]
    children = list(network.get_submodule(owner).named_children())
    own = flops.get(f"{root}.{owner}" if owner else root, 0)
    called = sum(flops.get(f"{root}.{owner}.{child}", 0) for child, _ in children)
    waiting = [c for c, m in children if _is_layer(m) and f"{root}.{owner}.{c}" not in flops]
    return own - called if len(waiting) == 1 else 0


def _scales(conv: nn.Module) -> int:
    """Weight scales to store: one per output channel, but for the methods that have one or none."""
    quantizer = getattr(getattr(conv, "weight_quant", None), "tensor_quant", None)
    return getattr(getattr(quantizer, "scaling_impl", None), "words", conv.weight.shape[0])


def total(parts: Mapping[str, Count], names: Iterable[str] | None = None) -> Count:
    """Sum of the named parts, of all by default."""
    return sum((parts[name] for name in (parts if names is None else names)), Count())


def _part(name: str, part_of: Mapping[str, str]) -> str:
    return part_of[name.split(".")[0]]


def _storage(network: RestorationNetwork, part_of: Mapping[str, str]) -> dict[str, Count]:
    """Words to store and learned parameters, by part."""
    found = {part: Count() for part in part_of.values()}
    for name, module in network.named_modules():
        own = sum(p.numel() for p in module.parameters(recurse=False))
        latent = module.weight.numel() if _is_layer(module) and _bits(module) else 0
        words = learned = own - latent
        if latent:
            words += _scales(module)
        if isinstance(module, nn.BatchNorm2d):
            words += module.running_mean.numel() + module.running_var.numel()
        if words or learned:
            found[_part(name, part_of)] += Count(words=words, learned=learned)
    return found
