# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

RATIOS = (2, 3, 4, 5, 9, 32)
WIDER = [{"IN_WIDTH": w, "OUT_WIDTH": w * r} for w in (1, 4, 8) for r in RATIOS]
NARROWER = [{"IN_WIDTH": w * r, "OUT_WIDTH": w} for w in (1, 4, 8) for r in RATIOS]
OTHERS = [{"IN_WIDTH": i, "OUT_WIDTH": o} for i, o in ((1, 1), (24, 32), (32, 24), (10, 3), (3, 10))]
OTHERS += grid(IN_WIDTH=(3, 4, 6), OUT_WIDTH=(3, 4, 6))


@pytest.mark.parametrize("point", [*sweep(WIDER, 2), *sweep(NARROWER, 2), *sweep(OTHERS, 3)])
def test_stream_width(point):
    run(build("stream_width", point), "sim.tb_stream_width")


@pytest.mark.parametrize(
    ("module", "point"),
    [
        ("stream_width", {"IN_WIDTH": 0}),
        ("stream_widen", {"IN_WIDTH": 8, "OUT_WIDTH": 20}),
        ("stream_widen", {"IN_WIDTH": 8, "OUT_WIDTH": 8}),
        ("stream_narrow", {"IN_WIDTH": 20, "OUT_WIDTH": 8}),
        ("stream_narrow", {"IN_WIDTH": 8, "OUT_WIDTH": 8}),
    ],
)
def test_illegal_parameters_stop_elaboration(module, point):
    with pytest.raises(ToolError, match=f"{module}: "):
        build(module, point)
