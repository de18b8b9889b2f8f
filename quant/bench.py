# SPDX-License-Identifier: BSD-3-Clause
"""How much faster the integers are than PyTorch: `python -m quant.bench`; see docs/speed.md.

The Numba engine and a float32 network of the same topology take turns on the same image and the same number
of threads. The float network is spared what only the integers need (thresholds, scales, conversion from and
to 8 bits), and is run in the memory format that is faster for it.

A network with statistics of the whole image is timed in its exact form: the integers need one pass for each
mean and one for the pixels (docs/numerics.md), PyTorch has all of the image at once.
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
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import golden
from golden import IntegerNetwork, ModelError
from golden.layers import PIXELS
from golden.statistics import means
from quant.config import PRESETS, ConfigError, preset
from quant.outputs import text_table, write_json

MODEL = Path("models/bbcu_nano_x2.npz")
GOAL = 3.0  # times the speed of PyTorch float32
INSTRUCTIONS = ("avx2", "avx512f", "avx512bw", "avx512_vpopcntdq", "avx512_vnni", "amx_int8", "asimd")
REFERENCE_SIZE = (160, 90)  # of the image for the NumPy reference, which is slow


class FloatTwin(nn.Module):
    """A float32 network with the convolutions, activations and additions of an integer network.

    A requantizer with two pieces becomes a PReLU, a table a sigmoid; a requantizer with a single piece, RSign
    and Compare become nothing. The weights are random.
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
            elif isinstance(layer, golden.ConvPoint):
                part = nn.Conv2d(*layer.weight.shape[::-1], 1, bias=False)
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
            tensors[layer.name] = self._compute(layer, *inputs)
        return tensors[self.layers[-1].name]

    def _compute(self, layer: golden.Layer, x: Tensor, *others: Tensor) -> Tensor:
        match layer:
            case golden.Join() | golden.Output():
                return x + others[0]
            case golden.Multiply():
                return x * others[0]
            case golden.GlobalMean():
                return x.mean((2, 3), keepdim=True)
            case golden.Table():
                return torch.sigmoid(x)
            case golden.PixelShuffle():
                return F.pixel_shuffle(x, layer.factor)
            case golden.NearestUp():
                return F.interpolate(x, scale_factor=layer.factor, mode="nearest")
            case golden.RepeatChannels():
                return x[:, torch.arange(layer.channels) % x.shape[1]]
            case golden.Base():
                return (
                    x if layer.factor == 1 else F.interpolate(x, scale_factor=layer.factor, mode="bilinear")
                )
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
        layout: PyTorch's memory format, and whether its network was compiled.
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


def integer_engine(network: IntegerNetwork, threads: int | None = None) -> Callable[[np.ndarray], np.ndarray]:
    """The Numba engine as a function of images, statistics of each image included."""
    from golden.fast import FastEngine, tensor_of  # needs numba

    if not means(network):
        return FastEngine(network, threads).run

    def run(image: np.ndarray) -> np.ndarray:
        statistics_of_it = golden.measure(network, image, tensor_of=tensor_of)
        return FastEngine(golden.freeze(network, statistics_of_it), threads).run(image)

    return run


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(
    network: IntegerNetwork,
    size: tuple[int, int],
    repeats: int,
    threads: int,
    compiled: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Result:
    """Time both engines in turns on one random image.

    Args:
        network: the network.
        size: (width, height) of the input.
        repeats: runs of each engine.
        threads: of each engine.
        compiled: whether PyTorch's network goes through torch.compile.
        dtype: of PyTorch's network.
    """
    width, height = size
    image = np.random.default_rng(0).integers(0, 256, (height, width, network.channels), np.uint8)
    engine = integer_engine(network, threads)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].to(dtype)
    torch.set_num_threads(threads)
    with torch.inference_mode():
        runs = {}
        for name, layout in (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)):
            twin = FloatTwin(network).eval().to(dtype=dtype, memory_format=layout)
            runs[name] = partial(
                torch.compile(twin) if compiled else twin, pixels.contiguous(memory_format=layout)
            )
        trials = {name: [_timed(run)[0] for _ in range(4)][1:] for name, run in runs.items()}
        layout = min(trials, key=lambda name: statistics.median(trials[name]))
        engine(image)  # compiles
        pairs = [(_timed(lambda: engine(image)), _timed(runs[layout])) for _ in range(repeats)]
    (fast, fast_cpu), (other, other_cpu) = (zip(*runs, strict=True) for runs in zip(*pairs, strict=True))
    label = layout + (", compiled" if compiled else "") + (", bfloat16" if dtype == torch.bfloat16 else "")
    return Result(width, height, list(fast), list(other), list(fast_cpu), list(other_cpu), label)


def reference_speed(network: IntegerNetwork) -> tuple[float, bool]:
    """Return the NumPy reference's pixels per second on a small image, and whether Numba's is equal."""
    width, height = REFERENCE_SIZE
    image = np.random.default_rng(1).integers(0, 256, (height, width, network.channels), np.uint8)
    start = time.perf_counter()
    expected = golden.run(network, image)
    seconds = time.perf_counter() - start
    return width * height / seconds, np.array_equal(integer_engine(network)(image), expected)


def binary_macs(network: IntegerNetwork) -> int:
    """Return the binary multiply-accumulates per pixel of the input."""
    convs = (layer for layer in network.layers if isinstance(layer, golden.ConvXnor))
    return sum(layer.weight.size * network.types[layer.name].factor ** 2 for layer in convs)


