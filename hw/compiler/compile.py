# SPDX-License-Identifier: BSD-3-Clause
"""Compile an integer network to one RTL top for a board, with a report.

    python -m hw.compiler.compile --model models/bbcu_nano_x2.npz --board pynq-z2 --fps 20

writes build/<model>-<board>/: `intermediate_models/` (the graph after every step), `stitched/` (the top
module with all that it needs), `shell/` (that in the shell, ready for a bitstream: see hw.shell.generate),
`report/` (JSON and index.html) and `final_hw_config.json` (folding and FIFO depths; can be given back with
--folding). An unchanged network with unchanged options is not compiled again.
Exit code 2 after bad input, 3 if the asked rate does not fit on the board.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from golden import IntegerNetwork, ModelError
from hw.compiler import BuildError, DoesNotFit
from hw.compiler.build_folder import BuildFolder
from hw.modules import ROOT, ToolError

OK, BAD_INPUT, DOES_NOT_FIT = 0, 2, 3

_SOURCES = (
    "hw/compiler/**/*.py",
    "hw/compiler/*.json",
    "hw/boards/*/board.json",
    "hw/rtl/*.sv",
    "hw/shell/*.py",
    "hw/shell/rtl/*.sv",
    "hw/*.py",
    "golden/*.py",
)
_PACKAGES = ("finn-plus", "qonnx", "onnx", "numpy")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        print(f"compile: {message}", file=sys.stderr)
        sys.exit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (BuildError, ToolError, ModelError) as error:
        print(f"compile: {error}", file=sys.stderr)
        return DOES_NOT_FIT if isinstance(error, DoesNotFit) else BAD_INPUT
    except OSError as error:
        print(f"compile: {error.filename}: {error.strerror}", file=sys.stderr)
        return BAD_INPUT


def _run(options: argparse.Namespace) -> int:
    model: Path = options.model
    if not model.is_file():
        raise BuildError(f"{model}: no such network, expected an .npz file as those in models/")
    network = IntegerNetwork.load(model)
    name = re.sub(r"\W|^(?=\d)", "_", model.stem) + "_top"  # which is no keyword
    build = BuildFolder(options.out) if options.out else BuildFolder.of(model.stem, options.board)
    key = _key(network, name, options)
    if not options.force and build.key.exists() and build.key.read_text() == key:
        print(f"{build.path}: unchanged since it was compiled; --force compiles it again")
    else:
        _compile(network, name, build.path, key, options)
    print(_summary(build))
    return OK


def _compile(network: IntegerNetwork, name: str, out: Path, key: str, options: argparse.Namespace) -> None:
    from hw.compiler.boards import (
        find,
    )  # these bring FINN: three seconds that a compiled network need not wait
    from hw.compiler.config import read_config
    from hw.compiler.folding import Goal
    from hw.compiler.pipeline import STEP_NAMES, compile_network

    goal = Goal(
        height=options.height,
        width=options.width,
        board=find(options.board),
        fps=options.fps,
        strips=options.strips,
        pinned=read_config(options.folding) if options.folding else {},
    )
    with tqdm(total=len(STEP_NAMES), unit="step", disable=True if options.quiet else None) as bar:

        def progress(step: str) -> None:
            bar.update(STEP_NAMES.index(step) - bar.n)
            bar.set_description(step)

        compile_network(network, name, goal, out, key=key, progress=progress)
        bar.update(bar.total - bar.n)


def _key(network: IntegerNetwork, name: str, options: argparse.Namespace) -> str:
    """Return a hash of all that the result depends on."""
    digest = hashlib.sha256(network.content_hash.encode())
    pinned = options.folding.read_text() if options.folding and options.folding.is_file() else ""
    wanted = (options.board, options.fps, options.height, options.width, options.strips, pinned, name)
    versions = [importlib.metadata.version(package) for package in _PACKAGES]
    digest.update(repr((wanted, versions)).encode())
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _summary(build: BuildFolder) -> str:
    """Return what the user wants to know first."""
    found = build.read("summary")
    if found is None:
        raise BuildError(f"{build.path}: has no report/summary.json; compile with --force")
    has, size = found["device"], found["frame"]
    used = ", ".join(
        f"{found[key]:g} of {has[key]:g} {label}"
        for key, label in (("lut", "LUT"), ("ff", "FF"), ("bram36", "BRAM36"), ("dsp", "DSP"))
    )
    strips = "" if size["strips"] == 1 else f" in {size['strips']} strips"
    return (
        f"{found['name']}: {size['width']} x {size['height']}{strips}, {found['fps']:.1f} frames/s at "
        f"{found['clock_mhz']:g} MHz, limited by {', '.join(found['bottleneck'][:3])}\n"
        f"{used} ({found['source']})\n{build.page}"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate in frames per second")
    return rate


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m hw.compiler.compile", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model", type=Path, default=ROOT / "models" / "bbcu_nano_x2.npz", help="an .npz file"
    )
    parser.add_argument("--board", default="pynq-z2", help="the board (pynq-z2)")
    parser.add_argument("--fps", type=_rate, help="frames per second to reach; without it, the most that fit")
    parser.add_argument("--width", type=_positive, default=640, help="of a frame, in input pixels (640)")
    parser.add_argument("--height", type=_positive, default=360, help="of a frame, in input pixels (360)")
    parser.add_argument(
        "--strips", type=_positive, help="vertical strips that a frame is cut into; without it, as few as fit"
    )
    parser.add_argument("--folding", type=Path, help="a JSON file that pins the folding of some or all nodes")
    parser.add_argument("--out", type=Path, help="folder to write (build/<model>-<board>)")
    parser.add_argument("--force", action="store_true", help="compile even if nothing has changed")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
