# SPDX-License-Identifier: BSD-3-Clause
"""The registers of the shell as data: what docs/registers.md and the .hwh say, and the tests hold the RTL to.

python -m hw.shell.registers [--out docs/registers.md]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hw.files import write_text
from hw.modules import ROOT

MAGIC = 0x424D4E44
"""What ID reads: "BMND"."""

VERSION_MAJOR, VERSION_MINOR = 1, 0
"""Another major number means that a driver of this one does not understand the registers."""

QUEUE_DEPTH = 4
OUTSTANDING = 8
"""Most jobs queued or under way; most bursts under way in each direction, a power of two."""

PER_TAP = 8
"""Bytes from the counters of a tap to those of the next."""


@dataclass(frozen=True)
class Field:
    """Some bits of a register.

    Attributes:
        name: in capitals.
        low: number of the lowest bit.
        bits: how many.
        text: what it says.
    """

    name: str
    low: int
    bits: int
    text: str


@dataclass(frozen=True)
class Register:
    """A 32-bit register, or an array of them.

    Attributes:
        name: in capitals.
        offset: from the base address, in bytes; of the first one.
        access: "RO", "RW", "WO" (reads 0) or "W1C" (a one that is written clears the bit).
        text: what it is.
        fields: its bits, the lowest first; none if it is a number.
        array: "" or what the registers of an array are counted by.
        step: bytes from one register of an array to the next.
    """

    name: str
    offset: int
    access: str
    text: str
    fields: tuple[Field, ...] = ()
    array: str = ""
    step: int = 4


def _bits(*rows: tuple[str, str]) -> tuple[Field, ...]:
    return tuple(Field(name, bit, 1, text) for bit, (name, text) in enumerate(rows))


ERRORS = _bits(
    ("SIZE", "WIDTH or HEIGHT is 0 or more than MAX_WIDTH, MAX_HEIGHT"),
    ("REGION", "the region to write is empty, or not inside the result"),
    ("STRIDE", "a stride is shorter than a row"),
    ("FULL", "START with a full queue"),
    ("NOT_READY", "START while RESETTING or HALTED"),
    ("READ_SLVERR", "the memory answered a read with SLVERR"),
    ("READ_DECERR", "the memory answered a read with DECERR"),
    ("WRITE_SLVERR", "the memory answered a write with SLVERR"),
    ("WRITE_DECERR", "the memory answered a write with DECERR"),
    ("ADDRESS", "the frame or the region would run past the end of the 32-bit address space"),
)

_HASH = tuple(
    Register(
        f"HASH{i}", 0x008 + 4 * i, "RO", f"content hash of the network, hex digits {8 * i} to {8 * i + 7}"
    )
    for i in range(8)
)

_JOB = tuple(
    Register(name, 0x060 + 4 * i, "RW", text)
    for i, (name, text) in enumerate(
        (
            ("SRC_ADDR", "address of the first pixel of the frame, in bytes"),
            ("SRC_STRIDE", "bytes from a row of the frame to the next"),
            ("WIDTH", "of the frame, in pixels"),
            ("HEIGHT", "of the frame, in pixels"),
            ("DST_ADDR", "address of the first pixel to write, in bytes"),
            ("DST_STRIDE", "bytes from a row that is written to the next"),
            ("CROP_X", "first column of the result that is written"),
            ("CROP_Y", "first row of the result that is written"),
            ("OUT_WIDTH", "columns that are written"),
            ("OUT_HEIGHT", "rows that are written"),
        )
    )
)

REGISTERS: tuple[Register, ...] = (
    Register("ID", 0x000, "RO", '0x424D4E44, "BMND"'),
    Register(
        "VERSION",
        0x004,
        "RO",
        "of this table",
        (
            Field("MINOR", 0, 16, "grows with what is added"),
            Field("MAJOR", 16, 16, "grows with what changes"),
        ),
    ),
    *_HASH,
    Register(
        "CONFIG",
        0x028,
        "RO",
        "what was built",
        (
            Field("SCALE", 0, 4, "of the result to the frame"),
            Field("CHANNELS", 4, 4, "of both, 8 bits each"),
            Field("QUEUE", 8, 8, "most jobs queued or under way"),
            Field("OUTSTANDING", 16, 4, "log2 of the most bursts under way in each direction"),
        ),
    ),
    Register("MAX_WIDTH", 0x02C, "RO", "of a frame, in pixels"),
    Register("MAX_HEIGHT", 0x030, "RO", "of a frame, in pixels"),
    Register("STAGES", 0x034, "RO", "number of taps: streams of the network"),
    Register("CLOCK_HZ", 0x038, "RO", "clock that the design was built for, in Hz"),
    Register(
        "CONTROL",
        0x040,
        "WO",
        "commands; the write is answered when they are carried out, except for SOFT_RESET",
        _bits(
            ("START", "queue a job with the parameters at SRC_ADDR and after, or refuse it: see ERRORS"),
            ("SOFT_RESET", "stop, forget all jobs, empty the network; under way while RESETTING"),
            ("CLEAR_COUNTERS", "set all counters from CYCLES_LO to SAMPLES, BLOCKED and STARVED to 0"),
        ),
    ),
    Register(
        "STATUS",
        0x044,
        "RO",
        "",
        (
            *_bits(
                ("IDLE", "no job and no bus transaction is under way (after an error: no transaction)"),
                ("QUEUE_FULL", "a START would be refused"),
                ("RESETTING", "a reset is under way"),
                ("HALTED", "the memory answered with an error; SOFT_RESET ends it"),
            ),
            Field("JOBS", 8, 8, "jobs queued or under way"),
        ),
    ),
    Register("ERRORS", 0x048, "W1C", "what went wrong since it was last cleared", ERRORS),
    Register(
        "JOBS_DONE",
        0x04C,
        "RO",
        "jobs finished, each with its last write response and without an error; wraps; SOFT_RESET clears it",
    ),
    Register(
        "ERROR_ADDR",
        0x050,
        "RO",
        "address of the first burst that was answered with an error since the last SOFT_RESET",
    ),
    *_JOB,
    Register(
        "CYCLES_LO", 0x0C0, "RO", "cycles with a job under way; reading it keeps CYCLES_HI for the next read"
    ),
    Register("CYCLES_HI", 0x0C4, "RO", "upper half of it, as it was when CYCLES_LO was read"),
    Register(
        "JOB_CYCLES", 0x0C8, "RO", "cycles from the first read of the last finished job to its last response"
    ),
    Register("READ_WAIT", 0x0CC, "RO", "cycles in which the network waited for pixels of a job"),
    Register("WRITE_WAIT", 0x0D0, "RO", "cycles in which a result of the network was not taken"),
    Register("READ_BEATS", 0x0D4, "RO", "beats of 8 bytes read"),
    Register("WRITE_BEATS", 0x0D8, "RO", "beats of 8 bytes written"),
    Register("SAMPLES", 0x0DC, "RO", "rounds of the sampler: samples of each tap"),
    Register("TAP_VALID", 0x800, "RO", "valid of tap 32 i + bit, now", array="i = tap / 32"),
    Register("TAP_READY", 0xA00, "RO", "ready of tap 32 i + bit, now", array="i = tap / 32"),
    Register("BLOCKED", 0x1000, "RO", "samples in which the tap was valid and not ready", (), "tap", PER_TAP),
    Register("STARVED", 0x1004, "RO", "samples in which the tap was ready and not valid", (), "tap", PER_TAP),
)
"""All registers, by offset."""

OFFSETS: dict[str, int] = {register.name: register.offset for register in REGISTERS}
"""Offset of every register, by name."""

_HEAD = """\
# Registers

