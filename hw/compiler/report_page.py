# SPDX-License-Identifier: BSD-3-Clause
"""The report as one self-contained page: totals against the device, and the dataflow as a drawn table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from string import Template
from typing import Any

from hw.compiler.page_graph import GUTTER, ROW, gutter

_LABELS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$name on $board</title>
<meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --back: #fff;
  --tile: #f6f6f8;
  --bar: #3e63dd; --hot: #ce2c31; --fine: #30a46c; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --line: #3a3f45;
  --back: #111113; --tile: #1c1d1f; --bar: #849dff; --hot: #ff9592; --fine: #3dd68c; } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--back); margin: 2rem auto;
  max-width: 84rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } p { color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.tile { background: var(--tile); border-radius: 8px; padding: .6rem 1rem; }
.tile b { display: block; font-size: 1.35rem; } .tile span { color: var(--soft); }
.bar { background: var(--line); border-radius: 3px; height: 6px; width: 12rem; position: relative; }
.bar i { background: var(--bar); display: block; height: 100%; border-radius: 3px; }
.flow { display: grid; grid-template-columns: ${gutter}px 1fr; overflow-x: auto; }
.flow svg { overflow: visible; }
table { border-collapse: collapse; white-space: nowrap; } td, th { padding: 0 .6rem; text-align: right; }
th { color: var(--soft); font-weight: 500; position: sticky; top: 0; background: var(--back); }
td:first-child, th:first-child, td.l, th.l { text-align: left; }
.flow tr { height: ${row}px; } .flow tbody tr { border-top: 1px solid var(--line); }
tr.plumbing td { color: var(--soft); } tr.hot td:first-child { color: var(--hot); font-weight: 600; }
.path, .skip { fill: none; stroke: var(--bar); stroke-width: 1.5; } .skip { stroke: var(--fine); }
.dot { fill: var(--bar); } .hotdot { fill: var(--hot); } .off { color: var(--hot); }
</style></head><body>
<h1>$name on $board</h1>
<p>$about</p>
<div class="tiles">$tiles</div>
<h2>Resources</h2>
<p>$source</p>
<table><thead><tr><th></th><th>used</th><th>device</th><th>budget</th><th class="l">share of the device</th>
<th>cost model</th></tr></thead><tbody>$resources</tbody></table>
<h2>Dataflow</h2>
<p>From top to bottom, as pixels go. Lines at the left are streams; green ones skip what is beside them,
and wait in a FIFO. Nodes in red limit the rate. Cycles are those of one strip of $strip pixels; the share is
of the cycles in which a node works. Estimates are of the cost model$beside.</p>
<div class="flow"><svg width="$gutter" height="$height">$drawing</svg><table><thead><tr>
<th class="l">node</th><th class="l">output</th><th class="l">folding</th><th>cycles</th><th>busy</th>
$simulated<th>LUT</th>$yosys<th>FF</th><th>BRAM36</th><th>DSP</th><th>stored bits</th><th>FIFO</th></tr>
</thead><tbody>$rows</tbody></table></div>
</body></html>
""")


def page(summary: Mapping[str, Any]) -> str:
    """Return the page of a summary, as `hw.compiler.report.summarize` makes it, with its layers."""
    layers = summary["layers"]
    frame = summary["frame"]
    synthesized = summary["source"] == "Yosys"
    simulated = any("simulated_cycles" in layer for layer in layers)
    hot = set(summary["bottleneck"])
    strips = (
        ""
        if frame["strips"] == 1
        else f", in {frame['strips']} strips of up to {frame['strip_width']} columns"
    )
    about = (
        f"{frame['width']} x {frame['height']} to {frame['width'] * frame['scale']} x "
        f"{frame['height'] * frame['scale']} pixels{strips}; {summary['part']} at {summary['clock_mhz']:g} "
        f"MHz; network {summary['network'][:16]}"
    )
    return _PAGE.substitute(
        name=escape(summary["name"]),
        board=escape(summary["board"]),
        about=about,
        gutter=GUTTER,
        row=ROW,
        tiles="".join(_tiles(summary)),
        source=(
            "Used is what Yosys makes of each instance with its weights (synth_xilinx -abc9; every LUT cell "
            "counts as a whole LUT6)."
            if synthesized
            else "Used is what the cost model says; make synth measures it."
        )
        + " The budget leaves room for routing and for the DMA.",
        resources="".join(_resources(summary)),
        strip=f"{frame['strip_width']} x {frame['height']}",
        beside="; beside them is what Yosys found" if synthesized else "",
        height=ROW * (len(layers) + 1),
        drawing="".join(gutter(layers, hot)),
        simulated="<th>simulated</th>" if simulated else "",
        yosys="<th>Yosys</th>" if synthesized else "",
        rows="".join(_row(layer, layer["name"] in hot, simulated, synthesized) for layer in layers),
    )


