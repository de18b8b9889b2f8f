# SPDX-License-Identifier: BSD-3-Clause
"""stream_table: golden.operators.lookup, with the table from constants.npz in the folder of the run."""

import numpy as np

from golden import operators
from sim.elements import memory_lines, pack, unpack
from sim.harness import operator_tests
from sim.tb_rsign import archive, constants


def memory(table, bits):
    """Return the text of TABLE_FILE: an entry per line, that of the least value first."""
    return memory_lines(pack(table, 1, bits), bits)


def files(parameters, seed, extreme):
    """Return what a run with a random table needs: noise, or the ends of the range next to each other."""
    rng = np.random.default_rng(seed)
    size, limit = 1 << parameters["IN_BITS"], 1 << (parameters["BITS"] - 1)
    table = rng.choice((-limit, limit - 1, -1, 0), size) if extreme else rng.integers(-limit, limit, size)
    table = table.astype(np.int16)
    return {
        parameters["TABLE_FILE"]: memory(table, parameters["BITS"]),
        "constants.npz": archive(table=table),
    }


def draw(rng, parameters, height, width, extreme):
    """Return a beat per pixel: noise; or the ends of the table, and its middle."""
    limit = 1 << (parameters["IN_BITS"] - 1)
    shape = height * width * parameters["PE"]
    x = rng.choice((-limit, limit - 1, -1, 0, 1), shape) if extreme else rng.integers(-limit, limit, shape)
    return {"s_axis": pack(x, parameters["PE"], parameters["IN_BITS"])}


def golden(parameters, inputs, height, width):
    """Return the entries of the table."""
    x = unpack(inputs["s_axis"], parameters["PE"], parameters["IN_BITS"], signed=True)
    y = operators.lookup(x.reshape(height, width, -1), constants()["table"])
    return {"m_axis": pack(y, parameters["PE"], parameters["BITS"])}


full_rate, random_stalls, reset_mid_frame, slow_ports = operator_tests(
    draw, golden, rate=lambda parameters, height, width: height * width
)
