# SPDX-License-Identifier: BSD-3-Clause
"""base: bilinear enlargement of pixels, as golden computes it."""

import itertools

import cocotb
import numpy as np

from golden import operators
from sim.elements import pack, size_beat, unpack
from sim.harness import draw_frames, operator_tests, play
from sim.streams import Bench


def _slices(parameters) -> int:
    return parameters["CHANNELS"] // parameters["P"]


def draw(rng, parameters, height, width, extreme):
    """Return an image of noise, or of 0 and 255."""
    shape = (height, width, parameters["CHANNELS"])
    image = rng.choice((0, 255), shape) if extreme else rng.integers(0, 256, shape)
    return {
        "s_axis": pack(image, parameters["P"], 8),
        "s_size": [size_beat(height, width, parameters.get("DIM_BITS", 16))],
    }


def golden(parameters, inputs, height, width):
    """Return golden.operators.base of the image."""
    image = unpack(inputs["s_axis"], parameters["P"], 8, signed=False).reshape(height, width, -1)
    result = operators.base(image.astype(np.uint8), parameters["SCALE"])
    return {"m_axis": pack(result, parameters["P"], 8 + operators.BASE_FRACTION_BITS[parameters["SCALE"]])}


def rate(parameters, height, width):
    """Return the cycles per frame: one per output beat."""
    return height * width * parameters["SCALE"] ** 2 * _slices(parameters)


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate, frames=5)


@cocotb.test()
async def even_input(dut):
    """Input that comes evenly and just as fast as it is used makes the output wait once, no more."""
    bench = Bench(dut)
    scale = bench.parameters["SCALE"]
    for height, width in ((4, 7), (2, 2), (1, 5), (3, 1)):
        if width > bench.parameters["MAX_WIDTH"]:
            continue
        await bench.reset()
        clock = itertools.count()
        bench.sources["s_axis"].stall = lambda clock=clock: next(clock) % scale**2 != 0
        await play(bench, draw_frames(draw, bench, [(height, width)] * 4), golden)
        cycles = bench.sinks["m_axis"].cycles
        wait = scale * (scale // 2) * width * _slices(bench.parameters)  # for row 1
        allowed = 4 * rate(bench.parameters, height, width) + (wait if height > 1 else 0)
        assert cycles[-1] - cycles[0] + 1 <= allowed, f"{height}x{width}: the output starves"


@cocotb.test()
async def latency(dut):
    """The first beat leaves as many cycles after the first pixel entered as the header says."""
    bench = Bench(dut)
    slices, scale = _slices(bench.parameters), bench.parameters["SCALE"]
    for width in range(1, bench.parameters["MAX_WIDTH"] + 1):
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
        due = 1 if scale == 1 else (width + max(scale, 3)) * slices + 8
        assert moved[1] - moved[0] == due


@cocotb.test()
async def small_frames(dut):
    """Many frames of a few pixels, so that up to three share the memory, and resets."""
    bench = Bench(dut)
    largest = bench.parameters["MAX_WIDTH"]
    sizes = [size for size in ((1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 5)) if size[1] <= largest]

    def batch():
        return draw_frames(draw, bench, [bench.rng.choice(sizes) for _ in range(6)])

    for source, sink in ((0.1, 0), (0.7, 0), (0.9, 0), (0.5, 0.3)):
        await bench.reset()
        bench.set_stalls(source, sink, 1.5)
        for _ in range(5):
            await play(bench, batch(), golden, quiet=20)
            for frame in batch():
                bench.send(frame.inputs)
            await bench.cycles(bench.rng.randrange(1, 120))
            await bench.reset(1)
