# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep


def points():
    axes = grid(
        CHANNELS=(1, 6, 8),
        FACTOR=(2, 3, 4),
        P=(1, 2, 8),
        BITS=(1, 12),
        MAX_WIDTH=(1, 2, 5, 16),
        DIM_BITS=(6,),
        RAM_STYLE=("block", "distributed"),
    )
    for point in axes:
        if point["CHANNELS"] % point["P"] == 0:
            row = point["MAX_WIDTH"] * point["CHANNELS"] // point["P"]
            for depth in (max(2, row), row + 3, 1 << (3 * row).bit_length()):
                yield {**point, "DEPTH": depth}


@pytest.mark.parametrize("point", sweep(points(), 4))
def test_nearest_up(point):
    run(build("nearest_up", point), "sim.tb_nearest_up")


LEGAL = {"CHANNELS": 4, "FACTOR": 2, "P": 2, "BITS": 1, "MAX_WIDTH": 5, "DIM_BITS": 4, "DEPTH": 10}


@pytest.mark.parametrize("wrong", [{"FACTOR": 1}, {"P": 3}, {"MAX_WIDTH": 16}, {"DEPTH": 9}], ids=str)
def test_illegal_parameters_do_not_compile(wrong):
    with pytest.raises(ToolError, match="nearest_up: "):
        build("nearest_up", {**LEGAL, **wrong})
