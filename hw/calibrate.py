# SPDX-License-Identifier: BSD-3-Clause
"""Fit the cost model of the compiler to the table of syntheses.

    python -m hw.calibrate [--table docs/synthesis/operators.json]

Reads the areas that `make synth-ops` measured, fits the coefficients of hw/compiler/cost.py, and writes
hw/compiler/cost.json and docs/synthesis/model.md. Nothing is synthesized.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.compiler.cost import COEFFICIENTS, MODELS, shape
from hw.compiler.cost_amounts import Amounts
from hw.files import write_text
from hw.modules import ROOT, ToolError

TABLE = ROOT / "docs" / "synthesis" / "operators.json"
SMALL = 60
"""LUTs or flip-flops below which an error counts as if there were so many."""

_HEAD = """# The cost model against synthesis

Written by `python -m hw.calibrate` from operators.json. The model is `hw/compiler/cost.py`: LUTs and
flip-flops of a module are sums of amounts that follow from its structure, times coefficients. Block RAMs and
DSP48s follow from the structure alone; over {points} points they are {exact}.

Amounts that are certain (registers, adders, LUT RAM, the counters of a popcount) count once. The others have
coefficients of 0 or more, fitted by least squares on the relative error, for each module, or for each of its
structures where parameters choose between several. Errors are relative to the synthesis, or to {small} where
that is less. "left out" is the error at points that were left out of the fit, one at a time; where it is much
larger than the worst error, the grid is too thin there.

| module | points | LUT: mean | worst | left out, worst | FF: mean | worst | left out, worst |
|---|---:|---:|---:|---:|---:|---:|---:|
"""


@dataclass(frozen=True)
class Fit:
    """Coefficients of one quantity of a group, and the relative errors at its points.

    Attributes:
        coefficients: by name of the amount.
        errors: estimate less synthesis, over the synthesis or SMALL.
        left_out: the same of fits without the point.
    """

    coefficients: dict[str, float]
    errors: np.ndarray
    left_out: np.ndarray


def points(rows: Iterable[Mapping]) -> list[tuple[Mapping, Amounts]]:
    """Return every record of operators.json whose module has a model, with its amounts."""
    return [(row, shape(row["module"], parameters(row))) for row in rows if row["module"] in MODELS]


def parameters(row: Mapping) -> dict[str, int | str]:
    """Return the parameters of a record of operators.json by their names in the RTL."""
    measured = {"module", "lut", "ff", "bram36", "dsp", "lut_ram"}
    measured |= {"binary_macs", "lut_per_mac", "ram_bits", "bram_efficiency"}
    return {name.upper(): value for name, value in row.items() if name not in measured}


def fit(amounts: list[Mapping[str, float]], measured: list[float]) -> Fit:
    """Fit coefficients of 0 or more, so that amounts times coefficients are what was measured."""
    names = sorted({name for point in amounts for name in point} - {"exact"})
    matrix = np.array([[point.get(name, 0) for name in names] for point in amounts], dtype=float)
    matrix = matrix.reshape(len(amounts), len(names))
    known = np.array([point.get("exact", 0) for point in amounts], dtype=float)
    target = np.array(measured, dtype=float)
    weight = 1 / np.maximum(target, SMALL)

    def solve(rows: np.ndarray) -> np.ndarray:
        return nonnegative(matrix[rows] * weight[rows, None], (target - known)[rows] * weight[rows])

    every = np.arange(len(target))
    found = solve(every)
    errors = (matrix @ found + known - target) * weight
    left_out = np.array(
        [(matrix[k] @ solve(every[every != k]) + known[k] - target[k]) * weight[k] for k in every]
    )
    return Fit({n: round(float(c), 4) for n, c in zip(names, found, strict=True)}, errors, left_out)


def nonnegative(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return x >= 0 that makes |matrix @ x - target| least: the active-set method of Lawson and Hanson."""
    columns = matrix.shape[1]
    scale = np.linalg.norm(matrix, axis=0)
    scale[scale == 0] = 1
    scaled = matrix / scale
    x, active = np.zeros(columns), np.zeros(columns, dtype=bool)
    for _ in range(10 * columns):
        gradient = scaled.T @ (target - scaled @ x)
        gradient[active] = -np.inf
        if active.all() or gradient.max(initial=-np.inf) < 1e-10:
            break
        active[np.argmax(gradient)] = True
        while True:
            candidate = np.zeros(columns)
            candidate[active] = np.linalg.lstsq(scaled[:, active], target, rcond=None)[0]
            if not (active & (candidate <= 0)).any():
                break
            low = active & (candidate <= 0)
            step = np.min(x[low] / np.maximum(x[low] - candidate[low], 1e-300))
            x = x + step * (candidate - x)
            active &= x > 1e-12
            if not active.any():
                break
        x = candidate
    return x / scale


def calibrate(rows: list[Mapping]) -> tuple[dict[str, tuple[Fit, Fit]], int]:
    """Return LUT and flip-flop fits by group, and at how many points block RAM or DSP48s differ."""
    every = points(rows)
    groups = {amounts.group: [] for _, amounts in every}
    for point in every:
        groups[point[1].group].append(point)
    fits = {
        group: tuple(
            fit([getattr(amounts, what) for _, amounts in members], [row[what] for row, _ in members])
            for what in ("lut", "ff")
        )
        for group, members in groups.items()
    }
    wrong = sum((amounts.bram18, amounts.dsp) != (2 * row["bram36"], row["dsp"]) for row, amounts in every)
    return fits, wrong


def report(fits: Mapping[str, tuple[Fit, Fit]], wrong: int) -> str:
    """Return docs/synthesis/model.md."""
    total = sum(len(lut.errors) for lut, _ in fits.values())
    exact = "exact" if wrong == 0 else f"wrong in {wrong} points"
    text = _HEAD.format(exact=exact, points=total, small=SMALL)
    for group, pair in sorted(fits.items()):
        cells = [f"{value:.1%}" for one in pair for value in _three(one)]
        text += f"| {group} | {len(pair[0].errors)} | {' | '.join(cells)} |\n"
    return text


def _three(one: Fit) -> tuple[float, float, float]:
    return np.abs(one.errors).mean(), np.abs(one.errors).max(), np.abs(one.left_out).max()


def main(arguments: list[str] | None = None) -> int:
    """Command-line entry point; return an exit code."""
    parser = argparse.ArgumentParser(prog="hw.calibrate", description="Fit the cost model to syntheses.")
    parser.add_argument("--table", type=Path, default=TABLE, help="operators.json (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        rows = json.loads(options.table.read_text())
        fits, wrong = calibrate(rows)
    except (OSError, ToolError, ValueError) as error:
        print(f"hw.calibrate: {error}", file=sys.stderr)
        return 2
    found = {
        group: {"lut": lut.coefficients, "ff": ff.coefficients} for group, (lut, ff) in sorted(fits.items())
    }
    write_text(COEFFICIENTS, json.dumps(found, indent=1) + "\n")
    write_text(TABLE.parent / "model.md", report(fits, wrong))
    worst = max(float(np.abs(lut.errors).max()) for lut, _ in fits.values())
    print(f"{len(rows)} points: LUT within {worst:.1%}, block RAM and DSP wrong in {wrong}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
