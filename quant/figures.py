# SPDX-License-Identifier: BSD-3-Clause
"""A figure of the paper beside ours, with matplotlib.

Each side has its own vertical axis: figures of other data, sizes and budgets do not compare, shapes do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quant.outputs import replacing


@dataclass(frozen=True)
class Line:
    """A curve: its name and its values at the panel's ticks, None where there is none."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """One diagram.

    Attributes:
        title: above it.
        horizontal: what the ticks are.
        ticks: their labels, evenly spaced.
        lines: the curves, PSNR in dB.
        note: what to know about it, below it.
    """

    title: str
    horizontal: str
    ticks: Sequence[str]
    lines: Sequence[Line]
    note: str = ""


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Write the panels from left to right as a PNG, whole or not at all."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(5.6 * len(panels), 4.2), squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        for line in panel.lines:
            points = [(i, v) for i, v in enumerate(line.values) if v is not None]
            axis.plot(*zip(*points, strict=True), marker="o", label=line.name) if points else None
        axis.set_xticks(range(len(panel.ticks)), panel.ticks)
        axis.set_xlim(-0.4, len(panel.ticks) - 0.6)
        axis.set(title=panel.title, xlabel="\n".join(filter(None, (panel.horizontal, panel.note))))
        axis.set_ylabel("PSNR, dB")
        axis.grid(alpha=0.3)
        if len(panel.lines) > 1:
            axis.legend()
    figure.tight_layout()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    plt.close(figure)
