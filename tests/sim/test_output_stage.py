# SPDX-License-Identifier: BSD-3-Clause
import io

import numpy as np
import pytest

from sim.elements import memory_lines
from sim.runner import build, run
from sim.sweep import grid, sweep

POINTS = [
    *(
        {**point, "A_BITS": 16, "B_BITS": 32}
        for point in grid(
            CHANNELS=(1, 3), PE=(1, 3), ACC_BITS=(12, 22, 25), BASE_BITS=(0, 4, 6), SHIFT=(6, 16, 31)
        )
    ),
    *grid(
        CHANNELS=(6,), PE=(1, 2), ACC_BITS=(24,), BASE_BITS=(16,), SHIFT=(16, 20), A_BITS=(9,), B_BITS=(20,)
    ),
    {"CHANNELS": 3, "PE": 1, "ACC_BITS": 32, "BASE_BITS": 4, "SHIFT": 4, "A_BITS": 16, "B_BITS": 32},
    {"CHANNELS": 1, "PE": 1, "ACC_BITS": 20, "BASE_BITS": 0, "SHIFT": 0, "A_BITS": 16, "B_BITS": 32},
]


def constants(point, extreme):
    """Return slopes and offsets like those of golden.random_networks, as memory and for golden."""
    rng = np.random.default_rng(extreme)
    channels, pe, a_bits, b_bits = (point[k] for k in ("CHANNELS", "PE", "A_BITS", "B_BITS"))
    a_limit, b_limit = 1 << (a_bits - 1), 1 << (b_bits - 1)
    if extreme:
        a = rng.choice((-a_limit, -1, 0, 1, a_limit - 1), channels)
        b = rng.choice((-b_limit, 0, b_limit - 1), channels)
    else:
        # slopes that keep the residual within some grey levels, so that not every pixel is black or white
        a = rng.integers(-a_limit, a_limit, channels) >> min(
            max(0, point["ACC_BITS"] - point["SHIFT"]), a_bits - 1
        )
        half = 1 << point["SHIFT"] >> 1
        b = np.clip(rng.integers(-4, 5, channels) * (1 << point["SHIFT"]) + half, -b_limit, b_limit - 1)
    beats = channels // pe
    rounded = 1 << (beats - 1).bit_length()
    words = [0] * (rounded * pe)
    for c in range(channels):
        word = (int(b[c]) & (2 * b_limit - 1)) << a_bits | int(a[c]) & (2 * a_limit - 1)
        words[c % pe * rounded + c // pe] = word
    archive = io.BytesIO()
    np.savez(archive, a=a, b=b)
    return {"const.mem": memory_lines(words, a_bits + b_bits), "constants.npz": archive.getvalue()}


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(
    "point", sweep(POINTS, 5, lambda p: p["CHANNELS"] % p["PE"] == 0 and p["SHIFT"] >= p["BASE_BITS"])
)
def test_output_stage(point, extreme):
    run(build("output_stage", point), "sim.tb_output_stage", files=constants(point, extreme))
