# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

POINTS = [
    *grid(
        CHANNELS=(2, 6),
        FACTOR=(2, 3, 4),
        P=(1, 2, 6),
        BITS=(1, 7),
        MAX_WIDTH=(1, 2, 3, 8, 13),
        DIM_BITS=(6,),
        ORDER=(0, 1),
        RAM_STYLE=("block",),
    ),
    *grid(
        CHANNELS=(1,),
        FACTOR=(2, 3, 4),
        P=(1,),
        BITS=(1, 12),
        MAX_WIDTH=(1, 2, 3, 7, 16, 31),
        DIM_BITS=(6,),
        ORDER=(0, 1),
        RAM_STYLE=("distributed",),
    ),
    *grid(
        CHANNELS=(32,),
        FACTOR=(2, 4),
        P=(8, 32),
        BITS=(12,),
        MAX_WIDTH=(9, 40),
        DIM_BITS=(10,),
        ORDER=(1,),
        RAM_STYLE=("auto",),
    ),
]


@pytest.mark.parametrize("point", sweep(POINTS, 6, lambda point: point["CHANNELS"] % point["P"] == 0))
def test_pixel_shuffle(point):
    run(build("pixel_shuffle", point), "sim.tb_pixel_shuffle")


SMALLEST = {"CHANNELS": 1, "P": 1, "BITS": 1, "MAX_WIDTH": 1, "DIM_BITS": 4, "ORDER": 1}


@pytest.mark.parametrize("factor", [2, 4])
def test_no_cycle_to_spare(factor):
    # a row of r^2 beats is as long as the next stride takes
    run(build("pixel_shuffle", {**SMALLEST, "FACTOR": factor}), "sim.tb_pixel_shuffle")


@pytest.mark.parametrize(
    "wrong", [{"FACTOR": 5}, {"CHANNELS": 4, "P": 3}, {"MAX_WIDTH": 16}, {"ORDER": 2}], ids=str
)
def test_illegal_parameters_do_not_compile(wrong):
    with pytest.raises(ToolError, match="pixel_shuffle: "):
        build("pixel_shuffle", {**SMALLEST, "FACTOR": 2, **wrong})
