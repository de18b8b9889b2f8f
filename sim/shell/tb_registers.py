# SPDX-License-Identifier: BSD-3-Clause
"""bitmend_shell: every register by its name, the bus, and jobs that are not possible."""

from __future__ import annotations

from dataclasses import astuple

import cocotb

from hw.shell.registers import ERRORS, MAGIC, OFFSETS, QUEUE_DEPTH, REGISTERS
from sim.shell.bench import IDLE, NAMES, REGISTER_BASE, Bench, Job, changed

BIT = {field.name: 1 << field.low for field in ERRORS}
HASH = "0123456789ABCDEF00112233445566778899AABBCCDDEEFFFEDCBA9876543210"
TAPS = 5
SLVERR, DECERR = 2, 3


@cocotb.test()
async def registers(dut):
    """Constants, bytes of the job registers, what cannot be written, and all that is not there."""
    bench = Bench(dut)
    await bench.reset()
    p = bench.p
    constants = {
        "ID": MAGIC,
        "VERSION": 0x0001_0000,
        "CONFIG": p["SCALE"]
        | p["CHANNELS"] << 4
        | QUEUE_DEPTH << 8
        | (p["OUTSTANDING"].bit_length() - 1) << 16,
        "MAX_WIDTH": p["MAX_WIDTH"],
        "MAX_HEIGHT": p["MAX_HEIGHT"],
        "STAGES": TAPS,
        "CLOCK_HZ": 100_000_000,
        "STATUS": IDLE,
        **{f"HASH{i}": int(HASH[8 * i : 8 * i + 8], 16) for i in range(8)},
    }
    values = {r.name: constants.get(r.name, 0) for r in REGISTERS if not r.array}
    for turn in range(2):
        bench.registers.stall = 0.5 * turn
        for name, value in values.items():
            assert await bench.read(name) == value, name
        for name in bench.rng.sample(sorted(values), len(values)):
            word, strobes = bench.rng.getrandbits(32), bench.rng.choice((0xF, bench.rng.randrange(16)))
            if name == "CONTROL":
                word &= ~7  # no command
            await bench.write(name, word, strobes)
            if name in NAMES:
                mask = sum(0xFF << 8 * i for i in range(4) if strobes >> i & 1)
                values[name] = values[name] & ~mask | word & mask
    for tap in range(TAPS, 12):
        assert await bench.read("BLOCKED", 8 * tap) == await bench.read("STARVED", 8 * tap) == 0
    known = {r.offset for r in REGISTERS}
    for offset in [0xFFFC, 0x3000, 0x2FFC, 0x0FFC, *(4 * bench.rng.randrange(1 << 14) for _ in range(60))]:
        if offset not in known and not 0x1000 <= offset < 0x1000 + 8 * TAPS:
            ((word, response),) = await bench.registers.read(REGISTER_BASE + offset)
            assert (word, response) == (0, 0), hex(offset)
            await bench.registers.write(REGISTER_BASE + offset, [bench.rng.getrandbits(32)])
    for name, value in values.items():
        assert await bench.read(name) == value, name


@cocotb.test()
async def bus(dut):
    """Bursts and addresses outside the range are refused, all beats of them, and change nothing."""
    bench = Bench(dut)
    await bench.reset()
    port, rng = bench.registers, bench.rng
    address = REGISTER_BASE + OFFSETS["SRC_ADDR"]
    await bench.write("SRC_ADDR", 0x1234)
    for _ in range(12):
        port.stall = rng.choice((0, 0.5))
        outside = (REGISTER_BASE ^ 1 << rng.randrange(16, 32)) + OFFSETS["SRC_ADDR"]
        beats = rng.randint(2, 16)
        assert await port.write(address, [rng.getrandbits(32) for _ in range(beats)]) == SLVERR
        assert await port.write(outside, [rng.getrandbits(32)]) == DECERR
        assert await port.read(address, beats) == [(0, SLVERR)] * beats
        assert await port.read(outside) == [(0, DECERR)]
        assert await bench.read("SRC_ADDR") == 0x1234
        # A read and a write at once: both are answered
        word = rng.getrandbits(32)
        writing = cocotb.start_soon(port.write(address + 4, [word]))
        assert await port.read(address) == [(0x1234, 0)]
        assert await writing == 0
        assert await bench.read("SRC_STRIDE") == word


def verdict(p: dict, job: Job) -> int:
    """Return the bit of ERRORS that refuses a job, 0 if it is possible: docs/registers.md in Python."""
    j, scale, channels = job, p["SCALE"], p["CHANNELS"]
    if not (0 < j.width <= p["MAX_WIDTH"] and 0 < j.height <= p["MAX_HEIGHT"]):
        return BIT["SIZE"]
    inside = j.crop_x + j.out_width <= scale * j.width and j.crop_y + j.out_height <= scale * j.height
    if not (j.out_width and j.out_height and inside):
        return BIT["REGION"]
    if j.src_stride < channels * j.width or j.dst_stride < channels * j.out_width:
        return BIT["STRIDE"]
    ends = (
        j.src_addr + (j.height - 1) * j.src_stride + channels * j.width,
        j.dst_addr + (j.out_height - 1) * j.dst_stride + channels * j.out_width,
    )
    return BIT["ADDRESS"] if max(ends) > 1 << 32 else 0


