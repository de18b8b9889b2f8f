# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of the modules that store and move beats; see cost.py. Keys are the parameters in the RTL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import lcm

from hw.compiler.cost_amounts import Amounts, add, clog2, delay, selector, with_ram
from hw.compiler.cost_memory import place


def stream_skid(p: Mapping) -> Amounts:
    """Two registers and a multiplexer between them."""
    return Amounts("stream_skid", {"exact": p["WIDTH"], "one": 1}, {"exact": 2 * p["WIDTH"] + 2})


def stream_fork(p: Mapping) -> Amounts:
    """Three registers, two multiplexers."""
    return Amounts("stream_fork", {"exact": 2 * p["WIDTH"], "one": 1}, {"exact": 3 * p["WIDTH"] + 4})


def stream_join(p: Mapping) -> Amounts:
    """An adder, its register, saturation, a skid buffer."""
    wide = max(p["A_BITS"], p["B_BITS"])
    lut = {"sum": p["PE"] * wide, "result": p["PE"] * p["BITS"], "element": p["PE"], "one": 1}
    return Amounts("stream_join", lut, {"exact": p["PE"] * (wide + 1 + 2 * p["BITS"]) + 3})


def stream_fifo(p: Mapping) -> Amounts:
    """A skid buffer, or a memory with two addresses; and in any case a counter and its maximum."""
    width, depth = p["WIDTH"], p["DEPTH"]
    count = clog2(depth + 1)
    if depth == 2:
        return Amounts(
            "stream_fifo.skid", {"exact": width, "one": 1}, {"exact": 2 * width + 2, "count": 2 * count}
        )
    address = clog2(depth - 1)
    words = 1 << address if depth <= 33 else depth - 1
    style = p["RAM_STYLE"]
    if style == "auto":
        style = "distributed" if depth <= 33 or width * (depth - 1) <= 1024 else "block"
    lut = {"address": address, "count": count, "wrap": address if words & (words - 1) else 0, "one": 1}
    ff = {"exact": 2 * address + 2 * count + 3}
    return with_ram("stream_fifo", lut, ff, place(width, words, style), (width, words))


def _widen(narrow: int, wide: int) -> tuple[dict, dict]:
    index = max(1, clog2(wide // narrow))
    return {"index": index, "one": 1}, {"exact": wide + narrow + index + 2}


def _narrow(wide: int, narrow: int) -> tuple[dict, dict]:
    ratio = wide // narrow
    index = max(1, clog2(ratio))
    # many parts whose width is no power of two are found by a multiplication of the index
    uneven = narrow * ratio if ratio > 8 and narrow & (narrow - 1) else 0
    lut = {"select": narrow * selector(ratio), "narrow": narrow, "uneven": uneven, "index": index, "one": 1}
    return lut, {"exact": wide + 2 * narrow + index + 3}


def stream_width(p: Mapping) -> Amounts:
    """A skid buffer, a register that is filled in parts, one that is read in parts, or both."""
    wide, out = p["IN_WIDTH"], p["OUT_WIDTH"]
    if wide == out:
        return stream_skid({"WIDTH": wide})
    if out % wide == 0:
        return Amounts("stream_width.widen", *_widen(wide, out))
    if wide % out == 0:
        return Amounts("stream_width.narrow", *_narrow(wide, out))
    middle = lcm(wide, out)
    parts = _widen(wide, middle), _narrow(middle, out)
    return Amounts("stream_width.both", add(*(lut for lut, _ in parts)), add(*(ff for _, ff in parts)))


def ram_sdp(p: Mapping) -> Amounts:
    """A memory."""
    size = p["WIDTH"], p["DEPTH"]
    return with_ram("ram_sdp", {}, {}, place(*size, p["STYLE"]), size)


def window(p: Mapping) -> Amounts:
    """Two rows in memory, nine taps, two delay lines of a pixel, a skid buffer, counters."""
    slices, bits = p["CHANNELS"] // p["P"], p["P"] * p["BITS"]
    depth = max(2, p["MAX_WIDTH"] * slices)
    address, dim = clog2(depth), p["DIM_BITS"]
    # the centre of the middle row has no reset: its tap is the end of the delay line before it
    lines = delay(2 * bits, slices), delay(bits, slices + 1), delay(3 * bits, slices - 1)
    lut = {
        "exact": bits + sum(line[0] for line in lines),
        "address": address,
        "dim": dim,
        "adders": (slices.bit_count() - 1) * dim,
        "slice": clog2(slices),
        "one": 1,
    }
    ff = {
        "exact": 11 * bits + sum(line[1] for line in lines),
        "address": address,
        "dim": dim,
        "slice": clog2(slices),
        "slices": slices > 1,
        "one": 1,
    }
    return with_ram("window", lut, ff, place(2 * bits, depth, p["RAM_STYLE"]), (2 * bits, depth))


def pixel_shuffle(p: Mapping) -> Amounts:
    """A row in memory, three walks of addresses through it; two registers of a pixel if its order changes."""
    width = p["P"] * p["BITS"]
    block = p["FACTOR"] * p["CHANNELS"] // p["P"]
    depth = p["MAX_WIDTH"] * p["FACTOR"] * block
    address, dim = clog2(depth), p["DIM_BITS"]
    pixel = 0 if p["ORDER"] else p["CHANNELS"] * p["FACTOR"] ** 2 * p["BITS"]
    common = {"address": address, "place": clog2(block), "one": 1}
    lut = {"order": pixel, "ordered": pixel > 0, "dim": dim}
    ff = {"exact": width + 2 * pixel + 5 * dim, "ordered": pixel > 0}
    memory = place(width, depth, p["RAM_STYLE"])
    return with_ram("pixel_shuffle", add(common, lut), add(common, ff), memory, (width, depth))


def nearest_up(p: Mapping) -> Amounts:
    """A row or more in memory, and counters."""
    width, depth = p["P"] * p["BITS"], p["DEPTH"]
    beats = p["CHANNELS"] // p["P"]
    address, count, dim = clog2(depth), clog2(depth + 1), p["DIM_BITS"]
    common = {"count": count, "beat": clog2(beats), "one": 1}
    lut = {"address": address, "slices": address if beats > 1 else 0, "dim": dim}
    ff = {"exact": width + (4 if beats > 1 else 3) * address + 5 * dim}
    memory = place(width, depth, p["RAM_STYLE"])
    return with_ram("nearest_up", add(common, lut), add(common, ff), memory, (width, depth))


def repeat_channels(p: Mapping) -> Amounts:
    """A pixel that rotates, the one that arrives, a skid buffer."""
    pixel, bits = p["CHANNELS"] * p["BITS"], p["P"] * p["BITS"]
    beats, out_beats = p["CHANNELS"] // p["P"], p["OUT_CHANNELS"] // p["OUT_P"]
    rotates = p["OUT_P"] % p["CHANNELS"] != 0
    count = clog2(beats) + clog2(out_beats)
    lut = {
        "exact": bits,
        "loaded": pixel if rotates else 0,
        "count": clog2(out_beats),
        "beats": clog2(beats),
        "one": 1,
    }
    ff = {"exact": 2 * bits + 2 + pixel + 1 + (pixel - bits if beats > 1 else 0) + count}
    return Amounts("repeat_channels", lut, ff)


MODELS: dict[str, Callable[[Mapping], Amounts]] = {
    function.__name__: function
    for function in (
        *(stream_skid, stream_fork, stream_join, stream_fifo, stream_width, ram_sdp),
        *(window, pixel_shuffle, nearest_up, repeat_channels),
    )
}
