# SPDX-License-Identifier: BSD-3-Clause
"""From a trained network to `golden.IntegerNetwork`.

    python -m quant.export --folder runs/X --out models/X.npz

Export runs the network's own `hardware` description against a `Recorder` instead of `TorchOps`: the same
code, so the same layers in the same order. It happens in float64, in which all coefficients are exact.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from golden import (
    Base,
    Compare,
    ConvInt8,
    ConvPoint,
    ConvXnor,
    GlobalMean,
    IntegerNetwork,
    Join,
    Layer,
    ModelError,
    Multiply,
    NearestUp,
    Output,
    PixelShuffle,
    PlainOutput,
    RepeatChannels,
    Requant,
    RSign,
    Table,
)
from quant.config import ConfigError, NetworkConfig
from quant.integer_ops import Affine, quantize_output
from quant.networks import RestorationNetwork, build
from quant.outputs import one_line
from quant.trained import load_network, save_network


class Recorder:
    """Has the methods of `quant.integer_ops.TorchOps`; tensors are names, calls become layers."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []

    def _add(self, layer: Layer) -> str:
        self.layers.append(layer)
        return layer.name

    def conv_int8(self, name: str, x: str, weight: Tensor) -> str:
        """Record an int8 convolution."""
        return self._add(ConvInt8(name, (x,), _integers(weight, np.int8).transpose(0, 2, 3, 1)))

    def conv_xnor(self, name: str, bits: str, weight: Tensor) -> str:
        """Record a binary convolution; +1 becomes bit 1, -1 bit 0."""
        return self._add(ConvXnor(name, (bits,), _integers((weight + 1) / 2, np.uint8).transpose(0, 2, 3, 1)))

    def requant(self, name: str, acc: str, affine: Affine, bits: int) -> str:
        """Record a requantizer."""
        a1, b1, a0, b0, threshold = (_integers(v, np.int64) for v in affine[:5])
        shift = int(_integers(affine.shift, np.int64))
        return self._add(Requant(name, (acc,), a1, a0, b1, b0, threshold, shift, bits))

    def rsign(self, name: str, x: str, alpha: Tensor, window: float, bits: int, sign: object = None) -> str:
        """Record thresholds T = floor(alpha) + 1, saturated to one bit more than the stream."""
        limit = 2**bits
        return self._add(RSign(name, (x,), _integers((alpha.floor() + 1).clamp(-limit, limit - 1), np.int64)))

    def join(self, name: str, x: str, y: str, bits: int) -> str:
        """Record a saturating sum."""
        return self._add(Join(name, (x, y), bits))

    def pixel_shuffle(self, name: str, x: str, factor: int) -> str:
        """Record a pixel shuffle."""
        return self._add(PixelShuffle(name, (x,), factor))

    def nearest_up(self, name: str, x: str, factor: int) -> str:
        """Record a nearest-neighbour upsampling."""
        return self._add(NearestUp(name, (x,), factor))

    def repeat_channels(self, name: str, x: str, channels: int) -> str:
        """Record a repetition of channels."""
        return self._add(RepeatChannels(name, (x,), channels))

    def base(self, name: str, pixels: str, factor: int) -> str:
        """Record the bilinear base."""
        return self._add(Base(name, (pixels,), factor))

    def output(self, name: str, acc: str, base: str, factor: int, gain: Tensor, bias: Tensor) -> str:
        """Record the output stage."""
        a, b, shift = (_integers(v, np.int64) for v in quantize_output(gain, bias, factor))
        return self._add(Output(name, (acc, base), a, b, int(shift)))

    def conv_point(self, name: str, x: str, weight: Tensor) -> str:
        """Record a 1x1 convolution."""
        return self._add(ConvPoint(name, (x,), _integers(weight, np.int8)))

    def table(self, name: str, x: str, entries: Tensor, slopes: Tensor, bits: int) -> str:
        """Record a table."""
        return self._add(Table(name, (x,), _integers(entries, np.int16), bits))

    def multiply(self, name: str, x: str, g: str, shift: Tensor, bits: int) -> str:
        """Record a product."""
        return self._add(Multiply(name, (x, g), int(_integers(shift, np.int64)), bits))

    def global_mean(self, name: str, x: str, running: Tensor, shift: int, bits: int) -> str:
        """Record a mean; the running mean becomes what the streaming form begins with."""
        limit = 2 ** (bits - 1)
        initial = torch.floor(running * 2**shift + 0.5).clamp(-limit, limit - 1)
        return self._add(GlobalMean(name, (x,), _integers(initial, np.int16), shift, bits))

    def compare(self, name: str, x: str, threshold: str, window: object, sign: object = None) -> str:
        """Record a comparison with the thresholds of the image."""
        return self._add(Compare(name, (x, threshold)))

    def plain_output(self, name: str, acc: str, gain: Tensor, bias: Tensor) -> str:
        """Record an output stage without a base."""
        a, b, shift = (_integers(v, np.int64) for v in quantize_output(gain, bias, 1))
        return self._add(PlainOutput(name, (acc,), a, b, int(shift)))


