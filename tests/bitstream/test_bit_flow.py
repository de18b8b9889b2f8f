# SPDX-License-Identifier: BSD-3-Clause
import hashlib
import json
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
from bitstream_examples import write_program, write_tools
from PIL import Image

from golden import IntegerNetwork, run
from hw.bitstream.__main__ import main
from hw.bitstream.bitfile import decode
from hw.bitstream.constraints import clock_net
from hw.bitstream.steps import locked


def steps(calls):
    return [line.split()[0] for line in calls.read_text().splitlines()]


def test_without_tools_it_synthesizes_and_says_what_is_missing(build, no_tools, capsys):
    assert main([str(build)]) == 3
    out, err = capsys.readouterr()
    assert "LUT" in out
    assert "BRAM36" in out
    missing = [line.strip().split(":")[0] for line in err.splitlines()[1:]]
    assert missing == [
        "nextpnr",
        "chip database",
        "fasm2frames",
        "xc7frames2bit",
        "X-Ray database",
        "Vivado",
    ]
    assert list(build.rglob("*.bit")) == []


def test_the_whole_flow(build, tools, calls, capsys):
    assert main([str(build), "--board", "pynq-z2"]) == 0
    assert steps(calls) == ["nextpnr", "fasm2frames", "frames2bit"]
    folder = build / "bitstream"
    header = decode((folder / "tiny.bit").read_bytes())
    assert header.design.startswith("tiny;Network=")
    assert "ClockHz=100000000;Seed=1" in header.design
    report = json.loads((build / "report" / "bitstream.json").read_text())
    assert report["timing_closed"]
    assert report["fmax_mhz"] == 120.5
    assert report["nextpnr_fmax_mhz"] == 321  # the last line of the log, not the estimate before routing
    assert report["utilisation"]["SLICE_LUTX"] == {"used": 12, "available": 106400}
    assert report["critical_instances"] == ["body_0_conv", "tail"]
    assert report["bit"]["sha256"] == hashlib.sha256((folder / "tiny.bit").read_bytes()).hexdigest()
    out = capsys.readouterr().out
    assert "120.50 MHz" in out
    assert "body_0_conv > tail" in out


def test_finished_steps_are_not_repeated(build, tools, calls, capsys):
    assert main([str(build)]) == 0
    first = (build / "bitstream" / "tiny.zip").read_bytes()
    calls.write_text("")
    capsys.readouterr()
    assert main([str(build)]) == 0
    assert steps(calls) == []
    assert "synthesis: done before" in capsys.readouterr().out
    assert (build / "bitstream" / "tiny.zip").read_bytes() == first
    (build / "bitstream" / "tiny.bit").unlink()
    assert main([str(build)]) == 0
    assert steps(calls) == ["fasm2frames", "frames2bit"]


def test_another_source_is_another_netlist(build, tools, calls):
    assert main([str(build)]) == 0
    path = build / "shell" / "bitmend_top.sv"
    path.write_text(path.read_text().replace("delayed[6:0], ^pair", "delayed[6:0], &pair"))
    calls.write_text("")
    assert main([str(build)]) == 0
    assert steps(calls) == ["nextpnr"]  # whose pretended output is the same as before


def test_seeds_are_tried_until_the_clock_is_reached(build, tools, calls, monkeypatch):
    monkeypatch.setenv("FAKE_FMAX", "4:80,5:crash,6:101,7:130")
    assert main([str(build), "--seed", "4", "--tries", "4"]) == 0
    assert calls.read_text().split("\n")[:3] == [f"nextpnr {seed} 100.000000" for seed in (4, 5, 6)]
    assert json.loads((build / "report" / "bitstream.json").read_text())["seed"] == 6


def test_a_clock_that_is_not_reached_is_not_deployed(build, tools, monkeypatch, capsys):
    monkeypatch.setenv("FAKE_FMAX", "1:80,2:91.7,3:85")
    assert main([str(build)]) == 1
    report = json.loads((build / "report" / "bitstream.json").read_text())
    assert (report["seed"], report["timing_closed"]) == (2, False)
    assert report["slack_ns"] == pytest.approx(10 - 1000 / 91.7, abs=1e-3)
    assert not (build / "bitstream" / "deploy").exists()
    assert "--clock-mhz 90.909091" in capsys.readouterr().err  # 1000 MHz / 11


def test_when_no_seed_routes_nextpnrs_own_error_is_shown(build, tools, monkeypatch, capsys):
    monkeypatch.setenv("FAKE_FMAX", "1:crash")
    assert main([str(build), "--tries", "1"]) == 2
    assert "Failed to route arc 3" in capsys.readouterr().err
    assert list(build.rglob("*.bit")) == []


@pytest.mark.parametrize("content", [b"", b"error: no such part\n", None])
def test_what_is_no_bitstream_never_gets_that_name(build, tools, tmp_path, content, capsys):
    good = tmp_path / "good.bit"
    good.write_bytes(good.read_bytes()[:-100] if content is None else content)
    assert main([str(build)]) == 2
    assert "bit file" in capsys.readouterr().err
    assert list(build.rglob("*.bit")) == []


