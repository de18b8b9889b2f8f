# SPDX-License-Identifier: BSD-3-Clause
"""The simulator of whole tops: what it measures, what it refuses, and what it says of a deadlock."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from top_examples import deep_fifos, random_frames, small_network

from golden import run
from golden.random_networks import random_image
from hw.compiler import BuildError
from hw.modules import ToolError
from sim import equivalence, top_build
from sim.deadlock import Deadlock, Snapshot, explain
from sim.equivalence import Case, Mismatch, compare, compile_case
from sim.top import Ports, TopSimulator


@pytest.fixture(scope="module")
def simulator(stitched):
    return TopSimulator(stitched[1])


def frames_of(seed, number=6, height=5, width=8):
    return random_frames(np.random.default_rng(seed), 3, number, height, width)


def test_back_to_back_frames_of_any_size(stitched, simulator):
    frames = frames_of(0, 12)
    result = simulator.run(frames)
    compare(stitched[0], frames, result.images)
    ends = [frame.last_out for frame in result.frames]
    assert ends == sorted(ends)
    assert result.cycles == ends[-1] + 1
    assert all(f.first_in < f.first_out <= f.last_out for f in result.frames)
    assert result.frames[1].first_in < result.frames[0].last_out  # a second frame is under way


@pytest.mark.parametrize(
    "ports",
    [
        Ports(stall_in=0.8, seed=1),
        Ports(stall_size=0.95, seed=2),
        Ports(stall_out=0.9, seed=3),
        Ports(0.4, 0.4, 0.4, seed=4),
        Ports(period=37),
    ],
    ids=str,
)
def test_stalls_change_cycles_but_no_pixel(stitched, simulator, ports):
    frames = frames_of(ports.seed)
    result = simulator.run(frames, ports)
    compare(stitched[0], frames, result.images)
    assert result.cycles > simulator.run(frames).cycles


def test_a_run_can_be_repeated(simulator):
    ports = Ports(0.5, 0.5, 0.5, seed=9)
    first, second = (simulator.run(frames_of(2), ports) for _ in range(2))
    assert [f.last_out for f in first.frames] == [f.last_out for f in second.frames]
    assert first.high_water == second.high_water


def test_the_period_of_pixels(simulator):
    frames = [random_image(np.random.default_rng(0), 4, 8, 3)] * 3
    result = simulator.run(frames, Ports(period=200))
    assert [f.first_in for f in result.frames] == [0, 32 * 200, 64 * 200]
    assert result.interval == 32 * 200


def test_high_water_marks(simulator):
    frames = [random_image(np.random.default_rng(0), 5, 8, 3)] * 2
    marks = simulator.run(frames, Ports(period=100)).high_water
    assert set(marks) == {fifo.node for fifo in simulator.fifos}
    assert all(0 < marks[fifo.node] <= fifo.depth for fifo in simulator.fifos)
    relaxed = simulator.run([frames[0][:1, :1]], Ports(period=100)).high_water
    assert all(relaxed[node] <= marks[node] for node in marks)
    assert relaxed != marks


def test_progress_and_frames_come_while_it_runs(stitched, simulator):
    calls, sent = [], []

    def frames():
        for number in range(40):
            sent.append(number)
            yield random_image(np.random.default_rng(number), 5, 8, 3)

    stream = simulator.stream(frames(), rows=lambda frame, row: calls.append((frame, row)))
    first = next(iter(stream))
    assert first.image.shape == (10, 16, 3)
    assert calls == [(0, row) for row in range(1, 11)]
    stream.frames.close()  # leaves no process behind


def test_no_frames(simulator):
    assert simulator.run([]).images == []


def test_twin_and_structure_take_the_same_cycles(stitched, simulator):
    frames, ports = frames_of(5), Ports(0.3, 0.3, 0.3, seed=5)
    twin = simulator.run(frames, ports)
    structure = TopSimulator(stitched[1], behavioural=False).run(frames, ports)
    compare(stitched[0], frames, structure.images)
    assert structure.high_water == twin.high_water
    times = [[(f.first_in, f.first_out, f.last_out) for f in result.frames] for result in (twin, structure)]
    assert times[0] == times[1]


# What is refused


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((2, 9, 3), np.uint8), "9 x 2 pixels, expected at most 8 x 2047"),
        (np.zeros((2048, 1, 3), np.uint8), "1 x 2048 pixels, expected at most 8 x 2047"),
        (np.zeros((2, 2, 1), np.uint8), r"a frame is \(2, 2, 1\) uint8, expected \(H, W, 3\) uint8"),
        (np.zeros((2, 2, 3)), r"a frame is \(2, 2, 3\) float64"),
        (np.zeros((0, 2, 3), np.uint8), r"a frame is \(0, 2, 3\)"),
    ],
)
def test_frames_that_do_not_fit(simulator, frame, message):
    with pytest.raises(ToolError, match=message):
        simulator.run([np.zeros((1, 1, 3), np.uint8), frame])


def test_errors_of_the_iterable_come_through(simulator):
    def frames():
        yield np.zeros((1, 1, 3), np.uint8)
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        simulator.run(frames())


@pytest.mark.parametrize("wrong", [{"stall_in": 1.0}, {"stall_out": -0.1}, {"seed": -1}, {"period": -2}])
def test_ports_out_of_range(wrong):
    with pytest.raises(ToolError, match=f"{next(iter(wrong))} is .*, expected 0"):
        Ports(**wrong)


def test_timeout(simulator):
    with pytest.raises(ToolError, match=r"network: not done after 50 cycles, .* allow more than 50"):
        simulator.run(frames_of(0), Ports(timeout=50))


def test_no_top(tmp_path):
    with pytest.raises(BuildError, match="expected the folder 'stitched' of a build"):
        TopSimulator(tmp_path)


def test_what_does_not_compile(stitched, tmp_path):
    shutil.copytree(stitched[1], tmp_path / "stitched")
    (tmp_path / "stitched" / "rtl" / "rsign.sv").write_text("module rsign; oops endmodule\n")
    with pytest.raises(ToolError, match=r"does not compile: .*rsign.sv"):
        TopSimulator(tmp_path / "stitched")


def test_memory_files_are_read_at_run_time(stitched, simulator, tmp_path):
    shutil.copytree(stitched[1], tmp_path / "stitched")
    for path in (tmp_path / "stitched").glob("*.threshold.mem"):
        path.write_text("".join(f"{'0' * (len(line) - 1)}\n" for line in path.read_text().splitlines(True)))
    other = TopSimulator(tmp_path / "stitched")
    assert other._program == simulator._program
    frames = frames_of(1)
    with pytest.raises(Mismatch, match="values differ, the first at row"):
        compare(stitched[0], frames, other.run(frames).images)


def test_a_wrong_constant_is_seen(stitched, tmp_path):
    """One bit of one weight is wrong: the comparison must find it."""
    shutil.copytree(stitched[1], tmp_path / "stitched")
    path = tmp_path / "stitched" / "tail.weight.mem"
    first, *rest = path.read_text().splitlines(True)
    path.write_text("".join([f"{int(first, 16) ^ 8:0{len(first) - 1}x}\n", *rest]))
    frames = frames_of(1)
    with pytest.raises(Mismatch):
        compare(stitched[0], frames, TopSimulator(tmp_path / "stitched").run(frames).images)


def test_a_beat_that_changes_before_it_is_taken(stitched, tmp_path):
    shutil.copytree(stitched[1], tmp_path / "stitched")
    path = tmp_path / "stitched" / "network.sv"
    inside, end = "wire [7:0] held; reg flip = 0; always @(posedge clk) flip <= !flip;", "\nendmodule"
    text = path.read_text().replace(".m_axis_tdata(m_axis_tdata)", ".m_axis_tdata(held)")
    path.write_text(text.replace(end, f"\n{inside} assign m_axis_tdata = held ^ {{7'd0, flip}};{end}"))
    simulator = TopSimulator(tmp_path / "stitched")
    with pytest.raises(ToolError, match="m_axis_tdata changed before it was taken, in cycle"):
        simulator.run(frames_of(0), Ports(stall_out=0.5))


# Deadlocks


@pytest.mark.parametrize(
    ("depths", "fifo", "join", "port"),
    [
        ({"pixels/fork.a/fifo": 3}, "pixels/fork.a/fifo", "image", "s_acc"),
        ({"head/fork.b/fifo": 3, "head/fork.b/fork.b/fifo": 4}, "head/fork.b/fork.b/fifo", "body", "s_b"),
    ],
)
def test_a_fifo_that_is_too_short(depths, fifo, join, port, tmp_path):
    def short(model):
        return deep_fifos(model) | {name: {"depth": depth} for name, depth in depths.items()}

    case = Case(small_network(), [np.zeros((5, 8, 3), np.uint8)], fifos=short)
    simulator = TopSimulator(compile_case(case, tmp_path))
    with pytest.raises(Deadlock) as caught:
        simulator.run(frames_of(0), Ports(0.2, 0.2, 0.2))
    line = rf"network: deadlock at cycle \d+: join '{join}' waits for '{port}'; "
    assert caught.match(line + rf"FIFO '{fifo}' is full \(depth {depths[fifo]}\): make it deeper$")
    assert caught.value.fifo == fifo
    assert f"-> {fifo} ({depths[fifo]} of {depths[fifo]} beats)" in caught.value.table
    assert len(caught.value.table.splitlines()) == len(simulator.top.streams) + 2


def stuck(top, waiting=(), held=None):
    """A snapshot in which some signals wait and all others are empty."""
    states = {stream.signal: (stream.signal in waiting, False) for stream in top.streams}
    return Snapshot(9, 4, 0, states | {"s_size": (False, True)}, held or {})


def test_other_reasons(simulator):
    top = simulator.top
    assert "every stream is empty after 4 beats in and 0 out" in str(explain(top, stuck(top)))
    window = next(s for s in top.streams if s.target == "head.conv/window")
    text = str(explain(top, stuck(top, {window.signal})))
    assert "'head.conv/window' takes no beat at 's_axis' and gives none" in text
    text = str(explain(top, stuck(top, {"t_base"})))
    assert "join 'image' waits for 's_acc'; no more beats come at s_axis" in text
    text = str(explain(top, stuck(top, {"t_base", window.signal})))
    assert "'head.conv/window' takes no beat, though one is there: did it get the size of its frame?" in text


def test_a_fork_without_a_fifo(simulator):
    top = simulator.top
    bare = replace(top, instances=[replace(i, depth=0) for i in top.instances])
    blocked = {"s_axis", "t_pixels_fork_a", "t_pixels_fork_a_fifo", "t_base"}
    text = str(explain(bare, stuck(bare, blocked)))
    assert text.endswith("'pixels/fork' has stopped, and there is no FIFO from it to 'image': insert one")


# Cases that failed


def test_a_case_can_be_run_again(tmp_path, capsys):
    case = Case(small_network(1), frames_of(3), fifos=deep_fifos, ports=Ports(0.1, 0.2, 0.3, seed=3))
    compile_case(case, tmp_path / "first")
    left = equivalence.save(case, tmp_path / "case")
    assert equivalence.main([str(left), "--keep", str(tmp_path / "again")]) == 0
    assert capsys.readouterr().out.startswith("6 frames equal golden, ")
    tops = [json.loads((tmp_path / f / "stitched" / "top.json").read_text()) for f in ("first", "again")]
    assert tops[0] == tops[1]
    assert equivalence.main([str(tmp_path / "nothing")]) == 2
    assert "expected a folder of build/failures/" in capsys.readouterr().err


def test_a_failing_case_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(equivalence, "FAILURES", tmp_path)
    monkeypatch.setattr(equivalence, "run", lambda network, frame: 255 - run(network, frame))
    case = Case(small_network(1), frames_of(3)[:1], fifos=deep_fifos)
    with pytest.raises(AssertionError, match=r"values differ(.|\n)*run it again: python -m sim.equivalence "):
        equivalence.check(case, "broken")
    assert sorted(path.name for path in (tmp_path / "broken").iterdir()) == [
        "config.json",
        "frames.npz",
        "network.npz",
        "ports.json",
    ]


def test_probe_of_a_top_without_fifos(simulator):
    bare = replace(simulator.top, instances=[i for i in simulator.top.instances if not i.depth])
    assert "count <= '0;" in top_build.probe(bare)
