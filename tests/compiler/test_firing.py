# SPDX-License-Identifier: BSD-3-Clause
"""The firing rules against the modules in Verilator: every beat in its cycle, or a few beside it."""

import json
import math

import numpy as np
import pytest

from hw.compiler.firing import RULES, Stage, scan
from hw.compiler.timing import LATENCY, mvu_latency

DIM_BITS = 12


def test_scan_is_the_recurrence():
    rng = np.random.default_rng(1)
    for gap in (1, 3, 2.5, rng.integers(1, 5, 40).astype(float)):
        earliest = np.sort(rng.integers(0, 100, 40)).astype(float)
        gaps = np.broadcast_to(gap, 40)
        time, expected = 7.0, []
        for value, step in zip(earliest, gaps, strict=True):
            time = max(value, time + step)
            expected.append(math.ceil(time))
        np.testing.assert_array_equal(scan(earliest, gap, 7.0), expected)


def offers(rng, beats, mean):
    """Cycles in which beats are offered, at random, a burst here and there."""
    gaps = rng.integers(1, max(2, 2 * mean), beats) * (rng.random(beats) < 0.8) + 1
    return np.cumsum(gaps).astype(float) - gaps[0]


def compare(module, parameters, stage, ports, sizes, mean, off, files=None, pace=1.0):
    runner = pytest.importorskip("sim.runner", reason="Verilator and cocotb are not installed")
    rng = np.random.default_rng(3)
    ins, outs = ports
    pixels = sum(height * width for height, width in sizes)
    offered = [offers(rng, pixels * beats, mean) for beats in stage.in_beats]
    fired = RULES[stage.kind](stage, offered, sizes, pace)
    sized = "DIM_BITS" in parameters
    given = {
        "offered": {name: times.tolist() for name, times in zip(ins, offered, strict=True)},
        "taken": {name: times.tolist() for name, times in zip(ins, fired.taken, strict=True)},
        "results": {name: times.tolist() for name, times in zip(outs, fired.offered, strict=True)},
        "sizes": [height << DIM_BITS | width for height, width in sizes] if sized else [],
        "off": off,
    }
    compiled = runner.build(module, parameters)
    runner.run(compiled, "sim.tb_cycles", files={"cycles.json": json.dumps(given), **(files or {})})


def stage(kind, in_beats, out_beats, **options):
    ins = tuple(f"i{k}" for k in range(len(in_beats)))
    outs = tuple(f"o{k}" for k in range(len(out_beats)))
    return Stage("x", kind, ins, outs, in_beats, out_beats, (1,) * len(ins), (1,) * len(outs), **options)


ONE = (["s_axis"], ["m_axis"])
SIZES = [(4, 7), (4, 7), (1, 7), (3, 2), (1, 1), (2, 7), (5, 3)]


@pytest.mark.parametrize("mean", [1, 3])
@pytest.mark.parametrize(("channels", "per_beat"), [(4, 4), (4, 1)])
def test_window(channels, per_beat, mean):
    parameters = {"CHANNELS": channels, "P": per_beat, "BITS": 1, "MAX_WIDTH": 7, "DIM_BITS": DIM_BITS}
    beats = channels // per_beat
    compare("window", parameters, stage("Window", (beats,), (beats,)), ONE, SIZES, mean, 2)


@pytest.mark.parametrize(
    ("simd", "pe", "mean"), [(36, 2, 1), (36, 2, 5), (9, 2, 1), (9, 2, 4), (9, 8, 1), (9, 8, 2)]
)
def test_xnor_mvu(simd, pe, mean):
    parameters = {"MW": 36, "MH": 8, "SIMD": simd, "PE": pe, "WEIGHT_STYLE": "block"}
    steps, passes = 36 // simd, 8 // pe
    unit = stage(
        "XnorMVU", (steps,), (passes,), passes=passes, latency=mvu_latency("XnorMVU", steps, simd, parameters)
    )
    words = {"weights.mem": "0\n" * (steps * passes)}
    compare("xnor_mvu", parameters, unit, ONE, [(5, 6)], mean, 0, words)


@pytest.mark.parametrize(("simd", "pe", "pack"), [(36, 1, 1), (9, 1, 0), (1, 3, 1), (2, 1, 0)])
def test_int8_mvu(simd, pe, pack):
    parameters = {"MW": 36, "MH": 3, "SIMD": simd, "PE": pe, "X_SIGNED": 1, "ACC_BITS": 20, "PACK": pack}
    steps, passes = 36 // simd, 3 // pe
    unit = stage(
        "Int8MVU", (steps,), (passes,), passes=passes, latency=mvu_latency("Int8MVU", steps, simd, parameters)
    )
    words = {"weights.mem": "0\n" * (steps * passes)}
    compare("int8_mvu", parameters, unit, ONE, [(5, 6)], 2, 0, words)


