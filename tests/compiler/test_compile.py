# SPDX-License-Identifier: BSD-3-Clause
import json
import shutil

import numpy as np
import pytest

from golden.random_networks import Recipe, build
from hw.compiler import compile as command
from hw.compiler.build_folder import BuildFolder, replacing
from hw.compiler.report import summarize, write_report
from hw.shell import generate
from hw.yosys import run_script

RECIPE = Recipe(width=4, depth=1, factors=(2,))
FRAME = ("--width", "24", "--height", "16", "--quiet")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small-net.npz"
    build(np.random.default_rng(3), RECIPE, 3).save(path)
    return path


@pytest.fixture(scope="module")
def compiled(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("builds") / "out"
    assert command.main(["--model", str(model), "--out", str(out), "--fps", "30", *FRAME]) == command.OK
    return out


def run(capsys, *arguments):
    code = command.main([str(a) for a in arguments])
    return code, capsys.readouterr()


def test_folder_is_what_finns_users_know(compiled):
    names = {path.name for path in compiled.iterdir()}
    assert names == {
        "intermediate_models",
        "stitched",
        "report",
        "shell",
        "final_hw_config.json",
        "network.npz",
        "key.txt",
    }
    reports = {path.stem for path in (compiled / "report").glob("*.json")}
    assert {"estimate_layer_cycles", "estimate_layer_resources", "estimate_network_performance"} <= reports
    assert (compiled / "stitched" / "small_net_top.sv").exists()
    assert len(list((compiled / "intermediate_models").iterdir())) == 13


def test_the_shell_is_around_it(compiled, tmp_path):
    folder = compiled / "shell"
    about = json.loads((folder / "shell.json").read_text())
    assert about["hash"] == BuildFolder(compiled).top().hash
    assert about["scale"] == 2
    assert about["clock_hz"] == 100_000_000
    assert about["max_width"] >= 24
    assert len(about["stages"]) == len(about["ends"]) == len(BuildFolder(compiled).top().streams) + 1
    assert about["registers"]["CONTROL"] == 0x40
    sources = [folder / source for source in about["sources"]]
    include = folder / about["files_folder"]
    # Yosys knows the pins of the processor: each one is there and as wide as what is connected
    commands = ["read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v"]
    commands += [f"read_verilog -sv -defer -I{include.resolve()} {path.resolve()}" for path in sources]
    work = shutil.copytree(include, tmp_path / "work")  # memory files are opened by their names
    log = run_script([*commands, f"hierarchy -check -top {about['top']}"], work)
    assert "Resizing cell port" not in log
    assert "PS7" in log
    assert generate.main([str(compiled), "--clock-mhz", "125"]) == 0
    assert json.loads((folder / "shell.json").read_text())["clock_hz"] == 125_000_000
    assert "CLOCK_HZ(125000000)" in (folder / "bitmend_pl.sv").read_text()


@pytest.mark.parametrize("arguments", [("nowhere",), (".", "--clock-mhz", "0"), (".",)])
def test_generate_says_what_is_wrong_in_one_line(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert generate.main(list(arguments)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_summary(compiled):
    summary = json.loads((compiled / "report" / "summary.json").read_text())
    assert {"fps", "lut", "ff", "bram36", "dsp", "cycles_per_frame", "clock_mhz"} <= set(summary)
    assert summary["fps"] == pytest.approx(summary["clock_mhz"] * 1e6 / summary["cycles_per_frame"])
    assert summary["fps"] >= summary["asked_fps"] == 30
    assert all(summary[key] <= summary["budget"][key] for key in ("lut", "ff", "bram36", "dsp"))
    layers = summary["layers"]
    total = {key: sum(layer["estimate"][key] for layer in layers) for key in ("lut", "dsp", "bram36")}
    design = json.loads((compiled / "report" / "design.json").read_text())
    assert all(total[key] + design["overhead"][key] == summary[key] for key in total)


def test_page_stands_alone_and_marks_the_bottleneck(compiled):
    summary = json.loads((compiled / "report" / "summary.json").read_text())
    text = (compiled / "report" / "index.html").read_text()
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "$" not in text
    for name in summary["bottleneck"]:
        assert f'"hot"><td>{name}</td>' in text or f'"hot plumbing"><td>{name}</td>' in text
    assert text.count("<circle") == len(summary["layers"])


def test_synthesis_and_simulation_take_their_places(compiled, tmp_path):
    with replacing(tmp_path / "copy") as build:
        for name in ("layers", "design"):
            build.write(name, BuildFolder(compiled).read(name))
    build = BuildFolder(tmp_path / "copy")
    layers = build.read("layers")
    area = {"lut": 10, "ff": 20, "bram36": 0.5, "dsp": 1}
    build.write(
        "post_synth_resources", {layer["name"]: area for layer in layers} | {"(top)": area | {"lut": 999}}
    )
    fifo = next(layer for layer in layers if "depth" in layer)["name"]
    simulation = {"cycles": 110, "estimated_cycles": 100, "frame": [4, 5], "high_water": {fifo: 7}}
    build.write("rtlsim_performance", simulation | {"busy": {fifo: 0.5}})
    text = write_report(build).read_text()
    assert summarize(build)["lut"] == 999
    assert "7 of" in text
    assert "+10.0%" in text
    cycles = round(0.5 * 1.1 * build.read("design")["cycles_per_strip"])
    assert f">{cycles:,}<" in text


def test_unchanged_is_not_compiled_again(compiled, model, capsys):
    arguments = ("--model", model, "--out", compiled, "--fps", "30", *FRAME)
    before = (compiled / "key.txt").stat().st_mtime_ns
    code, text = run(capsys, *arguments)
    assert code == command.OK
    assert "unchanged" in text.out
    assert (compiled / "key.txt").stat().st_mtime_ns == before


def test_written_configuration_gives_the_same_design(compiled, model, tmp_path, capsys):
    again = tmp_path / "again"
    config = compiled / "final_hw_config.json"
    code, _ = run(capsys, "--model", model, "--out", again, "--folding", config, "--strips", "1", *FRAME)
    assert code == command.OK
    assert json.loads((again / "final_hw_config.json").read_text()) == json.loads(config.read_text())
    assert (again / "stitched" / "small_net_top.sv").read_text() == (
        compiled / "stitched" / "small_net_top.sv"
    ).read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--model", "nowhere.npz"), 2, "no such network"),
        (("--board", "zcu104"), 2, "pynq-z2"),
        (("--fps", "zero"), 2, "frames per second"),
        (("--width", "-3"), 2, "positive integer"),
        (("--folding", "nowhere.json"), 2, "nowhere.json"),
        (("--fps", "900000"), 3, "the best that fits is"),
    ],
)
def test_what_cannot_be_compiled(arguments, code, words, model, tmp_path, capsys):
    out = tmp_path / "out"
    with_model = ("--model", model) if "--model" not in arguments else ()
    try:
        got, text = run(capsys, *with_model, "--out", out, *FRAME, *arguments)
    except SystemExit as stop:
        got, text = stop.code, capsys.readouterr()
    assert got == code
    assert text.err.count("\n") == 1
    assert words in text.err
    assert not list(tmp_path.iterdir())


def test_a_build_that_fails_leaves_the_old_one(tmp_path):
    with replacing(tmp_path / "out") as build:
        build.key.write_text("first")

    def fail():
        with replacing(tmp_path / "out") as build:
            build.key.write_text("second")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "key.txt").read_text() == "first"