def _tiles(summary: Mapping[str, Any]) -> Iterator[str]:
    asked = summary["asked_fps"]
    values: list[tuple[str, str]] = [
        (f"{summary['fps']:.1f}", "frames per second" + (f" (asked: {asked:g})" if asked else "")),
        (f"{summary['cycles_per_frame']:,}", "cycles per frame"),
        (f"{summary['latency_cycles'] / summary['clock_mhz'] / 1e3:.2f} ms", "to the first pixel"),
        (f"{summary['binary_ops_per_second'] / 1e12:.2f}", "binary TOP/s (a MAC is two)"),
    ]
    if summary["lut_per_binary_mac"]:
        what = f"LUT per binary MAC and cycle, of {summary['binary_macs_per_cycle']:,}"
        values.append((f"{summary['lut_per_binary_mac']:.2f}", what))
    if "simulated" in summary:
        found = summary["simulated"]
        share = found["cycles"] / found["estimated_cycles"] - 1
        height, width = found["frame"]
        values.append((f"{share:+.1%}", f"simulated against estimated cycles, {width} x {height}"))
    for value, text in values:
        yield f'<div class="tile"><b>{value}</b><span>{text}</span></div>'


def _resources(summary: Mapping[str, Any]) -> Iterator[str]:
    for key, label in _LABELS.items():
        used, has = summary[key], summary["device"][key]
        share = min(1.0, used / has)
        yield (
            f"<tr><td>{label}</td><td>{used:,g}</td><td>{has:,g}</td><td>{summary['budget'][key]:,g}</td>"
            f'<td class="l"><div class="bar"><i style="width:{share:.1%}"></i></div></td>'
            f"<td>{summary['estimate'][key]:,g}</td></tr>"
        )


def _row(layer: Mapping[str, Any], hot: bool, simulated: bool, synthesized: bool) -> str:
    plumbing = layer["op"] in ("Fork", "Fifo", "WidthConverter")
    shape = " x ".join(str(side) for side in layer["out_shapes"][0])
    folding = ", ".join(f"{key} {value}" for key, value in layer["folding"].items())
    estimate, synthesis = layer["estimate"], layer.get("synthesis")
    cells = [
        escape(layer["name"]),
        f"{shape} {layer['out_types'][0].lower()}",
        folding,
        f"{layer['cycles']:,}",
        "" if layer["utilisation"] is None else f"{layer['utilisation']:.0%}",
    ]
    if simulated:
        cells.append(f"{layer['simulated_cycles']:,}" if "simulated_cycles" in layer else "")
    cells.append(f"{estimate['lut']:,}")
    if synthesized:
        cells.append(_measured(estimate["lut"], synthesis["lut"]) if synthesis else "")
    best = synthesis or estimate
    cells += [f"{best['ff']:,}", _short(best["bram36"]), _short(best["dsp"]), _short(layer["memory_bits"])]
    depth = layer.get("depth")
    cells.append(
        "" if depth is None else f"{layer['high_water']} of {depth}" if "high_water" in layer else str(depth)
    )
    names = " ".join(name for name, on in (("hot", hot), ("plumbing", plumbing)) if on)
    left = {1, 2}
    return f'<tr class="{names}">' + "".join(_cells(cells, left)) + "</tr>"


def _cells(cells: Sequence[str], left: set[int]) -> Iterator[str]:
    for index, cell in enumerate(cells):
        yield f'<td class="l">{cell}</td>' if index in left else f"<td>{cell}</td>"


def _measured(estimate: float, found: float) -> str:
    """Return what Yosys found, marked where the estimate was wrong by more than 15 % and 20 LUTs."""
    wrong = abs(estimate - found) > max(0.15 * found, 20)
    return f'<span class="off">{found:,}</span>' if wrong else f"{found:,}"


def _short(value: float) -> str:
    return f"{value:,g}" if value else ""
