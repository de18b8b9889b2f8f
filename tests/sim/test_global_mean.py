# SPDX-License-Identifier: BSD-3-Clause
import random

import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep
from sim.tb_global_mean import files

NAMES = {"INITIAL_FILE": "initial.mem"}
FOLDINGS = [
    p for p in grid(CHANNELS=(1, 2, 3, 4, 6, 8, 12), P=(1, 2, 3, 4, 6, 8)) if p["CHANNELS"] % p["P"] == 0
]
NUMBERS = [
    {"IN_BITS": in_bits, "SHIFT": shift, "BITS": bits}
    for in_bits in (2, 8, 12, 16)
    for shift in (0, 1, 4, 15)
    for bits in (2, 8, 12, 16)
]
OTHERS = grid(DIM_BITS=(4, 5, 12), RAM_STYLE=("auto", "block", "distributed"))


def points():
    # The product of the axes has 12,000 points: these are 200 of them.
    rng = random.Random(1)
    for _ in range(200):
        yield rng.choice(FOLDINGS) | rng.choice(NUMBERS) | rng.choice(OTHERS) | NAMES


# A pixel of one beat, of two and of many; a single channel; all of the range, with and without a fraction.
TYPICAL = [
    {"CHANNELS": channels, "P": p, "IN_BITS": in_bits, "SHIFT": shift, "BITS": bits, "DIM_BITS": dim} | NAMES
    for channels, p, in_bits, shift, bits, dim in (
        (4, 4, 12, 0, 12, 4),
        (4, 2, 16, 1, 16, 6),
        (6, 1, 12, 3, 12, 12),
        (6, 3, 14, 2, 16, 5),
        (1, 1, 16, 15, 16, 4),
        (2, 1, 4, 4, 8, 4),
    )
]


@pytest.mark.parametrize("point", [*sweep(TYPICAL, 6), *sweep(points(), 3)])
def test_global_mean(point):
    compiled = build("global_mean", point)
    for seed in (0, 1):
        run(compiled, "sim.tb_global_mean", seed=seed, files=files(point, seed))


LEGAL = {"CHANNELS": 4, "P": 2} | NAMES


@pytest.mark.parametrize(
    "wrong",
    [{"P": 3}, {"IN_BITS": 1}, {"IN_BITS": 17}, {"SHIFT": 16}, {"BITS": 17}, {"DIM_BITS": 17}],
    ids=str,
)
def test_illegal_parameters_do_not_compile(wrong):
    with pytest.raises(ToolError, match="global_mean: "):
        build("global_mean", LEGAL | wrong)
