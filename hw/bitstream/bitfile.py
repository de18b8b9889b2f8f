# SPDX-License-Identifier: BSD-3-Clause
"""The .bit file: its header, its packets, and the test that it is what its name says.

Header        A length-prefixed field of 9 bytes, the 16-bit number 1, then fields 'a' (design and tool), 'b'
              (part), 'c' (date), 'd' (time), each a 16-bit length and a text ending with NUL, then 'e' and
              a 32-bit length and the configuration data. All numbers are big-endian.
Data          Dummy words, the synchronisation word 0xAA995566, then packets of 32-bit words (7 Series FPGAs
              Configuration User Guide, UG470, chapter 5: type 1 names a register and up to 2047 words, type 2
              continues it with up to 2^27).
Frames        A frame is 101 words. Writing FDRI fills frames from the address in FAR on, in the order of the
              device; after the last frame of every row there are two more that are not stored.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.bitstream import BitstreamError

SYNC = 0xAA995566
FRAME_WORDS = 101
IDCODES = {"xc7z010": 0x03722093, "xc7z020": 0x03727093}
"""Devices of which .bit files are accepted, without the revision in the upper four bits."""
DATA_BYTES = {"xc7z010": range(2_083_600, 2_083_900), "xc7z020": range(4_045_500, 4_045_700)}
"""Configuration data of a whole device: the frames are fixed, the packets around them are the tool's."""

_MAGIC = bytes.fromhex("0ff00ff00ff00ff000")
_FAR, _FDRI, _IDCODE = 1, 2, 12


@dataclass(frozen=True)
class BitFile:
    """A .bit file.

    Attributes:
        design: name, and what wrote it, separated by semicolons.
        part: as the header gives it; Vivado leaves out the "xc" and writes `7z020clg400`.
        date, time: of the header.
        data: the configuration data.
    """

    design: str
    part: str
    date: str
    time: str
    data: bytes

    def encode(self) -> bytes:
        """Return the file's content."""
        parts = [struct.pack(">H", len(_MAGIC)), _MAGIC, struct.pack(">H", 1)]
        for key, text in zip("abcd", (self.design, self.part, self.date, self.time), strict=True):
            field = text.encode("ascii") + b"\0"
            parts += [key.encode(), struct.pack(">H", len(field)), field]
        return b"".join([*parts, b"e", struct.pack(">I", len(self.data)), self.data])


def decode(content: bytes) -> BitFile:
    """Take a .bit file apart.

    Raises:
        BitstreamError: it is none.
    """
    try:
        (length,) = struct.unpack_from(">H", content, 0)
        offset = 2 + length + 2
        fields: dict[str, str] = {}
        while (key := content[offset : offset + 1].decode("ascii")) != "e":
            (length,) = struct.unpack_from(">H", content, offset + 1)
            if key not in "abcd" or not key or offset + 3 + length > len(content):
                raise BitstreamError(f"not a .bit file: field {key!r} at byte {offset}; build it again")
            fields[key] = content[offset + 3 : offset + 3 + length].rstrip(b"\0").decode("ascii")
            offset += 3 + length
        (length,) = struct.unpack_from(">I", content, offset + 1)
        data = content[offset + 5 :]
        if len(data) != length:
            raise BitstreamError(
                f"not a whole .bit file: {len(data)} bytes of data, its header says {length}"
            )
        return BitFile(*(fields[key] for key in "abcd"), data)
    except (struct.error, UnicodeDecodeError, KeyError) as error:
        raise BitstreamError(
            f"not a .bit file: {type(error).__name__} in its header; build it again"
        ) from None


def words(data: bytes) -> np.ndarray:
    """Return the 32-bit words behind the synchronisation word.

    Raises:
        BitstreamError: there is no synchronisation word within the first kilobyte.
    """
    start = data.find(struct.pack(">I", SYNC), 0, 1024)
    if start < 0:
        raise BitstreamError("the configuration data has no synchronisation word 0xAA995566; build it again")
    end = start + 4 + (len(data) - start - 4) // 4 * 4
    return np.frombuffer(data[start + 4 : end], ">u4")


