# SPDX-License-Identifier: BSD-3-Clause
"""The driver against a board in Python: tiles, queue, double buffers, timeouts, recovery, refusals."""

import numpy as np
import pytest
from fake_port import STOPS, FakePort
from host_examples import network, pixels

from golden import receptive_field, run
from golden.random_attention import ebsr_like
from host import RestoreError
from host import registers as reg
from host.accelerator import Accelerator, Job
from host.backend import Options
from host.backend_board import AcceleratorBackend
from host.design import Design, Stage
from host.streaming import BandStream
from hw.shell import registers as truth

DESIGN = Design("x2", (), 4.0)


def backend(port, tile=None, design=DESIGN):
    return AcceleratorBackend(port.network, port, design, Options(tile=tile), "a fake board")


def restored(board, image):
    return np.concatenate([band for _, band in board.restore_bands(image)])


def once(kind, which=0, times=1):
    """A fault of the `which`-th different job that begins, as often as said."""
    seen, count = [], [0]

    def fault(job):
        if job not in seen:
            seen.append(job)
        if seen.index(job) != which or count[0] == times:
            return None
        count[0] += 1
        return kind

    return fault


def test_constants_are_those_of_the_hardware():
    for name, offset in truth.OFFSETS.items():
        if hasattr(reg, name):
            assert getattr(reg, name) == offset, name
    missing = {name for name in vars(reg) if name.isupper()} - set(truth.OFFSETS)
    assert missing == {
        *("MAGIC", "VERSION_MAJOR", "HASH_WORDS", "PER_TAP", "ERROR_NAMES", "REFUSALS", "HASH0"),
        *("START", "SOFT_RESET", "CLEAR_COUNTERS", "IDLE", "QUEUE_FULL", "RESETTING", "HALTED"),
        *("TAP_VALID", "TAP_READY", "BLOCKED", "STARVED"),
    } - set(truth.OFFSETS)
    assert (reg.MAGIC, reg.VERSION_MAJOR, reg.PER_TAP) == (truth.MAGIC, truth.VERSION_MAJOR, truth.PER_TAP)


def test_statistics_are_those_of_the_tile_before():
    """From image to image too; every call, and every repeated tile, begins with a reset."""
    port = FakePort(ebsr_like(np.random.default_rng(4), 3, 1, 2, spatial=False))
    image, other = pixels(50, 70), pixels(30, 40, seed=1)
    with backend(port) as board:
        assert "statistics are those of the tile before" in board.remark
        assert np.array_equal(restored(board, image), board.expected(image))
        assert np.array_equal(restored(board, image), board.expected(image))
        assert not np.array_equal(board.expected(image), run(port.network, image))
        bands = [band for number, _, band in board.stream([other, image]) if number == 1]
        assert not np.array_equal(np.concatenate(bands), board.expected(image))
        port.fault = once(3)
        assert np.array_equal(
            restored(board, image), board.expected(image)
        )  # the first tile is the repeated one
    with backend(FakePort(network("x2"))) as board:
        assert board.remark == ""
        assert np.array_equal(board.expected(image), run(network("x2"), image))


@pytest.mark.parametrize("name", ["x2", "x3", "x2-y", "denoise"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 130), (24, 64), (61, 65), (50, 7)])
def test_images_of_any_size(name, height, width):
    net = network(name)
    image = pixels(height, width, net.channels)
    with backend(FakePort(net)) as board:
        assert np.array_equal(restored(board, image), run(net, image))


def test_bands_that_share_little_memory():
    net = network("x2")
    image = pixels(90, 70)
    port = FakePort(net, limits=(64, 200), memory=1 << 18)
    accelerator = Accelerator(port, net, DESIGN)
    stream = BandStream(accelerator, 2, receptive_field(net), memory=2 * 30 * 70 * 3 * 5)
    bands = list(stream.run([image, image[::-1], image[:3, :5]]))
    for number, expected in enumerate((image, image[::-1], image[:3, :5])):
        rows = np.concatenate([band.pixels for band in bands if band.image == number])
        assert np.array_equal(rows, run(net, expected))
    assert [band.tiles[0] for band in bands if band.image == 0][-1] == bands[0].tiles[1]
    assert 0 < sum(port.regions.values()) <= 2 * 30 * 70 * 3 * 5
    assert 24 < max(job.height for job in port.started) <= 30
    stream.close()
    assert not port.regions


