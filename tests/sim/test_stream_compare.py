# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from sim.runner import build, run
from sim.sweep import grid, sweep

WIDTHS = (2, 3, 8, 12, 13, 16)


@pytest.mark.parametrize("point", sweep(grid(PE=(1, 2, 5, 16), X_BITS=WIDTHS, T_BITS=WIDTHS), 4))
def test_stream_compare(point):
    run(build("stream_compare", point), "sim.tb_stream_compare")


# Thresholds wider than the numbers, as wide, narrower.
@pytest.mark.parametrize(("x_bits", "t_bits"), [(12, 14), (12, 12), (16, 13)])
def test_thresholds_of_a_network(x_bits, t_bits):
    run(
        build("stream_compare", {"PE": 4, "X_BITS": x_bits, "T_BITS": t_bits}),
        "sim.tb_stream_compare",
        seed=1,
    )


REFUSED = ({"PE": 0}, {"X_BITS": 1}, {"X_BITS": 17}, {"T_BITS": 1}, {"T_BITS": 17})


@pytest.mark.parametrize("wrong", REFUSED)
def test_illegal_parameters_stop_elaboration(wrong):
    with pytest.raises(ToolError, match=r"stream_compare: .*expected"):
        build("stream_compare", wrong)
