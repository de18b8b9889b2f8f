# SPDX-License-Identifier: BSD-3-Clause
"""rsign: golden.operators.rsign, with thresholds from constants.npz in the folder of the run."""

import io
from functools import cache

import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, unpack
from sim.harness import operator_tests


def random_threshold(rng, channels, bits, extreme):
    """Return thresholds of bits + 1 bits: around 0, or "always", "never" and the values next to them."""
    limit = 1 << (bits - 1)
    if extreme:
        ends = (-2 * limit, -limit - 1, -limit, 1 - limit, 0, limit - 1, limit, 2 * limit - 1)
        return rng.choice(ends, channels)
    return rng.integers(-limit // 2, limit // 2 + 1, channels)


def memories(threshold, per_beat, t_bits):
    """Return the text of THRESHOLD_FILE of rsign and requant: a word of `per_beat` thresholds per beat."""
    return memory_lines(pack(threshold, per_beat, t_bits), per_beat * t_bits)


def files(parameters, seed, extreme):
    """Return what a run with random thresholds needs: the memory file and constants.npz."""
    rng = np.random.default_rng(seed)
    threshold = random_threshold(rng, parameters["CHANNELS"], parameters["BITS"], extreme)
    return {
        parameters["THRESHOLD_FILE"]: memories(threshold, parameters["PE"], parameters["BITS"] + 1),
        "constants.npz": archive(threshold=threshold),
    }


def archive(**arrays) -> bytes:
    """Return an .npz file in memory."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@cache
def constants():
    """Return the arrays of constants.npz in the current directory, by name."""
    with np.load("constants.npz") as loaded:
        return dict(loaded)


def draw(rng, parameters, height, width, extreme):
    """Return a stream: noise, or the threshold of the channel, its neighbours, and the ends of the range."""
    bits, shape = parameters["BITS"], (height, width, parameters["CHANNELS"])
    limit = 1 << (bits - 1)
    x = rng.integers(-limit, limit, shape)
    if extreme:
        near = constants()["threshold"] + rng.integers(-1, 2, shape)
        x = np.clip(
            np.where(rng.random(shape) < 0.7, near, rng.choice((-limit, limit - 1), shape)), -limit, limit - 1
        )
    return {"s_axis": pack(x, parameters["PE"], bits)}


def golden(parameters, inputs, height, width):
    """Return golden's bits."""
    x = unpack(inputs["s_axis"], parameters["PE"], parameters["BITS"], signed=True)
    bits = operators.rsign(x.reshape(height, width, -1), constants()["threshold"])
    return {"m_axis": pack(bits, parameters["PE"], 1)}


def rate(parameters, height, width):
    """Return the cycles per frame: one per beat."""
    return height * width * parameters["CHANNELS"] // parameters["PE"]


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)
