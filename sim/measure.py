# SPDX-License-Identifier: BSD-3-Clause
"""Measure a compiled network in simulation: cycles, FIFO high-water marks, and that the pixels are golden's.

    python -m sim.measure build/bbcu_nano_x2-pynq-z2

sends frames as wide as the hardware takes through the top, back to back: once as fast as it takes them, for
the cycles, and once at the pace that the FIFO depths were computed for, for the high-water marks. The numbers
go to `report/rtlsim_performance.json` and into the report.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from golden import IntegerNetwork
from golden.difference import difference
from golden.random_networks import random_image
from hw.compiler import BuildError
from hw.compiler.build_folder import BuildFolder
from hw.compiler.firing import Stage
from hw.compiler.report import write_report
from hw.compiler.timing import estimate, pace
from hw.compiler.top import Top
from hw.modules import ToolError
from sim.equivalence import expected as golden_images
from sim.top import Ports, Result, TopSimulator, Waits

FRAMES = 3
ROWS = 60
"""Frames that are sent, and their rows; as wide as the top takes them."""


def measure(build: BuildFolder, rows: int = ROWS) -> dict[str, Any]:
    """Return the content of rtlsim_performance.json.

    Args:
        build: a compiled network.
        rows: height of the frames.

    Raises:
        BuildError: the folder holds no compiled network.
        ToolError: the simulation fails, or its pixels are not golden's.
    """
    simulator = TopSimulator(build.stitched)
    top, design = simulator.top, build.read("design")
    if design is None:
        raise BuildError(f"{build.path}: expected a folder that make compile wrote")
    network = IntegerNetwork.load(build.network)
    rng = np.random.default_rng(0)
    frames = [random_image(rng, rows, top.max_width, top.channels) for _ in range(FRAMES)]
    expected = golden_images(network, frames)
    fast = _run(simulator, frames, expected, Ports(), "as fast as it goes")
    graph = [_stage(record) for record in build.read("stages")]
    even = _run(simulator, frames, expected, Ports(period=pace(graph)), "at an even pace")
    guess = estimate(graph, rows, top.max_width, set(design["fifo_streams"]))
    return {
        "frame": [rows, top.max_width],
        "cycles": round(fast.interval),
        "estimated_cycles": guess.steady,
        "latency_cycles": fast.frames[0].first_out - fast.frames[0].first_in,
        "estimated_latency_cycles": guess.first,
        "single_frame_cycles": fast.frames[0].cycles,
        "estimated_single_frame_cycles": guess.frame,
        "pace": pace(graph),
        "busy": _busy(top, fast.waits),
        "high_water": even.high_water,
        "high_water_fast": fast.high_water,
    }


def _run(
    simulator: TopSimulator,
    frames: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
    ports: Ports,
    what: str,
) -> Result:
    rows = frames[0].shape[0] * simulator.top.scale
    with tqdm(total=len(frames) * rows, desc=what, unit="row", disable=None, leave=False) as bar:
        result = simulator.run(frames, ports, lambda frame, row: bar.update(frame * rows + row - bar.n))
    for index, (image, golden) in enumerate(zip(result.images, expected, strict=True)):
        if wrong := difference(image, golden):
            raise ToolError(f"frame {index}: {wrong}")
    return result


def _busy(top: Top, waits: Mapping[str, Waits]) -> dict[str, float]:
    """Return for every node the share of cycles in which it works.

    It does not while its reader lets it wait, nor while it waits for a beat and has nothing to offer.
    """
    busy = {}
    for node in [instance.node for instance in top.instances] if waits else []:
        into = [waits[s.tensor] for s in top.streams if s.target == node]
        out = [waits[s.tensor] for s in top.streams if s.source == node]
        empty = min(max(w.starved for w in into), min(w.empty for w in out))
        busy[node] = round(1 - max(empty, *(w.blocked for w in out)), 4)
    return busy


def _stage(record: dict[str, Any]) -> Stage:
    return Stage(**{k: tuple(v) if isinstance(v, list) else v for k, v in record.items()})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sim.measure", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of a compiled network, build/<model>-<board>")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"of the frames ({ROWS})")
    options = parser.parse_args(arguments)
    build = BuildFolder(options.folder)
    try:
        if options.rows < 1:
            raise BuildError(f"--rows is {options.rows}, expected 1 or more")
        found = measure(build, options.rows)
        build.write("rtlsim_performance", found)
        page = write_report(build)
    except (BuildError, ToolError) as error:
        print(f"measure: {error}", file=sys.stderr)
        return 2
    for name, what in (("cycles", "per frame"), ("latency_cycles", "to the first pixel")):
        guess = found[f"estimated_{name}"]
        print(f"{found[name]:,} cycles {what}, estimated {guess:,} ({found[name] / guess - 1:+.1%})")
    depths = build.read("design")["fifos"]
    full = [name for name, most in found["high_water"].items() if most >= depths[name]]
    names = f": {', '.join(full)}" if full else ""
    print(f"{len(depths)} FIFOs, of which {len(full)} were full at the pace of their depths{names}")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