def test_an_image_too_wide_for_the_memory():
    net = network("x2")
    stream = BandStream(Accelerator(FakePort(net), net, DESIGN), 2, receptive_field(net), memory=64)
    with pytest.raises(RestoreError, match="70 x 90 pixels does not fit"):
        stream.plan((90, 70, 3))


def test_the_queue_is_kept_full():
    net = network("denoise")
    port = FakePort(net, limits=(16, 24))
    with backend(port, tile=6) as board:
        list(board.restore_bands(pixels(60, 60)))
    assert len(port.started) == 100
    assert port.most == 4


def test_two_bands_wait_while_a_result_is_used():
    net = network("denoise")
    port = FakePort(net, limits=(16, 24))
    with backend(port, tile=6) as board:
        bands = board.restore_bands(pixels(40, 6))  # of one tile each
        for left in (2, 1, 1, 1, 1, 0, 0):
            next(bands)
            assert len(port.queue) == left
            for _ in range(9):
                port.wait(1.0)  # the result is compressed meanwhile
            assert not port.queue


@pytest.mark.parametrize("bit", [5, 6, 7, 8])
@pytest.mark.parametrize("which", [0, 2, 5])
def test_an_error_of_the_memory_is_repeated(bit, which):
    net = network("x2")
    port = FakePort(net, limits=(40, 24))
    port.fault = once(bit, which)
    image = pixels(60, 50)
    with backend(port) as board:
        assert np.array_equal(restored(board, image), run(net, image))
        assert len(board.accelerator.mishaps) == 1
        name = reg.ERROR_NAMES[bit].split(":")[0]
        assert name in board.report()
        assert "0x00001234" in board.report()
        assert np.array_equal(restored(board, image), run(net, image))
        assert "repeated" not in board.report()


def test_an_error_that_comes_again():
    net = network("x2")
    port = FakePort(net)
    port.fault = once(7, 1, times=2)
    image = pixels(60, 50)
    with backend(port) as board:
        with pytest.raises(RestoreError, match=r"failed: WRITE_SLVERR.* twice, so it is given up"):
            restored(board, image)
        assert port.status() == reg.IDLE
        assert port.errors == 0
        assert np.array_equal(restored(board, image), run(net, image))


CHAIN = Design(
    "chain",
    (
        Stage("pixels", "", "head"),
        Stage("a", "head", "body"),
        Stage("b", "body", "tail"),
        Stage("result", "tail", ""),
        Stage("size", "", ""),
    ),
    4.0,
)
WAITS, EMPTY = (1, 0), (0, 1)


@pytest.mark.parametrize(
    ("taps", "said"),
    [
        ([WAITS, WAITS, EMPTY, EMPTY, EMPTY], "stage 'body' takes no beat, though one is there"),
        ([WAITS, EMPTY, EMPTY, EMPTY, EMPTY], "stage 'head' takes no beat, though one is there"),
        (
            [WAITS, EMPTY, EMPTY, EMPTY, (0, 0)],
            "stage 'head' takes no beat.*has not got the size of its frame",
        ),
        ([EMPTY] * 5, r"no pixels come from the memory \(read DMA\)"),
        ([WAITS] * 4 + [EMPTY], r"the memory takes no results \(write DMA\)"),
    ],
)
def test_a_stop_names_its_stage(taps, said):
    net = network("x2")
    port = FakePort(net, taps=taps)
    port.fault = once(STOPS, times=2)
    with backend(port, design=CHAIN) as board:
        with pytest.raises(RestoreError, match=f"nothing moved for [0-9,]+ cycles: {said}; twice"):
            restored(board, pixels(20, 20))
        assert port.status() == reg.IDLE
        image = pixels(9, 9)
        assert np.array_equal(restored(board, image), run(net, image))


def test_a_stop_behind_a_fork():
    stages = (
        Stage("pixels", "", "fork"),
        Stage("short", "fork", "fifo"),
        Stage("fifo", "fifo", "join"),
        Stage("long", "fork", "conv"),
        Stage("conv", "conv", "join"),
        Stage("result", "join", ""),
        Stage("size", "", ""),
    )
    net = network("x2")
    taps = [WAITS, WAITS, WAITS, EMPTY, EMPTY, EMPTY, EMPTY]
    port = FakePort(net, taps=taps)
    port.fault = once(STOPS, times=2)
    board = backend(port, design=Design("x2", stages, 4.0))
    with pytest.raises(RestoreError, match="stage 'join' takes no beat from 'fifo', which is therefore"):
        restored(board, pixels(20, 20))
    port = FakePort(net, taps=taps)
    port.fault = once(STOPS, times=2)
    with pytest.raises(RestoreError, match="nothing takes the beats of stream 'stream 2'"):
        restored(backend(port), pixels(20, 20))


