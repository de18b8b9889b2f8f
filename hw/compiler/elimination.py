# SPDX-License-Identifier: BSD-3-Clause
"""The least sum of tables over variables: exact, by eliminating one variable after the other.

A table depends on one or two variables at first. To eliminate a variable, the tables that depend on it
are added, and their minimum over it is a new table of its neighbours. On graphs that are nearly chains,
as residual networks are, no table ever has more than three or four variables.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np

Variable = Hashable
Table = tuple[tuple[Variable, ...], np.ndarray]
"""Variables, and an array with an axis for each."""


def minimise(sizes: Mapping[Variable, int], tables: Iterable[Table]) -> dict[Variable, int]:
    """Return the value of every variable, 0 .. size - 1, for which the sum of all tables is least.

    Args:
        sizes: number of values of each variable, at least 1.
        tables: what is added; entries may be infinite, but for one sum at least.
    """
    pending = [(variables, np.asarray(array, np.float64)) for variables, array in tables]
    left = set(sizes)
    steps: list[tuple[Variable, tuple[Variable, ...], np.ndarray]] = []
    while left:
        variable = min(left, key=lambda v: (_cells(v, pending, sizes), str(v)))
        touched = [table for table in pending if variable in table[0]]
        pending = [table for table in pending if variable not in table[0]]
        others = tuple(sorted({v for variables, _ in touched for v in variables if v != variable}, key=str))
        total = _add((*others, variable), touched, sizes)
        steps.append((variable, others, total.argmin(axis=-1)))
        if others:
            pending.append((others, total.min(axis=-1)))
        left.remove(variable)
    values: dict[Variable, int] = {}
    for variable, others, best in reversed(steps):
        values[variable] = int(best[tuple(values[other] for other in others)])
    return values


def _cells(variable: Variable, tables: list[Table], sizes: Mapping[Variable, int]) -> int:
    neighbours = {v for variables, _ in tables if variable in variables for v in variables}
    return int(np.prod([sizes[v] for v in neighbours | {variable}], dtype=np.int64))


def _add(axes: tuple[Variable, ...], tables: list[Table], sizes: Mapping[Variable, int]) -> np.ndarray:
    total = np.zeros([sizes[axis] for axis in axes])
    for variables, array in tables:
        order = sorted(range(len(variables)), key=lambda i: axes.index(variables[i]))
        shape = [sizes[axis] if axis in variables else 1 for axis in axes]
        total += array.transpose(order).reshape(shape)
    return total