def test_the_command_line_of_the_fork(build, tools, calls):
    (tools / "nextpnr-himbaechel").unlink()
    write_tools(tools, nextpnr="nextpnr-xilinx")
    assert main([str(build)]) == 0
    report = json.loads((build / "report" / "bitstream.json").read_text())
    assert report["fmax_mhz"] == 120.5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--board", "other"], "is for pynq-z2, not for other"),
        (["--clock-mhz", "97"], "the nearest it can be are 100 and 90.9091 MHz"),
    ],
)
def test_bad_input(build, tools, arguments, told, capsys):
    assert main([str(build), *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_holds_no_build(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "run make compile first" in capsys.readouterr().err


def test_deploy_folder(build, tools):
    assert main([str(build)]) == 0
    folder = build / "bitstream" / "deploy"
    sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    assert set(sums) == files
    assert files >= {
        "tiny.bit",
        "tiny.hwh",
        "tiny.json",
        "tiny.npz",
        "README.md",
        "restore.ipynb",
        "photo.png",
        "host/restore.py",
        "golden/__init__.py",
    }
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == sums[name] for name in files)
    with zipfile.ZipFile(build / "bitstream" / "tiny.zip") as archive:
        assert set(archive.namelist()) == {f"tiny/{name}" for name in [*files, "SHA256SUMS"]}
    description = json.loads((folder / "tiny.json").read_text())
    assert description["stages"] == ["a", "b"]
    assert "sources" not in description


def test_the_program_of_the_deploy_folder_runs_alone(build, tools, tmp_path):
    assert main([str(build)]) == 0
    folder = build / "bitstream" / "deploy"
    small = tmp_path / "small.png"
    with Image.open(folder / "photo.png") as photo:
        photo.crop((0, 0, 40, 30)).save(small)
    command = [sys.executable, "host/restore.py", str(small), str(tmp_path / "large.png")]
    options = ["--model", "tiny.npz", "--backend", "golden", "--engine", "numpy"]
    subprocess.run([*command, *options], cwd=folder, check=True, env={"PATH": "/usr/bin:/bin"})
    with Image.open(small) as before, Image.open(tmp_path / "large.png") as after:
        expected = run(IntegerNetwork.load(folder / "tiny.npz"), np.asarray(before))
        assert np.array_equal(np.asarray(after), expected)


NO_SCREEN = """
import sys, types
module = types.ModuleType("IPython.display")
module.display = lambda picture: print("picture", picture.size)
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython.display"] = module
sys.path.insert(0, ".")
"""


def test_notebook_is_valid_and_runs(build, tools):
    assert main([str(build)]) == 0
    folder = build / "bitstream" / "deploy"
    notebook = nbformat.read(folder / "restore.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "$" not in code
    assert 'BACKEND = "pynq"' in code
    code = code.replace('BACKEND = "pynq"', 'BACKEND = "golden"')  # there is no board
    with Image.open(folder / "photo.png") as photo:
        photo.crop((40, 40, 140, 120)).save(folder / "photo.png")
    (folder / "notebook.py").write_text(NO_SCREEN + code)
    result = subprocess.run([sys.executable, "notebook.py"], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("picture (100, 80)") == 2
    assert "PSNR after" in result.stdout
    network = IntegerNetwork.load(folder / "tiny.npz")
    with Image.open(folder / "before.png") as before, Image.open(folder / "after.png") as after:
        assert np.array_equal(np.asarray(after), run(network, np.asarray(before)))
    assert json.loads((folder / "throughput_metrics.json").read_text())


def test_two_builds_at_once(build, tools, capsys):
    with locked(build / "bitstream"):
        assert main([str(build)]) == 2
    assert "another process is at work there" in capsys.readouterr().err
    assert main([str(build)]) == 0


def test_what_does_not_fit_is_not_placed(build, tools, calls, capsys):
    stat = build / "bitstream" / "synthesis" / "stat.json"
    content = json.loads(stat.read_text())
    content["design"]["num_cells_by_type"]["DSP48E1"] = 221
    stat.write_text(json.dumps(content))
    assert main([str(build)]) == 2
    out, err = capsys.readouterr()
    assert "does not fit" in out
    assert "fewer --fps" in err
    assert steps(calls) == []


def test_lut6_2_and_shift_registers_are_gone(build):
    path = build / "bitstream" / "synthesis" / "netlist.json"
    cells = json.loads(path.read_text())["modules"]["bitmend_top"]["cells"].values()
    kinds = {cell["type"] for cell in cells}
    assert not kinds & {"LUT6_2", "SRL16E", "SRLC32E"}
    assert kinds >= {"LUT5", "RAMB36E1", "FDRE", "PS7", "BUFG"}
    assert clock_net(path) == "clk"


def test_vivado_is_used_when_it_is_the_only_one(build, no_tools, monkeypatch, tmp_path, bit):
    program = """
import pathlib, sys
assert sys.argv[1:5] == ["-mode", "batch", "-nojournal", "-source"], sys.argv
script = pathlib.Path(sys.argv[5]).read_text()
assert "synth_design -top bitmend_top" in script
assert "create_clock" in pathlib.Path("clock.xdc").read_text()
print("Command: synth_design")
print("BITMEND_WNS 0.512")
pathlib.Path("utilization.txt").write_text(
    "| Site Type       | Used | Fixed | Prohibited | Available | Util% |\\n"
    "| Slice LUTs      |   26 |     0 |          0 |     53200 |  0.05 |\\n"
    "| DSPs            |    0 |     0 |          0 |       220 |  0.00 |\\n")
pathlib.Path("raw.bit").write_bytes(pathlib.Path(BIT).read_bytes())
"""
    (tmp_path / "made.bit").write_bytes(bit.encode())
    write_program(tmp_path / "bin" / "vivado", f"BIT = {str(tmp_path / 'made.bit')!r}\n" + program)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert main([str(build)]) == 0
    report = json.loads((build / "report" / "bitstream.json").read_text())
    assert report["flow"] == "vivado"
    assert report["fmax_mhz"] == pytest.approx(1000 / (10 - 0.512), abs=0.01)
    assert report["utilisation"]["Slice LUTs"] == {"used": 26, "available": 53200}
    assert [path.name for path in (build / "bitstream" / "vivado").glob("*.bit")] == []
    assert (build / "bitstream" / "deploy" / "tiny.bit").exists()
