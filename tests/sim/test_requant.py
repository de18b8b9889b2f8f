# SPDX-License-Identifier: BSD-3-Clause
import random

import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep
from sim.tb_requant import files

NAMES = {"THRESHOLD_FILE": "t.mem", "CONST_FILE": "c.mem"}
FOLDINGS = [
    p for p in grid(CHANNELS=(1, 3, 6, 8, 12, 20, 24, 40), PE=(1, 2, 3, 4, 8)) if p["CHANNELS"] % p["PE"] == 0
]
INPUTS = [
    {"IN_BITS": bits, "IN_SIGNED": signed, "T_BITS": t_bits}
    for bits, signed in ((8, 0), (2, 1), (11, 1), (12, 1), (20, 1), (25, 1), (32, 1))
    for t_bits in (max(2, bits - 2), bits + 1, 34)
]
OUTPUTS = grid(BITS=(2, 8, 12, 16), SHIFT=(0, 1, 8, 16, 31), A_BITS=(2, 16, 18), B_BITS=(4, 24, 32))
STYLES = grid(CONST_STYLE=("auto", "block", "distributed"))


def points():
    # The product of the axes has 500,000 points: these are 300 of them.
    rng = random.Random(1)
    for _ in range(300):
        yield rng.choice(FOLDINGS) | rng.choice(INPUTS) | rng.choice(OUTPUTS) | rng.choice(STYLES) | NAMES


# What a network has: behind a binary convolution, behind the head, from the pixels, from stream to int8.
TYPICAL = [
    {"CHANNELS": channels, "PE": per_beat, "IN_BITS": bits, "IN_SIGNED": signed, "T_BITS": bits + 1}
    | {"BITS": out, "SHIFT": shift, "A_BITS": 16, "B_BITS": 28}
    | NAMES
    for channels, per_beat, bits, signed, out, shift in (
        (32, 2, 11, 1, 12, 14),
        (16, 4, 21, 1, 12, 21),
        (3, 3, 8, 0, 12, 10),
        (32, 4, 12, 1, 8, 17),
    )
]


# A pixel in one beat: the only index into the constants is the piece.
WHOLE = [
    {"CHANNELS": size, "PE": size, "IN_BITS": 9, "IN_SIGNED": 1, "T_BITS": 10, "BITS": 8, "SHIFT": 8}
    | {"A_BITS": 16, "B_BITS": 24, "CONST_STYLE": style}
    | NAMES
    for size, style in ((1, "block"), (3, "distributed"), (4, "auto"))
]


# PlainOutput: pixels of an accumulator or of a stream. And unsigned results of other widths, in two pieces.
UNSIGNED = [
    {"CHANNELS": channels, "PE": per_beat, "IN_BITS": bits, "IN_SIGNED": 1, "T_BITS": bits + 1}
    | {"BITS": out, "OUT_SIGNED": 0, "SHIFT": shift, "A_BITS": 16, "B_BITS": 28}
    | NAMES
    for channels, per_beat, bits, out, shift in (
        (3, 1, 16, 8, 16),
        (3, 3, 22, 8, 20),
        (4, 2, 12, 16, 8),
        (1, 1, 9, 2, 0),
    )
]


@pytest.mark.parametrize("point", UNSIGNED, ids=str)
def test_unsigned_results(point):
    compiled = build("requant", point)
    for seed in (0, 1):
        run(compiled, "sim.tb_requant", seed=seed, files=files(point, seed, extreme=seed == 1))


@pytest.mark.parametrize("point", [*sweep(TYPICAL, 2), *sweep(WHOLE, 3), *sweep(points(), 4)])
def test_requant(point):
    compiled = build("requant", point)
    for seed in (0, 1):
        run(compiled, "sim.tb_requant", seed=seed, files=files(point, seed, extreme=seed == 1))


@pytest.mark.parametrize(
    "wrong", [{"PE": 3}, {"BITS": 1}, {"SHIFT": 32}, {"A_BITS": 19}, {"IN_BITS": 33}, {"OUT_SIGNED": 2}]
)
def test_requant_refuses(wrong):
    with pytest.raises(ToolError, match="expected"):
        build("requant", {"CHANNELS": 4, "PE": 2} | wrong)
