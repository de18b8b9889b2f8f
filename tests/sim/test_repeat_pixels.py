# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

TYPICAL = [
    {"CHANNELS": channels, "P": p, "BITS": bits, "DIM_BITS": dim}
    for channels, p, bits, dim in ((4, 4, 12, 4), (4, 2, 1, 5), (6, 1, 12, 12))
]


@pytest.mark.parametrize(
    "point",
    [
        *TYPICAL,
        *sweep(
            grid(CHANNELS=(1, 3, 6, 8, 40), P=(1, 2, 3, 8), BITS=(1, 16, 32), DIM_BITS=(4, 9)),
            4,
            lambda p: p["CHANNELS"] % p["P"] == 0,
        ),
    ],
    ids=str,
)
def test_repeat_pixels(point):
    compiled = build("repeat_pixels", point)
    for seed in (0, 1):
        run(compiled, "sim.tb_repeat_pixels", seed=seed)


@pytest.mark.parametrize("wrong", [{"P": 3}, {"BITS": 0}, {"BITS": 33}, {"DIM_BITS": 17}], ids=str)
def test_illegal_parameters_do_not_compile(wrong):
    with pytest.raises(ToolError, match="repeat_pixels: "):
        build("repeat_pixels", {"CHANNELS": 4, "P": 2} | wrong)
