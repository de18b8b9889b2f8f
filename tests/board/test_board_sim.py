# SPDX-License-Identifier: BSD-3-Clause
"""The driver against the programmable logic in simulation: registers, DMA and network of a small design."""

import json
import os
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from board_examples import shelled
from host_examples import network, picture, pixels, read, restore

import sim.board
from golden import run
from host import RestoreError
from host import registers as reg
from host.accelerator import Job
from host.backend import Options
from host.backend_board import AcceleratorBackend
from host.backend_board_sim import SimPort
from host.backends import open_backend
from host.design import load_design
from hw.modules import ToolError
from sim.board import BoardSimulator, Environment

NET = network("x2")


@contextmanager
def board_of(folder, tile=None, **environment):
    """The backend on a simulated board, and the simulation."""
    simulator = BoardSimulator(folder / "shell", Environment(**environment))
    port = SimPort(simulator, simulator.clock_hz)
    design = load_design(folder / "shell" / "shell.json")
    with AcceleratorBackend(NET, port, design, Options(tile=tile), "simulated") as board:
        yield board, simulator


def restored(board, image):
    return np.concatenate([band for _, band in board.restore_bands(image)])


def equal(board, image):
    return np.array_equal(restored(board, image), run(NET, image))


@pytest.mark.parametrize(("seed", "stall"), [(1, 0.0), (2, 0.3), (3, 0.8)])
def test_images_of_any_size_under_random_stalls(small, seed, stall):
    sizes = [(1, 1), (24, 32), (3, 33), (7, 75), (30, 5), (13, 31), (2, 1), (1, 40)]
    with board_of(small, seed=seed, stall=stall) as (board, _):
        for height, width in sizes:
            assert equal(board, pixels(height, width, seed=seed)), (height, width)
        assert not board.accelerator.mishaps


def test_images_one_after_the_other(small):
    images = [pixels(height, width, seed=height) for height, width in ((20, 50), (9, 9), (1, 70), (33, 20))]
    results = [[] for _ in images]
    with board_of(small, tile=15, seed=4, stall=0.4) as (board, _):
        for number, _, band in board.stream(images):
            results[number].append(band)
    for image, bands in zip(images, results, strict=True):
        assert np.array_equal(np.concatenate(bands), run(NET, image))


def test_the_logic_works_without_a_pause(small):
    with board_of(small, tile=12) as (board, _):
        list(board.stream([pixels(24, 48)] * 3))
        found = board.measurement
    counters = found.counters
    assert counters.cycles / found.clock_hz > 0.99 * found.seconds
    assert counters.write_wait + counters.read_wait < 0.02 * counters.cycles
    assert counters.write_beats >= 3 * 24 * 48 * 12 / 8
    assert found.shares()["logic"] > 0.97


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("response", [2, 3])
@pytest.mark.parametrize("after", [0, 5, 40])
def test_an_error_of_the_memory_is_repeated(small, writes, response, after):
    name = ("WRITE_" if writes else "READ_") + ("SLVERR" if response == 2 else "DECERR")
    with board_of(small, tile=10, seed=after, stall=0.2) as (board, simulator):
        simulator.inject(writes, response, after)
        assert equal(board, pixels(25, 40))
        (mishap,) = board.accelerator.mishaps
        assert name in mishap
        assert equal(board, pixels(9, 9))
        assert not board.accelerator.mishaps


def test_memory_that_answers_with_errors_twice(small):
    with board_of(small) as (board, simulator):
        simulator.inject(True, 2)
        bands = board.restore_bands(pixels(20, 20))

        def again(*_):
            if board.accelerator.mishaps:
                simulator.inject(True, 2)

        wait, port = board._port.wait, board._port
        port.wait = lambda seconds: (again(), wait(seconds))
        with pytest.raises(RestoreError, match=r"WRITE_SLVERR.* twice, so it is given up"):
            list(bands)
        port.wait = wait
        simulator.inject(True, 0)
        assert equal(board, pixels(20, 20))


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_memory_that_does_not_answer(small, channel):
    with board_of(small) as (board, simulator):
        simulator.hold(channel, True)
        said = "no pixels come from the memory" if channel == 0 else "the memory takes no results"
        with pytest.raises(RestoreError, match=rf"{said}.*then the accelerator does not get back to idle"):
            restored(board, pixels(24, 30))
        with pytest.raises(RestoreError, match=r"does not get back to idle"):
            restored(board, pixels(24, 30))
        simulator.hold(channel, False)
        assert equal(board, pixels(24, 30))


@pytest.fixture(scope="module")
def stopping(small, tmp_path_factory):
    """The small design with a convolution that takes 300 beats after a reset, and no more."""
    folder = tmp_path_factory.mktemp("stopping")
    shutil.copytree(small / "stitched", folder / "stitched")
    path = folder / "stitched" / "network.sv"
    text = path.read_text()
    stream = "t_body_0_conv_window"
    pins = f".s_axis_tvalid({stream}_tvalid), .s_axis_tready({stream}_tready)"
    assert text.count(pins) == 1
    text = text.replace(pins, f".s_axis_tvalid({stream}_tvalid && going), .s_axis_tready(takes)")
    gate = f"""
        logic [15:0] beats;
        wire logic takes;
        wire logic going = beats < 16'd300;
        wire logic taken = {stream}_tvalid && takes && going;
        assign {stream}_tready = takes && going;
        always_ff @(posedge clk) if (rst) beats <= '0; else beats <= beats + 16'(taken);
    """
    path.write_text(text.replace("endmodule", gate + "endmodule"))
    return shelled(folder, 24, 32, 24 * 32 * 32)


