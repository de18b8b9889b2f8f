# SPDX-License-Identifier: BSD-3-Clause
"""Timing diagrams for the documentation, recorded from the simulated RTL and drawn by WaveDrom.

    python -m sim.diagrams --out docs/waves [NAME ...]

Writes NAME.json (WaveJSON, for the WaveDrom editor) and NAME.svg. What is drawn is what Verilator simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import wavedrom

from hw.files import write_text
from hw.modules import ToolError
from sim.runner import build, run


@dataclass(frozen=True)
class Diagram:
    """A stimulus and how to show it.

    Attributes:
        top: module.
        parameters: its parameters.
        script: for `sim.tb_record`, one dict of port values for each cycle.
        title: above the diagram.
        labels: of the data of a stream, by prefix: the number of bits of an element, to be written as digits.
        scale: width of a cycle.
    """

    top: str
    parameters: dict[str, int]
    script: list[dict]
    title: str
    labels: dict[str, int]
    scale: int = 2


def _cycles(number: int, changes: dict[int, dict]) -> list[dict]:
    return [changes.get(cycle, {}) for cycle in range(number)]


DIAGRAMS = {
    "handshake": Diagram(
        top="stream_skid",
        parameters={"WIDTH": 4},
        script=_cycles(
            12,
            {
                0: {"m_axis_tready": 1},
                1: {"s_axis": [0xA, 0xB, 0xC, 0xD, 0xE]},
                3: {"m_axis_tready": 0},
                6: {"m_axis_tready": 1},
            },
        ),
        title="stream_skid: the receiver stalls for three cycles, the sender learns of it one cycle later",
        labels={"s_axis": 4, "m_axis": 4},
    ),
    "window": Diagram(
        top="window",
        parameters={"CHANNELS": 1, "P": 1, "BITS": 4, "PAD": 0, "MAX_WIDTH": 4, "DIM_BITS": 4},
        script=_cycles(
            17,
            {
                0: {"m_axis_tready": 1},
                1: {"s_size": [0x23], "s_axis": [1, 2, 3, 4, 5, 6]},
            },
        ),
        title="window: a frame of 2 rows (1 2 3 and 4 5 6); nine taps of every pixel, 0 is padding",
        labels={"s_axis": 4, "m_axis": 4, "s_size": 8},
        scale=3,
    ),
}


def wave_json(diagram: Diagram, trace: list[dict[str, str]]) -> dict:
    """Return WaveJSON of a recorded trace: data are shown while they are valid."""
    signals: list[dict] = [{"name": "clk", "wave": "p" + "." * (len(trace) - 1)}]
    prefixes = dict.fromkeys(name.rsplit("_", 1)[0] for name in trace[0])
    for prefix in sorted(prefixes, key=lambda p: (p[0] == "m", p)):
        valid = [row[f"{prefix}_tvalid"] for row in trace]
        data = [_digits(row[f"{prefix}_tdata"], diagram.labels[prefix]) for row in trace]
        shown = [text if v == "1" else None for v, text in zip(valid, data, strict=True)]
        signals += [{}, {"name": f"{prefix}_tvalid", "wave": _wave(valid)}]
        signals += [{"name": f"{prefix}_tready", "wave": _wave([row[f"{prefix}_tready"] for row in trace])}]
        signals += [_bus(f"{prefix}_tdata", shown, [row[f"{prefix}_tready"] for row in trace])]
    return {
        "signal": signals,
        "head": {"text": diagram.title, "tick": 0},
        "config": {"hscale": diagram.scale},
    }


def _wave(levels: list[str]) -> str:
    return "".join("." if i and level == levels[i - 1] else level for i, level in enumerate(levels))


def _bus(name: str, values: list[str | None], ready: list[str]) -> dict:
    """Draw a new box for every beat, also if it equals the one before that was taken."""
    wave, data = "", []
    for i, value in enumerate(values):
        held = i and value is not None and values[i - 1] is not None and ready[i - 1] == "0"
        if value is None:
            wave += "." if i and values[i - 1] is None else "x"
        elif held:
            wave += "."
        else:
            wave += "="
            data.append(value)
    return {"name": name, "wave": wave, "data": data}


def _digits(binary: str, bits: int) -> str:
    """Write the elements of a beat in hexadecimal, element 0 first; more than three in rows of three."""
    value = int(binary.replace("x", "0").replace("z", "0"), 2)
    elements = [f"{value >> i & (1 << bits) - 1:x}" for i in range(0, len(binary), bits)]
    rows = ["".join(elements[i : i + 3]) for i in range(0, len(elements), 3)]
    return "/".join(rows)


def draw(name: str, out: Path) -> None:
    """Simulate one diagram and write its WaveJSON and SVG.

    Raises:
        ToolError, AssertionError: the design does not compile or run.
    """
    diagram = DIAGRAMS[name]
    files = {"script.json": json.dumps(diagram.script)}
    folder = run(build(diagram.top, diagram.parameters, waves=False), "sim.tb_record", files=files)
    source = json.dumps(wave_json(diagram, json.loads((folder / "trace.json").read_text())), indent=1)
    write_text(out / f"{name}.json", source + "\n")
    write_text(out / f"{name}.svg", wavedrom.render(source).tostring() + "\n")


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="sim.diagrams", description="Timing diagrams from simulation.")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(DIAGRAMS)}; all by default")
    parser.add_argument("--out", type=Path, required=True, help="folder for the .json and .svg files")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.name if name not in DIAGRAMS]
    if unknown:
        print(
            f"sim.diagrams: no diagram '{unknown[0]}', expected one of {', '.join(DIAGRAMS)}", file=sys.stderr
        )
        return 2
    for name in options.name or DIAGRAMS:
        try:
            draw(name, options.out)
        except ToolError as error:
            print(f"sim.diagrams: {error}", file=sys.stderr)
            return 2
        print(options.out / f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