def test_a_stop_that_does_not_come_again():
    net = network("x2")
    port = FakePort(net, taps=[EMPTY] * 5)
    port.fault = once(STOPS)
    image = pixels(20, 20)
    with backend(port, design=CHAIN) as board:
        assert np.array_equal(restored(board, image), run(net, image))
        assert "repeated: tile of 20 x 20 pixels failed: nothing moved" in board.report()


def test_a_slow_design_is_waited_for():
    net = network("x2")
    port = FakePort(net)
    port.rate = 100  # a tile takes three times as long as nothing may move
    image = pixels(24, 64)
    with backend(port, design=Design("x2", (), 0.001)) as board:
        assert np.array_equal(restored(board, image), run(net, image))
        assert not board.accelerator.mishaps


def test_hardware_that_does_not_reset():
    net = network("x2")
    port = FakePort(net)
    image = pixels(20, 20)

    def stick(job):
        port.reset_sticks = True
        return 7

    with backend(port) as board:
        port.fault = stick
        with pytest.raises(
            RestoreError, match=r"WRITE_SLVERR.*then the accelerator does not get back to idle"
        ):
            restored(board, image)
        with pytest.raises(RestoreError, match=r"^the accelerator does not get back to idle"):
            restored(board, image)
        port.fault, port.reset_sticks = lambda job: None, False
        assert np.array_equal(restored(board, image), run(net, image))


@pytest.mark.parametrize("when", range(1, 12, 2))
def test_an_interrupt_leaves_the_hardware_idle(when):
    net = network("x2")
    port = FakePort(net, limits=(40, 24))
    image = pixels(60, 50)
    calls = [0]

    def interrupt():
        calls[0] += 1
        if calls[0] == when:
            raise KeyboardInterrupt

    with backend(port) as board:
        port.on_wait = interrupt
        with pytest.raises(KeyboardInterrupt):
            list(board.stream([image] * 3))
        assert port.status() == reg.IDLE
        assert np.array_equal(restored(board, image), run(net, image))
    assert port.closed


def test_giving_up_half_way_leaves_the_hardware_idle():
    net = network("x2")
    port = FakePort(net, limits=(40, 24))
    with backend(port) as board:
        bands = board.restore_bands(pixels(60, 50))
        next(bands)
        assert port.queue
        bands.close()
        assert port.status() == reg.IDLE


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [
        (reg.ID, 0xDEADBEEF, "identity 0xdeadbeef, expected 0x424d4e44"),
        (reg.VERSION, 2 << 16 | 3, r"register version 2\.3, expected 1\.x"),
        (reg.HASH0, 0x12345678, "runs another network .hash 12345678"),
        (reg.CONFIG, 0x31, "scale 1 and 3 channels, expected 2 and 3"),
    ],
)
def test_other_bitstreams_are_refused(offset, value, said):
    port = FakePort(network("x2"))
    port.overrides[offset] = value
    with pytest.raises(RestoreError, match=said):
        backend(port)
    assert port.closed
    assert not port.started


def test_a_job_that_the_hardware_refuses():
    net = network("x2")
    port = FakePort(net)
    accelerator = Accelerator(port, net, DESIGN)
    with pytest.raises(RestoreError, match=r"refused a job \(SIZE: .*width=65"):
        accelerator.submit(Job(0, 300, 65, 1, 0, 300, 0, 0, 1, 1))
    assert not accelerator.busy


def test_another_program_uses_the_hardware():
    net = network("x2")
    port = FakePort(net)
    with backend(port) as board:
        port.on_wait = lambda: setattr(port, "done", port.done + 9)
        with pytest.raises(RestoreError, match="is another program using it"):
            restored(board, pixels(24, 64))


def test_times_and_counters():
    net = network("x2")
    port = FakePort(net)
    with backend(port) as board:
        assert list(board.stream([pixels(24, 64)] * 3))
        found = board.measurement
        assert found.counters.cycles == 3 * 24 * 64 * 4
        assert found.shares()["logic"] > 0.9
        metrics = found.metrics()
        assert metrics["batch_size"] == 3
        assert metrics["fclk[mhz]"] == 100
        assert metrics["throughput[images/s]"] == pytest.approx(3000 / metrics["runtime[ms]"])
