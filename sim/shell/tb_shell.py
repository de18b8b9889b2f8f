# SPDX-License-Identifier: BSD-3-Clause
"""bitmend_shell: jobs of every kind end with the right bytes in memory, and nothing else changes there."""

from __future__ import annotations

import cocotb

from hw.shell.registers import ERRORS
from sim.shell.axi3 import Mood
from sim.shell.bench import (
    BASE,
    CLEAR,
    HALTED,
    IDLE,
    QUEUE_FULL,
    RESETTING,
    SIZE,
    SOFT_RESET,
    START,
    Bench,
    Job,
    changed,
)

BIT = {field.name: 1 << field.low for field in ERRORS}
JOBS = 24


@cocotb.test()
async def frames(dut):
    """Random jobs, up to four in flight, under several tempers of memory, network and processor."""
    bench = Bench(dut)
    await bench.reset()
    for _ in range(4):
        bench.random_mood()
        for place in range(JOBS // 4):
            await bench.submit(bench.random_job(place, JOBS // 4))
        await bench.wait(IDLE)
        assert bench.memory.quiet, "IDLE while a burst is under way"
        bench.check()
    assert await bench.read("JOBS_DONE") == JOBS
    assert await bench.read("STATUS") == IDLE
    bench.calm()
    await bench.cycles(200)
    assert bench.memory.quiet
    bench.check()


@cocotb.test()
async def counters(dut):
    """Counters agree with what the ports show."""
    bench = Bench(dut)
    await bench.reset()
    for _ in range(3):
        bench.random_mood()
        job = bench.random_job(tiny=False)
        memory = bench.memory
        await bench.write("CONTROL", CLEAR)
        assert (
            await bench.read("CYCLES_LO")
            == await bench.read("READ_BEATS")
            == await bench.read("SAMPLES")
            == 0
        )
        before = (memory.read_beats, memory.write_beats)
        memory.mark()
        await bench.submit(job)
        bench.write_wait = 0
        await bench.wait(IDLE)
        assert await bench.read("READ_BEATS") == memory.read_beats - before[0]
        assert await bench.read("WRITE_BEATS") == memory.write_beats - before[1]
        took = await bench.read("JOB_CYCLES")
        seen = memory.last_response - memory.first_read
        assert 0 < took - seen <= 8, f"JOB_CYCLES {took}, {seen} on the bus"
        cycles = await bench.read("CYCLES_LO") + (await bench.read("CYCLES_HI") << 32)
        assert 0 <= cycles - took <= 8, f"CYCLES {cycles}, JOB_CYCLES {took}"
        assert await bench.read("WRITE_WAIT") == bench.write_wait
        assert await bench.read("READ_WAIT") <= cycles
        samples = await bench.read("SAMPLES")
        assert abs(samples - cycles // 11) <= 1, f"{samples} rounds of 11 in {cycles} cycles"
        bench.check()


@cocotb.test()
async def rate(dut):
    """Without stalls, a frame takes as long as its beats at the slower side; frames overlap."""
    bench = Bench(dut)
    await bench.reset()
    bench.calm()
    p = bench.p
    width, height, jobs = p["MAX_WIDTH"], 8, 4
    pixels = width * height
    beats = max(
        pixels * p["CHANNELS"] // p["IN_ELEMENTS"],
        pixels * p["SCALE"] ** 2 * p["CHANNELS"] // p["OUT_ELEMENTS"],
    )
    await bench.write("CONTROL", CLEAR)
    full = [bench.random_job(i, jobs, tiny=False) for i in range(jobs)]
    for i, job in enumerate(full):
        row = width * p["SCALE"] * p["CHANNELS"]
        await bench.submit(
            changed(
                job,
                src_addr=bench_address(i),
                src_stride=width * p["CHANNELS"],
                width=width,
                height=height,
                dst_addr=bench_address(i, 0x8000),
                dst_stride=row,
                crop_x=0,
                crop_y=0,
                out_width=width * p["SCALE"],
                out_height=min(height * p["SCALE"], 0x2000 // row),
            )
        )
    await bench.wait(IDLE)
    bench.check()
    cycles = await bench.read("CYCLES_LO")
    rows = jobs * height * p["SCALE"]
    assert cycles <= jobs * beats + 3 * rows + 700, f"{cycles} cycles for {jobs} frames of {beats} beats"


def bench_address(index: int, offset: int = 0) -> int:
    """Return where frame `index` is, at an odd address."""
    return 0x1000_0000 + offset + 0x2000 * index + 3


@cocotb.test()
async def queue(dut):
    """Four jobs fit, a fifth is refused and changes nothing; all four are done in order."""
    bench = Bench(dut)
    await bench.reset()
    dut.hold.value = 1
    jobs = [bench.random_job(i, 5) for i in range(5)]
    for number, job in enumerate(jobs[:4]):
        status = await bench.read("STATUS")
        assert status >> 8 & 0xFF == number
        assert not status & QUEUE_FULL
        await bench.submit(job)
    status = await bench.read("STATUS")
    assert status & QUEUE_FULL
    assert not status & IDLE
    assert status >> 8 & 0xFF == 4
    assert await bench.start(jobs[4]) == BIT["FULL"]
    await bench.write("ERRORS", BIT["FULL"])
    assert await bench.read("ERRORS") == 0
    dut.hold.value = 0
    await bench.wait(IDLE)
    bench.check()
    assert await bench.read("JOBS_DONE") == 4


@cocotb.test()
async def errors(dut):
    """An error response at any burst halts, with its kind and address; after a reset all is well."""
    bench = Bench(dut)
    await bench.reset()
    for kind, response, bit in (
        ("r", 2, "READ_SLVERR"),
        ("r", 3, "READ_DECERR"),
        ("w", 2, "WRITE_SLVERR"),
        ("w", 3, "WRITE_DECERR"),
    ) * 2:
        bench.random_mood()
        memory = bench.memory
        jobs = [bench.random_job(i, 3, tiny=False) for i in range(3)]
        ahead = memory.reads if kind == "r" else memory.writes
        memory.errors = {"r": {}, "w": {}}
        memory.errors[kind] = {ahead + bench.rng.choice((0, bench.rng.randrange(8))): response}
        memory.failed.clear()
        done = await bench.read("JOBS_DONE")
        before = bytearray(memory.content)
        regions = bytearray(before)
        bench.expected = regions
        for job in jobs:
            if await bench.start(job) & ~BIT["NOT_READY"]:
                break
            bench.expect(job)
        status = await bench.wait(IDLE)
        if not memory.failed:  # fewer bursts than that
            assert not status & HALTED
            bench.check()
            continue
        await bench.cycles(50)
        assert memory.quiet
        assert status & HALTED
        first = memory.failed[0]
        assert await bench.read("ERRORS") & ~BIT["NOT_READY"] == BIT[bit]
        assert await bench.read("ERROR_ADDR") == first
        finished = await bench.read("JOBS_DONE") - done
        # Results go to three parts of memory: the job whose write failed does not count, nor those after it
        assert finished <= ((first - BASE - SIZE // 2) // (SIZE // 2 // 3) if kind == "w" else 2)
        assert await bench.start(jobs[0]) & BIT["NOT_READY"]
        only_new(memory.content, before, regions)
        await bench.write("ERRORS", 0xFFFF)
        await bench.write("CONTROL", SOFT_RESET)
        assert await bench.wait(IDLE) == IDLE
        assert await bench.read("JOBS_DONE") == 0
        await one_good_job(bench)


@cocotb.test()
async def two_errors(dut):
    """Of two failing writes of a job, the first is told; its last one may end well, and it is not done."""
    bench = Bench(dut)
    await bench.reset()
    memory, p = bench.memory, bench.p
    memory.mood = Mood(delay=1500, least=1500)  # all are requested when the first is answered
    width, row = p["MAX_WIDTH"], p["MAX_WIDTH"] * p["SCALE"] * p["CHANNELS"]
    dst = BASE + SIZE // 2 + 64
    job = Job(BASE, row, width, 1, dst, row, 0, 0, width * p["SCALE"], 1)
    # The last burst of the job is answered well
    number = -(-(64 + row) // 128)
    memory.errors["w"] = {0: 2, 1: 3} if number > 2 else {0: 2}
    assert await bench.start(job) == 0
    assert await bench.wait(IDLE) & HALTED
    assert memory.failed[0] == dst
    kinds = BIT["WRITE_SLVERR"] | (BIT["WRITE_DECERR"] if len(memory.failed) == 2 else 0)
    assert await bench.read("ERRORS") == kinds
    assert await bench.read("ERROR_ADDR") == dst
    assert await bench.read("JOBS_DONE") == 0
    await bench.write("ERRORS", 0xFFFF)
    await bench.write("CONTROL", SOFT_RESET)
    assert await bench.wait(IDLE) == IDLE
    await one_good_job(bench)


def only_new(content: bytearray, before: bytearray, after: bytearray) -> None:
    """Every byte is as it was, or as it should become."""
    wrong = [i for i, (c, b, a) in enumerate(zip(content, before, after, strict=True)) if c not in (a, b)]
    assert not wrong, f"{len(wrong)} bytes are neither old nor new, the first at {wrong[0]:#x}"


async def one_good_job(bench: Bench) -> None:
    """After all that, a job is done right."""
    bench.memory.errors = {"r": {}, "w": {}}
    bench.expected = bytearray(bench.memory.content)
    await bench.submit(bench.random_job())
    await bench.wait(IDLE)
    bench.check()
    assert await bench.read("ERRORS") == 0


@cocotb.test()
async def soft_reset(dut):
    """A reset at any moment, with a network that stands still now and then, ends; the next job is right."""
    bench = Bench(dut)
    await bench.reset()
    for turn in range(7):
        bench.random_mood()
        before = bytearray(bench.memory.content)
        bench.expected = bytearray(before)
        for place in range(bench.rng.randint(1, 4)):
            await bench.submit(bench.random_job(place, 4, tiny=False))
        await bench.cycles(bench.rng.choice((0, bench.rng.randrange(100), bench.rng.randrange(1500))))
        if turn % 3 == 2:
            bench.holding = 0.0
            dut.hold.value = 1
        # commands at once: the reset wins
        await bench.write("CONTROL", SOFT_RESET | (START if turn % 2 else 0))
        then = bytes(bench.memory.content)
        assert await bench.read("ERRORS") == (BIT["NOT_READY"] if turn % 2 else 0)
        await bench.write("ERRORS", 0xFFFF)
        assert await bench.wait(RESETTING, 0) & ~QUEUE_FULL == IDLE
        assert bench.memory.quiet
        dut.hold.value = 0
        only_new(bench.memory.content, before, bench.expected)
        late = sum(a != b for a, b in zip(bench.memory.content, then, strict=True))
        assert late <= 8, f"{late} bytes were written after the reset, expected the word at the port at most"
        assert await bench.read("JOBS_DONE") == 0
        await one_good_job(bench)


@cocotb.test()
async def saturation(dut):
    """A counter stays at its largest value."""
    bench = Bench(dut)
    await bench.reset()
    dut.u_shell.u_read_beats.value.value = 0xFFFF_FFFE
    for _ in range(3):
        await bench.submit(bench.random_job(tiny=False))
        await bench.wait(IDLE)
    assert bench.memory.read_beats > 3
    assert await bench.read("READ_BEATS") == 0xFFFF_FFFF
