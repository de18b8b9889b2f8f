# SPDX-License-Identifier: BSD-3-Clause
from pathlib import Path

import pytest

from hw.modules import RTL, SHELL_RTL, ToolError
from sim.runner import build, run
from sim.shell.netlist import build_netlist
from sim.sweep import sweep

BENCH = Path(__file__).resolve().parents[2] / "sim" / "shell"
FOLDERS = (BENCH, SHELL_RTL, RTL)
SIZE = {"MAX_WIDTH": 40, "MAX_HEIGHT": 30, "OUTSTANDING": 8}
POINTS = [
    {"SCALE": 2, "CHANNELS": 3, "IN_ELEMENTS": 1, "OUT_ELEMENTS": 1, **SIZE},
    {"SCALE": 1, "CHANNELS": 3, "IN_ELEMENTS": 3, "OUT_ELEMENTS": 3, **SIZE},
    {"SCALE": 3, "CHANNELS": 1, "IN_ELEMENTS": 1, "OUT_ELEMENTS": 1, **SIZE},
    {"SCALE": 2, "CHANNELS": 3, "IN_ELEMENTS": 3, "OUT_ELEMENTS": 1, **SIZE},
    {
        "SCALE": 4,
        "CHANNELS": 3,
        "IN_ELEMENTS": 1,
        "OUT_ELEMENTS": 3,
        "MAX_WIDTH": 20,
        "MAX_HEIGHT": 12,
        "OUTSTANDING": 2,
    },
]


@pytest.mark.parametrize("point", sweep(POINTS, 2))
def test_shell(point):
    compiled = build("shell_bench", point, folders=FOLDERS)
    run(compiled, "sim.shell.tb_shell", seed=1)
    run(compiled, "sim.shell.tb_registers", seed=1)


def test_yosys_reads_it_alike(tmp_path):
    point = {"SCALE": 3, "CHANNELS": 3, "IN_ELEMENTS": 3, "OUT_ELEMENTS": 1, **SIZE}
    compiled = build_netlist("shell_bench", point, FOLDERS, tmp_path)
    run(compiled, "sim.shell.tb_shell", seed=1, testcase="frames")
    run(compiled, "sim.shell.tb_registers", seed=1, testcase="refusals")


def test_models_that_know_nothing_of_us():
    run(build("shell_bench", POINTS[0], folders=FOLDERS), "sim.shell.tb_referee", seed=1)


@pytest.mark.parametrize("point", [{"TAPS": 5, "PERIOD": 11}, {"TAPS": 37, "PERIOD": 43}])
def test_sampler(point):
    run(build("shell_sampler", point, folders=FOLDERS), "sim.shell.tb_sampler", seed=1)


@pytest.mark.parametrize(
    ("module", "point"),
    [
        ("shell_sampler", {"TAPS": 10, "PERIOD": 14}),
        ("shell_check", {"SCALE": 2, "MAX_WIDTH": 2048}),
        ("shell_read", {"WORDS": 8}),
        ("shell_unpack", {"E": 9}),
        ("bitmend_shell", {"CHANNELS": 3, "IN_ELEMENTS": 2}),
    ],
)
def test_illegal_parameters_stop_elaboration(module, point):
    with pytest.raises(ToolError, match=f"{module}: "):
        build(module, point, folders=FOLDERS)
