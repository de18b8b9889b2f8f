# SPDX-License-Identifier: BSD-3-Clause
"""What a module of `hw/rtl/` costs on xc7z020."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hw.modules import ToolError


@dataclass(frozen=True)
class Resources:
    """LUTs, flip-flops, block RAMs of 18 kbit, and DSP48 slices."""

    lut: int
    ff: int
    bram18: int
    dsp: int


def resources(module: str, parameters: Mapping[str, int | str]) -> Resources:
    """Return the estimated resources of a module with these parameters.

    Raises:
        ToolError: always, until the model is calibrated against synthesis; there is no guess instead.
    """
    raise ToolError(f"the cost model is not calibrated, so {module} {dict(parameters)} has no estimate")