def _integers(values: Tensor, dtype: type) -> np.ndarray:
    """Float tensor that holds integers, as an integer array; a fraction is a bug in this project."""
    array = values.detach().cpu().double().numpy()
    rounded = np.rint(array)
    if not np.array_equal(array, rounded):
        raise AssertionError("export met a coefficient that is not an integer")
    return rounded.astype(dtype)


def float64_network(network: RestorationNetwork) -> RestorationNetwork:
    """A copy in float64 and evaluation mode: in hardware mode it computes exactly what golden does."""
    twin = copy.deepcopy(network).cpu().double().eval()
    twin.compute_dtype = None
    return twin


def to_integers(network: RestorationNetwork, name: str = "") -> IntegerNetwork:
    """The integer network of a network in hardware mode.

    Args:
        network: trained or not, on any device.
        name: goes into `meta`, with the configuration and how the network was trained.

    Raises:
        ConfigError: the network is in paper mode.
        ModelError: a coefficient does not fit the contract.
    """
    config = network.config
    if config.mode != "hardware":
        raise ConfigError("only hardware mode has integers: train with --mode hardware")
    recorder = Recorder()
    with torch.no_grad():
        float64_network(network).hardware(recorder, "pixels")
    meta = {"name": name, "config": config.to_dict(), "training": network.provenance}
    return IntegerNetwork(config.task, config.scale, config.channels, tuple(recorder.layers), meta)


def from_checkpoint(path: Path) -> RestorationNetwork:
    """The network in a Lightning checkpoint of `quant.train`.

    Raises:
        ConfigError: the file is missing or not such a checkpoint.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        network = build(NetworkConfig.from_dict(checkpoint["hyper_parameters"]["network"]))
        prefix = "network."
        state = {k[len(prefix) :]: v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}
        network.load_state_dict(state)
        training = checkpoint["hyper_parameters"]["training"]
        network.provenance = {**training, "iterations_done": checkpoint["global_step"]}
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{path}: not a checkpoint of quant.train ({one_line(error)})") from None
    return network.eval()


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.export`."""
    parser = argparse.ArgumentParser(prog="quant.export", description="Export a trained network to integers.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folder", type=Path, help="of a training run; its last.ckpt is exported")
    source.add_argument("--network", type=Path, help="a .pt written by this command, to export again")
    parser.add_argument(
        "--out", type=Path, required=True, help="models/NAME.npz; NAME.pt is written beside it"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    try:
        if args.out.suffix != ".npz":
            raise ConfigError(f"--out {args.out}: expected a file name that ends in .npz")
        network = from_checkpoint(args.folder / "last.ckpt") if args.folder else load_network(args.network)
        integers = to_integers(network, args.out.stem)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        save_network(network, args.out.with_suffix(".pt"))
        integers.save(args.out)
    except (ConfigError, ModelError, OSError) as error:
        print(f"quant.export: {error}", file=sys.stderr)
        return 2
    print(f"exported: {args.out} ({integers.content_hash[:16]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