@pytest.mark.parametrize("mean", [1, 3])
@pytest.mark.parametrize(("per_beat", "order"), [(1, 1), (2, 0)])
def test_pixel_shuffle(per_beat, order, mean):
    parameters = {
        "CHANNELS": 2, "FACTOR": 2, "P": per_beat, "BITS": 4, "MAX_WIDTH": 7,
        "DIM_BITS": DIM_BITS, "ORDER": order,
    }  # fmt: skip
    beats = 2 // per_beat
    unit = stage(
        "PixelShuffle", (4 * beats,), (beats,), factor=2, details={"block": 2 * beats, "order": order}
    )
    sizes = [(4, 7), (4, 7), (2, 7), (3, 5), (3, 5)]
    compare("pixel_shuffle", parameters, unit, ONE, sizes, mean, 6)


@pytest.mark.parametrize("mean", [1, 6])
@pytest.mark.parametrize(("factor", "depth"), [(2, 14), (3, 40)])
def test_nearest_up(factor, depth, mean):
    parameters = {
        "CHANNELS": 4, "FACTOR": factor, "P": 2, "BITS": 4, "MAX_WIDTH": 7,
        "DIM_BITS": DIM_BITS, "DEPTH": depth,
    }  # fmt: skip
    unit = stage("NearestUp", (2,), (2,), factor=factor, details={"depth": depth})
    compare("nearest_up", parameters, unit, ONE, SIZES, mean, 0)


@pytest.mark.parametrize("mean", [1, 5])
@pytest.mark.parametrize(("scale", "per_beat"), [(2, 3), (3, 3)])
def test_base(scale, per_beat, mean):
    parameters = {"SCALE": scale, "CHANNELS": 3, "P": per_beat, "MAX_WIDTH": 7, "DIM_BITS": DIM_BITS}
    beats = 3 // per_beat
    unit = stage("Base", (beats,), (beats,), factor=scale)
    sizes = [(4, 7), (4, 7), (3, 5), (5, 7)]
    compare("base", parameters, unit, ONE, sizes, mean, 10)


@pytest.mark.parametrize("mean", [1, 4])
@pytest.mark.parametrize(("before", "after"), [(2, 6), (6, 2), (6, 4)])
def test_width_converter(before, after, mean):
    unit = stage("WidthConverter", (12 // before,), (12 // after,))
    parameters = {"IN_WIDTH": before, "OUT_WIDTH": after}
    compare("stream_width", parameters, unit, ONE, [(4, 4)], mean, 0)


@pytest.mark.parametrize("mean", [1, 5])
@pytest.mark.parametrize(("per_beat", "out_per_beat"), [(1, 4), (3, 2)])
def test_repeat_channels(per_beat, out_per_beat, mean):
    parameters = {"CHANNELS": 3, "OUT_CHANNELS": 8, "P": per_beat, "OUT_P": out_per_beat, "BITS": 5}
    unit = stage("RepeatChannels", (3 // per_beat,), (8 // out_per_beat,))
    compare("repeat_channels", parameters, unit, ONE, [(4, 4)], mean, 0)


@pytest.mark.parametrize("mean", [1, 3])
@pytest.mark.parametrize("factors", [4, 1])
def test_multiply(factors, mean):
    parameters = {
        "CHANNELS": 4,
        "G_CHANNELS": factors,
        "PE": 1,
        "X_BITS": 5,
        "G_BITS": 4,
        "SHIFT": 3,
        "BITS": 5,
    }
    unit = stage("Multiply", (4, factors), (4,), latency=LATENCY["Multiply"])
    compare("stream_multiply", parameters, unit, (["s_x", "s_g"], ["m_axis"]), [(5, 6)], mean, 0)


def test_table():
    unit = stage("Table", (2,), (2,), latency=LATENCY["Table"])
    parameters = {"PE": 3, "IN_BITS": 2, "BITS": 4}
    compare("stream_table", parameters, unit, ONE, [(5, 6)], 2, 0, {"table.mem": "1\n2\n3\n4\n"})


@pytest.mark.parametrize(
    ("module", "kind", "parameters", "ports"),
    [
        ("stream_join", "Join", {"PE": 1, "A_BITS": 4, "B_BITS": 4, "BITS": 4}, (["s_a", "s_b"], ["m_axis"])),
        ("stream_compare", "Compare", {"PE": 1, "X_BITS": 4, "T_BITS": 5}, (["s_x", "s_t"], ["m_axis"])),
        ("stream_fork", "Fork", {"WIDTH": 4}, (["s_axis"], ["m_a", "m_b"])),
        ("stream_fifo", "Fifo", {"WIDTH": 4, "DEPTH": 9}, ONE),
    ],
)
def test_pipelines(module, kind, parameters, ports):
    unit = stage(kind, (1,) * len(ports[0]), (1,) * len(ports[1]), latency=LATENCY[kind])
    compare(module, parameters, unit, ports, [(6, 6)], 2, 0)
