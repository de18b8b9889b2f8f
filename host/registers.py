# SPDX-License-Identifier: BSD-3-Clause
"""The registers of the accelerator as the driver uses them; docs/registers.md describes all of them.

Offsets are in bytes from the base address. The hardware has its own table, hw/shell/registers.py, which this
package must not import: a test holds the two equal.
"""

from __future__ import annotations

ID = 0x000
VERSION = 0x004
HASH0 = 0x008  # 8 words, the first hex digits in the first
CONFIG = 0x028
MAX_WIDTH = 0x02C
MAX_HEIGHT = 0x030
STAGES = 0x034
CLOCK_HZ = 0x038
CONTROL = 0x040
STATUS = 0x044
ERRORS = 0x048
JOBS_DONE = 0x04C
ERROR_ADDR = 0x050
SRC_ADDR = 0x060
SRC_STRIDE = 0x064
WIDTH = 0x068
HEIGHT = 0x06C
DST_ADDR = 0x070
DST_STRIDE = 0x074
CROP_X = 0x078
CROP_Y = 0x07C
OUT_WIDTH = 0x080
OUT_HEIGHT = 0x084
CYCLES_LO = 0x0C0
CYCLES_HI = 0x0C4
JOB_CYCLES = 0x0C8
READ_WAIT = 0x0CC
WRITE_WAIT = 0x0D0
READ_BEATS = 0x0D4
WRITE_BEATS = 0x0D8
SAMPLES = 0x0DC
TAP_VALID = 0x800  # a word for 32 streams
TAP_READY = 0xA00
BLOCKED = 0x1000  # 8 bytes for each stream
STARVED = 0x1004
PER_TAP = 8

MAGIC = 0x424D4E44
"""What ID reads: "BMND"."""

VERSION_MAJOR = 1
"""VERSION is major << 16 | minor; another major means other registers."""

HASH_WORDS = 8

START = 1 << 0
SOFT_RESET = 1 << 1
CLEAR_COUNTERS = 1 << 2
"""Bits of CONTROL."""

IDLE = 1 << 0
QUEUE_FULL = 1 << 1
RESETTING = 1 << 2
HALTED = 1 << 3
"""Bits of STATUS; the jobs queued or under way are in bits 15..8."""

ERROR_NAMES = {
    0: "SIZE: a width or height is 0 or more than the design takes",
    1: "REGION: the region is empty or outside the result",
    2: "STRIDE: a stride is shorter than a row",
    3: "FULL: the job queue was full",
    4: "NOT_READY: it was resetting or halted",
    5: "READ_SLVERR: the memory answered a read with an error",
    6: "READ_DECERR: a read went to an address where there is no memory",
    7: "WRITE_SLVERR: the memory answered a write with an error",
    8: "WRITE_DECERR: a write went to an address where there is no memory",
    9: "ADDRESS: the region runs past the end of the address space",
}
"""Bits of ERRORS."""

REFUSALS = 0b10_0001_1111
"""Errors by which a job is refused before anything starts; the others halt the hardware."""


def jobs_under_way(status: int) -> int:
    """Return how many jobs are queued or under way, from STATUS."""
    return status >> 8 & 0xFF


def error_text(errors: int) -> str:
    """Return what the bits of ERRORS say, in a line."""
    names = [ERROR_NAMES.get(bit, f"bit {bit}") for bit in range(32) if errors >> bit & 1]
    return "; ".join(names) or "no error"
