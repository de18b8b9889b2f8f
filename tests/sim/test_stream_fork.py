# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep


@pytest.mark.parametrize("point", sweep(grid(WIDTH=(1, 8, 33)), 2))
def test_stream_fork(point):
    run(build("stream_fork", point), "sim.tb_stream_fork")


def test_illegal_parameters_stop_elaboration():
    with pytest.raises(ToolError, match="stream_fork: "):
        build("stream_fork", {"WIDTH": 0})
