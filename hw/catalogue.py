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
    """

    lint: tuple[Parameters, ...]
    synth: tuple[Parameters, ...] = ()
    memory: Callable[[Mapping], dict[str, tuple[int, int]]] = field(default=lambda p: {})
    bits: Callable[[Mapping], int] = field(default=lambda p: 0)
    macs: Callable[[Mapping], int] = field(default=lambda p: 0)
    streaming: bool = True

    def files(self, parameters: Mapping, seed: int = 0) -> dict[str, str]:
        """Return memory files with random contents for a point, as text for `$readmemh`."""
        rng = random.Random(seed)
        return {
            name: "".join(f"{rng.getrandbits(bits):0{(bits + 3) // 4}x}\n" for _ in range(words))
            for name, (words, bits) in self.memory(parameters).items()
        }


CATALOGUE: dict[str, Entry] = {
    "ram_sdp": Entry(
        lint=grid(STYLE=("auto", "block", "distributed"), WIDTH=(3,), DEPTH=(5,)),
        synth=(
            *grid(STYLE=("block",), WIDTH=(12, 24, 36, 72), DEPTH=(512, 640, 1024, 2048)),
            *grid(STYLE=("distributed",), WIDTH=(24,), DEPTH=(16, 32, 64, 128)),
        ),
        bits=lambda p: p["WIDTH"] * p["DEPTH"],
        streaming=False,
    ),
    "stream_skid": Entry(
        lint=grid(WIDTH=(1, 9)),
        synth=grid(WIDTH=(1, 8, 24, 72, 288)),
    ),
}
