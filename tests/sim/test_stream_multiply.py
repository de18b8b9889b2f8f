# SPDX-License-Identifier: BSD-3-Clause
import random

import pytest

from hw.modules import ToolError
from hw.yosys import synthesize
from sim.runner import build, run
from sim.sweep import grid, sweep

FOLDINGS = [
    {"CHANNELS": channels, "G_CHANNELS": factors, "PE": per_beat}
    for channels in (1, 2, 3, 6, 8, 12, 20)
    for factors in sorted({1, channels})
    for per_beat in (1, 2, 3, 4, 6)
    if channels % per_beat == 0
]
WIDTHS = grid(
    X_BITS=(2, 3, 8, 12, 16), G_BITS=(2, 4, 8, 12, 16), SHIFT=(0, 1, 7, 11, 15, 30), BITS=(2, 8, 12, 16)
)


def points():
    # The product of the axes has 13,000 points: these are 200 of them.
    rng = random.Random(1)
    for _ in range(200):
        yield rng.choice(FOLDINGS) | rng.choice(WIDTHS)


def point(channels, factors, pe, x_bits=12, g_bits=12, shift=11, bits=12):
    sizes = {"CHANNELS": channels, "G_CHANNELS": factors, "PE": pe}
    return sizes | {"X_BITS": x_bits, "G_BITS": g_bits, "SHIFT": shift, "BITS": bits}


# A factor per element; one per pixel of many beats, of three, of one; one channel; the largest product, with
# and without a shift; half of more bits than the product, and of as many; results that all fit.
CORNERS = (
    point(8, 8, 2),
    point(12, 1, 1),
    point(12, 1, 4, bits=16, shift=7),
    point(4, 1, 4),
    point(1, 1, 1, x_bits=16),
    point(2, 2, 2, x_bits=16, g_bits=16, shift=0, bits=16),
    point(6, 1, 2, x_bits=16, g_bits=16, shift=15, bits=16),
    point(2, 1, 1, x_bits=3, g_bits=2, shift=30, bits=2),
    point(2, 1, 1, x_bits=16, g_bits=15, shift=30, bits=2),
    point(3, 3, 1, x_bits=4, g_bits=4, shift=1, bits=16),
    point(2, 2, 1, x_bits=8, g_bits=8, shift=1, bits=8),
)


@pytest.mark.parametrize("parameters", [*sweep(CORNERS, len(CORNERS)), *sweep(points(), 3)])
def test_stream_multiply(parameters):
    run(build("stream_multiply", parameters), "sim.tb_stream_multiply")


REFUSED = (
    *({"PE": 3}, {"G_CHANNELS": 2}, {"X_BITS": 1}, {"X_BITS": 17}, {"G_BITS": 1}, {"G_BITS": 17}),
    *({"BITS": 1}, {"BITS": 17}, {"SHIFT": -1}, {"SHIFT": 31}, {"G_PE": 1}),
)


@pytest.mark.parametrize("wrong", REFUSED, ids=str)
def test_illegal_parameters_stop_elaboration(wrong):
    with pytest.raises(ToolError, match="expected"):
        build("stream_multiply", point(4, 4, 2) | wrong)


def test_product_and_rounding_are_in_the_dsp():
    # No adder is left in LUTs, and no register but those of requant_clip, of the handshake and of the beat.
    area = synthesize("stream_multiply", point(8, 1, 4, x_bits=16, g_bits=16, shift=15, bits=16))
    assert area.dsp == 4
    assert "CARRY4" not in area.cells
    assert area.ff == 4 * (3 * 16 + 2) + 7
