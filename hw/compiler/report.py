# SPDX-License-Identifier: BSD-3-Clause
"""The report of a compiled network: what the estimates say, and beside them what Yosys and Verilator said.

    python -m hw.compiler.report build/bbcu_nano_x2-pynq-z2

writes `report/summary.json` and `report/index.html` again, from the other files in `report/`:
`layers.json` and `design.json` (hw.compiler.estimates), `post_synth_resources.json` (hw.compiler.netlist,
if it has run) and `rtlsim_performance.json` (sim.measure, if it has run).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw.compiler import BuildError
from hw.compiler.build_folder import BuildFolder
from hw.compiler.report_page import page
from hw.compiler.top import WHOLE
from hw.files import write_text

RESOURCES = ("lut", "ff", "bram36", "dsp")


def summarize(build: BuildFolder) -> dict[str, Any]:
    """Return the summary of a build: resources and rate of the whole top, their sources, and all nodes.

    `lut`, `ff`, `bram36`, `dsp` are those of Yosys once it has run, of the cost model before; `source` says
    which. `cycles_per_frame` and `fps` count all strips of a frame, one frame behind the other.

    Raises:
        BuildError: the folder has no estimates.
    """
    design, layers = build.read("design"), build.read("layers")
    if design is None or layers is None:
        raise BuildError(f"{build.path}: expected a folder that make compile wrote")
    synthesis, simulation = build.read("post_synth_resources"), build.read("rtlsim_performance")
    used = synthesis[WHOLE] if synthesis else design["estimate"]
    binary = [layer for layer in layers if layer["op"] == "XnorMVU"]
    columns, strip = design["frame"]["columns"], design["frame"]["strip_width"]
    macs = sum(layer["macs"] for layer in binary) * columns / strip
    per_cycle = sum(layer["macs_per_cycle"] for layer in binary)
    lut = sum((synthesis[layer["name"]] if synthesis else layer["estimate"])["lut"] for layer in binary)
    summary = {
        **{
            key: design[key]
            for key in ("name", "network", "board", "part", "clock_mhz", "frame", "asked_fps")
        },
        **{key: design[key] for key in ("fps", "cycles_per_frame", "latency_cycles", "bottleneck")},
        **{key: used[key] for key in RESOURCES},
        "source": "Yosys" if synthesis else "cost model",
        "device": design["device"],
        "budget": design["budget"],
        "estimate": design["estimate"],
        "memory_bits": sum(layer["memory_bits"] for layer in layers),
        "binary_macs_per_frame": round(macs),
        "binary_ops_per_second": 2 * macs * design["fps"],
        "binary_macs_per_cycle": per_cycle,
        "lut_per_binary_mac": round(lut / per_cycle, 3) if per_cycle else None,
    }
    if simulation:
        summary["simulated"] = {key: simulation[key] for key in ("cycles", "estimated_cycles", "frame")}
    summary["layers"] = _rows(layers, design["cycles_per_strip"], synthesis or {}, simulation or {})
    return summary


def _rows(
    layers: Sequence[Mapping], strip: float, synthesis: Mapping, simulation: Mapping
) -> list[dict[str, Any]]:
    """Return a record for every node: estimate, synthesis and simulation beside each other.

    Args:
        layers: what the estimates say.
        strip: estimated cycles of a strip.
        synthesis, simulation: what Yosys and Verilator said; empty before.
    """
    high_water: Mapping[str, int] = simulation.get("high_water", {})
    busy: Mapping[str, float] = simulation.get("busy", {})
    strip *= simulation["cycles"] / simulation["estimated_cycles"] if simulation else 1
    result = []
    for layer in layers:
        name = layer["name"]
        extra = {"synthesis": {key: synthesis[name][key] for key in RESOURCES}} if name in synthesis else {}
        extra |= {"high_water": high_water[name]} if name in high_water else {}
        extra |= {"simulated_cycles": round(busy[name] * strip)} if name in busy else {}
        result.append(layer | extra)
    return result


def write_report(build: BuildFolder) -> Path:
    """Write summary.json and index.html; return the page.

    Raises:
        BuildError: the folder has no estimates.
    """
    summary = summarize(build)
    build.write("summary", summary)
    write_text(build.page, page(summary))
    return build.page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m hw.compiler.report FOLDER (that make compile wrote)", file=sys.stderr)
        return 2
    try:
        print(write_report(BuildFolder(Path(arguments[0]))))
    except BuildError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
