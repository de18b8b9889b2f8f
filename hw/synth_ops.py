# SPDX-License-Identifier: BSD-3-Clause
"""Synthesize the operator library over a grid of parameters: the table on which cost models are calibrated.

    python -m hw.synth_ops --out docs/synthesis [MODULE ...]

Yosys `synth_xilinx -family xc7 -abc9` for every `synth` point of `hw/catalogue.py`. Writes operators.json (a
list of records: `module`, its parameters in lower case, `lut`, `ff`, `bram36`, `dsp`, ...) and operators.md;
given modules, it synthesizes only these, and both files keep what they have of the others. Without --out the
table is printed. Points are cached in build/synth/ by their sources: an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from hw.catalogue import CATALOGUE
from hw.files import write_text
from hw.modules import BUILD, ToolError, sources
from hw.yosys import Area, synthesize

BRAM36_BITS = 36 * 1024

_HEAD = """# What the operators cost

Written by `make synth-ops`: Yosys {version}, `synth_xilinx -family xc7 -abc9 -flatten`, one module at a time,
every LUT cell counted as a whole LUT6 (a packer that pairs small LUTs needs fewer), LUT memories and shift
registers included. Random memory contents. `operators.json` beside this page holds the numbers as records.

The xc7z020 has 53,200 LUT, 106,400 FF, 140 BRAM36 (36,864 bits each) and 220 DSP.
"""


def essence(source: str) -> str:
    """Return a source as synthesis sees it: without comments, and without what `ifdef leaves out."""
    kept, taken = [], [True]
    for line in source.splitlines():
        words = line.split("//", 1)[0].split()
        if words[:1] in (["`ifdef"], ["`ifndef"]):
            taken.append((words[1] in ("SYNTHESIS", "YOSYS")) == (words[0] == "`ifdef"))
        elif words[:1] == ["`else"]:
            taken[-1] = not taken[-1]
        elif words[:1] == ["`endif"]:
            taken.pop()
        elif words and all(taken):
            kept.append(" ".join(words))
    return "\n".join(kept)


def measure(module: str, parameters: Mapping[str, int | str]) -> Area:
    """Return the area of one point, from the cache if the sources are those it was measured with.

    Raises:
        ToolError: Yosys is missing or refuses the module.
    """
    texts = [essence(path.read_text()) for path in sources(module)]
    files = CATALOGUE[module].files(parameters)
    parts = [module, json.dumps(dict(parameters), sort_keys=True), importlib.metadata.version("pyosys")]
    key = hashlib.sha256("\0".join([*parts, *texts, *files.values()]).encode()).hexdigest()[:16]
    cached = BUILD / "synth" / f"{module}-{key}.json"
    if cached.exists():
        return Area(**json.loads(cached.read_text()))
    area = synthesize(module, CATALOGUE[module].complete(parameters), files=files)
    write_text(cached, json.dumps(asdict(area)) + "\n")
    return area


def record(module: str, parameters: Mapping[str, int | str], area: Area) -> dict:
    """Return one point as a flat record; memory file names are left out."""
    values = {k.lower(): v for k, v in parameters.items() if not k.endswith("_FILE")}
    row = {"module": module, **values, "lut": area.lut, "ff": area.ff, "bram36": area.bram36, "dsp": area.dsp}
    row["lut_ram"] = area.lut_ram
    entry = CATALOGUE[module]
    if macs := entry.macs(parameters):
        row |= {"binary_macs": macs, "lut_per_mac": round(area.lut / macs, 3)}
    if (bits := entry.bits(parameters)) and area.bram36:
        row |= {"ram_bits": bits, "bram_efficiency": round(bits / (area.bram36 * BRAM36_BITS), 3)}
    return row


def merged(records: list[dict], known: list[dict]) -> list[dict]:
    """Return new records, and those known of other modules, in the order of the catalogue."""
    new = {row["module"] for row in records}
    every = [*records, *(row for row in known if row["module"] not in new)]
    return [row for name in CATALOGUE for row in every if row["module"] == name]


def table(records: list[dict]) -> str:
    """Return the records as Markdown, a table for each module."""
    text = _HEAD.format(version=importlib.metadata.version("pyosys"))
    for module in dict.fromkeys(row["module"] for row in records):
        rows = [row for row in records if row["module"] == module]
        columns = [name for name in dict.fromkeys(key for row in rows for key in row) if name != "module"]
        areas = [
            "lut",
            "ff",
            "bram36",
            "dsp",
            "lut_ram",
            "binary_macs",
            "lut_per_mac",
            "ram_bits",
            "bram_efficiency",
        ]
        shown = [c for c in columns if c not in areas] + [c for c in areas if c in columns]
        shown = [c for c in shown if c not in ("lut_ram", "ram_bits") or any(row.get(c) for row in rows)]
        text += f"\n## {module}\n\n| {' | '.join(_TITLES.get(c, c) for c in shown)} |\n"
        text += "|" + "|".join("---" if c not in areas else "---:" for c in shown) + "|\n"
        for row in rows:
            text += "| " + " | ".join(_cell(c, row.get(c, "")) for c in shown) + " |\n"
    return text


_TITLES = {
    "lut": "LUT",
    "ff": "FF",
    "bram36": "BRAM36",
    "dsp": "DSP",
    "lut_ram": "of them RAM",
    "binary_macs": "binary MAC per cycle",
    "lut_per_mac": "LUT per MAC",
    "ram_bits": "bits used",
    "bram_efficiency": "of bits taken",
}


def _cell(column: str, value: object) -> str:
    if column == "bram_efficiency" and value != "":
        return f"{value:.0%}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="hw.synth_ops", description="Areas of the operators, by Yosys.")
    parser.add_argument("module", nargs="*", help="only these modules; without, all of them")
    parser.add_argument("--out", type=Path, help="folder of operators.md and operators.json")
    parser.add_argument("--jobs", type=int, default=2, help="points at a time (default: %(default)s)")
    options = parser.parse_args(arguments)
    names = options.module or [name for name, entry in CATALOGUE.items() if entry.synth]
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        print(
            f"hw.synth_ops: no module '{unknown[0]}', expected one of {', '.join(CATALOGUE)}", file=sys.stderr
        )
        return 2
    jobs = [(name, point) for name in names for point in CATALOGUE[name].synth]
    try:
        with ThreadPoolExecutor(max(1, options.jobs)) as pool:
            areas = list(
                tqdm(pool.map(lambda job: measure(*job), jobs), total=len(jobs), unit="point", disable=None)
            )
    except ToolError as error:
        print(f"hw.synth_ops: {error}", file=sys.stderr)
        return 2
    records = [record(*job, area) for job, area in zip(jobs, areas, strict=True)]
    if options.out is None:
        print(table(records))
    else:
        if options.module:
            records = merged(records, json.loads((options.out / "operators.json").read_text()))
        write_text(options.out / "operators.json", json.dumps(records, indent=1) + "\n")
        write_text(options.out / "operators.md", table(records))
        print(f"{len(jobs)} points of {len(names)} modules in {options.out}/operators.md and .json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
