# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep
from sim.tb_rsign import files

# The comparator has another shape for 1, for 2..8, for 9..32 and for more beats per pixel.
SHAPES = {"one": (1,), "few": (2, 3, 5, 8), "melted": (9, 12, 32), "many": (33, 40)}
POINTS = {
    name: [
        {"CHANNELS": beats * point["PE"], **point, "THRESHOLD_FILE": "t.mem"}
        for beats in numbers
        for point in grid(PE=(1, 2, 3, 8, 20), BITS=(2, 8, 12, 16))
        if beats * point["PE"] <= 64
    ]
    for name, numbers in SHAPES.items()
}


@pytest.mark.parametrize("point", [p for points in POINTS.values() for p in sweep(points, 1)])
def test_rsign(point):
    compiled = build("rsign", point)
    for seed in (0, 1):
        run(compiled, "sim.tb_rsign", seed=seed, files=files(point, seed, extreme=seed == 1))


@pytest.mark.parametrize("wrong", [{"PE": 3}, {"BITS": 1}, {"BITS": 17}])
def test_rsign_refuses(wrong):
    with pytest.raises(ToolError, match="expected"):
        build("rsign", {"CHANNELS": 4, "PE": 2, "BITS": 12} | wrong)
