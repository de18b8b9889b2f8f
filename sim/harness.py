# SPDX-License-Identifier: BSD-3-Clause
"""The tests that every streaming module passes, made from two functions of its testbench.

A testbench is a module of a few lines: `draw` makes the input of one frame, `golden` says what comes out of
what went in, and `operator_tests` makes the cocotb tests:

    def draw(rng, parameters, height, width, extreme) -> dict[prefix, beats]
    def golden(parameters, inputs: dict[prefix, beats], height, width) -> dict[prefix, beats]

    full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden)

`golden` is fed by the monitors on the ports of the design, never by what the test meant to send. Every output
beat is compared for equality, in number and order, and afterwards the sinks must stay empty.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import cocotb
import numpy as np

from sim.streams import Bench

Beats = dict[str, list[int]]
Draw = Callable[[np.random.Generator, dict, int, int, bool], Beats]
Golden = Callable[[dict, Beats, int, int], Beats]
Start = Callable[[dict], Beats]

SIZES = ((1, 1), (1, 7), (6, 1), (2, 2), (3, 5), (5, 8), (4, 3))
"""(height, width) of frames: single pixels, rows and columns among them."""


@dataclass(frozen=True)
class Frame:
    """What goes into the design for one frame of the given size."""

    height: int
    width: int
    inputs: Beats


def frame_sizes(rng: random.Random, number: int, largest: int, same: bool = False) -> list[tuple[int, int]]:
    """Return sizes of consecutive frames, mixed or all equal, no wider than `largest`."""
    fitting = [size for size in SIZES if size[1] <= largest] + [(3, largest)]
    return [rng.choice(fitting)] * number if same else [rng.choice(fitting) for _ in range(number)]


def draw_frames(draw: Draw, bench: Bench, sizes: list[tuple[int, int]]) -> list[Frame]:
    """Return random frames, every third with extreme values."""
    generator = np.random.default_rng(bench.rng.getrandbits(32))
    return [
        Frame(height, width, draw(generator, bench.parameters, height, width, index % 3 == 1))
        for index, (height, width) in enumerate(sizes)
    ]


async def play(
    bench: Bench, frames: list[Frame], golden: Golden, quiet: int = 40, start: Start | None = None
) -> None:
    """Send frames without a pause, compare every output beat with golden, and see the sinks empty.

    The size of the output is asked of golden on what was queued, to know how long to wait; the comparison
    is with golden on what the monitors saw. `start` says what comes out after a reset, before any frame.
    """
    for frame in frames:
        bench.send(frame.inputs)
    expected = {prefix: 0 for prefix in bench.sinks}
    for prefix, beats in (start(bench.parameters) if start is not None else {}).items():
        expected[prefix] += len(beats)
    for frame in frames:
        for prefix, beats in golden(bench.parameters, frame.inputs, frame.height, frame.width).items():
            expected[prefix] += len(beats)
    await bench.drain(expected)
    await bench.cycles(quiet)
    check(bench, frames, golden, start)


def check(bench: Bench, frames: list[Frame], golden: Golden, start: Start | None = None) -> None:
    """Compare all that the sinks received with golden on all that the monitors on the inputs saw."""
    sent = {prefix: iter(source.sent) for prefix, source in bench.sources.items()}
    got = {prefix: list(sink.received) for prefix, sink in bench.sinks.items()}
    for prefix, beats in (start(bench.parameters) if start is not None else {}).items():
        have, got[prefix] = got[prefix][: len(beats)], got[prefix][len(beats) :]
        assert have == beats, f"{prefix}, after the reset: got {have}, expected {beats}"
    for index, frame in enumerate(frames):
        inputs = {p: [next(sent[p]) for _ in beats] for p, beats in frame.inputs.items()}
        for prefix, beats in golden(bench.parameters, inputs, frame.height, frame.width).items():
            have, got[prefix] = got[prefix][: len(beats)], got[prefix][len(beats) :]
            for beat, (a, b) in enumerate(zip(have, beats, strict=False)):
                where = f"{prefix}, frame {index} ({frame.height}x{frame.width}), beat {beat} of {len(beats)}"
                assert a == b, f"{where}: got {a:#x}, golden says {b:#x}"
            assert len(have) == len(beats), (
                f"{prefix}, frame {index}: {len(have)} beats, expected {len(beats)}"
            )
    for prefix, source in sent.items():
        assert next(source, None) is None, f"{prefix}: more beats were taken than sent"
    for prefix, beats in got.items():
        assert not beats, f"{prefix}: {len(beats)} beats too many, the first is {beats[0]:#x}"


def operator_tests(
    draw: Draw,
    golden: Golden,
    *,
    rate: Callable[[dict, int, int], int] | None = None,
    latency: Callable[[dict, int, int], int] | None = None,
    frames: int = 8,
    start: Start | None = None,
):
    """Return the four cocotb tests of a streaming module.

    Args:
        draw, golden: as in the text above.
        rate: cycles that one frame of a given (height, width) takes in a run of equal frames at full rate.
            The test counts from the first to the last output beat; the header of the module promises it.
        latency: cycles to add for the first frame of that run, 0 by default.
        frames: number of frames of a test.
        start: what comes out after a reset, before any frame; nothing by default.

    Returns:
        (full_rate, random_stalls, reset_mid_frame, slow_ports), to be assigned to names of the testbench.
    """

    def largest(bench: Bench) -> int:
        return int(bench.parameters.get("MAX_WIDTH", 9))

    @cocotb.test()
    async def full_rate(dut):
        """Equal frames without a pause, then frames of different sizes; no port stalls."""
        bench = Bench(dut)
        await bench.reset()
        for size in ((4, min(7, largest(bench))), (1, 1), (3, largest(bench))):
            await bench.reset()
            batch = draw_frames(draw, bench, [size] * 4)
            await play(bench, batch, golden, start=start)
            if rate is not None:
                allowed = 4 * rate(bench.parameters, *size)
                allowed += latency(bench.parameters, *size) if latency is not None else 0
                taken = max(
                    sink.cycles[-1] - sink.cycles[0] + 1 for sink in bench.sinks.values() if sink.cycles
                )
                assert taken <= allowed, f"4 frames {size}: {taken} cycles, the header promises {allowed}"
        await bench.reset()
        sizes = frame_sizes(bench.rng, frames, largest(bench))
        await play(bench, draw_frames(draw, bench, sizes), golden, start=start)

    @cocotb.test()
    async def random_stalls(dut):
        """Frames of different sizes while every port stalls at random, in several moods."""
        bench = Bench(dut)
        moods = ((0.5, 0.5, 1), (0.2, 0.7, 4), (0.7, 0.2, 4), (0.3, 0.3, 15))
        for source, sink, burst in moods:
            await bench.reset()
            bench.set_stalls(source, sink, burst)
            sizes = frame_sizes(bench.rng, frames, largest(bench))
            await play(bench, draw_frames(draw, bench, sizes), golden, start=start)

    @cocotb.test()
    async def reset_mid_frame(dut):
        """A reset at a random moment loses what was under way and nothing that comes after."""
        bench = Bench(dut)
        for _ in range(4):
            await bench.reset()
            bench.set_stalls(0.3, 0.3, 2)
            for frame in draw_frames(draw, bench, frame_sizes(bench.rng, frames, largest(bench))):
                bench.send(frame.inputs)
            await bench.cycles(bench.rng.randrange(1, 150))
            await bench.reset(bench.rng.randrange(1, 4))
            sizes = frame_sizes(bench.rng, 3, largest(bench))
            await play(bench, draw_frames(draw, bench, sizes), golden, start=start)

    @cocotb.test()
    async def slow_ports(dut):
        """One port after the other is slow while the rest never stall: the design fills up, or runs dry."""
        bench = Bench(dut)
        for slow in (*bench.sources, *bench.sinks):
            await bench.reset()
            bench.set_stalls()
            port = bench.sources.get(slow) or bench.sinks[slow]
            rng = random.Random(bench.rng.getrandbits(32))
            port.stall = lambda rng=rng: rng.random() < 0.85
            sizes = frame_sizes(bench.rng, max(2, frames // 2), largest(bench))
            await play(bench, draw_frames(draw, bench, sizes), golden, start=start)

    return full_rate, random_stalls, reset_mid_frame, slow_ports
