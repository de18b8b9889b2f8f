# SPDX-License-Identifier: BSD-3-Clause
"""bitmend_shell between the AXI models of cocotbext-axi, which know nothing of this project.

They speak AXI4; what the shell does is legal there, too, but for WID, which they do not look at.
"""

from __future__ import annotations

import json
import logging
import os
import random
from dataclasses import astuple

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus, AxiMaster, AxiRam
from cocotbext.axi.axi_channels import AxiARSink, AxiARSource, AxiAWSink, AxiAWSource

from hw.shell.registers import OFFSETS
from sim.shell.bench import IDLE, NAMES, QUEUE_FULL, REGISTER_BASE, START, Job

SIZE = 1 << 14

for _channel in (AxiARSink, AxiARSource, AxiAWSink, AxiAWSource):  # AXI3 has narrower lengths and wider locks
    _prefix = "ar" if "AR" in _channel.__name__ else "aw"
    _channel._signal_widths = {**_channel._signal_widths, f"{_prefix}len": 4, f"{_prefix}lock": 2}


def pauses(rng: random.Random, share: float):
    """Yield for ever whether a channel pauses."""
    while True:
        yield rng.random() < share


@cocotb.test()
async def frames(dut):
    """Jobs at odd addresses, every byte of the memory compared; the models pause now and then."""
    rng = random.Random(int(os.environ["BITMEND_SEED"]))
    p = json.loads(os.environ["BITMEND_PARAMETERS"])
    logging.getLogger("cocotb.shell_bench").setLevel(logging.ERROR)
    dut.hold.value = 0
    dut.rst.value = 1
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    master = AxiMaster(AxiBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst, max_burst_len=1)
    ram = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=SIZE)
    for channel in (
        ram.write_if.aw_channel,
        ram.write_if.w_channel,
        ram.write_if.b_channel,
        ram.read_if.ar_channel,
        ram.read_if.r_channel,
    ):
        channel.set_pause_generator(pauses(rng, 0.3))
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    expected = bytearray(rng.randbytes(SIZE))
    ram.write(0, bytes(expected))

    async def status(bits: int, value: int) -> None:
        while True:
            word = await master.read_dword(REGISTER_BASE + OFFSETS["STATUS"])
            if word & bits == value:
                return

    await status(IDLE, IDLE)
    scale, channels = p["SCALE"], p["CHANNELS"]
    for place in range(6):
        width, height = rng.randint(1, 20), rng.randint(1, 4)
        x, y = rng.randrange(scale * width), rng.randrange(scale * height)
        out_w, out_h = rng.randint(1, scale * width - x), rng.randint(1, scale * height - y)
        stride = rng.randint(width * channels, width * channels + 30)
        dst = SIZE // 2 + place * SIZE // 12 + rng.randrange(100)
        job = Job(
            rng.randrange(4000), stride, width, height, dst, out_w * channels, x, y, out_w, min(out_h, 8)
        )
        frame = np.stack(
            [
                np.frombuffer(expected, np.uint8, width * channels, job.src_addr + r * stride)
                for r in range(height)
            ]
        ).reshape(height, width, channels)
        result = (255 - frame.repeat(scale, 0).repeat(scale, 1))[y : y + job.out_height, x : x + out_w]
        expected[dst : dst + result.size] = result.tobytes()
        await status(QUEUE_FULL, 0)
        for name, value in zip(NAMES, astuple(job), strict=True):
            await master.write_dword(REGISTER_BASE + OFFSETS[name], value)
        await master.write_dword(REGISTER_BASE + OFFSETS["CONTROL"], START)
        assert await master.read_dword(REGISTER_BASE + OFFSETS["ERRORS"]) == 0
    await status(IDLE, IDLE)
    assert await master.read_dword(REGISTER_BASE + OFFSETS["JOBS_DONE"]) == 6
    assert ram.read(0, SIZE) == bytes(expected)
