# SPDX-License-Identifier: BSD-3-Clause
"""window: every 3x3 window of the padded image, as numpy cuts it out and as golden's convolutions see it."""

import cocotb
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from golden import operators
from sim.elements import pack, size_beat, unpack
from sim.harness import draw_frames, frame_sizes, operator_tests, play
from sim.streams import Bench


def _pad(parameters) -> int:
    return parameters.get("PAD", 0) & ((1 << parameters["BITS"]) - 1)


def _slices(parameters) -> int:
    return parameters["CHANNELS"] // parameters["P"]


def draw(rng, parameters, height, width, extreme):
    """Return an image of noise, or one of the ends of the range of an element; never of PAD alone."""
    shape = (height, width, parameters["CHANNELS"])
    ones = (1 << parameters["BITS"]) - 1
    image = (
        rng.choice((ones, ones ^ _pad(parameters)), shape) if extreme else rng.integers(0, ones + 1, shape)
    )
    return {
        "s_axis": pack(image, parameters["P"], parameters["BITS"]),
        "s_size": [size_beat(height, width, parameters.get("DIM_BITS", 16))],
    }


def golden(parameters, inputs, height, width):
    """Return the windows of the padded image, tap before channel, slice by slice."""
    per_beat, bits = parameters["P"], parameters["BITS"]
    image = unpack(inputs["s_axis"], per_beat, bits, signed=False).reshape(height, width, -1)
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=_pad(parameters))
    windows = sliding_window_view(padded, (3, 3), axis=(0, 1))  # (H, W, C, ky, kx)
    slices = windows.reshape(height, width, _slices(parameters), per_beat, 9).swapaxes(
        3, 4
    )  # (H, W, K, 9, P)
    return {"m_axis": pack(slices, 9 * per_beat, bits)}


def rate(parameters, height, width):
    """Return the cycles per frame: one per beat, but two if the image is one beat wide."""
    beats = height * width * _slices(parameters)
    return 2 * beats if width * _slices(parameters) == 1 else beats


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)


@cocotb.test()
async def convolution(dut):
    """The beats times weights in the order (ky, kx, channel) are golden's convolution."""
    bench = Bench(dut)
    bits, per_beat, channels = (bench.parameters[name] for name in ("BITS", "P", "CHANNELS"))
    rng = np.random.default_rng(bench.rng.getrandbits(32))
    if bits not in (1, 8) or _pad(bench.parameters):
        return  # no convolution of golden has these elements
    largest = bench.parameters["MAX_WIDTH"]
    for signed in (False, True) if bits == 8 else (False,):
        for height, width in ((1, 1), (4, largest), (5, min(3, largest))):
            await bench.reset()
            inputs = draw(rng, bench.parameters, height, width, False)
            bench.send(inputs)
            await bench.drain({"m_axis": height * width * _slices(bench.parameters)})
            image = unpack(inputs["s_axis"], per_beat, bits, signed).reshape(height, width, channels)
            taps = unpack(bench.sinks["m_axis"].received, 9 * per_beat, bits, signed)
            taps = taps.reshape(height, width, -1, 9, per_beat)  # (H, W, K, 9, P)
            shape = (5, 3, 3, channels)
            if bits == 1:
                weight = rng.integers(0, 2, shape)
                expected = operators.conv_xnor_plain(image.astype(np.uint8), weight.astype(np.uint8))
                taps, weight = 2 * taps - 1, 2 * weight - 1
            else:
                weight = rng.integers(-128, 128, shape)
                expected = operators.conv_int8(image.astype(np.int16), weight.astype(np.int8))
            weight = weight.reshape(5, 9, -1, per_beat)  # (C_out, 9, K, P)
            np.testing.assert_array_equal(np.einsum("yxktp,otkp->yxo", taps, weight), expected)


@cocotb.test()
async def latency(dut):
    """The first window leaves as many cycles after the first beat as the header says."""
    bench = Bench(dut)
    for width in range(2, bench.parameters["MAX_WIDTH"] + 1):
        await bench.reset()
        inputs = draw(np.random.default_rng(width), bench.parameters, 3, width, False)
        bench.send({"s_size": inputs["s_size"]})
        await bench.cycles(5)
        bench.send({"s_axis": inputs["s_axis"]})
        moved = []
        for beats in (bench.sources["s_axis"].sent, bench.sinks["m_axis"].received):
            while not beats:
                await bench.cycles(1)
            moved.append(bench.count)
        assert moved[1] - moved[0] == (width + 1) * _slices(bench.parameters) + 3


@cocotb.test()
async def progress(dut):
    """Whatever the input stops after, as long as it is a whole pixel, all windows that are due come out."""
    bench = Bench(dut)
    slices = _slices(bench.parameters)
    for _ in range(12):
        await bench.reset()
        bench.set_stalls(bench.rng.choice((0, 0.5)), bench.rng.choice((0, 0.5)), 2)
        sizes = frame_sizes(bench.rng, 3, bench.parameters["MAX_WIDTH"])
        pixels = bench.rng.randrange(1, 1 + sum(height * width for height, width in sizes))
        frames = draw_frames(draw, bench, sizes)
        beats = [beat for frame in frames for beat in frame.inputs["s_axis"]]
        bench.send({"s_axis": beats[: pixels * slices]})
        due, left = 0, pixels
        for frame in frames:
            taken = min(left, frame.height * frame.width)
            due += taken if taken == frame.height * frame.width else max(0, taken - frame.width - 1)
            left -= taken
            if taken:
                bench.send({"s_size": frame.inputs["s_size"]})
        await bench.drain({"m_axis": due * slices}, patience=200)
        await bench.cycles(40)
        expected = [
            beat
            for frame in frames
            for beat in golden(bench.parameters, frame.inputs, frame.height, frame.width)["m_axis"]
        ]
        assert bench.sinks["m_axis"].received == expected[: due * slices]


@cocotb.test()
async def widths(dut):
    """At full rate a change of width costs no more than the difference."""
    bench = Bench(dut)
    slices, largest = _slices(bench.parameters), bench.parameters["MAX_WIDTH"]
    if slices * min(largest, 2) < 2:
        return
    for narrow in range(1 if slices > 1 else 2, largest + 1):
        await bench.reset()
        sizes = [(3, largest), (2, narrow), (1, narrow), (3, largest), (1, narrow), (1, largest), (1, narrow)]
        await play(bench, draw_frames(draw, bench, sizes), golden)
        cycles = bench.sinks["m_axis"].cycles
        allowed = sum(rate(bench.parameters, *size) for size in sizes) + 5 * slices * (largest - narrow)
        taken = cycles[-1] - cycles[0] + 1
        assert taken <= allowed, f"{sizes}: {taken} cycles, the header promises {allowed}"


@cocotb.test()
async def small_frames(dut):
    """Many frames of a few pixels, so that consecutive frames overlap in every way, and resets."""
    bench = Bench(dut)
    largest = bench.parameters["MAX_WIDTH"]
    sizes = [size for size in ((1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 5)) if size[1] <= largest]

    def batch():
        return draw_frames(draw, bench, [bench.rng.choice(sizes) for _ in range(8)])

    for source, sink in ((0.1, 0), (0.3, 0), (0.3, 0.3), (0.1, 0.5), (0.5, 0.1)):
        await bench.reset()
        bench.set_stalls(source, sink, 1.5)
        for _ in range(8):
            await play(bench, batch(), golden, quiet=10)
            for frame in batch():
                bench.send(frame.inputs)
            await bench.cycles(bench.rng.randrange(1, 60))
            await bench.reset(1)
