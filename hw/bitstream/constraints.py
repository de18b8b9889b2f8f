# SPDX-License-Identifier: BSD-3-Clause
"""Clocks: what the board can make, and the constraints for the tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from hw.bitstream import BitstreamError
from hw.bitstream.design import Design

IO_PLL_HZ = 1_000_000_000
"""Of the PYNQ-Z1 and Z2 images: a 50 MHz crystal times 20. FCLK0 is it over two divisors of up to 63."""


def clocks() -> Iterator[tuple[float, int, int]]:
    """Yield (Hz, divisor 0, divisor 1) of every clock that FCLK0 can be, fastest first."""
    made = {d0 * d1: (d0, d1) for d1 in range(63, 0, -1) for d0 in range(63, d1 - 1, -1)}
    for product in sorted(made):
        yield IO_PLL_HZ / product, *made[product]


def divisors(clock_hz: int) -> tuple[int, int]:
    """Return the two divisors that make FCLK0 this clock.

    Raises:
        BitstreamError: there are none; the message names the clocks around it.
    """
    slower = faster = None
    for hz, d0, d1 in clocks():
        if abs(hz - clock_hz) <= 1:
            return d0, d1
        if hz > clock_hz:
            faster = hz
        elif slower is None:
            slower = hz
    near = " and ".join(f"{hz / 1e6:.6g}" for hz in (faster, slower) if hz)
    raise BitstreamError(f"FCLK0 cannot be {clock_hz / 1e6:.6g} MHz: the nearest it can be are {near} MHz")


def next_slower(mhz: float) -> float:
    """Return the fastest clock in MHz that FCLK0 can be and that is not faster than this."""
    return next(hz / 1e6 for hz, _, _ in clocks() if hz / 1e6 <= mhz)


def clock_net(netlist: Path) -> str:
    """Return the name of the net that the design's clock buffer drives.

    Args:
        netlist: JSON of Yosys.

    Raises:
        BitstreamError: there is not exactly one BUFG.
    """
    modules = json.loads(netlist.read_text())["modules"]
    for module in modules.values():
        buffers = [cell for cell in module["cells"].values() if cell["type"] == "BUFG"]
        if len(buffers) == 1:
            bit = buffers[0]["connections"]["O"][0]
            names = [name for name, net in module["netnames"].items() if net["bits"] == [bit]]
            return min(names, key=lambda name: (name.startswith("$"), name.count("."), len(name)))
    raise BitstreamError(f"{netlist}: expected one BUFG, which drives the clock; see bitmend_top")


def nextpnr_xdc(design: Design, net: str) -> str:
    """Return the constraints for nextpnr: the clock. There are no pins: the processor's are fixed."""
    return f"create_clock -period {design.period_ns:.3f} [get_nets {net}]\n"


def vivado_xdc(design: Design) -> str:
    """Return the constraints for Vivado: the clock at the pin of the processor where it starts."""
    pin = "get_pins -hierarchical -filter {REF_PIN_NAME == FCLKCLK[0]}"
    return f"create_clock -name fclk0 -period {design.period_ns:.3f} [{pin}]\n"
