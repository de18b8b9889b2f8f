# SPDX-License-Identifier: BSD-3-Clause
"""PYNQ's library on a board in Python: its own classes for registers and memory, or stand-ins for them."""

import importlib
import sys
import types
from importlib.machinery import PathFinder
from pathlib import Path

import numpy as np
import pytest
from fake_port import FakePort

from host.backend_pynq import IP_TYPE

BASE = 0x43C00000


class Registers:
    """What PYNQ maps: 32-bit words by their number, an array of NumPy otherwise."""

    def __init__(self, read, write):
        self.read, self.write = read, write

    def __getitem__(self, index):
        return np.uint32(self.read(4 * int(index)))

    def __setitem__(self, index, value):
        self.write(4 * int(index), int(value))


class Device:
    """What PYNQ's MMIO and buffers ask of a device."""

    def __init__(self, port):
        self.port = port
        self.afi = {0: 0xF01, 0x14: 0xF00}
        self.synced = []

    def has_capability(self, name):
        return name == "MEMORY_MAPPED"

    def mmap(self, base, length):
        if base == BASE:
            assert length == 0x10000
            return Registers(self.read, self.port.write)
        assert base == 0xF8008000
        return Registers(self.afi.__getitem__, self.afi.__setitem__)

    def read(self, offset):
        self.port.advance(1000)  # time passes on a board without anybody's doing
        return self.port.read(offset)

    def flush(self, bo, offset, pointer, size):
        self.synced.append(("flush", size))
        bo.flush()

    def invalidate(self, bo, offset, pointer, size):
        self.synced.append(("invalidate", size))
        bo.invalidate()


class StandInMMIO:
    def __init__(self, base_addr, length=4, device=None):
        self.array = device.mmap(base_addr, length)

    def read(self, offset=0, length=4, word_order="little"):
        return int(self.array[offset >> 2])

    def write(self, offset, data):
        if type(data) is not int:
            raise ValueError("Data type must be int or bytes.")
        self.array[offset >> 2] = data


class StandInBuffer(np.ndarray):
    def __new__(cls, shape, dtype, buffer, bo, device, device_address):
        self = super().__new__(cls, shape, dtype, buffer=buffer)
        self.bo, self.board, self.device_address = bo, device, device_address
        return self

    def flush(self):
        self.board.flush(self.bo, 0, 0, self.nbytes)

    def invalidate(self):
        self.board.invalidate(self.bo, 0, 0, self.nbytes)

    def freebuffer(self):
        self.bo.free()


class Clocks:
    fclk0_mhz = 100.0


def real_classes():
    """PYNQ's MMIO and PynqBuffer, without what importing it imports; it lies apart, see the Makefile."""
    folder = Path(sys.prefix) / "pynq" / "pynq"
    if not folder.is_dir():
        pytest.fail(f"PYNQ is not in {folder.parent}: run make setup")
    package = types.ModuleType("pynq")
    package.__path__ = [str(folder)]
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "pynq"}
    sys.modules["pynq"] = package
    try:
        mmio = importlib.import_module("pynq.mmio").MMIO
        buffer = importlib.import_module("pynq.buffer").PynqBuffer
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "pynq"]:
            del sys.modules[name]
        sys.modules.update(before)
    return mmio, type("PynqBuffer", (buffer,), {"device": None})  # since NumPy 2, arrays have a `device`


def fake_pynq(network, classes=None, ip_type=f"{IP_TYPE}1.0"):
    """A module like `pynq`, and the device behind it."""
    port = FakePort(network)
    device = Device(port)
    mmio, buffer = classes or (StandInMMIO, StandInBuffer)
    module = types.ModuleType("pynq")

    class Overlay:
        def __init__(self, bitfile_name, dtbo=None, download=True, ignore_version=False, device=None):
            if not isinstance(bitfile_name, str):
                raise TypeError("Bitstream name has to be a string.")
            assert Path(bitfile_name).is_absolute()
            module.loaded.append(bitfile_name)
            self.ip_dict = {
                "processing_system7_0": {"type": "xilinx.com:ip:processing_system7:5.5"},
                "bitmend_0": {"type": ip_type, "phys_addr": BASE, "addr_range": 0x10000},
            }

    def allocate(shape, dtype="u4", target=None, **kwargs):
        assert kwargs == {"cacheable": True}
        if np.dtype(dtype).itemsize * np.prod(shape) > module.memory:
            raise RuntimeError("Allocate failed: 4294967295")
        memory = port.allocate(int(np.prod(shape)))
        array = buffer(
            shape, dtype, buffer=memory.array, bo=memory, device=device, device_address=memory.address
        )
        if classes is not None:
            array.freebuffer = memory.free  # it would unmap what is not mapped
        return array

    module.Overlay, module.allocate, module.Clocks = Overlay, allocate, type("Clocks", (Clocks,), {})
    module.MMIO = lambda base, length: mmio(base, length, device=device)
    module.memory, module.loaded = 1 << 20, []
    module.__spec__ = PathFinder.find_spec("json")
    return module, device
