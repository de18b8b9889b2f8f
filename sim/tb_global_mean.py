# SPDX-License-Identifier: BSD-3-Clause
"""global_mean: golden.operators.global_mean, a frame late, with initial.npz in the folder of the run."""

from fractions import Fraction
from math import floor

import cocotb
import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, size_beat, unpack
from sim.harness import check, draw_frames, operator_tests, play
from sim.streams import Bench
from sim.tb_rsign import archive, constants


def files(parameters, seed):
    """Return what a run needs: a memory file with random vectors, and constants.npz."""
    bits = parameters["BITS"]
    limit = 1 << (bits - 1)
    values = np.random.default_rng(seed).integers(-limit, limit, parameters["CHANNELS"])
    values[: min(2, len(values))] = [-limit, limit - 1][: len(values)]
    memory = memory_lines(pack(values, 1, bits), bits)
    return {parameters["INITIAL_FILE"]: memory, "constants.npz": archive(initial=values)}


def start(parameters):
    """Return the vector that follows a reset."""
    return {"m_axis": pack(constants()["initial"], 1, parameters["BITS"])}


def near_half(rng, number, parameters):
    """Return values whose mean is at the edge between two results, or the next one above or below it."""
    limit, steps = 1 << (parameters["IN_BITS"] - 1), 1 << parameters["SHIFT"]
    end = 1 << (parameters["BITS"] - 1)
    # a result of the range or one beyond it, of a mean that values can have
    low, high = max(-end - 1, -limit * steps), min(end, (limit - 1) * steps)
    edge = (Fraction(int(rng.integers(low, high + 1))) + Fraction(1, 2)) / steps * number
    total = floor(edge) + int(rng.choice((0, 0, 1, -1)))
    total = max(-limit * number, min((limit - 1) * number, total))
    values = np.full(number, total // number)
    values[: total % number] += 1
    half = number // 2  # noise that leaves the sum as it is
    room = min(limit + values.min(), limit - 1 - values.max())
    noise = rng.integers(-room, room + 1, half) if room > 0 else 0
    values[:half] += noise
    values[half : 2 * half] -= noise
    return rng.permutation(values)


def draw(rng, parameters, height, width, extreme):
    """Return noise, or means near the edge between two results; if extreme, the ends of the range."""
    limit, number = 1 << (parameters["IN_BITS"] - 1), height * width
    columns = []
    for _ in range(parameters["CHANNELS"]):
        kind = rng.integers(0, 3)
        if extreme:
            ends = ((-limit, -limit), (limit - 1, limit - 1), (-limit, limit - 1))[kind]
            columns.append(rng.choice(ends, number))
        elif kind:
            columns.append(near_half(rng, number, parameters))
        else:
            columns.append(rng.integers(-limit, limit, number))
    return {
        "s_size": [size_beat(height, width, parameters["DIM_BITS"])],
        "s_axis": pack(np.stack(columns, 1), parameters["P"], parameters["IN_BITS"]),
    }


def golden(parameters, inputs, height, width):
    """Return the vector that follows the frame."""
    x = unpack(inputs["s_axis"], parameters["P"], parameters["IN_BITS"], signed=True)
    x = x.reshape(height, width, -1).astype(np.int16)
    means = operators.global_mean(x, parameters["SHIFT"], parameters["BITS"])
    return {"m_axis": pack(means, 1, parameters["BITS"])}


def element(parameters):
    """Return the cycles of a division."""
    return parameters["IN_BITS"] + parameters["SHIFT"] + 5


def rate(parameters, height, width):
    """Return the cycles of a frame: of its beats, or of its division and its last pixel."""
    beats = parameters["CHANNELS"] // parameters["P"]
    return max(height * width * beats, parameters["CHANNELS"] * element(parameters) + 1 + beats)


def latency(parameters, height, width):
    """Return the cycles of a fifth vector: the one that follows the reset."""
    return rate(parameters, height, width) + parameters["CHANNELS"] * element(parameters) + 20


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=rate, latency=latency, start=start
)


def beats_of(bench):
    """Return the beats of a pixel."""
    return bench.parameters["CHANNELS"] // bench.parameters["P"]


@cocotb.test()
async def tiny_frames(dut):
    """Many frames of a pixel or a few, which wait for each other."""
    bench = Bench(dut)
    for stall in (0.0, 0.4):
        await bench.reset()
        bench.set_stalls(stall, stall, 3)
        sizes = [bench.rng.choice(((1, 1), (1, 1), (1, 2), (2, 1))) for _ in range(12)]
        await play(bench, draw_frames(draw, bench, sizes), golden, start=start)


