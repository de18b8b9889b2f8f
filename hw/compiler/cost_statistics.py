# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of the modules for statistics of a whole image; see cost.py. Keys are the parameters in the RTL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw.compiler.cost_amounts import Amounts, add, clog2, ram_ff, ram_lut, selector, with_ram
from hw.compiler.cost_memory import place


def global_mean(p: Mapping) -> Amounts:
    """An adder for each element of a beat, two memories of sums, a divider, a FIFO of a vector."""
    channels, elements, dim = p["CHANNELS"], p["P"], p["DIM_BITS"]
    beats = channels // elements
    total = p["IN_BITS"] + 2 * dim
    steps = p["IN_BITS"] + p["SHIFT"] + 1
    width, beat, address = elements * total, clog2(beats), clog2(channels - 1)
    lut = {
        "exact": width,
        "lanes": total * selector(elements),
        "dim": dim,
        "steps": steps,
        "index": clog2(channels),
        "one": 1,
    }
    registers = elements * p["IN_BITS"] + 12 * dim + steps + clog2(steps) + 2 * p["BITS"] + 3 * beat
    registers += clog2(elements) + 2 * address + clog2(channels + 1) + 20
    # Yosys moves an address that is a single counter behind the memory of the initial means
    registers += p["BITS"] if elements == 1 or beats == 1 else 0
    ff = {"exact": registers}
    if channels > 2:
        queue = p["BITS"], 1 << address if channels <= 33 else channels - 1
        lut = add(lut, ram_lut(place(*queue, "distributed"), *queue))
    if beats == 1:
        return Amounts("global_mean", lut, {"exact": registers + 2 * width})
    memory = place(width, beats, p["RAM_STYLE"])
    size = width, beats
    lut = add(lut, *(ram_lut(memory, *size) for _ in range(2)))
    ff = add(ff, *(ram_ff(memory, *size) for _ in range(2)))
    return Amounts("global_mean", lut, ff, 2 * memory.bram18)


def repeat_pixels(p: Mapping) -> Amounts:
    """Two vectors in LUT RAM, or two registers; counters."""
    width, beats, dim = p["P"] * p["BITS"], p["CHANNELS"] // p["P"], p["DIM_BITS"]
    lut = {"dim": dim, "one": 1}
    if beats == 1:
        return Amounts("repeat_pixels.one", lut, {"exact": 2 * width + 6 * dim + 8})
    beat = clog2(beats)
    lut |= {"address": beat, "wrap": beat if beats & (beats - 1) else 0}
    ff = {"exact": 6 * dim + 2 * beat + 10}
    size = width, 2 << beat
    return with_ram("repeat_pixels", lut, ff, place(*size, "distributed"), size)


MODELS: dict[str, Callable[[Mapping], Amounts]] = {
    function.__name__: function for function in (global_mean, repeat_pixels)
}
