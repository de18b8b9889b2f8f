# SPDX-License-Identifier: BSD-3-Clause
"""Is the compiled network the network? The same frames through golden, the graph and the simulated top.

python -m sim.equivalence FOLDER runs a case again that has failed; the folder is what `save` wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from golden import IntegerNetwork, run, run_streaming
from golden.difference import difference
from golden.statistics import means
from hw.compiler.lower import Decision, Job, lower
from hw.compiler.stitch import stitch
from hw.modules import BUILD, ToolError
from sim.top import Ports, Result, TopSimulator

FAILURES = BUILD / "failures"

NAME = "network"  # of the top module

Config = dict[str, dict]


@dataclass(frozen=True)
class Case:
    """A network, its folding and FIFO depths, and frames to send through it.

    Attributes:
        network: the network.
        frames: (H, W, C) uint8 each; the widest decides for which width it is compiled.
        folding, fifos: decide on the graph, see `hw.compiler.lower.Job`.
        ports: how the outside behaves.
        config: what they have decided; filled while the case is compiled.
    """

    network: IntegerNetwork
    frames: Sequence[np.ndarray]
    folding: Decision = field(default=lambda model: {})
    fifos: Decision = field(default=lambda model: {})
    ports: Ports = field(default_factory=Ports)
    config: Config = field(default_factory=dict)


class Mismatch(ToolError):
    """The top has computed something else than golden."""


def compile_case(case: Case, folder: Path) -> Path:
    """Lower the network, each step checked against golden, and stitch the top.

    Args:
        case: the case.
        folder: gets `stitched/`.

    Returns:
        The folder `stitched`.

    Raises:
        BuildError: as of `lower` and `stitch`.
    """

    def kept(decide: Decision) -> Decision:
        def decision(model: object) -> Config:
            made = decide(model)
            for node, attributes in made.items():
                case.config.setdefault(node, {}).update(attributes)
            return made

        return decision

    job = Job(case.network, kept(case.folding), kept(case.fifos))
    height = max(frame.shape[0] for frame in case.frames)
    width = max(frame.shape[1] for frame in case.frames)
    stitch(lower(job, height, width), NAME, case.network.content_hash, folder / "stitched")
    return folder / "stitched"


def expected(network: IntegerNetwork, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return what hardware makes of frames since its reset: each with the statistics of the one before."""
    if means(network):
        return list(run_streaming(network, frames))
    return [run(network, frame) for frame in frames]


def compare(network: IntegerNetwork, frames: Sequence[np.ndarray], images: Sequence[np.ndarray]) -> None:
    """Compare results with golden.

    Args:
        network: the network.
        frames: what went in since the reset, (H, W, C) uint8 each.
        images: what came out.

    Raises:
        Mismatch: they are not equal; the message has the frame and the first wrong pixel.
    """
    if len(frames) != len(images):
        raise Mismatch(f"{len(images)} frames came out, expected {len(frames)}")
    wanted = expected(network, frames)
    for number, (frame, image, golden) in enumerate(zip(frames, images, wanted, strict=True)):
        size = f"frame {number} of {frame.shape[1]} x {frame.shape[0]} pixels"
        if image.shape != golden.shape:
            raise Mismatch(f"{size}: the result has shape {image.shape}, expected {golden.shape}")
        if wrong := difference(image, golden):
            raise Mismatch(f"{size}: {wrong}")


def check(case: Case, name: str) -> Result:
    """Compile and simulate a case, and compare every pixel with golden.

    Args:
        case: the case.
        name: of the folder in build/failures/ in which it is left if it fails.

    Raises:
        AssertionError: it failed in whatever way; the message says how to run it again.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = TopSimulator(compile_case(case, Path(folder))).run(case.frames, case.ports)
            compare(case.network, case.frames, result.images)
        except Exception as error:
            left = save(case, FAILURES / name)
            raise AssertionError(f"{error}\nrun it again: python -m sim.equivalence {left}") from error
    return result


def save(case: Case, folder: Path) -> Path:
    """Write a case: network.npz, frames.npz, config.json, ports.json; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    case.network.save(folder / "network.npz")
    frames = {f"frame{number:03d}": frame for number, frame in enumerate(case.frames)}
    np.savez_compressed(folder / "frames.npz", **frames)
    (folder / "config.json").write_text(json.dumps({"Defaults": {}} | case.config, indent=1) + "\n")
    (folder / "ports.json").write_text(json.dumps(asdict(case.ports), indent=1) + "\n")
    return folder


def load(folder: Path) -> Case:
    """Read a case that `save` wrote.

    Raises:
        ToolError: a file of it is missing.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
        ports = Ports(**json.loads((folder / "ports.json").read_text()))
        with np.load(folder / "frames.npz") as arrays:
            frames = [arrays[name] for name in sorted(arrays)]
        network = IntegerNetwork.load(folder / "network.npz")
    except OSError as error:
        raise ToolError(f"{folder}: {error}; expected a folder of build/failures/") from None
    fifos = {node: value for node, value in config.items() if _is_depth(node, value)}
    folding = {node: _without_depths(value) for node, value in config.items() if not node.endswith("/fifo")}
    return Case(network, frames, lambda model: folding, lambda model: fifos, ports)


def _is_depth(node: str, attributes: dict) -> bool:
    return node.endswith("/fifo") or any(key.endswith("FIFODepths") for key in attributes)


def _without_depths(attributes: dict) -> dict:
    return {key: value for key, value in attributes.items() if not key.endswith("FIFODepths")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a case again; return 0 if the top equals golden, 1 if not, 2 if there is no such case."""
    parser = argparse.ArgumentParser(prog="equivalence", description="Run a failed case again.")
    parser.add_argument("folder", type=Path, help="a folder of build/failures/")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the stitched top here")
    options = parser.parse_args(arguments)
    try:
        case = load(options.folder)
    except ToolError as error:
        print(f"equivalence: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        try:
            stitched = compile_case(case, options.keep or Path(temporary))
            result = TopSimulator(stitched).run(case.frames, case.ports)
            compare(case.network, case.frames, result.images)
        except RuntimeError as error:  # BuildError, ToolError
            print(f"equivalence: {error}", file=sys.stderr)
            print(getattr(error, "table", ""), end="", file=sys.stderr)
            return 1
    print(f"{len(case.frames)} frames equal golden, {result.cycles} cycles")
    return 0


if __name__ == "__main__":
    sys.exit(main())
