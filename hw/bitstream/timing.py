# SPDX-License-Identifier: BSD-3-Clause
"""Static timing analysis of a routed design: all paths between registers, those of the hard blocks included.

nextpnr's own analysis does not know when DSP48E1, PS7 and most pins of RAMB36E1 take and give their data, so
that its "Max frequency" says nothing about paths that begin or end there. This analysis takes the routed
delays that nextpnr writes (SDF: every wire, every LUT and carry) and the delays of the hard blocks from
`delays`. One clock; its own delay is taken as the same everywhere, as nextpnr does.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.bitstream import BitstreamError
from hw.bitstream.delays import CARRY, LUT_RAM_OUT, LUT_RAM_SETUP, SEQUENTIAL, clock_to_out, setup
from hw.bitstream.placement import lut_pins

_WIRE = re.compile(r"\(INTERCONNECT (\S+) (\S+) \(([^)]*)\) \(([^)]*)\)\)")
_ARC = re.compile(r"\(IOPATH (\S+) (\S+) \(([^)]*)\) \(([^)]*)\)\)")
_CELL = re.compile(r'\(CELLTYPE "([^"]*)"\)')
_INSTANCE = re.compile(r"\(INSTANCE (\S*)\)")
_SETUP = re.compile(r"\(SETUPHOLD \(\w+ (\w+)\) \(\w+ \w+\) \(([^)]*)\)")
_LUT_RAM_DATA = ("DI", "WE", "WA")

Pin = tuple[str, str]


@dataclass
class Delays:
    """What nextpnr wrote: cells by name, wires from pin to pin, paths within cells, setup times; in ns."""

    kinds: dict[str, str] = field(default_factory=dict)
    wires: list[tuple[Pin, Pin, float]] = field(default_factory=list)
    arcs: dict[str, dict[tuple[str, str], float]] = field(default_factory=lambda: defaultdict(dict))
    setups: dict[Pin, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Timing:
    """The slowest path.

    Attributes:
        fmax_mhz: the clock that it allows.
        path: its segments: delay in ns, kind, from, to (cells) and pins.
        ends: number of pins at which paths end, by type of cell.
    """

    fmax_mhz: float
    path: tuple[Mapping[str, Any], ...]
    ends: Mapping[str, int]


def read_sdf(path: Path) -> Delays:
    """Read the delays that nextpnr wrote.

    Raises:
        BitstreamError: there is no such file, or it holds no wires.
    """
    result = Delays()
    kind = name = ""
    try:
        with open(path) as file:
            for line in file:
                if match := _WIRE.search(line):
                    source, target = (_pin(match[i]) for i in (1, 2))
                    result.wires.append((source, target, _longest(match[3], match[4])))
                elif match := _ARC.search(line):
                    arcs, ends = result.arcs[name], (match[1], match[2])
                    arcs[ends] = max(arcs.get(ends, 0.0), _longest(match[3], match[4]))
                elif match := _SETUP.search(line):
                    pin = (name, match[1])
                    result.setups[pin] = max(result.setups.get(pin, 0.0), _longest(match[2]))
                elif match := _CELL.search(line):
                    kind = match[1]
                elif match := _INSTANCE.search(line):
                    name = match[1].replace("\\", "")
                    result.kinds[name] = kind
    except OSError as error:
        raise BitstreamError(f"{path}: {error.strerror}; expected the delays that nextpnr writes") from None
    if not result.wires:
        raise BitstreamError(f"{path}: holds no wires; expected the delays that nextpnr writes")
    return result


def _pin(text: str) -> Pin:
    cell, _, pin = text.replace("\\", "").rpartition("/")
    return cell, pin


def _longest(*triples: str) -> float:
    """Return the largest of some "min:typical:max" in ps, in ns."""
    return max(float(value) for triple in triples for value in triple.split(":") if value) / 1000


def analyze(
    delays: Delays, cells: Mapping[str, Any], tables: Mapping[str, Collection[str]] | None = None
) -> Timing:
    """Find the slowest path between registers.

    Args:
        delays: of the routed design.
        cells: of Yosys' netlist by name, with their parameters.
        tables: the pins that LUTs use, by name. nextpnr connects the pins of two LUTs that share one to both,
            and writes paths that do not exist.

    Raises:
        BitstreamError: there is a loop without a register, or no path at all.
    """
    follow: dict[Pin, list[tuple[Pin, float, str]]] = defaultdict(list)
    waiting: dict[Pin, int] = defaultdict(int)
    starts: dict[Pin, float] = {}
    ends: dict[Pin, float] = {}
    memories = {target[0] for _, target, _ in delays.wires if target[1] == "CLK"}

    def parameters(cell: str) -> Mapping[str, str]:
        return cells.get(cell, {}).get("parameters", {})

    def connect(source: Pin, target: Pin, delay: float, kind: str) -> None:
        follow[source].append((target, delay, kind))
        waiting[target] += 1

    driven: dict[str, set[str]] = defaultdict(set)
    used: dict[str, set[str]] = defaultdict(set)
    for source, target, delay in delays.wires:
        kind = delays.kinds.get(target[0], "")
        if target[1] in SEQUENTIAL.get(kind, ()) or kind.startswith("BUFG"):
            continue
        if target[1] == "CLK" and kind == "SLICE_LUTX":
            continue
        if tables and target[0] in tables and target[1] not in tables[target[0]]:
            continue
        connect(source, target, delay, "routing")
        used[target[0]].add(target[1])
        driven[source[0]].add(source[1])
        if kind in SEQUENTIAL:
            ends[target] = max(setup(kind, target[1], parameters(target[0])), delays.setups.get(target, 0.0))
        elif target[0] in memories and target[1].startswith(_LUT_RAM_DATA):
            ends[target] = LUT_RAM_SETUP
    for cell, outputs in driven.items():
        kind = delays.kinds.get(cell, "")
        if kind in SEQUENTIAL:
            starts.update({(cell, pin): clock_to_out(kind, pin, parameters(cell)) for pin in outputs})
            continue
        if cell in memories:
            starts.update({(cell, pin): LUT_RAM_OUT for pin in outputs})
        for pin in used[cell]:
            for output in outputs:
                delay = delays.arcs[cell].get((pin, output))
                if delay is None and kind == "CARRY4" and pin.startswith(("DI", "CYINIT")):
                    delay = CARRY
                if delay is not None:
                    connect((cell, pin), (cell, output), delay, "logic")
    return _longest_path(follow, waiting, starts, ends, delays.kinds)


def _longest_path(
    follow: Mapping[Pin, list[tuple[Pin, float, str]]],
    waiting: dict[Pin, int],
    starts: Mapping[Pin, float],
    ends: Mapping[Pin, float],
    kinds: Mapping[str, str],
) -> Timing:
    arrival: dict[Pin, float] = dict(starts)
    before: dict[Pin, tuple[Pin, float, str]] = {}
    nodes = set(follow) | set(waiting)
    ready = deque(pin for pin in nodes if not waiting.get(pin))
    done = 0
    while ready:
        pin = ready.popleft()
        done += 1
        for target, delay, kind in follow.get(pin, ()):
            if pin in arrival and arrival[pin] + delay > arrival.get(target, -1.0):
                arrival[target] = arrival[pin] + delay
                before[target] = (pin, delay, kind)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if done < len(nodes):
        cell = _in_loop(follow, {pin for pin in nodes if waiting.get(pin, 0) > 0})
        raise BitstreamError(f"there is a loop without a register through {cell}; correct the design")
    reached = [pin for pin in ends if pin in arrival]
    if not reached:
        raise BitstreamError("no path between registers; expected a design with a clock")
    worst = max(reached, key=lambda pin: (arrival[pin] + ends[pin], pin))
    segments = [_segment(ends[worst], "setup", worst, worst)]
    pin = worst
    while pin in before:
        source, delay, kind = before[pin]
        segments.append(_segment(delay, kind, source, pin))
        pin = source
    segments.append(_segment(starts[pin], "clk-to-q", pin, pin))
    counts: dict[str, int] = defaultdict(int)
    for cell, _ in reached:
        counts[kinds.get(cell, "")] += 1
    return Timing(1e3 / (arrival[worst] + ends[worst]), tuple(reversed(segments)), dict(counts))


def _in_loop(follow: Mapping[Pin, list[tuple[Pin, float, str]]], left: set[Pin]) -> str:
    """Return a cell in a loop, given the pins that are in loops or behind them."""
    earlier = {target: pin for pin in sorted(left) for target, _, _ in follow.get(pin, ()) if target in left}
    pin, seen = min(left), set()
    while pin not in seen:
        seen.add(pin)
        pin = earlier[pin]
    return pin[0]


def _segment(delay: float, kind: str, source: Pin, target: Pin) -> dict[str, Any]:
    pins = {"from": source[0], "from_pin": source[1], "to": target[0], "to_pin": target[1]}
    return {"delay_ns": round(delay, 3), "kind": kind, **pins}


def timing(sdf: Path, netlist: Path, placed: Path, top: str) -> Timing:
    """Analyze the design that nextpnr routed.

    Args:
        sdf: delays, by nextpnr.
        netlist: by Yosys.
        placed: netlist, by nextpnr.
        top: the module.

    Raises:
        BitstreamError: see `read_sdf`, `lut_pins` and `analyze`.
    """
    cells = json.loads(netlist.read_text())["modules"][top]["cells"]
    return analyze(read_sdf(sdf), cells, lut_pins(placed))
