# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

POINTS = grid(
    CHANNELS=(1, 2, 3, 4, 12), OUT_CHANNELS=(3, 8, 12, 32), P=(1, 2, 3), OUT_P=(1, 3, 4, 8, 32), BITS=(1, 9)
)


def legal(point):
    return not (point["CHANNELS"] % point["P"] or point["OUT_CHANNELS"] % point["OUT_P"])


@pytest.mark.parametrize("point", sweep(POINTS, 5, legal))
def test_repeat_channels(point):
    run(build("repeat_channels", point), "sim.tb_repeat_channels")


@pytest.mark.parametrize("wrong", [{"P": 2}, {"OUT_P": 5}, {"BITS": 0}], ids=str)
def test_illegal_parameters_do_not_compile(wrong):
    legal_point = {"CHANNELS": 3, "OUT_CHANNELS": 32, "P": 1, "OUT_P": 8, "BITS": 1}
    with pytest.raises(ToolError, match="repeat_channels: "):
        build("repeat_channels", {**legal_point, **wrong})
