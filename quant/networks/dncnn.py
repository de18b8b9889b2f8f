# SPDX-License-Identifier: BSD-3-Clause
"""DnCNN for denoising and DnCNN-3 for JPEG deblocking (BBCU Sec. 4.3, 4.4): predicts the residue."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from quant.config import NetworkConfig
from quant.integer_ops import TorchOps
from quant.layers import Requant8, ScaledConv2d
from quant.networks.base import RestorationNetwork
from quant.units import BodyUnit

Q_STEP = 0.125  # initial step of the int8 tail input, in k-scaled units


class DnCNN(RestorationNetwork):
    """conv - ReLU - body - conv; the output is the input minus that (DnCNN with nb = depth + 2)."""

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        c, n = config.width, config.channels
        binary, int8 = "body" in config.binary, config.mode == "hardware"
        init = 0.1 if binary else None
        self.head = ScaledConv2d(n, c, int8, config.bias, init)
        if binary:
            self.body = nn.ModuleList(BodyUnit(c, config.unit, config.bias) for _ in range(config.depth))
        else:
            convs = (ScaledConv2d(c, c, False, config.bias, None) for _ in range(config.depth))
            self.body = nn.ModuleList(convs)
        self.tail = ScaledConv2d(c, n, int8, config.bias, init)
        self.to_tail = Requant8(Q_STEP) if int8 else None

    def paper(self, x: Tensor) -> Tensor:
        """k-scaled floats, (N, c, H, W) to the same."""
        feat = F.relu(self.head(x))
        for unit in self.body:
            feat = unit(feat) if "body" in self.config.binary else F.relu(unit(feat))
        return x - self.tail(feat)

    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The integer contract, grey levels in and out."""
        x = self._int8_head(ops, pixels, self.head, 0.0)
        for i, unit in enumerate(self.body):
            x = unit.hardware(ops, f"body.{i}", x, self.stream)
        q, step = self._stream_to_q(ops, "tail.requant", x, self.to_tail, self.config.width)
        base = ops.base("base", pixels, 1)
        return self._int8_tail(ops, q, step, self.tail, base, sign=-1.0)
