# SPDX-License-Identifier: BSD-3-Clause
"""The operator library as data: for every module, parameters that show what it does and what it costs.

`lint` points are small: structure does not depend on size. `synth` points are the grid of `make synth-ops`,
`hw/synth_grid.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hw.synth_grid import GRID, Parameters, grid
from hw.weights import columns


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
        columns: name of the memory file that a point with WEIGHT_STYLE "lut" hands over as COLUMNS too.
    """

    lint: tuple[Parameters, ...]
    synth: tuple[Parameters, ...] = ()
    memory: Callable[[Mapping], dict[str, tuple[int, int]]] = field(default=lambda p: {})
    bits: Callable[[Mapping], int] = field(default=lambda p: 0)
    macs: Callable[[Mapping], int] = field(default=lambda p: 0)
    streaming: bool = True
    columns: str = ""

    def complete(self, parameters: Mapping) -> Parameters:
        """Return a point with the parameters that follow from the contents of its memory files."""
        if self.columns and parameters["WEIGHT_STYLE"] == "lut":
            bits = self.memory(parameters)[self.columns][1]
            return {**parameters, "COLUMNS": columns(self.files(parameters)[self.columns], bits)}
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
        synth=GRID["window"],
        lint=(
            *grid(CHANNELS=(2,), P=(1, 2), BITS=(1,), PAD=(0,), MAX_WIDTH=(3,), DIM_BITS=(4,)),
            {"CHANNELS": 6, "P": 1, "BITS": 8, "PAD": -1, "MAX_WIDTH": 5, "DIM_BITS": 4},
        ),
        bits=lambda p: 2 * p["MAX_WIDTH"] * p["CHANNELS"] * p["BITS"],
    ),
    "xnor_mvu": Entry(
        synth=GRID["xnor_mvu"],
        lint=(
            *grid(MW=(6,), MH=(4,), SIMD=(3,), PE=(2, 4), WEIGHT_STYLE=("lut", "distributed", "block")),
            {"MW": 5, "MH": 4, "SIMD": 5, "PE": 2, "WEIGHT_STYLE": "lut"},
        ),
        memory=lambda p: {"weights.mem": (p["MW"] * p["MH"] // p["SIMD"] // p["PE"], p["SIMD"] * p["PE"])},
        bits=lambda p: p["MW"] * p["MH"] if p["WEIGHT_STYLE"] == "block" else 0,
        macs=lambda p: p["SIMD"] * p["PE"],
        columns="weights.mem",
    ),
    "int8_mvu": Entry(
        synth=GRID["int8_mvu"],
        lint=(
            *grid(MW=(6,), MH=(4,), SIMD=(3, 6), PE=(1, 2), X_SIGNED=(0, 1), ACC_BITS=(20,), PACK=(0, 1)),
            {"MW": 6, "MH": 3, "SIMD": 2, "PE": 3, "X_SIGNED": 1, "ACC_BITS": 20, "WEIGHT_STYLE": "block"},
            {"MW": 6, "MH": 2, "SIMD": 1, "PE": 1, "X_SIGNED": 1, "ACC_BITS": 20, "PACK": 0, "NARROW": 1},
        ),
        memory=lambda p: {
            "weights.mem": (p["MW"] * p["MH"] // p["SIMD"] // p["PE"], 8 * p["SIMD"] * p["PE"]),
            "bias.mem": (p["MH"] // p["PE"], p["PE"] * p["ACC_BITS"]),
        },
        bits=lambda p: 8 * p["MW"] * p["MH"] if p.get("WEIGHT_STYLE") == "block" else 0,
    ),
    "requant": Entry(
        synth=GRID["requant"],
        lint=(
            *grid(CHANNELS=(6,), PE=(1, 2, 6), IN_BITS=(9,), BITS=(4,), SHIFT=(0, 7), T_BITS=(10,)),
            {"CHANNELS": 3, "PE": 1, "IN_BITS": 8, "IN_SIGNED": 0, "BITS": 12, "SHIFT": 31, "T_BITS": 10},
            {"CHANNELS": 3, "PE": 1, "IN_BITS": 9, "BITS": 8, "OUT_SIGNED": 0, "SHIFT": 7, "T_BITS": 10},
        ),
        memory=lambda p: {
            "threshold.mem": (_folds(p), p["PE"] * p["T_BITS"]),
            "const.mem": (2 * p["PE"] * _rounded(_folds(p)), p.get("A_BITS", 16) + p.get("B_BITS", 32)),
        },
    ),
    "output_stage": Entry(
        synth=GRID["output_stage"],
        lint=grid(CHANNELS=(3,), PE=(1, 3), ACC_BITS=(12,), BASE_BITS=(4,), SHIFT=(4, 16)),
        memory=lambda p: {
            "const.mem": (p["PE"] * _rounded(_folds(p)), p.get("A_BITS", 16) + p.get("B_BITS", 32))
        },
    ),
    "base": Entry(
        synth=GRID["base"],
        lint=grid(SCALE=(1, 2, 3, 4), CHANNELS=(3,), P=(1, 3), MAX_WIDTH=(5,), DIM_BITS=(4,)),
        bits=lambda p: 2 * p["MAX_WIDTH"] * p["CHANNELS"] * 8 if p["SCALE"] > 1 else 0,
    ),
    "rsign": Entry(
        synth=GRID["rsign"],
        lint=grid(CHANNELS=(6,), PE=(1, 6), BITS=(4,)),
        memory=lambda p: {"threshold.mem": (_folds(p), p["PE"] * (p["BITS"] + 1))},
    ),
    "pixel_shuffle": Entry(
        synth=GRID["pixel_shuffle"],
        lint=grid(
            CHANNELS=(2,), FACTOR=(2, 3), P=(1, 2), BITS=(3,), MAX_WIDTH=(3,), DIM_BITS=(4,), ORDER=(0, 1)
        ),
        bits=lambda p: p["MAX_WIDTH"] * p["CHANNELS"] * p["FACTOR"] ** 2 * p["BITS"],
    ),
    "nearest_up": Entry(
        synth=GRID["nearest_up"],
        lint=grid(
            CHANNELS=(2,), FACTOR=(2, 3), P=(1, 2), BITS=(3,), MAX_WIDTH=(3,), DIM_BITS=(4,), DEPTH=(9,)
        ),
        bits=lambda p: p["DEPTH"] * p["P"] * p["BITS"],
    ),
    "repeat_channels": Entry(
        synth=GRID["repeat_channels"],
        lint=(
            {"CHANNELS": 3, "OUT_CHANNELS": 8, "P": 1, "OUT_P": 1, "BITS": 4},
            {"CHANNELS": 3, "OUT_CHANNELS": 8, "P": 3, "OUT_P": 4, "BITS": 4},
            {"CHANNELS": 1, "OUT_CHANNELS": 4, "P": 1, "OUT_P": 4, "BITS": 2},
        ),
    ),
    "global_mean": Entry(
        synth=GRID["global_mean"],
        lint=(
            *grid(CHANNELS=(6,), P=(1, 2, 6), IN_BITS=(4,), SHIFT=(1,), BITS=(4,), DIM_BITS=(3,)),
            *grid(CHANNELS=(2,), P=(1,), IN_BITS=(3,), SHIFT=(0, 2), BITS=(5,), DIM_BITS=(1,)),
            {"CHANNELS": 1, "P": 1, "IN_BITS": 2, "SHIFT": 15, "BITS": 16, "DIM_BITS": 2},
        ),
        memory=lambda p: {"initial.mem": (p["CHANNELS"], p["BITS"])},
        bits=lambda p: 2 * p["CHANNELS"] * (p["IN_BITS"] + 2 * p["DIM_BITS"]),
    ),
    "repeat_pixels": Entry(
        synth=GRID["repeat_pixels"],
        lint=grid(CHANNELS=(6,), P=(1, 2, 6), BITS=(3,), DIM_BITS=(1, 3)),
    ),
    "stream_join": Entry(
        synth=GRID["stream_join"],
        lint=grid(PE=(2,), A_BITS=(4,), B_BITS=(5,), BITS=(3, 6)),
    ),
    "stream_table": Entry(
        synth=GRID["stream_table"],
        lint=(
            *grid(PE=(1, 2), IN_BITS=(3,), BITS=(4,), TABLE_STYLE=("auto", "block", "distributed")),
            {"PE": 3, "IN_BITS": 2, "BITS": 5, "TABLE_STYLE": "auto"},
        ),
        memory=lambda p: {"table.mem": (1 << p["IN_BITS"], p["BITS"])},
        bits=lambda p: -(-p["PE"] // 2) * p["BITS"] << p["IN_BITS"],
    ),
    "stream_multiply": Entry(
        synth=GRID["stream_multiply"],
        lint=(
            *grid(
                CHANNELS=(6,), G_CHANNELS=(1, 6), PE=(2, 6), X_BITS=(4,), G_BITS=(5,), SHIFT=(0, 3), BITS=(4,)
            ),
            {"CHANNELS": 1, "G_CHANNELS": 1, "PE": 1, "X_BITS": 2, "G_BITS": 2, "SHIFT": 30, "BITS": 16},
        ),
    ),
    "stream_compare": Entry(
        synth=GRID["stream_compare"],
        lint=(*grid(PE=(2,), X_BITS=(4,), T_BITS=(3, 5)),),
    ),
    "stream_fork": Entry(
        synth=GRID["stream_fork"],
        lint=grid(WIDTH=(3,)),
    ),
    "stream_fifo": Entry(
        synth=GRID["stream_fifo"],
        lint=grid(WIDTH=(3,), DEPTH=(2, 5), RAM_STYLE=("auto", "block", "distributed")),
        bits=lambda p: p["WIDTH"] * p["DEPTH"],
    ),
    "stream_width": Entry(
        synth=GRID["stream_width"],
        lint=(
            {"IN_WIDTH": 6, "OUT_WIDTH": 2},
            {"IN_WIDTH": 2, "OUT_WIDTH": 6},
            {"IN_WIDTH": 4, "OUT_WIDTH": 4},
            {"IN_WIDTH": 4, "OUT_WIDTH": 6},
        ),
    ),
    "stream_skid": Entry(
        synth=GRID["stream_skid"],
        lint=grid(WIDTH=(1, 9)),
    ),
    "ram_sdp": Entry(
        synth=GRID["ram_sdp"],
        lint=grid(STYLE=("auto", "block", "distributed"), WIDTH=(3,), DEPTH=(5,)),
        bits=lambda p: p["WIDTH"] * p["DEPTH"],
        streaming=False,
    ),
}
