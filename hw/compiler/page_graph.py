# SPDX-License-Identifier: BSD-3-Clause
"""The dataflow beside the table of the report: a dot for every row, a line for every stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

ROW = 24
"""Height of a row, in pixels."""

GUTTER = 120
"""Width of the drawing."""

_SPINE, _LANE = 96, 12


def lanes(spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return a lane for every span of rows, so that spans in one lane do not overlap: 0 is the innermost."""
    taken: list[list[tuple[int, int]]] = []
    result = [0] * len(spans)
    for index in sorted(range(len(spans)), key=lambda i: spans[i][1] - spans[i][0]):
        start, end = spans[index]
        free = (n for n, others in enumerate(taken) if all(end <= s or start >= e for s, e in others))
        result[index] = next(free, len(taken))
        if result[index] == len(taken):
            taken.append([])
        taken[result[index]].append((start, end))
    return result


def gutter(layers: Sequence[Mapping[str, Any]], hot: set[str]) -> Iterator[str]:
    """Yield the SVG elements for the rows of a table: `layers` in order, below one row of headings.

    Args:
        layers: records with name, inputs and outputs (names of tensors).
        hot: names of those that are drawn as bottlenecks.
    """
    writer = {tensor: index for index, layer in enumerate(layers) for tensor in layer["outputs"]}
    edges = [
        (writer[tensor], index, tensor)
        for index, layer in enumerate(layers)
        for tensor in layer["inputs"]
        if tensor in writer
    ]
    direct = [edge for edge in edges if edge[1] == edge[0] + 1]
    skips = [edge for edge in edges if edge[1] > edge[0] + 1]
    for start, end, tensor in direct:
        yield f'<path class="path" d="M{_SPINE} {_y(start)}V{_y(end)}"><title>{escape(tensor)}</title></path>'
    for lane, (start, end, tensor) in zip(lanes([edge[:2] for edge in skips]), skips, strict=True):
        x = max(6, _SPINE - _LANE * (lane + 1))
        top, bottom = _y(start), _y(end)
        yield (
            f'<path class="skip" d="M{_SPINE} {top}C{x} {top} {x} {top} {x} {top + ROW}V{bottom - ROW}'
            f'C{x} {bottom} {x} {bottom} {_SPINE} {bottom}"><title>{escape(tensor)}</title></path>'
        )
    for index, layer in enumerate(layers):
        name = escape(layer["name"])
        kind = "hotdot" if layer["name"] in hot else "dot"
        yield f'<circle class="{kind}" cx="{_SPINE}" cy="{_y(index)}" r="4"><title>{name}</title></circle>'


def _y(index: int) -> float:
    return ROW * (index + 1.5)