Written by `python -m hw.shell.registers`; not by hand. [shell.md](shell.md) says what is behind them.

32 bits each, little-endian, at a base address that the board data name (PYNQ-Z2: 0x43C00000, 64 KiB). What
is not listed reads 0, and writing it does nothing. Accesses are single words: a burst is answered with
SLVERR, an address outside the range with DECERR. Byte strobes are respected. Counters of 32 bits stay at
their largest value; all but JOB_CYCLES count from CLEAR_COUNTERS or the reset on.

A job: read the WIDTH x HEIGHT frame (8 bits per channel, channels together, row y at
SRC_ADDR + y SRC_STRIDE), send it through the network, and of the result, which is SCALE times as wide and
high, write the region of OUT_WIDTH x OUT_HEIGHT pixels at (CROP_X, CROP_Y), row y at
DST_ADDR + y DST_STRIDE. Addresses and strides need no alignment. Bytes outside the region are not touched.

"""


def markdown() -> str:
    """Return the table as a page."""
    lines = [_HEAD + "| offset | name | access | |", "|---|---|---|---|"]
    for register in REGISTERS:
        offset = f"0x{register.offset:04X}"
        if register.array:
            offset += f" + {register.step} {'i' if register.array.startswith('i') else register.array}"
        lines.append(f"| {offset} | {register.name} | {register.access} | {_text(register)} |")
    for register in REGISTERS:
        if register.fields:
            lines += ["", f"## {register.name}", "", "| bits | name | |", "|---|---|---|"]
            lines += [f"| {_range(field)} | {field.name} | {field.text} |" for field in register.fields]
    return "\n".join(lines) + "\n"


def _text(register: Register) -> str:
    link = f"[bits](#{register.name.lower()})" if register.fields else ""
    where = f" ({register.array})" if register.array.startswith("i") else ""
    return "; ".join(text for text in (register.text + where, link) if text)


def _range(field: Field) -> str:
    return str(field.low) if field.bits == 1 else f"{field.low + field.bits - 1}:{field.low}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m hw.shell.registers", description="Write docs/registers.md."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "registers.md", help="file to write")
    path = parser.parse_args(arguments).out
    try:
        write_text(path, markdown())
    except OSError as error:
        print(f"registers: {path}: {error.strerror}; expected a file that can be written", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