def test_a_stage_that_stops_is_named(stopping):
    with board_of(stopping) as (board, _):
        with pytest.raises(RestoreError) as caught:
            restored(board, pixels(24, 32))
        said = str(caught.value)
        assert "\n" not in said
        assert "nothing moved" in said
        assert "stage 'body.0.conv' takes no beat" in said
        assert said.endswith("twice, so it is given up; the accelerator is idle again")
        assert board.accelerator.port.read(reg.STATUS) == reg.IDLE
        assert equal(board, pixels(4, 4))


@pytest.mark.parametrize("reply", [40, 60, 100, 161, 222])
def test_an_interrupt_leaves_the_hardware_idle(small, monkeypatch, reply):
    image = pixels(40, 60)
    with board_of(small, tile=9) as (board, _):
        count = [0]

        def interrupted(*arguments):
            data = os_read(*arguments)
            count[0] += 1
            if count[0] == reply:
                raise KeyboardInterrupt  # and the reply is lost
            return data

        os_read = os.read
        monkeypatch.setattr(sim.board.os, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            restored(board, image)
        monkeypatch.undo()
        assert board.accelerator.port.read(reg.STATUS) == reg.IDLE
        assert equal(board, image)


def test_the_simulation_finds_accesses_outside_the_buffers(small):
    job = Job(0, 96, 32, 4, 0, 192, 0, 0, 64, 8)
    with BoardSimulator(small / "shell") as simulator:
        source, _ = simulator.allocate(96 * 4)
        target, _ = simulator.allocate(192 * 8)
        port = SimPort(simulator, simulator.clock_hz)
        good = job._replace(source=source, target=target)
        for offset, value in zip(reg_of_job(), good, strict=True):
            port.write(offset, value)
        port.write(reg.CONTROL, reg.START)
        while not port.read(reg.JOBS_DONE):
            port.wait(1e-3)
        port.write(reg.DST_ADDR, target + 8)
        port.write(reg.CONTROL, reg.START)
        with pytest.raises(RestoreError, match=r"a byte is written at 0x.* outside the buffers"):
            simulator_advances(port)
    with BoardSimulator(small / "shell") as simulator:
        source, _ = simulator.allocate(96 * 4 - 8)
        port = SimPort(simulator, simulator.clock_hz)
        for offset, value in zip(reg_of_job(), job._replace(source=source), strict=True):
            port.write(offset, value)
        port.write(reg.CONTROL, reg.START)
        with pytest.raises(RestoreError, match=r"a read of .* is outside the buffers"):
            simulator_advances(port)


def simulator_advances(port):
    for _ in range(100):
        port.wait(1e-3)


def reg_of_job():
    return (
        *(reg.SRC_ADDR, reg.SRC_STRIDE, reg.WIDTH, reg.HEIGHT, reg.DST_ADDR, reg.DST_STRIDE),
        *(reg.CROP_X, reg.CROP_Y, reg.OUT_WIDTH, reg.OUT_HEIGHT),
    )


def test_the_hardware_refuses_what_the_driver_never_asks_for(small):
    with board_of(small) as (board, _):
        with pytest.raises(RestoreError, match=r"refused a job .SIZE"):
            board.accelerator.submit(Job(0, 300, 33, 1, 0, 300, 0, 0, 1, 1))
        with pytest.raises(RestoreError, match=r"refused a job .REGION"):
            board.accelerator.submit(Job(0, 300, 32, 1, 0, 300, 60, 0, 5, 1))
        assert equal(board, pixels(5, 5))


def test_restore_py(small, tmp_path, models, capsys):
    picture(21, 45).save(tmp_path / "a.png")
    options = ("--model", models / "x2.npz", "--backend", "board-sim", "--build", small)
    assert restore(tmp_path / "a.png", tmp_path / "b.png", *options) == 0
    assert np.array_equal(read(tmp_path / "b.png"), run(NET, pixels(21, 45)))
    assert "cycles of the logic" in capsys.readouterr().out
    assert restore(tmp_path / "a.png", "--throughput", "--metrics", tmp_path / "m.json", *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 image of 45 x 21 pixels in " in lines[1]
    assert lines[2].startswith(f"{tmp_path / 'a.png'}: share of the time: logic 9")
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert metrics["fclk[mhz]"] == 100
    assert metrics["throughput[images/s]"] > 1


def test_a_design_of_another_network(small):
    with pytest.raises(RestoreError, match=r"runs another network .hash .* one deploy folder"):
        open_backend("board-sim", network("x3"), Options(build=small))


def test_a_build_without_its_shell(tmp_path):
    with pytest.raises(RestoreError, match=r"no compiled design of 'random' with its shell in it: run make"):
        open_backend("board-sim", NET, Options(build=tmp_path))
    (tmp_path / "shell").mkdir()
    (tmp_path / "shell" / "shell.json").write_text("{}")
    with pytest.raises(RestoreError, match=r"cannot be read .KeyError"):
        open_backend("board-sim", NET, Options(build=tmp_path))


def test_a_closed_board(small):
    simulator = BoardSimulator(small / "shell", Environment(memory=1 << 16))
    with pytest.raises(ToolError, match=r"no 65,537 bytes left of its 65,536"):
        simulator.allocate((1 << 16) + 1)
    simulator.close()
    simulator.close()
    with pytest.raises(ToolError, match=r"is closed"):
        simulator.read(0)
