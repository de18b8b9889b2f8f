# SPDX-License-Identifier: BSD-3-Clause
"""requant: golden.operators.requant, with constants from constants.npz in the folder of the run.

With OUT_SIGNED 0 it is golden.operators.output without a base, as PlainOutput uses it.
"""

import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, unpack
from sim.harness import operator_tests
from sim.tb_rsign import archive, constants
from sim.tb_rsign import memories as threshold_memory


def input_range(parameters):
    """Return (lowest, largest) value of an input element."""
    bits, signed = parameters["IN_BITS"], parameters.get("IN_SIGNED", 1)
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def random_constants(rng, parameters, extreme):
    """Return slopes, offsets and thresholds that fit A_BITS, B_BITS and T_BITS.

    They keep most results within the range of BITS, with slopes of both signs; or take the ends of all
    ranges. The threshold is that of golden, one less than what the memory holds. Pixels come of a single
    piece: both are equal.
    """
    size = parameters["CHANNELS"]
    low, high = input_range(parameters)
    shift = parameters["SHIFT"]
    a_end, b_end, t_end = (1 << (parameters[name] - 1) for name in ("A_BITS", "B_BITS", "T_BITS"))
    if extreme:
        a1, a0 = rng.choice((-a_end, -1, 0, a_end - 1), (2, size))
        b1, b0 = rng.choice((-b_end, -1, 0, b_end - 1), (2, size))
        first_above = rng.choice((-t_end, low, low + 1, 0, high, high + 1, t_end - 1), size)
    else:
        gain = (
            (1 << (parameters["BITS"] + shift - 1)) / max(-low, high) * 2.0 ** rng.uniform(-2, 1, (2, size))
        )
        a1, a0 = (gain * rng.choice((-1, 1), (2, size))).astype(np.int64)
        b1, b0 = (rng.normal(0, 0.3, (2, size)) * (1 << (parameters["BITS"] + shift - 1))).astype(np.int64)
        first_above = rng.normal(0, high / 3, size).astype(np.int64)
    if not parameters.get("OUT_SIGNED", 1) and parameters["BITS"] == 8:
        a0, b0 = a1, b1
    return {
        "a1": np.clip(a1, -a_end, a_end - 1),
        "a0": np.clip(a0, -a_end, a_end - 1),
        "b1": np.clip(b1, -b_end, b_end - 1),
        "b0": np.clip(b0, -b_end, b_end - 1),
        "threshold": np.clip(first_above, -t_end, t_end - 1) - 1,
    }


def const_memory(pieces, per_beat, a_bits, b_bits):
    """Return the text of CONST_FILE of requant and output_stage.

    Args:
        pieces: list of (a, b), lowest address first: [(a0, b0), (a1, b1)], or [(a, b)] if there is one piece.
        per_beat: elements per beat, PE.
        a_bits, b_bits: widths of the constants.
    """
    words = [pack(a, 1, a_bits) for a, _ in pieces], [pack(b, 1, b_bits) for _, b in pieces]
    channels = len(words[0][0])
    beats = 1
    while beats * per_beat < channels:
        beats *= 2
    lines = []
    for element in range(per_beat):
        for beat in range(beats):
            channel = beat * per_beat + element
            for piece in range(len(pieces)):
                known = channel < channels
                lines.append(words[1][piece][channel] << a_bits | words[0][piece][channel] if known else 0)
    return memory_lines(lines, a_bits + b_bits)


def memories(parameters, values):
    """Return the memory files of requant by name, from golden's constants."""
    return {
        parameters["THRESHOLD_FILE"]: threshold_memory(
            values["threshold"] + 1, parameters["PE"], parameters["T_BITS"]
        ),
        parameters["CONST_FILE"]: const_memory(
            [(values["a0"], values["b0"]), (values["a1"], values["b1"])],
            parameters["PE"],
            parameters["A_BITS"],
            parameters["B_BITS"],
        ),
    }


def files(parameters, seed, extreme):
    """Return what a run with random constants needs: the memory files and constants.npz."""
    values = random_constants(np.random.default_rng(seed), parameters, extreme)
    return {**memories(parameters, values), "constants.npz": archive(**values)}


def draw(rng, parameters, height, width, extreme):
    """Return noise; or the threshold of the channel, the values next to it, and the ends of the range."""
    low, high = input_range(parameters)
    shape = (height, width, parameters["CHANNELS"])
    acc = rng.integers(low, high + 1, shape)
    if extreme:
        near = constants()["threshold"] + rng.integers(0, 3, shape)
        acc = np.clip(np.where(rng.random(shape) < 0.6, near, rng.choice((low, 0, high), shape)), low, high)
    return {"s_axis": pack(acc, parameters["PE"], parameters["IN_BITS"])}


def unsigned(acc, a1, a0, b1, b0, threshold, shift, bits):
    """Return what OUT_SIGNED 0 gives: for 8 bits each piece is golden's output without a base."""
    pieces = []
    for a, b in ((a1, b1), (a0, b0)):
        if bits == 8:
            pieces.append(operators.output(acc, np.zeros_like(acc), a, b, shift, 0))
        else:
            pieces.append(np.clip((a * acc + b) >> shift, 0, (1 << bits) - 1))
    return np.where(acc > threshold, *pieces)


def golden(parameters, inputs, height, width):
    """Return golden's stream, or pixels."""
    signed = bool(parameters.get("IN_SIGNED", 1))
    acc = unpack(inputs["s_axis"], parameters["PE"], parameters["IN_BITS"], signed).reshape(height, width, -1)
    function = operators.requant if parameters.get("OUT_SIGNED", 1) else unsigned
    y = function(acc, **constants(), shift=parameters["SHIFT"], bits=parameters["BITS"])
    return {"m_axis": pack(y, parameters["PE"], parameters["BITS"])}


def rate(parameters, height, width):
    """Return the cycles per frame: one per beat."""
    return height * width * parameters["CHANNELS"] // parameters["PE"]


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(draw, golden, rate=rate)
