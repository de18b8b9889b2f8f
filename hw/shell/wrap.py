# SPDX-License-Identifier: BSD-3-Clause
"""The two generated modules: the network in the shell, and that beside the processor of a Zynq-7000."""

from __future__ import annotations

from collections.abc import Iterator

from hw.compiler import BuildError
from hw.compiler.top import Top, tap_signals
from hw.shell.ports import BUSES, PS7_SIZE_BITS, Bus
from hw.shell.registers import OUTSTANDING, QUEUE_DEPTH

PL, TOP = "bitmend_pl", "bitmend_top"
"""Names of the modules."""

MOST_TAPS = 1024
"""What the address space of the counters has room for."""

LARGEST = {"scale": 15, "channels": 15}
"""What the fields of CONFIG have room for."""

_PADDING = 5
"""Slots of a round of the sampler without a tap, at least: see shell_sampler.sv."""


def parameters(top: Top, clock_hz: int, base_address: int) -> dict[str, int]:
    """Return the parameters of `bitmend_shell` around a network.

    Args:
        top: the network.
        clock_hz: clock of the design.
        base_address: of the registers.

    Raises:
        BuildError: the network does not go with the shell.
    """
    taps = len(tap_signals(top))
    limit = (1 << top.dim_bits) - 1
    for name, most in LARGEST.items():
        if not 1 <= getattr(top, name) <= most:
            raise BuildError(f"{top.name}: {name} is {getattr(top, name)}, the shell takes 1 to {most}")
    if max(top.in_elements, top.out_elements) > 8:
        raise BuildError(f"{top.name}: beats of more than 8 channels, the shell takes up to 8")
    if taps > MOST_TAPS:
        raise BuildError(f"{top.name}: {taps} streams, the shell has counters for {MOST_TAPS}")
    if top.max_width * top.scale > limit:
        raise BuildError(f"{top.name}: rows of {top.max_width * top.scale} pixels, expected up to {limit}")
    return {
        "SCALE": top.scale,
        "CHANNELS": top.channels,
        "IN_ELEMENTS": top.in_elements,
        "OUT_ELEMENTS": top.out_elements,
        "DIM_BITS": top.dim_bits,
        "MAX_WIDTH": top.max_width,
        "MAX_HEIGHT": limit // top.scale,
        "TAPS": taps,
        "PERIOD": sampler_period(taps),
        "QUEUE": QUEUE_DEPTH,
        "OUTSTANDING": OUTSTANDING,
        "CLOCK_HZ": clock_hz,
        "BASE": base_address,
    }


def sampler_period(taps: int) -> int:
    """Return the cycles from one visit of a tap to the next: a prime, as streams beat in small numbers."""
    period = taps + _PADDING
    while any(period % divisor == 0 for divisor in range(2, int(period**0.5) + 1)):
        period += 1
    return period


def pl_module(top: Top, values: dict[str, int]) -> str:
    """Write the network in the shell.

    Args:
        top: the network.
        values: parameters of the shell.
    """
    size, beat, result = 2 * top.dim_bits, 8 * top.in_elements, 8 * top.out_elements
    settings = {"HASH": f"256'h{top.hash}", **{name: _number(name, value) for name, value in values.items()}}
    lines = [
        "// SPDX-License-Identifier: BSD-3-Clause",
        f"// {PL}: {top.name} in the shell, written by hw.shell.generate, not by hand.",
        "// s_axil: the registers, m_axi: the pixels, both AXI3 as a Zynq-7000 has it. One clock.",
        "`default_nettype none",
        "",
        f"module {PL} (",
        "    input  wire logic        clk,",
        "    input  wire logic        rst,",
        *_ports(),
        ");",
        "    wire logic net_rst;",
        *_stream("size", size),
        *_stream("pixels", beat),
        *_stream("result", result),
        f"    wire logic [{values['TAPS'] - 1}:0] taps_valid, taps_ready;",
        "",
        "    bitmend_shell #(",
        *_joined(f".{name}({value})" for name, value in settings.items()),
        "    ) u_shell (",
        "        .clk(clk), .rst(rst),",
        *(f"        .{bus.port}_{name}({bus.port}_{name})," for bus in BUSES for name in bus.widths),
        "        .net_rst(net_rst),",
        f"        {_stream_pins('m_size', 'size')},",
        f"        {_stream_pins('m_pixels', 'pixels')},",
        f"        {_stream_pins('s_result', 'result')},",
        "        .taps_valid(taps_valid), .taps_ready(taps_ready)",
        "    );",
        "",
        f"    {top.name} u_network (",
        "        .clk(clk), .rst(net_rst),",
        f"        {_stream_pins('s_size', 'size')},",
        f"        {_stream_pins('s_axis', 'pixels')},",
        f"        {_stream_pins('m_axis', 'result')},",
        "        .taps_valid(taps_valid), .taps_ready(taps_ready)",
        "    );",
        "endmodule",
        "",
        "`default_nettype wire",
    ]
    return "\n".join(lines) + "\n"


