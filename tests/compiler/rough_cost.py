# SPDX-License-Identifier: BSD-3-Clause
"""A rough cost model, for tests that must not depend on calibration."""

from math import ceil

from hw.compiler.cost import Resources


def _ram(width, depth, style="auto"):
    """(LUTs, block RAMs of 18 kbit) of a memory."""
    if style == "distributed" or (style == "auto" and (depth <= 32 or width * depth <= 1024)):
        return 4 * ceil(width / 6) * ceil(depth / 32), 0
    shapes = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
    return 30, min(ceil(width / w) * ceil(depth / d) for w, d in shapes)


def rough(module, p):
    """Resources of a module, in the right order of magnitude and monotone in its folding."""
    lut, bram, dsp = 40, 0, 0
    match module:
        case "window":
            row_lut, bram = _ram(2 * p["P"] * p["BITS"], p["MAX_WIDTH"] * p["CHANNELS"] // p["P"])
            lut += 80 + 7 * p["P"] * p["BITS"] + row_lut
        case "xnor_mvu":
            words = p["MW"] * p["MH"] // (p["SIMD"] * p["PE"])
            block = p.get("WEIGHT_STYLE", "block") == "block"
            bram = _ram(p["SIMD"] * p["PE"], words, "block")[1] if block else 0
            lut += p["SIMD"] * p["PE"] + (0 if block else p["SIMD"] * p["PE"] * words // 64)
        case "int8_mvu":
            macs = p["SIMD"] * p["PE"]
            dsp = ceil(macs / 2) if p.get("PACK", 1) else macs
            lut += (20 if p.get("PACK", 1) else 8) * macs
        case "requant" | "output_stage":
            lut, dsp = 20 + 80 * p["PE"], p["PE"]
        case "rsign":
            lut = 10 + 8 * p["PE"]
        case "stream_join":
            lut = 10 + 24 * p["PE"]
        case "stream_fork":
            lut = 6 + 2 * p["WIDTH"]
        case "stream_width":
            lut = 10 + min(p["IN_WIDTH"], p["OUT_WIDTH"])
        case "stream_fifo":
            ram_lut, bram = _ram(p["WIDTH"], p["DEPTH"])
            lut = 30 + ram_lut
        case "pixel_shuffle":
            ram_lut, bram = _ram(
                p["P"] * p["BITS"], p["MAX_WIDTH"] * p["CHANNELS"] * p["FACTOR"] ** 2 // p["P"]
            )
            lut = 200 + p["P"] * p["BITS"] + ram_lut
        case "nearest_up":
            ram_lut, bram = _ram(p["P"] * p["BITS"], p["DEPTH"])
            lut = 150 + p["P"] * p["BITS"] + ram_lut
        case "base":
            ram_lut, bram = _ram(8 * p["P"], 3 * p["MAX_WIDTH"] * p["CHANNELS"] // p["P"])
            lut = 130 + 80 * p["P"] + ram_lut
        case "stream_table":
            bram = ceil(p["PE"] / 2)
        case "stream_multiply":
            lut, dsp = 20 + 20 * p["PE"], p["PE"]
        case "stream_compare":
            lut = 10 + 8 * p["PE"]
        case "global_mean":
            lut = 150 + 40 * p["P"]
        case "repeat_pixels":
            lut = 60 + 2 * p["P"] * p["BITS"]
        case "repeat_channels":
            lut = 30 + 2 * p["CHANNELS"] * p["BITS"]
        case _:
            raise AssertionError(f"no cost of {module}")
    return Resources(lut, 2 * lut, bram, dsp)
