# SPDX-License-Identifier: BSD-3-Clause
"""pixel_shuffle against golden.operators.pixel_shuffle, in both orders of the input channels."""

import cocotb

from golden.operators import pixel_shuffle
from sim.elements import pack, size_beat, unpack
from sim.harness import draw_frames, operator_tests, play
from sim.streams import Bench


def draw(rng, parameters, height, width, extreme):
    """Return the size, and noise or all ones and all zeros: a mover knows nothing of numbers."""
    bits, per_beat = parameters["BITS"], parameters["P"]
    number = height * width * parameters["CHANNELS"] * parameters["FACTOR"] ** 2
    top = (1 << bits) - 1
    values = rng.choice((0, top), number) if extreme else rng.integers(0, top + 1, number)
    return {
        "s_size": [size_beat(height, width, parameters["DIM_BITS"])],
        "s_axis": pack(values, per_beat, bits),
    }


def golden(parameters, inputs, height, width):
    """Return the shuffled frame; an input of ORDER = 1 is brought into the contract's order first."""
    bits, per_beat = parameters["BITS"], parameters["P"]
    channels, factor = parameters["CHANNELS"], parameters["FACTOR"]
    x = unpack(inputs["s_axis"], per_beat, bits, signed=False)
    if parameters["ORDER"] == 1:
        x = x.reshape(height, width, factor, factor, channels).transpose(0, 1, 4, 2, 3)
    x = x.reshape(height, width, channels * factor * factor)
    return {"m_axis": pack(pixel_shuffle(x, factor), per_beat, bits)}


def rate(parameters, height, width):
    """Return the cycles of a frame: one per beat."""
    return height * width * parameters["CHANNELS"] * parameters["FACTOR"] ** 2 // parameters["P"]


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)


@cocotb.test()
async def every_width(dut):
    """Two frames of every width, enough rows for the strides to come round, and then from wide to narrow."""
    bench = Bench(dut)
    await bench.reset()
    widths = range(1, bench.parameters["MAX_WIDTH"] + 1)
    sizes = [(height, width) for width in widths for height in (5, 2)]
    await play(bench, draw_frames(draw, bench, sizes), golden)
    bench.set_stalls(0.1, 0.1, 3)
    await bench.reset()
    await play(bench, draw_frames(draw, bench, [(2, width) for width in reversed(widths)]), golden)
