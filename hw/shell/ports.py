# SPDX-License-Identifier: BSD-3-Clause
"""The buses of the shell: their signals, and their pins at the processor of a Zynq-7000 (UG585)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bus:
    """An AXI3 bus between the shell and the processor.

    Attributes:
        port: prefix of its signals at the shell, "m_axi".
        pins: prefix of its pins at the PS7, "SAXIHP0".
        widths: bits of the signals, by name without prefix, in the order of the ports.
        shell_is_master: whether the shell is the master.
    """

    port: str
    pins: str
    widths: dict[str, int]
    shell_is_master: bool

    def is_output(self, signal: str) -> bool:
        """Whether the shell drives a signal."""
        from_master = signal[0] in "aw"  # addresses and data to write, not responses
        return from_master == (self.shell_is_master != signal.endswith("ready"))


def _channels(address: dict[str, int], identity: int, data: int) -> dict[str, int]:
    ids = {"id": identity} if identity else {}
    handshake = {"valid": 1, "ready": 1}
    last = {"last": 1}
    write = {**ids, "data": data, "strb": data // 8, **last, **handshake}
    response = {**ids, "resp": 2, **handshake}
    read = {**ids, "data": data, "resp": 2, **last, **handshake}
    parts = {
        "aw": {**ids, **address, **handshake},
        "w": write,
        "b": response,
        "ar": {**ids, **address, **handshake},
        "r": read,
    }
    return {channel + name: bits for channel, signals in parts.items() for name, bits in signals.items()}


CONTROL = Bus("s_axil", "MAXIGP0", _channels({"addr": 32, "len": 4, "size": 3, "burst": 2}, 12, 32), False)
"""The registers."""

MEMORY = Bus(
    "m_axi",
    "SAXIHP0",
    _channels(
        {"addr": 32, "len": 4, "size": 3, "burst": 2, "lock": 2, "cache": 4, "prot": 3, "qos": 4}, 6, 64
    ),
    True,
)
"""The pixels."""

BUSES = (CONTROL, MEMORY)

PS7_SIZE_BITS = 2
"""Bits of AxSIZE at the PS7; bit 2, 0 up to 64 bits of data, is left out there."""
