# SPDX-License-Identifier: BSD-3-Clause
"""The operator library as data: for every module, parameters that show what it does and what it costs.

`lint` points are small: structure does not depend on size. `synth` points are the grid of `make synth-ops`,
around the foldings of the networks in `models/`: 32 or 64 channels, frames up to 640 pixels wide, 1280 after
upsampling.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product

Parameters = dict[str, int | str]


def grid(**axes: tuple) -> tuple[Parameters, ...]:
    """Return the product of parameter values."""
    return tuple(dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


@dataclass(frozen=True)
class Entry:
    """One module of the library.

    Attributes:
        lint: parameters for the linters.
        synth: parameters for the table of areas; empty for modules that only exist inside others.
        memory: the memory files that a point needs: name -> (words, bits of a word).
        bits: bits that a point must store in RAM by its function (not what a RAM rounds up to); 0 where the
            question makes no sense.
        macs: binary multiply-accumulates per cycle.
        streaming: whether its ports are streams, so that no combinational path may run through it.
        text: name of the memory file that a point with WEIGHT_STYLE "lut" hands over as parameter WEIGHTS.
    """

    lint: tuple[Parameters, ...]
    synth: tuple[Parameters, ...] = ()
    memory: Callable[[Mapping], dict[str, tuple[int, int]]] = field(default=lambda p: {})
    bits: Callable[[Mapping], int] = field(default=lambda p: 0)
    macs: Callable[[Mapping], int] = field(default=lambda p: 0)
    streaming: bool = True
    text: str = ""

    def complete(self, parameters: Mapping) -> Parameters:
        """Return a point with the parameters that follow from the contents of its memory files."""
        if self.text and parameters["WEIGHT_STYLE"] == "lut":
            return {**parameters, "WEIGHTS": self.files(parameters)[self.text].replace("\n", "")}
        return dict(parameters)

    def files(self, parameters: Mapping, seed: int = 0) -> dict[str, str]:
        """Return memory files with random contents for a point, as text for `$readmemh`."""
        rng = random.Random(seed)
        return {
            name: "".join(f"{rng.getrandbits(bits):0{(bits + 3) // 4}x}\n" for _ in range(words))
            for name, (words, bits) in self.memory(parameters).items()
        }


def _folds(p: Mapping) -> int:
    return p["CHANNELS"] // p["PE"]


def _rounded(words: int) -> int:
    return 1 << (words - 1).bit_length()


CATALOGUE: dict[str, Entry] = {
    "window": Entry(
        lint=(
            *grid(CHANNELS=(2,), P=(1, 2), BITS=(1,), PAD=(0,), MAX_WIDTH=(3,), DIM_BITS=(4,)),
            {"CHANNELS": 6, "P": 1, "BITS": 8, "PAD": -1, "MAX_WIDTH": 5, "DIM_BITS": 4},
        ),
        synth=(
            *grid(CHANNELS=(32,), P=(8, 32), BITS=(1,), MAX_WIDTH=(640, 1280)),
            *grid(CHANNELS=(64,), P=(64,), BITS=(1,), MAX_WIDTH=(640,)),
            *grid(CHANNELS=(3,), P=(3,), BITS=(8,), MAX_WIDTH=(640,)),
            *grid(CHANNELS=(32,), P=(8,), BITS=(8,), MAX_WIDTH=(1280,)),
        ),
        bits=lambda p: 2 * p["MAX_WIDTH"] * p["CHANNELS"] * p["BITS"],
    ),
    "xnor_mvu": Entry(
        lint=(
            *grid(MW=(6,), MH=(4,), SIMD=(3,), PE=(2, 4), WEIGHT_STYLE=("lut", "distributed", "block")),
            {"MW": 5, "MH": 4, "SIMD": 5, "PE": 2, "WEIGHT_STYLE": "lut"},
        ),
        synth=(
            *grid(MW=(576,), MH=(64,), SIMD=(64,), PE=(4,), WEIGHT_STYLE=("block",)),
            *grid(MW=(64,), MH=(64,), SIMD=(64,), PE=(4,), WEIGHT_STYLE=("lut", "block")),
            *grid(MW=(288,), MH=(32,), SIMD=(72,), PE=(1, 2, 4, 8), WEIGHT_STYLE=("lut",)),
            *grid(MW=(288,), MH=(32,), SIMD=(288,), PE=(1, 2), WEIGHT_STYLE=("lut", "block")),
        ),
        memory=lambda p: {"weights.mem": (p["MW"] * p["MH"] // p["SIMD"] // p["PE"], p["SIMD"] * p["PE"])},
        bits=lambda p: p["MW"] * p["MH"] if p["WEIGHT_STYLE"] == "block" else 0,
        macs=lambda p: p["SIMD"] * p["PE"],
        text="weights.mem",
    ),
    "int8_mvu": Entry(
        lint=(
            *grid(MW=(6,), MH=(4,), SIMD=(3, 6), PE=(1, 2), X_SIGNED=(0, 1), ACC_BITS=(20,), PACK=(0, 1)),
            {"MW": 6, "MH": 3, "SIMD": 2, "PE": 3, "X_SIGNED": 1, "ACC_BITS": 20, "WEIGHT_STYLE": "block"},
        ),
        synth=(
            *grid(MW=(27,), MH=(32,), SIMD=(27,), PE=(2,), X_SIGNED=(0,), ACC_BITS=(21,), PACK=(0, 1)),
            *grid(MW=(288,), MH=(3,), SIMD=(36,), PE=(3,), X_SIGNED=(1,), ACC_BITS=(24,), PACK=(0, 1)),
        ),
        memory=lambda p: {
            "weights.mem": (p["MW"] * p["MH"] // p["SIMD"] // p["PE"], 8 * p["SIMD"] * p["PE"]),
            "bias.mem": (p["MH"] // p["PE"], p["PE"] * p["ACC_BITS"]),
        },
        bits=lambda p: 8 * p["MW"] * p["MH"] if p.get("WEIGHT_STYLE") == "block" else 0,
    ),
    "requant": Entry(
        lint=(
            *grid(CHANNELS=(6,), PE=(1, 2, 6), IN_BITS=(9,), BITS=(4,), SHIFT=(0, 7), T_BITS=(10,)),
            {"CHANNELS": 3, "PE": 1, "IN_BITS": 8, "IN_SIGNED": 0, "BITS": 12, "SHIFT": 31, "T_BITS": 10},
        ),
        synth=(
            *(
                {**point, "SHIFT": 14, "A_BITS": 16, "B_BITS": 28, "T_BITS": point["IN_BITS"] + 1}
                for point in grid(CHANNELS=(32,), PE=(1, 2), IN_BITS=(10, 22), BITS=(12,))
            ),
        ),
        memory=lambda p: {
            "threshold.mem": (_folds(p), p["PE"] * p["T_BITS"]),
            "const.mem": (2 * p["PE"] * _rounded(_folds(p)), p.get("A_BITS", 16) + p.get("B_BITS", 32)),
        },
    ),
    "output_stage": Entry(
        lint=grid(CHANNELS=(3,), PE=(1, 3), ACC_BITS=(12,), BASE_BITS=(4,), SHIFT=(4, 16)),
        synth=(
            *grid(CHANNELS=(3,), PE=(1, 3), ACC_BITS=(22,), BASE_BITS=(0, 4, 6), SHIFT=(16,), B_BITS=(26,)),
            *grid(CHANNELS=(1,), PE=(1,), ACC_BITS=(22,), BASE_BITS=(0,), SHIFT=(16,), B_BITS=(26,)),
        ),
        memory=lambda p: {
            "const.mem": (p["PE"] * _rounded(_folds(p)), p.get("A_BITS", 16) + p.get("B_BITS", 32))
        },
    ),
    "base": Entry(
        lint=grid(SCALE=(1, 2, 3, 4), CHANNELS=(3,), P=(1, 3), MAX_WIDTH=(5,), DIM_BITS=(4,)),
        synth=grid(SCALE=(1, 2, 3, 4), CHANNELS=(3,), P=(3,), MAX_WIDTH=(640,)),
        bits=lambda p: 2 * p["MAX_WIDTH"] * p["CHANNELS"] * 8 if p["SCALE"] > 1 else 0,
    ),
    "rsign": Entry(
        lint=grid(CHANNELS=(6,), PE=(1, 6), BITS=(4,)),
        synth=grid(CHANNELS=(32,), PE=(1, 2, 4, 8, 16, 32), BITS=(12,)),
        memory=lambda p: {"threshold.mem": (_folds(p), p["PE"] * (p["BITS"] + 1))},
    ),
    "pixel_shuffle": Entry(
        lint=grid(
            CHANNELS=(2,), FACTOR=(2, 3), P=(1, 2), BITS=(3,), MAX_WIDTH=(3,), DIM_BITS=(4,), ORDER=(0, 1)
        ),
        synth=(
            *grid(CHANNELS=(32,), FACTOR=(2,), P=(2, 8), BITS=(12,), MAX_WIDTH=(320,)),
            *grid(CHANNELS=(32,), FACTOR=(3,), P=(4,), BITS=(12,), MAX_WIDTH=(320,)),
            *grid(CHANNELS=(3,), FACTOR=(2,), P=(1, 3), BITS=(22,), MAX_WIDTH=(640,)),
        ),
        bits=lambda p: p["MAX_WIDTH"] * p["CHANNELS"] * p["FACTOR"] ** 2 * p["BITS"],
    ),
    "nearest_up": Entry(
        lint=grid(
            CHANNELS=(2,), FACTOR=(2, 3), P=(1, 2), BITS=(3,), MAX_WIDTH=(3,), DIM_BITS=(4,), DEPTH=(9,)
        ),
        synth=tuple(
            {**point, "DEPTH": rows * point["MAX_WIDTH"] * point["CHANNELS"] // point["P"]}
            for point in grid(CHANNELS=(32,), FACTOR=(2,), P=(2, 8), BITS=(12,), MAX_WIDTH=(640,))
            for rows in (1, 2)
        ),
        bits=lambda p: p["DEPTH"] * p["P"] * p["BITS"],
    ),
    "repeat_channels": Entry(
        lint=(
            {"CHANNELS": 3, "OUT_CHANNELS": 8, "P": 1, "OUT_P": 1, "BITS": 4},
            {"CHANNELS": 3, "OUT_CHANNELS": 8, "P": 3, "OUT_P": 4, "BITS": 4},
            {"CHANNELS": 1, "OUT_CHANNELS": 4, "P": 1, "OUT_P": 4, "BITS": 2},
        ),
        synth=grid(CHANNELS=(3,), OUT_CHANNELS=(32,), P=(1, 3), OUT_P=(1, 2, 4), BITS=(12,)),
    ),
    "stream_join": Entry(
        lint=grid(PE=(2,), A_BITS=(4,), B_BITS=(5,), BITS=(3, 6)),
        synth=grid(PE=(1, 2, 4, 8, 16), A_BITS=(12,), B_BITS=(12,), BITS=(12,)),
    ),
    "stream_fork": Entry(
        lint=grid(WIDTH=(3,)),
        synth=grid(WIDTH=(12, 24, 48, 96, 192)),
    ),
    "stream_fifo": Entry(
        lint=grid(WIDTH=(3,), DEPTH=(2, 5), RAM_STYLE=("auto", "block", "distributed")),
        synth=(
            *grid(WIDTH=(24,), DEPTH=(2, 32, 64), RAM_STYLE=("distributed",)),
            *grid(WIDTH=(24, 36), DEPTH=(512, 1300, 2600), RAM_STYLE=("block",)),
        ),
        bits=lambda p: p["WIDTH"] * p["DEPTH"],
    ),
    "stream_width": Entry(
        lint=(
            {"IN_WIDTH": 6, "OUT_WIDTH": 2},
            {"IN_WIDTH": 2, "OUT_WIDTH": 6},
            {"IN_WIDTH": 4, "OUT_WIDTH": 4},
            {"IN_WIDTH": 4, "OUT_WIDTH": 6},
        ),
        synth=(
            *grid(IN_WIDTH=(2, 24), OUT_WIDTH=(48, 192)),
            *grid(IN_WIDTH=(48, 192), OUT_WIDTH=(2, 24)),
        ),
    ),
    "stream_skid": Entry(
        lint=grid(WIDTH=(1, 9)),
        synth=grid(WIDTH=(1, 8, 24, 72, 288)),
    ),
    "ram_sdp": Entry(
        lint=grid(STYLE=("auto", "block", "distributed"), WIDTH=(3,), DEPTH=(5,)),
        synth=(
            *grid(STYLE=("block",), WIDTH=(24, 72), DEPTH=(512, 640, 2048)),
            *grid(STYLE=("distributed",), WIDTH=(24,), DEPTH=(32, 128)),
        ),
        bits=lambda p: p["WIDTH"] * p["DEPTH"],
        streaming=False,
    ),
}
