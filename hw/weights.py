# SPDX-License-Identifier: BSD-3-Clause
"""Memory files as constants: the parameter COLUMNS of xnor_rom.sv."""

from __future__ import annotations

import numpy as np

LEAST_DEPTH = 16


class Literal(str):
    """A constant of Verilog, "8'hff": the value of a parameter, not quoted as a text is."""


def columns(text: str, bits: int) -> Literal:
    """Return the words of a memory file, transposed.

    Args:
        text: a word per line, hexadecimal, as `$readmemh` reads it.
        bits: of a word.

    Returns:
        A constant whose bit j * DEPTH + k is bit j of word k; DEPTH is the number of words, rounded up to a
        power of two and to `LEAST_DEPTH`.
    """
    words = text.split()
    size = -(-bits // 8)
    rows = np.array([np.frombuffer(int(word, 16).to_bytes(size, "little"), np.uint8) for word in words])
    depth = max(LEAST_DEPTH, 1 << (len(words) - 1).bit_length())
    table = np.zeros((depth, bits), np.uint8)
    table[: len(words)] = np.unpackbits(rows, axis=1, bitorder="little")[:, :bits]
    packed = np.packbits(table.T.ravel(), bitorder="little")
    return Literal(f"{table.size}'h{packed[::-1].tobytes().hex()}")
