# SPDX-License-Identifier: BSD-3-Clause
"""The backend "pynq": the accelerator on a Zynq board with a PYNQ image (v3.0.1, v3.1).

The bitstream is loaded by `pynq.Overlay`, which sets the clock from the .hwh beside it; registers are a
`pynq.MMIO` of the IP that the .hwh names, memory comes from `pynq.allocate`. Nothing of PYNQ is imported
before a backend is opened.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from golden import IntegerNetwork
from host import RestoreError
from host import registers as reg
from host.backend import Options
from host.backend_board import AcceleratorBackend
from host.design import Design, load_design

IP_TYPE = "bitmend.org:bitmend:restorer:"
"""Vendor, library and name of the IP in the .hwh, without its version."""

_SLACK = 0.25  # seconds that Linux may give to others
_CLOCK_TOLERANCE = 0.01

_AFI0, _AFI_CONTROLS = 0xF8008000, (0x00, 0x14)
"""AFI0 is what lies between HP0 and the memory: RDCHAN_CTRL and WRCHAN_CTRL, bit 0 of which makes it 32 bits
wide (Zynq-7000 TRM, UG585, register AFI_RDCHAN_CTRL)."""


class PynqBuffer:
    """See `host.port.Buffer`."""

    def __init__(self, memory: Any):
        self._memory = memory
        self.array = np.asarray(memory)  # slices of PYNQ's own class carry its book-keeping
        self.address = int(memory.device_address)

    def flush(self) -> None:
        """See `host.port.Buffer`."""
        self._memory.flush()

    def invalidate(self) -> None:
        """See `host.port.Buffer`."""
        self._memory.invalidate()

    def free(self) -> None:
        """See `host.port.Buffer`."""
        self.array = np.empty(0, np.uint8)
        if self._memory is not None:
            self._memory.freebuffer()
            self._memory = None


class PynqPort:
    """See `host.port.Port`."""

    slack = _SLACK

    def __init__(self, pynq: ModuleType, mmio: Any):
        self._pynq, self._mmio = pynq, mmio

    def read(self, offset: int) -> int:
        """See `host.port.Port`."""
        return int(self._mmio.read(offset))

    def write(self, offset: int, value: int) -> None:
        """See `host.port.Port`."""
        self._mmio.write(offset, int(value))  # PYNQ takes int, and nothing that is like one

    def allocate(self, size: int) -> PynqBuffer:
        """See `host.port.Port`. The memory is cached: without the cache, NumPy would be slow on it."""
        try:
            return PynqBuffer(self._pynq.allocate((size,), "u1", cacheable=True))
        except (RuntimeError, MemoryError, OSError) as error:
            raise RestoreError(
                f"no {size:,} bytes of contiguous memory are left ({_line(error)}): choose a smaller --tile, "
                "or end other programs and notebooks that use the board"
            ) from None

    def now(self) -> float:
        """See `host.port.Port`."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """See `host.port.Port`."""
        time.sleep(seconds)

    def close(self) -> None:
        """Nothing is held: the bitstream stays, and runs nothing."""


def find_bitstream(options: Options) -> Path | None:
    """Return the bitstream that was given, or that lies beside the model; None if there is none."""
    if options.bitstream is not None:
        return options.bitstream
    beside = options.model.with_suffix(".bit") if options.model is not None else None
    return beside if beside is not None and beside.is_file() else None


def available(options: Options) -> bool:
    """Whether PYNQ is installed and there is a bitstream for the model."""
    return importlib.util.find_spec("pynq") is not None and find_bitstream(options) is not None


def open_pynq(network: IntegerNetwork, options: Options) -> AcceleratorBackend:
    """Load the bitstream of a network, and return the backend on it.

    Raises:
        RestoreError: this is no PYNQ board, or there is no bitstream, or it is not that of the network.
    """
    bitstream = find_bitstream(options)
    if bitstream is None:
        model = options.model.name if options.model is not None else "the model"
        raise RestoreError(
            f"{model}: there is no bitstream of the same name beside it: give --bitstream FILE, or take the "
            "model of a deploy folder"
        )
    for path in (bitstream, bitstream.with_suffix(".hwh")):
        if not path.is_file():
            raise RestoreError(
                f"{path}: no such file; PYNQ needs the .bit and the .hwh of the same name beside each other: "
                "copy the whole deploy folder"
            )
    try:
        import pynq
    except ImportError as error:
        raise RestoreError(
            f"the backend pynq needs PYNQ ({error}): it runs on the board, with the Python of its image "
            "(sudo -E python3, or in Jupyter)"
        ) from None
    description = bitstream.with_suffix(".json")
    design = load_design(description) if description.is_file() else Design()
    port = PynqPort(pynq, _load(pynq, bitstream))
    _set_clock(pynq, port)
    return AcceleratorBackend(network, port, design, options, f"accelerator {bitstream.name} on the board")


def _load(pynq: ModuleType, bitstream: Path) -> Any:
    """Load a bitstream; return the MMIO of our IP in it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            overlay = pynq.Overlay(str(bitstream.resolve()))
    except PermissionError as error:
        raise RestoreError(f"{bitstream}: cannot be loaded ({_line(error)}): run as root, sudo -E") from None
    except Exception as error:  # PYNQ raises whatever comes: RuntimeError, OSError, KeyError of its parser
        hint = (
            "run as root, sudo -E"
            if "oot" in str(error)
            else "is this a PYNQ board, and the bitstream for it?"
        )
        raise RestoreError(f"{bitstream}: cannot be loaded ({_line(error)}): {hint}") from None
    for entry in overlay.ip_dict.values():
        if str(entry.get("type", "")).startswith(IP_TYPE):
            try:
                _widen(pynq)
                return pynq.MMIO(int(entry["phys_addr"]), int(entry["addr_range"]))
            except OSError as error:
                raise RestoreError(
                    f"registers cannot be reached ({_line(error)}): run as root, sudo -E"
                ) from None
    raise RestoreError(
        f"{bitstream.with_suffix('.hwh')}: names no IP {IP_TYPE}*, so the bitstream is not one of bitmend's"
    )


def _widen(pynq: ModuleType) -> None:
    """Have HP0 64 bits wide, as the accelerator is. Boards start with it so; other software may not."""
    afi = pynq.MMIO(_AFI0, 0x1000)
    for offset in _AFI_CONTROLS:
        value = int(afi.read(offset))
        if value & 1:
            afi.write(offset, value & ~1)


def _set_clock(pynq: ModuleType, port: PynqPort) -> None:
    """Check that the clock is the one that the design was built for; else set it."""
    if port.read(reg.ID) != reg.MAGIC:
        return  # said by the accelerator's own checks
    wanted = port.read(reg.CLOCK_HZ) / 1e6
    if abs(pynq.Clocks.fclk0_mhz - wanted) > _CLOCK_TOLERANCE * wanted:
        pynq.Clocks.fclk0_mhz = wanted
    actual = pynq.Clocks.fclk0_mhz
    if actual > (1 + _CLOCK_TOLERANCE) * wanted:
        raise RestoreError(
            f"the logic's clock is {actual:.1f} MHz and cannot be set to {wanted:.1f} MHz, for which the "
            "design was built: start the board again"
        )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
