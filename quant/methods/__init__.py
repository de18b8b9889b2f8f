# SPDX-License-Identifier: BSD-3-Clause
"""The binary methods, one file each, and the body that is made of their units."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from quant.integer_ops import TorchOps
from quant.methods.bam import BamUnit
from quant.methods.bireal import BiRealUnit
from quant.methods.bnn import BnnUnit
from quant.methods.btm import BtmUnit
from quant.methods.dorefa import DoReFaUnit
from quant.methods.irnet import IrUnit
from quant.surrogates import Decay
from quant.units import BodyUnit, Stream

METHODS: dict[str, type[nn.Module]] = {
    "bnn": BnnUnit,
    "bireal": BiRealUnit,
    "irnet": IrUnit,
    "btm": BtmUnit,
    "dorefa": DoReFaUnit,
}


def make_unit(unit: str, channels: int, bias: bool) -> nn.Module:
    """A body unit of that method, C to C channels; ReActNet's is BBCU-V1."""
    if unit in METHODS:
        return METHODS[unit](channels, bias)
    return BodyUnit(channels, "v1" if unit == "reactnet" else unit, bias)


class BinaryBody(nn.ModuleList):
    """Binary units one after the other.

    Args:
        channels: C.
        depth: how many units.
        unit: their method.
        bias: biases in the convolutions.
        residual: 0 leaves each unit the residual connection that its method has; n puts one around every n
            units instead (BBCU Fig. 5).
        broken: units without residual connection, counted from 1 (BBCU Table 5).
    """

    def __init__(
        self,
        channels: int,
        depth: int,
        unit: str,
        bias: bool,
        residual: int = 0,
        broken: tuple[int, ...] = (),
    ):
        self.accumulates = unit == "bam"
        self.residual, self.broken = residual, broken
        if self.accumulates:
            units = [BamUnit(channels, i + 1, bias) for i in range(depth)]
        else:
            units = [make_unit(unit, channels, bias) for _ in range(depth)]
        super().__init__(units)

    def forward(self, x: Tensor) -> Tensor:
        """Paper mode, (N, C, H, W) to the same."""
        if self.accumulates:
            return self._accumulate(x)
        if self.residual == 0:
            for i, unit in enumerate(self):
                x = unit.with_skip(x, None) if i + 1 in self.broken else unit(x)
            return x
        skip = x
        for i, unit in enumerate(self):
            last = (i + 1) % self.residual == 0
            x = unit.with_skip(x, skip if last else None)
            skip = x if last else skip
        return x

    def _accumulate(self, x: Tensor) -> Tensor:
        activations, weights = [x], []
        for unit in self:
            weights.append(unit.branch.conv.weight)
            activations.append(unit(activations, weights))
        return activations[-1]

    def hardware(self, ops: TorchOps, x: Tensor, stream: Stream) -> Tensor:
        """Hardware mode, stream to stream."""
        for i, unit in enumerate(self):
            x = unit.hardware(ops, f"body.{i}", x, stream)
        return x


def decays(network: nn.Module) -> list[Decay]:
    """The modules that want to know how far the training is: IR-Net's gradients."""
    return [module for module in network.modules() if isinstance(module, Decay)]


def set_progress(modules: list[Decay], fraction: float) -> None:
    """Tell them how much of the training is done, 0..1."""
    with torch.no_grad():
        for module in modules:
            module.set_progress(fraction)
