# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

WIDTHS = (2, 4, 8, 9, 16)


@pytest.mark.parametrize("point", sweep(grid(PE=(1, 2, 5), A_BITS=WIDTHS, B_BITS=WIDTHS, BITS=WIDTHS), 4))
def test_stream_join(point):
    run(build("stream_join", point), "sim.tb_stream_join")


@pytest.mark.parametrize("point", [{"PE": 0}, {"A_BITS": 0}, {"B_BITS": 33}, {"BITS": 1}])
def test_illegal_parameters_stop_elaboration(point):
    with pytest.raises(ToolError, match="stream_join: "):
        build("stream_join", point)
