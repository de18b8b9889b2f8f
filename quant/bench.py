# SPDX-License-Identifier: BSD-3-Clause
"""How much faster the integers are than PyTorch: `python -m quant.bench`; docs/speed.md says what is measured.

The Numba engine and a float32 network of the same topology take turns on the same image and the same number
of threads. The float network is spared what only the integers need (thresholds, scales, conversion from and
to 8 bits), and is run in the memory format that is faster for it.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import golden
from golden import IntegerNetwork, ModelError
from golden.layers import PIXELS
from quant.config import ConfigError, preset
from quant.outputs import text_table, write_json

MODEL = Path("models/bbcu_nano_x2.npz")
GOAL = 3.0  # times the speed of PyTorch float32
INSTRUCTIONS = ("avx2", "avx512f", "avx512bw", "avx512_vpopcntdq", "avx512_vnni", "amx_int8", "asimd")
REFERENCE_SIZE = (160, 90)  # of the image for the NumPy reference, which is slow


class FloatTwin(nn.Module):
    """A float32 network with the convolutions, activations and additions of an integer network; random weights.

    A requantizer with two pieces becomes a PReLU, one with a single piece and RSign become nothing.
    """

    def __init__(self, network: IntegerNetwork):
        super().__init__()
        self.layers = network.layers
        self.last_use = {name: layer.name for layer in network.layers for name in layer.inputs}
        self.parts = nn.ModuleDict()
        for layer in network.layers:
            part = None
            if isinstance(layer, golden.ConvInt8 | golden.ConvXnor):
                outputs, _, _, inputs = layer.weight.shape
                part = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            elif isinstance(layer, golden.Requant) and not _one_piece(layer):
                part = nn.PReLU(len(layer.a1))
            if part is not None:
                self.parts[layer.name.replace(".", "/")] = part

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, rH, rW)."""
        tensors = {PIXELS: pixels}
        for layer in self.layers:
            inputs = [tensors[name] for name in layer.inputs]
            for name in layer.inputs:
                if self.last_use[name] == layer.name:
                    tensors.pop(name, None)
            tensors[layer.name] = self._apply(layer, *inputs)
        return tensors[self.layers[-1].name]

    def _apply(self, layer: golden.Layer, x: Tensor, *others: Tensor) -> Tensor:
        match layer:
            case golden.Join() | golden.Output():
                return x + others[0]
            case golden.PixelShuffle():
                return F.pixel_shuffle(x, layer.factor)
            case golden.NearestUp():
                return F.interpolate(x, scale_factor=layer.factor, mode="nearest")
            case golden.RepeatChannels():
                return x[:, torch.arange(layer.channels) % x.shape[1]]
            case golden.Base():
                return x if layer.factor == 1 else F.interpolate(x, scale_factor=layer.factor, mode="bilinear")
        key = layer.name.replace(".", "/")
        return self.parts[key](x) if key in self.parts else x


def _one_piece(layer: golden.Requant) -> bool:
    return np.array_equal(layer.a1, layer.a0) and np.array_equal(layer.b1, layer.b0)


@dataclass(frozen=True)
class Result:
    """What was measured on one size; lists have one entry per repetition.

    Attributes:
        width, height: of the input.
        fast_s, torch_s: wall-clock seconds of each run.
        fast_cpu_s, torch_cpu_s: processor seconds of all threads together.
        layout: PyTorch's memory format.
    """

    width: int
    height: int
    fast_s: list[float]
    torch_s: list[float]
    fast_cpu_s: list[float]
    torch_cpu_s: list[float]
    layout: str

    @property
    def ratios(self) -> list[float]:
        """PyTorch's time over ours, of runs that followed each other."""
        return [t / f for t, f in zip(self.torch_s, self.fast_s, strict=True)]

    @property
    def cpu_ratio(self) -> float:
        """The ratio of the medians of processor time, on which other programs have less influence."""
        return statistics.median(self.torch_cpu_s) / statistics.median(self.fast_cpu_s)


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(
    network: IntegerNetwork, size: tuple[int, int], repeats: int, threads: int, compiled: bool = False
) -> Result:
    """Time both engines in turns on one random image.

    Args:
        network: the network.
        size: (width, height) of the input.
        repeats: runs of each engine.
        threads: of each engine.
        compiled: whether PyTorch's network goes through torch.compile.
    """
    from golden.fast import FastEngine  # needs numba

    width, height = size
    image = np.random.default_rng(0).integers(0, 256, (height, width, network.channels), np.uint8)
    engine = FastEngine(network, threads)
    twin = FloatTwin(network).eval()
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    torch.set_num_threads(threads)
    with torch.inference_mode():
        runs = {}
        for name, layout in (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)):
            module, x = _in_layout(twin, pixels, layout)
            module = torch.compile(module) if compiled else module
            runs[name] = lambda module=module, x=x: module(x)
        trials = {name: [_timed(run)[0] for _ in range(4)][1:] for name, run in runs.items()}
        layout = min(trials, key=lambda name: statistics.median(trials[name]))
        engine.run(image)  # compiles
        pairs = [(_timed(lambda: engine.run(image)), _timed(runs[layout])) for _ in range(repeats)]
    (fast, fast_cpu), (other, other_cpu) = (zip(*runs, strict=True) for runs in zip(*pairs, strict=True))
    return Result(width, height, list(fast), list(other), list(fast_cpu), list(other_cpu), layout)


def _in_layout(twin: FloatTwin, pixels: Tensor, layout: torch.memory_format) -> tuple[FloatTwin, Tensor]:
    copy = FloatTwin.__new__(FloatTwin)
    copy.__dict__.update(twin.__dict__)
    copy._modules = {"parts": nn.ModuleDict()}
    for key, part in twin.parts.items():
        state = {name: value.clone() for name, value in part.state_dict().items()}
        clone = type(part)(part.in_channels, part.out_channels, 3, padding=1, bias=False) if isinstance(
            part, nn.Conv2d
        ) else nn.PReLU(part.num_parameters)
        clone.load_state_dict(state)
        copy.parts[key] = clone
    return copy.to(memory_format=layout).eval(), pixels.contiguous(memory_format=layout)