def top_module() -> str:
    """Write the module beside the processor."""
    wires = [
        f"    wire logic {_width(bits)}{bus.port}_{name};"
        for bus in BUSES
        for name, bits in bus.widths.items()
    ]
    lines = [
        "// SPDX-License-Identifier: BSD-3-Clause",
        f"// {TOP}: the whole design for a Zynq-7000, written by hw.shell.generate, not by hand.",
        "//",
        "// The processor gives clock and reset, FCLK 0 of both; its port GP0 reaches the registers, HP0 the",
        "// memory. There are no pins: those of the processor are not part of the programmable logic.",
        "`default_nettype none",
        "",
        f"module {TOP} ();",
        "    wire logic [3:0] fclk, fclk_resetn;",
        "    wire logic       clk;",
        *wires,
        "",
        "    BUFG u_clock (.I(fclk[0]), .O(clk));",
        "",
        "    // FCLKRESETN comes from another clock: it reaches the logic after two flip-flops.",
        '    (* ASYNC_REG = "TRUE" *) logic [1:0] resetn = 2\'b00;',
        "    logic rst = 1'b1;",
        "    always_ff @(posedge clk) begin",
        "        resetn <= {resetn[0], fclk_resetn[0]};",
        "        rst    <= !resetn[1];",
        "    end",
        "",
        "    PS7 u_ps7 (",
        "        .FCLKCLK(fclk), .FCLKRESETN(fclk_resetn),",
        *(f"        .{bus.pins}ACLK(clk)," for bus in BUSES),
        "        .SAXIHP0RDISSUECAP1EN(1'b0), .SAXIHP0WRISSUECAP1EN(1'b0),",
        *_separated(_pin(bus, name, bits) for bus in BUSES for name, bits in bus.widths.items()),
        "    );",
        "",
        *(
            f"    assign {bus.port}_{name}[2] = 1'b0;"
            for bus in BUSES
            if not bus.shell_is_master
            for name in ("awsize", "arsize")
        ),
        "",
        f"    {PL} u_pl (",
        "        .clk(clk), .rst(rst),",
        *_separated(f"        .{bus.port}_{name}({bus.port}_{name})" for bus in BUSES for name in bus.widths),
        "    );",
        "endmodule",
        "",
        "`default_nettype wire",
    ]
    return "\n".join(lines) + "\n"


def _number(name: str, value: int) -> str:
    return f"32'h{value:08X}" if name == "BASE" else str(value)


def _width(bits: int) -> str:
    return "" if bits == 1 else f"[{bits - 1}:0] "


def _ports() -> Iterator[str]:
    yield ""
    names = [(bus, name) for bus in BUSES for name in bus.widths]
    for bus, name in names:
        way = "output" if bus.is_output(name) else "input "
        comma = "" if (bus, name) == names[-1] else ","
        yield f"    {way} wire logic {_width(bus.widths[name])}{bus.port}_{name}{comma}"


def _pin(bus: Bus, name: str, bits: int) -> str:
    part = f"[{PS7_SIZE_BITS - 1}:0]" if name.endswith("size") else ""
    return f"        .{bus.pins}{name.upper()}({bus.port}_{name}{part})"


def _stream(name: str, bits: int) -> Iterator[str]:
    yield f"    wire logic {_width(bits)}{name}_tdata;"
    yield f"    wire logic {name}_tvalid, {name}_tready;"


def _stream_pins(port: str, name: str) -> str:
    return ", ".join(f".{port}_{wire}({name}_{wire})" for wire in ("tdata", "tvalid", "tready"))


def _joined(items) -> list[str]:
    return [f"{line}" for line in _separated(f"        {item}" for item in items)]


def _separated(items) -> list[str]:
    lines = list(items)
    return [*(f"{line}," for line in lines[:-1]), lines[-1]]