def writes(data: bytes) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (register, words) of every write packet."""
    stream = words(data)
    at, register = 0, 0
    while at < len(stream):
        head = int(stream[at])
        kind, operation = head >> 29, head >> 27 & 3
        if kind == 1:
            register, count = head >> 13 & 0x3FFF, head & 0x7FF
        elif kind == 2:
            count = head & 0x7FFFFFF
        else:
            raise BitstreamError(
                f"word {at} behind the synchronisation word is 0x{head:08X}, expected a packet"
            )
        if at + 1 + count > len(stream):
            raise BitstreamError(f"packet at word {at} has {count} words, {len(stream) - at - 1} are left")
        if operation == 2 and count:
            yield register, stream[at + 1 : at + 1 + count]
        at += 1 + count


def check(content: bytes, part: str) -> BitFile:
    """Return the .bit file, if it is a whole one for this part.

    Args:
        content: of the file.
        part: like xc7z020clg400-1.

    Raises:
        BitstreamError: it is not; the message says what was found and what was expected.
    """
    bit = decode(content)
    die = next((name for name in IDCODES if part.startswith(name)), None)
    if die is None:
        raise BitstreamError(f"part '{part}', expected one of {', '.join(IDCODES)}")
    wanted = part.rpartition("-")[0]
    if bit.part.removeprefix("xc").partition("-")[0] != wanted.removeprefix("xc"):
        raise BitstreamError(f"the .bit file is for {bit.part}, expected {part}")
    if len(bit.data) not in DATA_BYTES[die]:
        sizes = DATA_BYTES[die]
        raise BitstreamError(
            f"{len(bit.data)} bytes of data, expected {sizes.start} to {sizes.stop - 1} for {die}"
        )
    found = {register: values for register, values in writes(bit.data)}
    if _IDCODE not in found or int(found[_IDCODE][0]) & 0x0FFFFFFF != IDCODES[die]:
        code = f"0x{int(found[_IDCODE][0]):08X}" if _IDCODE in found else "none"
        raise BitstreamError(f"IDCODE {code} in the .bit file, expected 0x{IDCODES[die]:08X} of {die}")
    if _FDRI not in found or len(found[_FDRI]) % FRAME_WORDS:
        raise BitstreamError("the .bit file writes no whole frames; build it again")
    return bit


def frames(bit: BitFile, addresses: list[int]) -> dict[int, np.ndarray]:
    """Return the configuration frames by their addresses.

    Args:
        bit: of a whole device.
        addresses: of all frames in the order of the device (see `prjxray.frame_addresses`).

    Raises:
        BitstreamError: the number of frames is another.
    """
    data = [values for register, values in writes(bit.data) if register == _FDRI]
    far = [values for register, values in writes(bit.data) if register == _FAR]
    if len(data) != 1 or not far or int(far[0][0]) != addresses[0]:
        raise BitstreamError("the .bit file is compressed or partial, expected one write of all frames")
    table = data[0].reshape(-1, FRAME_WORDS)
    result: dict[int, np.ndarray] = {}
    at = 0
    for index, address in enumerate(addresses):
        if at >= len(table):
            raise BitstreamError(f"{len(table)} frames in the .bit file, expected more for {bit.part}")
        result[address] = table[at]
        following = addresses[index + 1] if index + 1 < len(addresses) else -1
        at += 1 if following >> 17 == address >> 17 else 3  # type, half and row differ: two frames of padding
    if at != len(table):
        raise BitstreamError(f"{len(table)} frames in the .bit file, expected {at} for {bit.part}")
    return result


def write_bit(path: Path, bit: BitFile, part: str) -> None:
    """Write a .bit file after checking it, so that nothing else ever has that name.

    Raises:
        BitstreamError: it is no .bit file for this part; nothing is written.
    """
    content = bit.encode()
    check(content, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.stem}.", delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