def edges(bench: Bench, job: Job) -> Job:
    """Return a job with one or two values at an edge of what is possible, or anywhere."""
    p, rng = bench.p, bench.rng
    scale, channels = p["SCALE"], p["CHANNELS"]
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice([n.lower() for n in NAMES])
        rows = {"src": (job.height, channels * job.width), "dst": (job.out_height, channels * job.out_width)}
        edge = {
            "width": p["MAX_WIDTH"],
            "height": p["MAX_HEIGHT"],
            "crop_x": scale * job.width - job.out_width,
            "crop_y": scale * job.height - job.out_height,
            "out_width": scale * job.width - job.crop_x,
            "out_height": scale * job.height - job.crop_y,
        }
        for side, (number, row) in rows.items():
            stride, start = getattr(job, f"{side}_stride"), getattr(job, f"{side}_addr")
            edge[f"{side}_addr"] = (1 << 32) - (number - 1) * stride - row
            top = ((1 << 32) - row - start) // (number - 1) if number > 1 else row
            edge[f"{side}_stride"] = rng.choice((row, max(top, 0)))
        value = rng.choice(
            (
                edge[name],
                edge[name] + 1,
                edge[name] + 1,
                edge[name] - 1,
                0,
                rng.getrandbits(32),
                (1 << 32) - 1,
            )
        )
        job = changed(job, **{name: value % (1 << 32)})
    return job


@cocotb.test()
async def refusals(dut):
    """Impossible jobs are refused with the right bit, and nothing starts; possible ones are not refused."""
    bench = Bench(dut)
    await bench.reset()
    memory, seen = bench.memory, dict.fromkeys([0, *BIT.values()], 0)
    for turn in range(100):
        job = edges(bench, bench.random_job(tiny=bench.rng.random() < 0.5))
        want = verdict(bench.p, job)
        seen[want] += 1
        if not want:  # at an address where there is no memory: stopped before it is read
            dut.hold.value = 1
        before = memory.reads
        got = await bench.start(job)
        assert got & ~(BIT["READ_DECERR"]) == want, f"turn {turn}: ERRORS {got:#x}, expected {want:#x}: {job}"
        if want:
            await bench.cycles(20)
            assert memory.reads == before, f"{job} was refused and read"
            assert await bench.read("STATUS") == IDLE
            await bench.write("ERRORS", want)
        else:
            await bench.write("CONTROL", 2)
            await bench.wait(IDLE)
            await bench.write("ERRORS", 0xFFFF)
        assert await bench.read("ERRORS") == 0
        dut.hold.value = 0
    for name in ("SIZE", "REGION", "STRIDE", "ADDRESS"):
        assert seen[BIT[name]] >= 3, f"{name} was tried {seen[BIT[name]]} times"
    assert seen[0] >= 3
    assert bench.memory.content == bench.expected, "something was written"


@cocotb.test()
async def extremes(dut):
    """The largest frame that is taken, and its refused neighbours; one bit at a time is cleared."""
    bench = Bench(dut)
    await bench.reset()
    p, job = bench.p, bench.random_job(tiny=True)
    await bench.start(changed(job, width=0))
    await bench.start(changed(job, out_width=0))
    await bench.start(changed(job, src_stride=0))
    assert await bench.read("ERRORS") == BIT["SIZE"] | BIT["REGION"] | BIT["STRIDE"]
    await bench.write("ERRORS", BIT["REGION"])
    assert await bench.read("ERRORS") == BIT["SIZE"] | BIT["STRIDE"]
    await bench.write("ERRORS", 0xFFFF_FFFF, 0b0010)  # not its byte
    assert await bench.read("ERRORS") == BIT["SIZE"] | BIT["STRIDE"]
    await bench.write("ERRORS", 0xFFFF_FFFF)
    width, height, row = p["MAX_WIDTH"], p["MAX_HEIGHT"], p["CHANNELS"] * p["MAX_WIDTH"]
    full = Job(0x1000_0001, row, width, height, 0x1000_8003, row, 0, 0, 1, p["SCALE"] * height)
    await bench.submit(full)
    await bench.wait(IDLE)
    bench.check()
    for name, value in (("width", width + 1), ("height", height + 1)):
        assert await bench.start(changed(full, **{name: value})) == BIT["SIZE"], name
        await bench.write("ERRORS", BIT["SIZE"])
    for rows, stride in ((5, 1 << 31), (9, 1 << 30), (5, 1 << 30)):  # the product needs 33 or 34 bits
        few = changed(full, height=rows, out_height=rows)
        for name in ("src_stride", "dst_stride"):
            assert await bench.start(changed(few, **{name: stride})) == BIT["ADDRESS"], (name, rows, stride)
            await bench.write("ERRORS", BIT["ADDRESS"])
    assert astuple(full)[0] == 0x1000_0001
