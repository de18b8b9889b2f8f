# SPDX-License-Identifier: BSD-3-Clause
"""The Tcl script in a real Tcl interpreter, whose Vivado commands only look at their arguments."""

from pathlib import Path

import pytest

from hw.bitstream.constraints import vivado_xdc
from hw.bitstream.design import read_design
from hw.bitstream.vivado import script

tkinter = pytest.importorskip("tkinter", reason="Python without Tcl")

FLAGS = {"-force", "-bin_file", "-in_memory", "-sv", "-hierarchical", "-setup", "-tns_cleanup"}
COMMANDS = (
    *(
        "set_param",
        "create_project",
        "set_property",
        "current_project",
        "read_verilog",
        "read_mem",
        "read_xdc",
    ),
    *("synth_design", "write_checkpoint", "report_utilization", "opt_design", "place_design"),
    *("phys_opt_design", "route_design", "get_property", "get_timing_paths", "report_timing_summary"),
    *("report_drc", "current_design", "write_bitstream", "create_clock", "get_pins"),
)


def interpret(text, *, slack="0.1"):
    """Run a script; return [(command, options, values)] in the order in which they were called."""
    called = []
    interpreter = tkinter.Tcl()

    def command(name):
        def run(*arguments):
            options, values, rest = {}, [], list(arguments)
            while rest:
                word = rest.pop(0)
                if word.startswith("-") and word in FLAGS:
                    options[word] = ""
                elif word.startswith("-") and rest:
                    options[word] = rest.pop(0)
                else:
                    values.append(word)
            called.append((name, options, values))
            return slack if name == "get_property" else name

        return run

    for name in COMMANDS:
        interpreter.createcommand(name, command(name))
    interpreter.createcommand("puts", lambda *words: called.append(("puts", {}, list(words))) or "")
    interpreter.eval(text)
    return called


@pytest.fixture
def design(build):
    return read_design(build)


def test_every_file_that_it_names_exists(design):
    called = interpret(script(design))
    read = [values[0] for name, _, values in called if name in ("read_verilog", "read_mem")]
    assert [Path(path) for path in read] == [*design.sources, *design.memory_files]
    assert all(Path(path).is_file() for path in read)
    folders = next(options["-include_dirs"] for name, options, _ in called if name == "synth_design")
    assert all(Path(folder).is_dir() for folder in folders.split())


def test_the_order_of_the_steps(design):
    names = [name for name, _, _ in interpret(script(design)) if name.endswith(("_design", "_bitstream"))]
    names = [name for name in names if name != "current_design"]
    assert names == [
        "synth_design",
        "opt_design",
        "place_design",
        "phys_opt_design",
        "route_design",
        "write_bitstream",
    ]


def test_a_clock_that_is_not_reached_gets_another_round(design):
    called = interpret(script(design), slack="-0.2")
    assert [name for name, _, _ in called].count("route_design") == 2
    assert ("puts", {}, ["BITMEND_WNS -0.2"]) in called


def test_part_top_and_bitstream(design):
    called = {name: (options, values) for name, options, values in interpret(script(design))}
    options, _ = called["synth_design"]
    assert options["-part"] == "xc7z020clg400-1"
    assert options["-top"] == "bitmend_top"
    options, values = called["write_bitstream"]
    assert values == ["raw.bit"]  # gets its name only after it has been checked
    assert "-bin_file" in options


def test_constraints_are_tcl_too(design):
    called = interpret(vivado_xdc(design))
    assert called[-1][1]["-period"] == "10.000"
