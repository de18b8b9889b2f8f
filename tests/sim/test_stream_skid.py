# SPDX-License-Identifier: BSD-3-Clause
import pytest

from sim.runner import build, run
from sim.sweep import grid, sweep


@pytest.mark.parametrize("point", sweep(grid(WIDTH=(1, 8, 33)), 2))
def test_stream_skid(point):
    run(build("stream_skid", point), "sim.tb_stream_skid")
