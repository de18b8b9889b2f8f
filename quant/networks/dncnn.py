# SPDX-License-Identifier: BSD-3-Clause
"""DnCNN for denoising and DnCNN-3 for JPEG deblocking (BBCU Sec. 4.3, 4.4): predicts the residue."""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor, nn

from quant.config import DEBLOCK, DENOISE, FULL, LITE, NANO, NetworkConfig
from quant.integer_ops import TorchOps
from quant.layers import Requant8, ScaledConv2d
from quant.networks.base import RestorationNetwork, binary_body, head_init
from quant.networks.family import Family, Key

Q_STEP = 0.125  # initial step of the int8 tail input, in k-scaled units


class DnCNN(RestorationNetwork):
    """conv - ReLU - body - conv; the output is the input minus that (DnCNN with nb = depth + 2)."""

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        c, n = config.width, config.channels
        binary, int8 = "body" in config.binary, config.mode == "hardware"
        init = 0.1 if binary else None
        self.head = ScaledConv2d(n, c, int8, config.bias, head_init(config) if binary else None)
        if binary:
            self.body = binary_body(config)
        else:
            convs = (ScaledConv2d(c, c, False, config.bias, None) for _ in range(config.depth))
            self.body = nn.ModuleList(convs)
        self.tail = ScaledConv2d(c, n, int8, config.bias, init)
        self.to_tail = Requant8(Q_STEP) if int8 else None

    def paper(self, x: Tensor) -> Tensor:
        """k-scaled floats, (N, c, H, W) to the same."""
        feat = F.relu(self.head(x))
        if "body" in self.config.binary:
            feat = self.body(feat)
        else:
            for conv in self.body:
                feat = F.relu(conv(feat))
        return x - self.tail(feat)

    def hardware(self, ops: TorchOps, pixels: Tensor) -> Tensor:
        """The integer contract, grey levels in and out."""
        x = self._int8_head(ops, pixels, self.head, 0.0)
        x = self.body.hardware(ops, x, self.stream)
        q, step = self._stream_to_q(ops, "tail.requant", x, self.to_tail, self.config.width)
        base = ops.base("base", pixels, 1)
        return self._int8_tail(ops, q, step, self.tail, base, sign=-1.0)


SIGMAS, QUALITIES = (15, 25, 50), (10, 20, 30, 40)
PRINTED = {"BNN": "bnn", "Bi-Real": "bireal", "IRNet": "irnet", "BTM": "btm", "ReActNet": "reactnet"}


def _presets() -> dict[str, NetworkConfig]:
    out: dict[str, NetworkConfig] = {}
    for stem, config in (("dncnn", DENOISE), ("dncnn3", DEBLOCK)):
        out[f"bbcu_{stem}"] = config
        out[stem] = replace(config, bias=True, **FULL)
        out[f"{stem}_lite"] = replace(config, bias=True, **LITE)
        for unit in PRINTED.values():
            out[f"{unit}_{stem}"] = replace(config, unit=unit, mode="paper")
    for sigma in SIGMAS:
        out[f"dncnn_nano_s{sigma}"] = replace(DENOISE, **NANO, sigma=(sigma, sigma))
    for quality in QUALITIES:
        out[f"dncnn3_nano_q{quality}"] = replace(DEBLOCK, **NANO, quality=(quality, quality))
    return out


def _rows(presets: dict[str, NetworkConfig]) -> dict[Key, NetworkConfig]:
    rows: dict[Key, NetworkConfig] = {}
    for table, stem, name, settings in (
        ("bbcu_table2", "dncnn", "DnCNN", [f"sigma{s}" for s in SIGMAS]),
        ("bbcu_table3", "dncnn3", "DnCNN-3", [f"q{q}" for q in QUALITIES]),
    ):
        methods = {name: stem, f"{name}-Lite": f"{stem}_lite", "BBCU": f"bbcu_{stem}"}
        methods |= {method: f"{unit}_{stem}" for method, unit in PRINTED.items()}
        for setting in settings:
            for method, preset in methods.items():
                rows[table, method, setting] = replace(presets[preset], mode="paper")
    return rows


_PRESETS = _presets()
FAMILY = Family("dncnn", DnCNN, _PRESETS, _rows(_PRESETS))
