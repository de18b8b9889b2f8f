# SPDX-License-Identifier: BSD-3-Clause
"""Setup times and clock-to-output delays of the hard blocks of a -1 device, in ns.

Source        Project X-Ray's timings (zynq7/timings/DSP_L.sdf, BRAM_L.sdf, PSS2.sdf), slow corner, the
              largest of a bus.
Used          by `timing`, since nextpnr's own timing analysis leaves out DSP48E1, PS7 and most of RAMB36E1.
"""

from __future__ import annotations

from collections.abc import Mapping

SEQUENTIAL = {
    "SLICE_FFX": {"CK"},
    "RAMB18E1_RAMB18E1": {"CLKARDCLK", "CLKBWRCLK", "REGCLKARDRCLK", "REGCLKB"},
    "RAMB36E1_RAMB36E1": {
        *(
            f"{clock}{half}"
            for clock in ("CLKARDCLK", "CLKBWRCLK", "REGCLKARDRCLK", "REGCLKB")
            for half in "LU"
        )
    },
    "DSP48E1_DSP48E1": {"CLK"},
    "PS7_PS7": {"MAXIGP0ACLK", "SAXIHP0ACLK"},
}
"""Cell types whose inputs end a path and whose outputs start one, with their clock pins."""

LUT_RAM_SETUP, LUT_RAM_OUT = 0.6, 1.4
CARRY = 0.66
"""From DI or CYINIT of a CARRY4 to any output, where nextpnr writes none."""

_DSP_SETUP = (
    ("ALUMODE", 1.978),
    ("OPMODE", 2.209),
    ("CARRYINSEL", 1.793),
    ("CARRYIN", 1.298),
    ("CARRYCAS", 1.028),
    ("PCIN", 1.400),
    ("MULTSIGN", 1.400),
    ("ACIN", 0.319),
    ("BCIN", 0.352),
    ("CE", 0.665),
    ("RST", 0.686),
)


def setup(kind: str, pin: str, parameters: Mapping[str, str]) -> float:
    """Return how long before the clock an input must be stable.

    Args:
        kind: type of the cell, of `SEQUENTIAL`.
        pin: of the cell.
        parameters: of the cell in Yosys' netlist.
    """
    if kind == "DSP48E1_DSP48E1":
        return _dsp_setup(pin, parameters)
    if kind == "PS7_PS7":
        return 1.038
    if kind.startswith("RAMB"):
        return 0.737 if pin.startswith("DI") else 0.566
    return 0.1


def clock_to_out(kind: str, pin: str, parameters: Mapping[str, str]) -> float:
    """Return how long after the clock an output is stable; the arguments are those of `setup`."""
    if kind == "DSP48E1_DSP48E1":
        if _number(parameters, "PREG"):
            return 0.478 if pin.startswith("PCOUT") else 0.434
        return 2.500 if _number(parameters, "MREG") else 5.666
    if kind == "PS7_PS7":
        return 1.507
    if kind.startswith("RAMB"):
        port = "B" if pin.startswith(("DOB", "DOPB")) else "A"
        return 0.882 if _number(parameters, f"DO{port}_REG", 0) else 2.454
    return 0.518


def _dsp_setup(pin: str, parameters: Mapping[str, str]) -> float:
    for start, value in _DSP_SETUP:
        if pin.startswith(start):
            return value
    multiplier, adder = _number(parameters, "MREG"), _number(parameters, "ADREG")
    dport = "TRUE" in parameters.get("USE_DPORT", "FALSE")
    if pin.startswith("INMODE"):
        return 2.089 if adder else 3.372
    if pin.startswith("A"):
        if _number(parameters, "AREG"):
            return 0.362
        if dport:
            return 1.756 if adder else (3.288 if multiplier else 5.474)
        return 1.928 if multiplier else 4.114
    if pin.startswith("B"):
        return 0.450 if _number(parameters, "BREG") else (1.743 if multiplier else 3.929)
    if pin.startswith("C"):
        return 0.233 if _number(parameters, "CREG") else 2.093
    if pin.startswith("D"):
        return 0.413 if _number(parameters, "DREG") else (1.626 if adder else 3.158)
    return 1.0


def _number(parameters: Mapping[str, str], name: str, default: int = 1) -> int:
    value = parameters.get(name)
    return default if value is None else int(value, 2)
