# SPDX-License-Identifier: BSD-3-Clause
from fake_port import STOPS, FakePort
from host_examples import network

from host.accelerator import Accelerator, Job
from host.design import Design, Stage
from host.diagnosis import Tap, look

NET = network("x2")
STAGE = Stage("a", "head", "body")


def test_streams_beyond_the_first_word():
    states = [(index % 3 == 0, index % 5 == 0) for index in range(70)]
    port = FakePort(NET, taps=states)
    port.fault = lambda job: STOPS
    Accelerator(port, NET).submit(Job(0x1000_0000, 60, 20, 2, 0x1000_0000, 120, 0, 0, 40, 4))
    port.wait(1e-3)
    before = port.cycle
    taps = look(port, Design(), 1e-5)
    passed = port.cycle - before
    assert 900 < passed < 1100  # 10 us at 100 MHz
    assert [(tap.valid, tap.ready) for tap in taps] == states
    assert [tap.blocked for tap in taps] == [passed * (valid and not ready) for valid, ready in states]
    assert [tap.starved for tap in taps] == [passed * (ready and not valid) for valid, ready in states]
    assert taps[69].stage.name == "stream 69"


def test_a_stream_that_moves_neither_waits_nor_is_empty():
    assert Tap(STAGE, True, False, blocked=3).waits
    assert not Tap(STAGE, True, False, blocked=3, starved=1).waits
    assert not Tap(STAGE, True, True).waits
    assert Tap(STAGE, False, True, starved=3).empty
    assert not Tap(STAGE, False, True, blocked=1, starved=3).empty
    assert not Tap(STAGE, True, True).empty
