# SPDX-License-Identifier: BSD-3-Clause
import dataclasses
import struct

import numpy as np
import pytest
from bitstream_examples import PART, encode

from hw.bitstream import BitstreamError
from hw.bitstream.bitfile import check, decode, frames, write_bit


def test_header_round_trip(bit):
    assert decode(bit.encode()) == bit
    assert check(bit.encode(), PART) == bit


def test_every_frame_comes_back(database):
    rng = np.random.default_rng(0)
    addresses = database.frame_addresses
    assert len(addresses) == 9996  # xc7z020
    content = {a: rng.integers(0, 2**32, 101, dtype=np.uint32) for a in addresses}
    found = frames(encode(content, addresses), addresses)
    assert list(found) == addresses
    assert all(np.array_equal(found[a], content[a]) for a in addresses)


def _without_sync(bit):
    return dataclasses.replace(bit, data=bit.data.replace(struct.pack(">I", 0xAA995566), bytes(4)))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda bit: b"", "not a .bit file"),
        (lambda bit: b"<html>not found</html>", "not a .bit file"),
        (lambda bit: bit.encode()[:-4], "not a whole .bit file"),
        (lambda bit: bit.encode() + b"\0", "not a whole .bit file"),
        (lambda bit: dataclasses.replace(bit, part="xc7z010clg400-1").encode(), "is for xc7z010"),
        (lambda bit: dataclasses.replace(bit, data=bit.data[: len(bit.data) // 2]).encode(), "bytes of data"),
        (lambda bit: _without_sync(bit).encode(), "no synchronisation word"),
    ],
)
def test_what_is_no_bit_file_is_refused(bit, tmp_path, broken, told):
    with pytest.raises(BitstreamError, match=told):
        check(broken(bit), PART)


def test_the_idcode_of_another_device_is_refused(database, tmp_path):
    other = encode({}, database.frame_addresses, idcode=0x03722093)
    with pytest.raises(BitstreamError, match=r"IDCODE 0x03722093 .* 0x03727093"):
        write_bit(tmp_path / "x.bit", other, PART)
    assert list(tmp_path.iterdir()) == []


def test_the_revision_in_the_idcode_does_not_matter(database):
    check(encode({}, database.frame_addresses, idcode=0x23727093).encode(), PART)


def test_vivado_writes_the_part_without_xc(bit):
    check(dataclasses.replace(bit, part="7z020clg400").encode(), PART)


def test_a_missing_frame_is_noticed(database):
    addresses = database.frame_addresses
    with pytest.raises(BitstreamError, match=r"frames in the .bit file, expected"):
        frames(encode({}, addresses[:-1]), addresses)
