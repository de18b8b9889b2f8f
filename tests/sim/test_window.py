# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

POINTS = [
    *grid(CHANNELS=(32, 64), P=(1, 2, 8, 16, 32, 64), BITS=(1,), MAX_WIDTH=(8,)),
    *grid(CHANNELS=(1, 3, 6), P=(1, 2, 3, 6), BITS=(8,), MAX_WIDTH=(1, 2, 9)),
    *grid(CHANNELS=(32,), P=(4, 8), BITS=(8,), MAX_WIDTH=(7,)),
    *grid(CHANNELS=(6,), P=(2, 6), BITS=(5,), PAD=(0, 0x15, 0x1F), MAX_WIDTH=(2, 9), DIM_BITS=(4, 16)),
]


@pytest.mark.parametrize("point", sweep(POINTS, 6, lambda point: point["CHANNELS"] % point["P"] == 0))
def test_window(point):
    run(build("window", point), "sim.tb_window")


# Corners of the control: rows of one and of two beats, a number of slices that is no power of two.
@pytest.mark.parametrize(("channels", "per_beat", "max_width"), [(1, 1, 9), (2, 1, 1), (3, 1, 7), (4, 1, 2)])
def test_window_narrow(channels, per_beat, max_width):
    point = {"CHANNELS": channels, "P": per_beat, "BITS": 1, "MAX_WIDTH": max_width}
    run(build("window", point), "sim.tb_window", seed=1)


@pytest.mark.parametrize("wrong", [{"CHANNELS": 3, "P": 2}, {"BITS": 0}, {"MAX_WIDTH": 16, "DIM_BITS": 4}])
def test_window_refuses(wrong):
    with pytest.raises(ToolError, match="expected"):
        build("window", {"CHANNELS": 1, "P": 1, "BITS": 8, "MAX_WIDTH": 9} | wrong)
