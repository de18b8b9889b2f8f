# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.modules import ToolError
from hw.yosys import synthesize
from sim.runner import build, run
from sim.sweep import grid, sweep
from sim.tb_stream_table import files

STYLES = ("auto", "block", "distributed")
POINTS = [
    {**point, "TABLE_FILE": "t.mem"}
    for point in grid(PE=(1, 2, 3, 4, 7), IN_BITS=(2, 5, 8, 10, 12), BITS=(2, 8, 12, 16), TABLE_STYLE=STYLES)
]
# One memory with one port, one with two, both; the table of a sigmoid.
CORNERS = [
    {"PE": 1, "IN_BITS": 10, "BITS": 12, "TABLE_STYLE": "auto", "TABLE_FILE": "t.mem"},
    {"PE": 2, "IN_BITS": 2, "BITS": 16, "TABLE_STYLE": "distributed", "TABLE_FILE": "t.mem"},
    {"PE": 3, "IN_BITS": 12, "BITS": 2, "TABLE_STYLE": "block", "TABLE_FILE": "t.mem"},
]


@pytest.mark.parametrize("point", [*sweep(CORNERS, 3), *sweep(POINTS, 2)])
def test_stream_table(point):
    compiled = build("stream_table", point)
    for seed in (0, 1):
        run(compiled, "sim.tb_stream_table", seed=seed, files=files(point, seed, extreme=seed == 1))


REFUSED = ({"PE": 0}, {"IN_BITS": 1}, {"IN_BITS": 13}, {"BITS": 1}, {"BITS": 17}, {"TABLE_STYLE": "ultra"})


@pytest.mark.parametrize("wrong", REFUSED)
def test_illegal_parameters_stop_elaboration(wrong):
    with pytest.raises(ToolError, match=r"stream_table.*expected"):
        build("stream_table", {"PE": 2, "IN_BITS": 4, "BITS": 4} | wrong)


def test_two_elements_share_a_block_ram():
    point = {"PE": 3, "IN_BITS": 10, "BITS": 12, "TABLE_FILE": "t.mem"}
    memories = files(point, 0, extreme=False)
    del memories["constants.npz"]
    assert synthesize("stream_table", point, files=memories).bram36 == 1
