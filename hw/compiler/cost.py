# SPDX-License-Identifier: BSD-3-Clause
"""What a module of `hw/rtl/` costs on xc7z020, in microseconds instead of a synthesis.

Block RAMs and DSP48 slices follow from the structure and are exact. LUTs and flip-flops are sums of amounts
that the structure has as well (bits of a register, adders of a tree, bits of an address) times coefficients.
Those of "exact" are 1; the others are fitted to syntheses by `python -m hw.calibrate`, which writes
cost.json beside this file and docs/synthesis/model.md. The amounts are in the files cost_*.py.

An estimate is of a module alone, all its ports in use. Inside a design Yosys drops what nobody reads: the
counters of a stream_fifo, for instance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hw.compiler import cost_arithmetic, cost_attention, cost_int8, cost_mvu, cost_statistics, cost_stream
from hw.compiler.cost_amounts import Amounts
from hw.modules import ToolError, modules

MODELS = {
    **cost_stream.MODELS,
    **cost_arithmetic.MODELS,
    **cost_mvu.MODELS,
    **cost_int8.MODELS,
    **cost_statistics.MODELS,
    **cost_attention.MODELS,
}
"""For every module the function that takes its parameters to its amounts."""

COEFFICIENTS = Path(__file__).with_name("cost.json")


@dataclass(frozen=True)
class Resources:
    """LUTs, flip-flops, block RAMs of 18 kbit, and DSP48 slices."""

    lut: int
    ff: int
    bram18: int
    dsp: int

    @property
    def bram36(self) -> float:
        """Block RAMs of 36 kbit; one of 18 kbit is half of one."""
        return self.bram18 / 2

    def __add__(self, other: Resources) -> Resources:
        """Return the resources of both."""
        return Resources(
            self.lut + other.lut, self.ff + other.ff, self.bram18 + other.bram18, self.dsp + other.dsp
        )


def resources(module: str, parameters: Mapping[str, int | str]) -> Resources:
    """Return the estimated resources of a module with these parameters; absent ones have their defaults.

    Raises:
        ToolError: the module has no model, is not calibrated, or lacks a parameter that has no default.
    """
    amounts = shape(module, parameters)
    coefficients = _coefficients().get(amounts.group)
    if coefficients is None:
        raise ToolError(f"{amounts.group} is not calibrated: run python -m hw.calibrate with points of it")
    lut = _total(amounts.lut, coefficients["lut"])
    ff = _total(amounts.ff, coefficients["ff"])
    return Resources(round(lut), round(ff), amounts.bram18, amounts.dsp)


def shape(module: str, parameters: Mapping[str, int | str]) -> Amounts:
    """Return the amounts of a module: what the coefficients are multiplied with.

    Raises:
        ToolError: the module has no model, or lacks a parameter that has no default.
    """
    if module not in MODELS:
        raise ToolError(f"no cost model of '{module}', expected one of {', '.join(MODELS)}")
    values = {**defaults(module), **parameters}
    try:
        return MODELS[module](values)
    except KeyError as error:
        raise ToolError(
            f"the cost of {module} depends on {error.args[0]}, which is not among {', '.join(parameters)}"
        ) from None


@cache
def defaults(module: str) -> dict[str, int | str]:
    """Return the parameters of a module whose default is a number or a string."""
    text = modules()[module].read_text().split(");", 1)[0]
    found = re.findall(r'parameter\s[^=]*?(\w+)\s*=\s*(-?\d+|"[^"]*")\s*(?:,|//|\n)', text)
    return {name: value.strip('"') if value[0] == '"' else int(value) for name, value in found}


def _total(amounts: Mapping[str, float], coefficients: Mapping[str, float]) -> float:
    return sum(amount * (1 if name == "exact" else coefficients[name]) for name, amount in amounts.items())


@cache
def _coefficients() -> dict[str, dict[str, dict[str, float]]]:
    return json.loads(COEFFICIENTS.read_text()) if COEFFICIENTS.exists() else {}
