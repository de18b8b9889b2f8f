# SPDX-License-Identifier: BSD-3-Clause
"""The driver at the limits: numbers that go over, time-outs, the last word of a hash, tiles that just fit."""

import re
from itertools import pairwise

import numpy as np
import pytest
from fake_port import CLOCK_HZ, STOPS, FakePort
from host_examples import network, pixels

from golden import run
from golden.tiling import tiles
from host import RestoreError
from host import registers as reg
from host.accelerator import Accelerator, Job
from host.backend import Options
from host.backend_board import AcceleratorBackend
from host.design import Design
from host.tile_plan import plan_tiles

NET = network("x2")
JOB = Job(0x1000_0000, 60, 20, 2, 0x1000_0000, 120, 0, 0, 40, 4)


def accelerator(port, rate=4.0):
    return Accelerator(port, NET, Design("x2", (), rate))


@pytest.mark.parametrize("word", range(8))
def test_every_word_of_the_hash_counts(word):
    port = FakePort(NET)
    port.overrides[reg.HASH0 + 4 * word] = port.read(reg.HASH0 + 4 * word) ^ 1
    with pytest.raises(RestoreError, match="runs another network"):
        accelerator(port)


def test_a_bitstream_for_another_number_of_channels():
    port = FakePort(NET)
    port.overrides[reg.CONFIG] = 0x12
    with pytest.raises(RestoreError, match="scale 2 and 1 channels, expected 2 and 3"):
        accelerator(port)


def test_the_number_of_jobs_done_goes_over():
    port = FakePort(NET, limits=(40, 24))
    port.done_after_reset = 0xFFFF_FFFF
    image = pixels(60, 50)
    with AcceleratorBackend(NET, port, Design("x2", (), 4.0), Options(), "a fake board") as board:
        bands = [band for _, band in board.restore_bands(image)]
        assert np.array_equal(np.concatenate(bands), run(NET, image))
        assert port.done < len(port.started)
        assert not board.accelerator.mishaps


def test_one_job_too_many_is_done():
    port = FakePort(NET)
    port.fault = lambda job: STOPS
    driver = accelerator(port)
    for _ in range(2):
        driver.submit(JOB)
    port.on_wait = lambda: setattr(port, "done", len(port.queue) + 1)
    with pytest.raises(RestoreError, match="3 jobs are done, expected at most 2: is another program"):
        driver.wait(0)


@pytest.mark.parametrize(
    ("high", "low", "cycles"),
    [((6, 6), (0xFFFF_FFFF,), 0x6_FFFF_FFFF), ((6, 7), (0xFFFF_FFFF, 5), 0x7_0000_0005)],
)
def test_the_cycles_go_over_while_they_are_read(monkeypatch, high, low, cycles):
    port = FakePort(NET)
    driver = accelerator(port)
    words = {reg.CYCLES_HI: iter(high), reg.CYCLES_LO: iter(low)}
    read = port.read
    monkeypatch.setattr(port, "read", lambda offset: next(words[offset]) if offset in words else read(offset))
    assert driver.counters().cycles == cycles


@pytest.mark.parametrize(
    ("slack", "rate", "most"), [(0.0, 0.0, 60_000), (0.02, 0.0, 2_060_000), (0.0, 100.0, 900_000)]
)
def test_how_long_nothing_may_move(slack, rate, most):
    port = FakePort(NET)
    port.slack, port.fault = slack, lambda job: STOPS
    driver = accelerator(port, rate)
    number = driver.submit(JOB)
    with pytest.raises(RestoreError) as caught:
        driver.wait(number)
    waited = int(re.search("nothing moved for ([0-9,]+) cycles", str(caught.value))[1].replace(",", ""))
    pixels_under_way = JOB.width + 1024
    least = 50_000 + slack * CLOCK_HZ + 8 * rate * pixels_under_way
    assert least <= waited < least + 250_000  # it looks at most every 2 ms
    assert waited < most + 250_000


def test_beats_that_come_seldom(monkeypatch):
    port = FakePort(NET)
    port.rate = 100  # the image takes three times as long as nothing may move
    read = port.read
    monkeypatch.setattr(
        port, "read", lambda offset: read(offset) // (30_000 if offset == reg.READ_BEATS else 1)
    )
    image = pixels(24, 64)
    with AcceleratorBackend(NET, port, Design("x2", (), 0.001), Options(), "a fake board") as board:
        assert np.array_equal(
            np.concatenate([band for _, band in board.restore_bands(image)]), run(NET, image)
        )
        assert not board.accelerator.mishaps


def test_an_error_while_the_next_job_is_written(monkeypatch):
    port = FakePort(NET, limits=(40, 24))
    write, left = port.write, [2]

    def written(offset, value):
        write(offset, value)
        left[0] -= offset == reg.OUT_HEIGHT
        if not left[0]:  # START finds the hardware halted, and is refused
            left[0] -= 1
            port.halted = True
            port.errors |= 1 << 7

    monkeypatch.setattr(port, "write", written)
    image = pixels(60, 50)
    with AcceleratorBackend(NET, port, Design("x2", (), 4.0), Options(), "a fake board") as board:
        assert np.array_equal(
            np.concatenate([band for _, band in board.restore_bands(image)]), run(NET, image)
        )
        (mishap,) = board.accelerator.mishaps
        assert "WRITE_SLVERR" in mishap


def test_how_long_a_reset_may_take():
    port = FakePort(NET)
    driver = accelerator(port)
    port.slack, port.reset_sticks = 0.005, True
    before = port.cycle
    with pytest.raises(RestoreError, match="does not get back to idle"):
        driver.reset()
    assert 550_000 <= port.cycle - before < 600_000


@pytest.mark.parametrize("halo", [0, 1, 3])
def test_as_few_tiles_as_fit(halo):
    for size in range(1, 26):
        for limit in range(1, 12):
            plans = (list(tiles(1, size, (1, part), halo)) for part in range(1, size + 1))
            fitting = [len(plan) for plan in plans if all(t.right - t.left <= limit for t in plan)]
            if not fitting:
                with pytest.raises(RestoreError, match="does not fit"):
                    plan_tiles(1, size, (99, limit), halo)
                continue
            across = plan_tiles(1, size, (99, limit), halo)
            down = plan_tiles(size, 1, (limit, 99), halo)
            assert len(across) == len(down) == min(fitting)
            assert all(t.right - t.left <= limit for t in across)
            assert all(t.bottom - t.top <= limit for t in down)
            assert across[0].x0 == 0
            assert across[-1].x1 == size
            assert all(a.x1 == b.x0 for a, b in pairwise(across))


def test_a_frame_that_no_tile_fits():
    with pytest.raises(RestoreError, match=r"of 70 x 90 pixels does not fit .* takes 9 x 5, .* by 4 on"):
        plan_tiles(90, 70, (5, 9), 4)
