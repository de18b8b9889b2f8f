# SPDX-License-Identifier: BSD-3-Clause
"""The parameters for which the operators are synthesized: the grid of `make synth-ops`.

It surrounds what the compiler asks for. Networks have 3 channels at their ends and 12, 32 or 64 inside;
frames are 48 to 1280 pixels wide; streams have 12 bits, accumulators 10 to 24; a window hands P channels of 9
taps to its matrix-vector unit, so that SIMD is 9 * P. `hw.calibrate` fits the compiler's cost model to
the areas.
"""

from __future__ import annotations

from itertools import product

Parameters = dict[str, int | str]
DIM_BITS = 12


def grid(**axes: tuple) -> tuple[Parameters, ...]:
    """Return the product of parameter values."""
    return tuple(dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


def rows(names: str, values: str, **common: int | str) -> tuple[Parameters, ...]:
    """Return the points of a table: rows of values, between commas, under names; and in each `common`."""
    points = []
    for row in values.split(","):
        cells = (int(cell) if cell.isdigit() else cell for cell in row.split())
        points.append({**dict(zip(names.split(), cells, strict=True)), **common})
    return tuple(points)


_XNOR = {  # (MW, MH): SIMD x PE
    (108, 12): "9x1 9x4 9x12 18x1 18x2 18x4 36x1 36x3 36x6 54x2 108x1 108x4 108x12",
    (108, 48): "36x4 108x2",
    (288, 12): "36x2 72x3",
    (288, 32): "9x1 9x16 18x8 36x4 36x16 72x1 72x2 72x4 72x8 144x1 144x4 288x1 288x2 288x8",
    (288, 128): "72x8",
    (576, 64): "64x4 72x8 144x4",
}
_XNOR_BLOCK = {
    (108, 12): "9x1 36x2",
    (288, 32): "9x4 18x2 36x4 72x1 72x8 288x1 288x2",
    (576, 64): "64x4 72x4",
}


def _xnor(folds: dict[tuple[int, int], str], style: str) -> tuple[Parameters, ...]:
    return tuple(
        {"MW": mw, "MH": mh, "SIMD": int(simd), "PE": int(pe), "WEIGHT_STYLE": style}
        for (mw, mh), pairs in folds.items()
        for simd, pe in (pair.split("x") for pair in pairs.split())
    )


_PIXELS = {"X_SIGNED": 0, "ACC_BITS": 21}
_BYTES = {"X_SIGNED": 1, "ACC_BITS": 24}
_PACKINGS = ({"PACK": 0}, {"PACK": 1}, {"PACK": 1, "NARROW": 1})
_FOLDS = "MW MH SIMD PE"
_INT8 = (
    *(
        {**point, **packing}
        for packing in _PACKINGS
        for point in (
            *rows(_FOLDS, "27 32 9 2, 27 32 27 1, 27 32 27 2, 9 12 9 1", **_PIXELS),
            *rows(_FOLDS, "288 3 18 3, 288 3 36 3, 288 12 9 4, 108 12 36 2, 108 3 18 1", **_BYTES),
            *rows(_FOLDS, "108 12 9 1, 108 12 9 2", **_BYTES),
        )
    ),
    *(
        {**point, **packing, "WEIGHT_STYLE": "block"}
        for packing in _PACKINGS[::2]
        for point in (
            *rows(_FOLDS, "27 32 9 1", **_PIXELS),
            *rows(_FOLDS, "288 12 18 2", **_BYTES),
        )
    ),
    *rows(_FOLDS, "288 12 9 1, 288 16 9 1", PACK=0, **_BYTES),
    *({**point, "IN_BITS": 4} for point in rows(_FOLDS, "108 12 36 2, 108 3 36 1", **_BYTES)),
)

_REQUANT = (
    *grid(CHANNELS=(32,), PE=(1, 2), IN_BITS=(10, 22), SHIFT=(14,), A_BITS=(16,), B_BITS=(28,)),
    *rows(
        "CHANNELS PE IN_BITS SHIFT A_BITS B_BITS",
        "12 1 8 12 12 24, 12 4 8 12 14 24, 12 12 8 12 12 24, 32 1 12 12 12 24, 32 4 10 14 16 28, "
        "32 8 10 12 13 25, 32 16 10 14 14 26, 32 4 21 16 16 32, 32 4 12 12 12 24, 32 32 10 12 12 24, "
        "64 1 11 14 16 28, 64 4 11 14 14 26, 64 8 11 14 16 28, 64 16 11 12 13 25, 128 1 10 14 16 28, "
        "128 2 10 12 12 24, 128 4 10 14 14 26, 128 4 16 12 14 24, 48 4 8 14 14 26",
    ),
    *rows(
        "CHANNELS PE IN_BITS SHIFT A_BITS B_BITS CONST_STYLE",
        "32 2 10 14 16 28 block, 64 4 11 12 12 24 block, 128 2 10 12 12 24 distributed",
    ),
)

_ROWS = "CHANNELS FACTOR P BITS MAX_WIDTH"

GRID: dict[str, tuple[Parameters, ...]] = {
    "window": (
        *grid(CHANNELS=(32,), P=(8, 32), BITS=(1,), MAX_WIDTH=(640, 1280)),
        *grid(CHANNELS=(64,), P=(64,), BITS=(1,), MAX_WIDTH=(640,)),
        *grid(CHANNELS=(3,), P=(3,), BITS=(8,), MAX_WIDTH=(640,)),
        *grid(CHANNELS=(32,), P=(8,), BITS=(8,), MAX_WIDTH=(1280,)),
        *grid(CHANNELS=(12,), P=(1, 2, 3, 4, 6, 12), BITS=(1,), MAX_WIDTH=(320,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(32,), P=(1, 2, 4, 8, 16, 32), BITS=(1,), MAX_WIDTH=(640,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(64,), P=(1, 2, 4, 8, 16, 32, 64), BITS=(1,), MAX_WIDTH=(320,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(32,), P=(1, 4, 16, 32), BITS=(1,), MAX_WIDTH=(48,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(12,), P=(4, 12), BITS=(1,), MAX_WIDTH=(48, 1280), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(32,), P=(4, 16), BITS=(1,), MAX_WIDTH=(1280,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(3,), P=(1, 3), BITS=(8,), MAX_WIDTH=(48, 640), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(1,), P=(1,), BITS=(8,), MAX_WIDTH=(640,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(32,), P=(1, 2, 4), BITS=(8,), MAX_WIDTH=(320,), DIM_BITS=(DIM_BITS,)),
        *grid(CHANNELS=(12,), P=(2, 4), BITS=(8,), MAX_WIDTH=(48, 640), DIM_BITS=(DIM_BITS,)),
    ),
    "xnor_mvu": (
        *_xnor(_XNOR, "lut"),
        *grid(MW=(64,), MH=(64,), SIMD=(64,), PE=(4,), WEIGHT_STYLE=("lut", "block")),
        *_xnor(_XNOR_BLOCK, "block"),
    ),
    "int8_mvu": _INT8,
    "requant": tuple({**point, "BITS": 12, "T_BITS": point["IN_BITS"] + 1} for point in _REQUANT),
    "output_stage": (
        *grid(CHANNELS=(3,), PE=(1, 3), ACC_BITS=(22,), BASE_BITS=(0, 4, 6), SHIFT=(16,), B_BITS=(26,)),
        *grid(CHANNELS=(1,), PE=(1,), ACC_BITS=(22,), BASE_BITS=(0,), SHIFT=(16,), B_BITS=(26,)),
        *rows(
            "CHANNELS PE ACC_BITS BASE_BITS SHIFT A_BITS B_BITS",
            "3 1 12 4 12 12 24, 3 3 12 0 14 14 24, 3 1 20 16 20 16 32, 3 3 24 6 18 16 28, "
            "1 1 16 4 16 14 26, 3 3 18 16 16 12 26",
        ),
    ),
    "base": (
        *grid(SCALE=(1, 2, 3, 4), CHANNELS=(3,), P=(3,), MAX_WIDTH=(640,)),
        *grid(SCALE=(1, 2, 3, 4), CHANNELS=(3,), P=(1,), MAX_WIDTH=(320,), DIM_BITS=(DIM_BITS,)),
        *grid(SCALE=(2, 3, 4), CHANNELS=(3,), P=(3,), MAX_WIDTH=(48, 320), DIM_BITS=(DIM_BITS,)),
        *grid(SCALE=(2, 3, 4), CHANNELS=(1,), P=(1,), MAX_WIDTH=(48, 640), DIM_BITS=(DIM_BITS,)),
    ),
    "rsign": (
        *grid(CHANNELS=(32,), PE=(1, 2, 4, 8, 16, 32), BITS=(12,)),
        *grid(CHANNELS=(12,), PE=(1, 2, 3, 4, 6, 12), BITS=(12,)),
        *grid(CHANNELS=(64,), PE=(1, 2, 4, 8, 16), BITS=(12,)),
        *grid(CHANNELS=(32,), PE=(2, 4, 16), BITS=(8, 16)),
        *rows("CHANNELS PE BITS", "32 32 8, 64 64 12, 48 1 8, 96 2 12"),
        *grid(CHANNELS=(128,), PE=(1, 4, 8), BITS=(12,)),
    ),
    "pixel_shuffle": (
        *grid(CHANNELS=(32,), FACTOR=(2,), P=(2, 8), BITS=(12,), MAX_WIDTH=(320,)),
        *grid(CHANNELS=(32,), FACTOR=(3,), P=(4,), BITS=(12,), MAX_WIDTH=(320,)),
        *grid(CHANNELS=(3,), FACTOR=(2,), P=(1, 3), BITS=(22,), MAX_WIDTH=(640,)),
        *rows(
            _ROWS,
            "12 2 1 12 48, 12 2 4 12 160, 12 3 2 12 160, 12 2 12 10 320, 32 2 4 12 160, 32 2 16 12 160, "
            "3 2 1 10 48, 3 3 1 20 160, 3 3 3 20 320, 3 4 3 12 320, 64 2 8 12 160, 1 2 1 12 320",
        ),
        *rows(_ROWS, "3 2 1 12 48, 3 3 3 12 160", ORDER=0),
        *rows(_ROWS, "12 2 4 12 160", DIM_BITS=16),
    ),
    "nearest_up": tuple(
        {**point, "DEPTH": lines * point["MAX_WIDTH"] * point["CHANNELS"] // point["P"]}
        for lines, point in (
            *product((1, 2), grid(CHANNELS=(32,), FACTOR=(2,), P=(2, 8), BITS=(12,), MAX_WIDTH=(640,))),
            *product((1, 3), rows(_ROWS, "12 2 1 12 48, 12 2 4 12 160, 12 3 12 12 320")),
            *product((2,), rows(_ROWS, "32 2 1 12 48, 32 3 4 12 160, 32 2 16 12 160")),
            *product((1,), rows(_ROWS, "3 2 3 12 640, 64 2 4 12 48, 32 4 32 10 160")),
            *product((1,), rows(_ROWS, "12 2 4 12 160", DIM_BITS=16)),
        )
    ),
    "repeat_channels": (
        *grid(CHANNELS=(3,), OUT_CHANNELS=(32,), P=(1, 3), OUT_P=(1, 2, 4), BITS=(12,)),
        *grid(CHANNELS=(3,), OUT_CHANNELS=(12,), P=(1, 3), OUT_P=(4, 12), BITS=(12,)),
        *grid(CHANNELS=(3,), OUT_CHANNELS=(64,), P=(1, 3), OUT_P=(8,), BITS=(8,)),
        *grid(CHANNELS=(1,), OUT_CHANNELS=(12, 32), P=(1,), OUT_P=(1, 4), BITS=(12,)),
    ),
    "global_mean": (
        *rows(
            "CHANNELS P IN_BITS SHIFT BITS",
            "12 1 12 0 12, 12 4 12 0 12, 12 12 12 0 12, 32 1 12 0 12, 32 1 16 4 16, 32 4 12 0 12, "
            "32 4 16 0 16, 32 8 12 2 12, 32 16 12 0 12, 64 1 12 0 12, 64 4 14 0 12, 8 8 14 4 12",
            DIM_BITS=DIM_BITS,
        ),
        *rows("CHANNELS P IN_BITS SHIFT BITS", "32 2 12 0 12", DIM_BITS=DIM_BITS, RAM_STYLE="block"),
        *rows("CHANNELS P IN_BITS SHIFT BITS", "32 4 12 0 12, 4 4 16 0 12", DIM_BITS=10),
    ),
    "repeat_pixels": (
        *grid(CHANNELS=(12, 32), P=(1, 4), BITS=(12,), DIM_BITS=(DIM_BITS,)),
        *rows(
            "CHANNELS P BITS",
            "12 2 16, 12 12 12, 32 2 8, 32 8 12, 32 16 12, 32 32 1, 64 1 12, 64 2 16, 64 16 12, 3 3 12, "
            "128 1 12, 16 16 16",
            DIM_BITS=DIM_BITS,
        ),
        *rows("CHANNELS P BITS", "32 4 12, 8 8 12", DIM_BITS=10),
    ),
    "stream_join": (
        *grid(PE=(1, 2, 4, 8, 16), A_BITS=(12,), B_BITS=(12,), BITS=(12,)),
        *rows("A_BITS B_BITS BITS", "8 8 8, 16 16 16, 12 8 12, 10 10 12, 8 12 8", PE=4),
        *rows(
            "PE A_BITS B_BITS BITS",
            "1 8 8 8, 12 12 12 12, 2 16 12 16, 32 10 10 10",
        ),
    ),
    "stream_table": (
        *grid(PE=(1, 2, 4, 8, 16), IN_BITS=(10,), BITS=(12,), TABLE_STYLE=("auto",)),
        *rows("PE IN_BITS BITS", "3 10 12, 1 12 16, 2 12 16, 4 11 12, 1 10 16", TABLE_STYLE="auto"),
        *rows("PE IN_BITS BITS", "1 8 12, 4 8 12, 2 9 12, 1 9 16, 2 6 8, 4 4 12", TABLE_STYLE="auto"),
        *rows("PE IN_BITS BITS TABLE_STYLE", "2 8 12 block, 1 10 12 distributed, 2 10 12 distributed"),
    ),
    "stream_multiply": (
        *rows(
            "CHANNELS G_CHANNELS PE X_BITS G_BITS SHIFT BITS",
            "12 12 1 12 12 11 12, 12 1 4 12 12 11 12, 12 1 12 12 12 11 12, 32 32 2 12 12 11 12, "
            "32 1 4 12 12 11 12, 32 32 8 12 12 11 12, 32 1 16 12 12 11 12, 64 64 1 12 12 11 12, "
            "64 64 4 16 12 11 16, 64 1 8 12 12 7 16, 64 64 8 16 12 15 12, 64 1 16 16 16 15 16, "
            "32 32 4 16 16 15 12, 64 64 16 12 12 11 12, 1 1 1 12 12 11 12, 32 1 1 12 13 12 12, "
            "64 1 2 16 12 18 12, 32 32 1 16 12 11 16",
        ),
    ),
    "stream_compare": (
        *grid(PE=(1, 2, 4, 8, 16), X_BITS=(12,), T_BITS=(13,)),
        *rows("PE X_BITS T_BITS", "4 12 14, 8 12 15, 4 16 13, 4 16 16, 12 12 12, 32 12 13, 64 12 14"),
    ),
    "stream_fork": grid(WIDTH=(1, 4, 8, 12, 24, 32, 48, 96, 192, 384)),
    "stream_fifo": (
        *grid(WIDTH=(24,), DEPTH=(2, 32, 64), RAM_STYLE=("distributed",)),
        *grid(WIDTH=(24, 36), DEPTH=(512, 1300, 2600), RAM_STYLE=("block",)),
        *rows(
            "WIDTH DEPTH",
            "1 2, 12 2, 96 2, 384 2, 1 16, 12 4, 12 16, 12 32, 96 16, 384 33, 1 64, 1 1000, 8 100, "
            "8 129, 12 64, 12 86, 24 40, 24 64, 48 100, 12 200, 12 1000, 12 3000, 12 20000, "
            "24 5000, 24 20000, 48 2000, 96 512, 96 1280, 192 600, 384 300, 1 5000, 8 10000, "
            "32 4097, 1 20000",
        ),
    ),
    "stream_width": (
        *grid(IN_WIDTH=(2, 24), OUT_WIDTH=(48, 192)),
        *grid(IN_WIDTH=(48, 192), OUT_WIDTH=(2, 24)),
        *rows(
            "IN_WIDTH OUT_WIDTH",
            "12 24, 12 48, 12 144, 12 384, 1 4, 1 32, 8 24, 48 96, 24 96, 96 384, 24 12, 48 12, "
            "96 12, 144 12, 384 12, 4 1, 32 1, 24 8, 96 48, 192 48, 36 12, 72 12, 384 96, 384 48, "
            "24 36, 36 24, 48 36, 2 3, 12 32, 96 36, 36 48, 64 24, 18 12, 12 8, 144 96",
        ),
    ),
    "stream_skid": grid(WIDTH=(1, 8, 24, 72, 288)),
    "ram_sdp": (
        *grid(STYLE=("block",), WIDTH=(24, 72), DEPTH=(512, 640, 2048)),
        *grid(STYLE=("distributed",), WIDTH=(24,), DEPTH=(32, 128)),
        *rows(
            "WIDTH DEPTH",
            "8 16, 12 40, 16 64, 16 100, 64 48, 64 70, 24 300, 2 500, 2 1000, 36 1025, 27 1100, "
            "17 3000, 100 700, 12 9000, 1 40000, 200 520, 24 40960",
            STYLE="auto",
        ),
        *rows("WIDTH DEPTH", "10 70, 7 200, 40 33, 4 400", STYLE="distributed"),
    ),
}
