# SPDX-License-Identifier: BSD-3-Clause
"""A compiled network from the command line to its report: estimated, simulated and synthesized."""

import json

import numpy as np
import pytest

from golden.random_attention import ebsr_like
from golden.random_networks import Recipe, build
from hw import lint
from hw.compiler import compile as compiler
from hw.compiler import netlist, table
from hw.compiler.build_folder import BuildFolder
from hw.compiler.top import WHOLE
from sim import measure


def build_folder(network, folder):
    """A network, compiled for frames of 16 x 12 pixels."""
    network.save(folder / "small.npz")
    out = folder / "out"
    options = ["--model", folder / "small.npz", "--out", out, "--width", 16, "--height", 12, "--quiet"]
    assert compiler.main([str(option) for option in options]) == compiler.OK
    return BuildFolder(out)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A small x2 network with random constants."""
    network = build(np.random.default_rng(5), Recipe(width=4, depth=1, factors=(2,)), 3)
    return build_folder(network, tmp_path_factory.mktemp("compiled"))


def test_a_network_with_statistics(tmp_path):
    """Without warnings; as fast as it goes and at the pace of the depths, each from a reset on; reported."""
    build = build_folder(ebsr_like(np.random.default_rng(3), 4, 1, 2), tmp_path)
    assert lint.top_warnings(build.stitched) == []
    assert measure.main([str(build.path), "--rows", "12"]) == 0
    found, depths = build.read("rtlsim_performance"), build.read("design")["fifos"]
    assert found["cycles"] <= 1.03 * found["estimated_cycles"]
    for name in ("cycles", "latency_cycles", "single_frame_cycles"):
        assert found[name] == pytest.approx(found[f"estimated_{name}"], rel=0.15)
    assert all(0 < most <= depths[name] for name, most in found["high_water"].items())
    layers = {layer["name"]: layer for layer in build.read("summary")["layers"]}
    hidden = layers["body.0.channel.hidden.sums"]
    assert hidden["folding"] == {"SIMD": 1, "PE": 1}
    assert hidden["utilisation"] == 0
    assert layers["body.0.channel.mean"]["utilisation"] > 0


def test_cycles_are_those_of_the_estimate(compiled, capsys):
    assert measure.main([str(compiled.path), "--rows", "6"]) == 0
    found = compiled.read("rtlsim_performance")
    for name in ("cycles", "latency_cycles", "single_frame_cycles"):
        assert found[name] == pytest.approx(found[f"estimated_{name}"], rel=0.1)
    depths = compiled.read("design")["fifos"]
    assert set(found["high_water"]) == set(depths)
    assert all(0 < most <= depths[name] for name, most in found["high_water"].items())
    assert "estimated" in capsys.readouterr().out
    layers = {layer["name"]: layer for layer in compiled.read("summary")["layers"]}
    for name, share in found["busy"].items():
        expected = layers[name]["utilisation"]
        if expected is not None and layers[name]["op"] == "XnorMVU":
            assert share == pytest.approx(expected, abs=0.15)
    assert "simulated" in json.loads(compiled.report("summary").read_text())


def test_yosys_takes_every_instance_apart(compiled):
    assert netlist.main([str(compiled.path)]) == 0
    areas, design = compiled.read("post_synth_resources"), compiled.read("design")
    layers = compiled.read("layers")
    assert set(areas) == {layer["name"] for layer in layers} | {WHOLE}
    for key in ("bram36", "dsp"):
        assert areas[WHOLE][key] == design["estimate"][key]
        assert all(areas[layer["name"]][key] == layer["estimate"][key] for layer in layers)
    assert areas[WHOLE]["lut"] == pytest.approx(design["estimate"]["lut"], rel=0.15)
    assert areas[WHOLE]["lut"] >= sum(areas[layer["name"]]["lut"] for layer in layers)
    assert compiled.read("summary")["source"] == "Yosys"
    log = (compiled.path / "synth" / "yosys.log").read_text()
    assert "XAIGER backend" in log
    assert "XAIGER2 backend" not in log, "a writer whose time grows with the square of the instances"


def test_table_of_compiled_networks(compiled, tmp_path):
    assert table.main([str(compiled.path), "--out", str(tmp_path / "table.md")]) == 0
    text = (tmp_path / "table.md").read_text()
    assert "| small | 16 x 12 | 32 x 24 |" in text


@pytest.mark.parametrize("command", [measure, netlist, table])
def test_a_folder_that_is_no_build(command, tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "table.md")] if command is table else []
    assert command.main([str(tmp_path), *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())
