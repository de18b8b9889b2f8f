# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

STYLES = ("auto", "block", "distributed")
SMALL = grid(WIDTH=(1, 8, 33), DEPTH=(2, 3, 4, 5, 8, 17, 32, 33, 34), RAM_STYLE=STYLES)
LARGE = grid(WIDTH=(12,), DEPTH=(100, 129, 512, 600), RAM_STYLE=STYLES)


@pytest.mark.parametrize("point", [*sweep(SMALL, 4), *sweep(LARGE, 1)])
def test_stream_fifo(point):
    run(build("stream_fifo", point), "sim.tb_stream_fifo")


@pytest.mark.parametrize("point", [{"DEPTH": 1}, {"WIDTH": 0}, {"RAM_STYLE": "ultra"}, {"COUNT": 9}])
def test_illegal_parameters_stop_elaboration(point):
    with pytest.raises(ToolError, match="stream_fifo: "):
        build("stream_fifo", point)
