# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

POINTS = [
    *grid(SCALE=(1, 2, 3, 4), CHANNELS=(1, 3), P=(1, 3), MAX_WIDTH=(1, 2, 9)),
    *grid(SCALE=(2, 3, 4), CHANNELS=(4, 6), P=(1, 2), MAX_WIDTH=(2, 7), DIM_BITS=(4,)),
]


@pytest.mark.parametrize("point", sweep(POINTS, 3, lambda point: point["CHANNELS"] % point["P"] == 0))
def test_base(point):
    run(build("base", point), "sim.tb_base")


# Every scale, with a pixel per beat and with a channel per beat.
@pytest.mark.parametrize("per_beat", [1, 3])
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_base_scales(scale, per_beat):
    point = {"SCALE": scale, "CHANNELS": 3, "P": per_beat, "MAX_WIDTH": 8}
    run(build("base", point), "sim.tb_base", seed=1)


@pytest.mark.parametrize("wrong", [{"CHANNELS": 3, "P": 2}, {"SCALE": 5}, {"MAX_WIDTH": 16, "DIM_BITS": 4}])
def test_base_refuses(wrong):
    with pytest.raises(ToolError, match="expected"):
        build("base", {"SCALE": 2, "CHANNELS": 1, "P": 1, "MAX_WIDTH": 9} | wrong)