def machine() -> dict[str, object]:
    """Describe the processor, what else it is doing, and the libraries."""
    import numba

    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    return {
        "processor": model[1].strip() if model else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": [name for name in INSTRUCTIONS if name in info.split()],
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "numba": numba.__version__,
        "torch": torch.__version__,
        "torch_instructions": torch.backends.cpu.get_cpu_capability(),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _row(name: str, seconds: list[float], cpu: list[float], result: Result, macs: int) -> list[str]:
    median, pixels = statistics.median(seconds), result.width * result.height
    return [
        f"{result.width}x{result.height}",
        name,
        f"{1e3 * median:.1f}",
        f"{1e3 * min(seconds):.1f}",
        f"{1e3 * max(seconds):.1f}",
        f"{1e3 * statistics.median(cpu):.1f}",
        f"{1 / median:.1f}",
        f"{pixels / median / 1e6:.2f}",
        f"{macs * pixels / median / 1e9:.0f}",
    ]


def report(results: list[Result], macs: int) -> str:
    """Return the tables: times of both engines, then their ratios."""
    times, ratios = [], []
    for result in results:
        times.append(_row("numba", result.fast_s, result.fast_cpu_s, result, macs))
        times.append(_row(f"torch {result.layout}", result.torch_s, result.torch_cpu_s, result, macs))
        values = (min(result.ratios), statistics.median(result.ratios), max(result.ratios), result.cpu_ratio)
        ratios.append([f"{result.width}x{result.height}", *(f"{value:.1f}" for value in values)])
    heads = ("input", "engine", "ms median", "min", "max", "cpu ms", "frames/s", "Mpixel/s", "GMAC/s binary")
    return "\n\n".join(
        (
            text_table(heads, times, left=2),
            text_table(("torch / numba", "min", "median", "max", "cpu time"), ratios),
        )
    )


def load(path: Path) -> tuple[IntegerNetwork, str]:
    """Return the network in a file and its name; without a file, the preset of that name, untrained."""
    if path.stem in PRESETS and not path.exists():
        from quant.export import to_integers
        from quant.networks import build

        torch.manual_seed(0)
        return to_integers(build(preset(path.stem)), path.stem), f"{path.stem}, untrained"
    return IntegerNetwork.load(path), path.stem


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not match:
        raise ConfigError(f"--sizes {text}: expected WIDTHxHEIGHT in pixels, such as 640x360")
    return int(match[1]), int(match[2])


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.bench`."""
    parser = argparse.ArgumentParser(prog="quant.bench", description="Speed as a ratio to PyTorch float32.")
    add = parser.add_argument
    add("--model", type=Path, default=MODEL, metavar="NPZ", help="network (default: %(default)s)")
    add("--sizes", nargs="+", default=["320x180", "640x360"], metavar="WxH", help="input sizes")
    add("--repeats", type=int, default=15, metavar="N", help="runs of each engine (default: %(default)s)")
    add("--threads", type=int, metavar="N", help="of each engine (default: one per core)")
    add("--compile", action="store_true", help="let torch.compile optimize PyTorch's network first")
    add("--dtype", choices=("float32", "bfloat16"), default="float32", help="of PyTorch's network")
    add("--json", type=Path, metavar="FILE", help="write all that was measured")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    try:
        sizes = [_size(text) for text in args.sizes]
        for option in ("repeats", "threads"):
            if getattr(args, option) is not None and getattr(args, option) < 1:
                raise ConfigError(f"--{option} {getattr(args, option)}: expected at least 1")
        network, name = load(args.model)
        here = machine()
        threads = args.threads or here["cores"]
        print(f"{here['processor']}, {here['cores']} cores, load average {here['load']}")
        print(f"instructions: {' '.join(here['instructions'])}; torch uses {here['torch_instructions']}")
        print(f"numba {here['numba']}, torch {here['torch']}, {threads} threads each")
        macs = binary_macs(network)
        print(f"{name}: {macs / 1e3:.1f} k binary multiply-accumulates per input pixel")
        if passes := len(means(network)):
            print(f"statistics of the image: {passes} passes before the pixels, as in the exact form")
        dtype = getattr(torch, args.dtype)
        results = [measure(network, size, args.repeats, threads, args.compile, dtype) for size in sizes]
        speed, equal = reference_speed(network)
        print("\n" + report(results, macs))
        fastest = max(r.width * r.height / statistics.median(r.fast_s) for r in results)
        print(f"\nNumPy reference: {speed / 1e6:.3f} Mpixel/s, {fastest / speed:.0f} times slower")
        print(f"results of numba and the reference: {'equal' if equal else 'DIFFERENT'}")
        met = all(statistics.median(result.ratios) >= GOAL for result in results)
        print(f"goal: {GOAL:g} times PyTorch {args.dtype} at every size: {'met' if met else 'not met'}")
        if args.json:
            measured = [{**asdict(r), "ratios": r.ratios, "cpu_ratio": r.cpu_ratio} for r in results]
            record = {"model": name, "content_hash": network.content_hash, "threads": threads}
            record |= {
                "compiled": args.compile,
                "dtype": args.dtype,
                "machine": here,
                "binary_macs_per_pixel": macs,
            }
            record |= {"reference_pixels_per_s": speed, "equal": equal, "goal": GOAL, "met": met}
            write_json(args.json, {**record, "sizes": measured})
    except (ConfigError, ModelError, OSError, ImportError) as error:
        print(f"quant.bench: {error}", file=sys.stderr)
        return 2
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
