# SPDX-License-Identifier: BSD-3-Clause
"""Sweeps over module parameters: all of them on request, a seeded random subset in CI."""

from __future__ import annotations

import itertools
import os
import random
import zlib
from collections.abc import Callable, Iterable

import pytest

Point = dict[str, int | str]


def grid(**axes: Iterable) -> list[Point]:
    """Return the product of parameter values: grid(PE=(1, 2), C=(4,)) gives two points."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def sweep(points: Iterable[Point], number: int, legal: Callable[[Point], bool] | None = None) -> list:
    """Return pytest parameters: `number` of the legal points drawn at random, or all of them.

    The environment decides. BITMEND_SWEEP=all takes every point (make sim-all); BITMEND_SWEEP=<integer>
    seeds the draw, 0 by default, so that a failure can be repeated and another subset be tried. With
    BITMEND_WAVES (make waves) it is the first point only.
    """
    chosen = [point for point in points if legal is None or legal(point)]
    wanted = os.environ.get("BITMEND_SWEEP", "0")
    if os.environ.get("BITMEND_WAVES"):
        chosen = chosen[:1]
    elif wanted != "all" and len(chosen) > number:
        seed = zlib.crc32(repr(chosen).encode()) ^ int(wanted)
        chosen = random.Random(seed).sample(chosen, number)
    return [pytest.param(point, id="-".join(f"{k}={v}" for k, v in point.items())) for point in chosen]
