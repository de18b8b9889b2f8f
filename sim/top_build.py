# SPDX-License-Identifier: BSD-3-Clause
"""Compile a stitched top module to a program that restores frames: Verilator around `sim/top_main.cpp`.

The popcounts are their behavioural twins (see xnor_popcount.sv), unless the structure itself is asked for.
"""

from __future__ import annotations

from pathlib import Path

from hw.compiler.top import Instance, Stream, Top, read_top
from sim import verilate

MAIN = Path(__file__).with_name("top_main.cpp")


def fifos(top: Top) -> list[Instance]:
    """Return the instances that have a high-water mark."""
    return [instance for instance in top.instances if instance.depth]


def signal(stream: Stream) -> str:
    """Return the signal of a stream as the probe sees it, without _tvalid and _tready."""
    return stream.signal if not (stream.source and stream.target) else f"u_top.{stream.signal}"


def probe(top: Top) -> str:
    """Return the module around the top: its ports, and what is inside whenever `look` rises.

    Ports:
        valid, ready: of stream i in bit i; the last one is s_size.
        moved: whether a beat moves in any stream.
        count, high_water: beats in FIFO i, and the most there have been, 32 bits each. The memory of a
            nearest_up has no count; it is 0.
    """
    inside, width = fifos(top), 2 * top.dim_bits
    streams = [*(signal(stream) for stream in top.streams), "s_size"]
    last, words = len(streams) - 1, max(32 * len(inside), 1) - 1
    lines = ["// SPDX-License-Identifier: BSD-3-Clause", "`default_nettype none", "module bitmend_probe ("]
    lines += ["    input wire logic clk, rst, look,"]
    for port, bits in (("s_size", width), ("s_axis", 8 * top.in_elements)):
        lines.append(f"    input wire logic [{bits - 1}:0] {port}_tdata, input wire logic {port}_tvalid,")
        lines.append(f"    output wire logic {port}_tready,")
    lines.append(f"    output wire logic [{8 * top.out_elements - 1}:0] m_axis_tdata,")
    lines.append("    output wire logic m_axis_tvalid, input wire logic m_axis_tready,")
    lines.append(f"    output logic [{last}:0] valid, ready, output wire logic moved,")
    lines.append(f"    output logic [{words}:0] count, high_water")
    lines += [
        ");",
        f"    {top.name} u_top (.taps_valid(), .taps_ready(), .*);",
        "    assign moved = |(valid & ready);",
    ]
    lines.append("    always @(posedge look) begin")
    for index, name in enumerate(streams):
        lines.append(f"        valid[{index}] <= {name}_tvalid;")
        lines.append(f"        ready[{index}] <= {name}_tready;")
    for index, fifo in enumerate(inside):
        counter = f"32'(u_top.{fifo.name}.count)" if fifo.module == "stream_fifo" else "32'd0"
        lines.append(f"        count[{32 * index} +: 32] <= {counter};")
        lines.append(f"        high_water[{32 * index} +: 32] <= 32'(u_top.{fifo.name}.high_water);")
    if not inside:
        lines += ["        count <= '0;", "        high_water <= '0;"]
    return "\n".join([*lines, "    end", "endmodule", "`default_nettype wire", ""])


def build(folder: Path, behavioural: bool = True) -> Path:
    """Compile the top module in a folder, or return the cached program.

    Args:
        folder: `stitched/` of a build.
        behavioural: with twins of the popcounts instead of their structure.

    Raises:
        BuildError: there is no top in the folder.
        ToolError: Verilator is missing, or the top does not compile.
    """
    top = read_top(folder)
    program = verilate.Program(
        name=top.name,
        top="bitmend_probe",
        main=MAIN,
        sources=[folder / source for source in top.sources],
        texts={"bitmend_probe.sv": probe(top)},
        include=[folder],
        macros={
            "IN_ELEMENTS": top.in_elements,
            "OUT_ELEMENTS": top.out_elements,
            "CHANNELS": top.channels,
            "DIM_BITS": top.dim_bits,
            "SCALE": top.scale,
            "STREAMS": len(top.streams) + 1,
            "FIFOS": len(fifos(top)),
        },
        behavioural=behavioural,
    )
    return verilate.build(program)