@cocotb.test()
async def halves(dut):
    """Numbers of pixels that are powers of two, so that means lie on the edge between two results."""
    bench = Bench(dut)
    await bench.reset()
    sizes = [(1, 2), (2, 1), (2, 2), (2, 4), (4, 4), (8, 4), (8, 8), (2, 2), (4, 2)]
    await play(bench, draw_frames(draw, bench, sizes), golden, start=start)


@cocotb.test()
async def nobody_takes(dut):
    """While no vector is taken, a frame enters, and the next up to its last pixel; none of it is lost."""
    bench = Bench(dut)
    more = bench.parameters["CHANNELS"] == 1  # the FIFO has two places, for a second vector
    for height, width in ((3, 4), (1, 1), (1, 3)):
        await bench.reset()
        sink, source = bench.sinks["m_axis"], bench.sources["s_axis"]
        frames = draw_frames(draw, bench, [(height, width)] * 5)
        for taken in range(2):
            # with each vector that is taken a frame more enters
            vectors = taken * bench.parameters["CHANNELS"]
            sink.stall = lambda sink=sink, vectors=vectors: len(sink.received) >= vectors
            if taken == 0:
                for frame in frames:
                    bench.send(frame.inputs)
            await bench.cycles(5 * rate(bench.parameters, height, width) + 100)
            inside = (height * width * (2 + taken + more) - 1) * beats_of(bench)
            assert len(source.sent) == inside, f"{len(source.sent)} beats entered, expected {inside}"
        sink.stall = lambda: False
        await bench.drain({"m_axis": 6 * bench.parameters["CHANNELS"]})
        await bench.cycles(40)
        check(bench, frames, golden, start)


@cocotb.test()
async def no_pause(dut):
    """Frames that are long enough enter without a pause; the vector comes when the header says."""
    bench = Bench(dut)
    await bench.reset()
    channels, beats = bench.parameters["CHANNELS"], beats_of(bench)
    pixels = rate(bench.parameters, 1, 1) // beats + 1
    width = min(pixels, (1 << bench.parameters["DIM_BITS"]) - 1)
    height = -(-pixels // width)
    source, sink = bench.sources["s_axis"], bench.sinks["m_axis"]
    frames = draw_frames(draw, bench, [(height, width)] * 3)
    for frame in frames:
        bench.send(frame.inputs)
    ends = []  # the cycles in which the last beats of frames entered
    cycles = 0
    frame = height * width * beats
    while len(source.sent) < 3 * frame:
        before = len(source.sent)
        await bench.cycles(1)
        cycles += before > 0
        if before < len(source.sent) and len(source.sent) % frame == 0:
            ends.append(sink.cycle)
    assert cycles < 3 * frame + 2, f"{3 * frame} beats took {cycles} cycles"
    await bench.drain({"m_axis": 4 * channels})
    for number, end in enumerate(ends):
        first = sink.cycles[(number + 1) * channels] - end
        # a FIFO of two beats is a skid buffer, a cycle faster
        promised = bench.parameters["IN_BITS"] + bench.parameters["SHIFT"] + 8 - (channels <= 2)
        assert first == promised, f"{first} cycles to the first mean, the header says {promised}"
        last = sink.cycles[(number + 2) * channels - 1] - end
        assert last == promised + (channels - 1) * element(bench.parameters)
    check(bench, frames, golden, start)


@cocotb.test()
async def largest_sums(dut):
    """The largest frames, or the longest rows and columns, with all elements at one end of the range."""
    bench = Bench(dut)
    await bench.reset()
    parameters = bench.parameters
    most = (1 << parameters["DIM_BITS"]) - 1
    sizes = [(most, most)] * 2 if most < 64 else [(1, most), (most, 1)]
    limit = 1 << (parameters["IN_BITS"] - 1)
    frames = draw_frames(lambda *_: {"s_size": [], "s_axis": []}, bench, sizes)
    for frame, value in zip(frames, (-limit, limit - 1), strict=True):
        values = np.full(frame.height * frame.width * parameters["CHANNELS"], value)
        values[:: 3 * parameters["CHANNELS"]] ^= 1  # channel 0 differs a little
        frame.inputs["s_size"] += [size_beat(frame.height, frame.width, parameters["DIM_BITS"])]
        frame.inputs["s_axis"] += pack(values, parameters["P"], parameters["IN_BITS"])
    await play(bench, frames, golden, start=start)
