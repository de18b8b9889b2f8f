# SPDX-License-Identifier: BSD-3-Clause
import json
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from bitstream_examples import PART, encode

from hw.bitstream import bitfile
from hw.bitstream.design import Design
from hw.bitstream.placement import Placed, block_ram, lut_pins, read_placement, truth_table
from hw.bitstream.readback import Result, compare, compare_weights, found_weights, logical_table


def text(value, size):
    return format(value, f"0{size}b")


def lut(name, init, inputs, bel="A6LUT", site=0, order=None):
    """A LUT whose input I_k is at physical pin order[k]."""
    order = order or range(1, inputs + 1)
    pins = {f"A{pin}": f"I{k}" for k, pin in enumerate(order)}
    return Placed(name, f"LUT{inputs}", 5, 7, site, 0, bel, {"INIT": text(init, 1 << inputs)}, pins)


def ram(kind, rng, site_y=0):
    count = 128 if kind == "RAMB36E1" else 64
    parameters = {f"INIT_{i:02X}": "".join(rng.choice(["0", "1"], 256)) for i in range(count)}
    parameters |= {f"INITP_{i:02X}": "".join(rng.choice(["0", "1"], 256)) for i in range(count // 8)}
    return Placed("memory", kind, 8, 9, 0, site_y, "RAMB", parameters, {})


def set_bits(frames, database, tile, bus, feature, values):
    """Write a vector where the database says that it is: the inverse of Database.read."""
    base, offset = tile.bits[bus]
    for (frame, bit), value in zip(database.segbits(tile.kind, bus)[feature], values, strict=True):
        words = frames.setdefault(base + int(frame), np.zeros(101, np.uint32))
        word, mask = offset + int(bit) // 32, np.uint32(1 << int(bit) % 32)
        words[word] = words[word] | mask if value else words[word] & ~mask


def write_lut(frames, database, table, lut_name="A", site="SLICEM_X0", half=slice(0, 64)):
    tile = database.tiles[5, 7]
    feature = f"{site}.{lut_name}LUT.INIT"
    whole = np.zeros(64, np.uint8)
    for (frame, bit), i in zip(database.segbits(tile.kind, "CLB_IO_CLK")[feature], range(64), strict=True):
        base, offset = tile.bits["CLB_IO_CLK"]
        words = frames.get(base + int(frame))
        whole[i] = 0 if words is None else words[offset + int(bit) // 32] >> np.uint32(int(bit) % 32) & 1
    whole[half] = table[half]
    set_bits(frames, database, tile, "CLB_IO_CLK", feature, whole)


def through_a_bit_file(frames, database):
    """The frames as they come back out of a .bit file."""
    content = encode(frames, database.frame_addresses).encode()
    return bitfile.frames(bitfile.check(content, PART), database.frame_addresses)


def evaluate(table, cell, inputs):
    """What a LUT gives for logical inputs: its table at the address that the pins make of them."""
    address = sum(inputs[int(name[1:])] << int(pin[1:]) - 1 for pin, name in cell.pins.items())
    return table[address | (32 if cell.bel == "A6LUT" and not cell.pins.get("A6") else 0)]


@pytest.mark.parametrize("bel", ["A5LUT", "A6LUT"])
@pytest.mark.parametrize("order", list(permutations((1, 3, 5)))[:4])
def test_a_truth_table_follows_its_pins(bel, order):
    cell = lut("x", 0b11010010, 3, bel, order=order)
    table = truth_table(cell)
    for value in range(8):
        inputs = [value >> k & 1 for k in range(3)]
        assert evaluate(table, cell, inputs) == 0b11010010 >> value & 1
    assert logical_table(cell, table)[:8].tolist() == [0b11010010 >> i & 1 for i in range(8)]


def test_two_tied_inputs_on_one_pin(database):
    # nextpnr writes "I0I1 " for two inputs on one pin, and loses the second where the pin is not as tied.
    cell = replace(lut("x", 0b1000_1000_1110_1000, 4, "C6LUT"), pins={"A1": "I0I1 ", "A3": "I2", "A4": "I3"})
    table = truth_table(cell)
    for value in range(64):
        a, c, d = (value >> k & 1 for k in (0, 2, 3))
        assert table[value] == 0b1000_1000_1110_1000 >> (a | a << 1 | c << 2 | d << 3) & 1
    lost = truth_table(replace(cell, pins=cell.pins | {"A1": "I0"}))
    assert (lost[1::2] != table[1::2]).any()
    frames = {}
    write_lut(frames, database, lost, "C")
    found = through_a_bit_file(frames, database)
    assert len(compare(found, [cell], database).differences) == 1
    assert compare(found, [replace(cell, constants={"A1": 0})], database).differences == []
    assert len(compare(found, [replace(cell, constants={"A1": 1})], database).differences) == 1


def test_a_table_of_six_inputs():
    init = 0x123456789ABCDEF0
    assert truth_table(lut("x", init, 6)).tolist() == [init >> i & 1 for i in range(64)]


def test_equal_and_every_kind_of_difference(database):
    rng = np.random.default_rng(3)
    upper, lower = lut("u", 0x9ABCDEF0, 5, "A6LUT"), lut("l", 0x0BADF00D, 5, "A5LUT", order=(2, 1, 3, 5, 4))
    alone = lut("six", 0xFEDCBA9876543211, 6, "D6LUT", site=1)
    block = ram("RAMB36E1", rng)
    cells = [upper, lower, alone, block]
    frames = {}
    write_lut(frames, database, truth_table(upper), half=slice(32, 64))
    write_lut(frames, database, truth_table(lower), half=slice(0, 32))
    write_lut(frames, database, truth_table(alone), "D", "SLICEL_X1")
    for feature, values in block_ram(block).items():
        set_bits(frames, database, database.tiles[8, 9], "BLOCK_RAM", feature, values)
    found = through_a_bit_file(frames, database)
    result = compare(found, cells, database)
    assert result.differences == []
    assert (result.blocks, result.tables) == (1, 3)
    assert result.set_bits == sum(value.count("1") for value in block.parameters.values())
    used = [(address, word) for address, words in frames.items() for word in np.flatnonzero(words)]
    for address, word in [used[i] for i in rng.integers(0, len(used), 4)]:  # any bit that is used counts
        broken = {a: np.array(words) for a, words in found.items()}
        broken[address][word] ^= broken[address][word] & -broken[address][word].astype(np.int64) & 0xFFFFFFFF
        assert len(compare(broken, cells, database).differences) == 1


@pytest.mark.parametrize("half", [0, 1])
def test_a_half_block_ram(database, half):
    block = ram("RAMB18E1", np.random.default_rng(half), site_y=half)
    frames = {}
    for feature, values in block_ram(block).items():
        assert feature.startswith(f"RAMB18_Y{half}.")
        set_bits(frames, database, database.tiles[8, 9], "BLOCK_RAM", feature, values)
    assert compare(through_a_bit_file(frames, database), [block], database).differences == []
    other = ram("RAMB18E1", np.random.default_rng(7), site_y=half)
    assert compare(through_a_bit_file(frames, database), [other], database).differences


def test_even_bits_of_a_ramb36_are_in_the_lower_half():
    block = Placed("m", "RAMB36E1", 8, 9, 0, 0, "RAMB", {"INIT_02": text(0b1101, 256)}, {})
    vectors = block_ram(block)
    assert vectors["RAMB18_Y0.INIT_01"][:3].tolist() == [1, 1, 0]
    assert vectors["RAMB18_Y1.INIT_01"][:3].tolist() == [0, 1, 0]
    assert sum(int(v.sum()) for v in vectors.values()) == 3


def tables_of(words, simd, pe):
    """Cells and tables as xnor_rom.sv makes them: the product of weight and input, two to a LUT6_2."""
    for p in range(pe):
        for i in range(simd):
            ones = sum((word >> (p * simd + i) & 1) << k for k, word in enumerate(words))
            zeros = sum((1 - (word >> (p * simd + i) & 1)) << k for k, word in enumerate(words))
            name = f"pl.u_network.u_body_0_conv.g_lut.u_rom.g_merged.g_pe[{p & ~1}].g_bit[{i}].u_table.lut"
            yield lut(
                f"{name}.half[{p & 1}].genblk1.lut", ones << 16 | zeros, 5, "ABCD"[i % 4] + "6LUT", p % 2
            )


def weight_design(folder, words):
    (folder / "stitched").mkdir(exist_ok=True)
    (folder / "stitched" / "body.0.conv.weight.mem").write_text("\n".join(f"{w:x}" for w in words) + "\n")
    fields = dict.fromkeys(("board", "part", "top", "hash"), "")
    numbers = dict.fromkeys(("clock_hz", "base_address", "address_range"), 0)
    return Design(
        build=folder, name="x", sources=(), files=folder / "stitched", content={}, **fields, **numbers
    )


def test_weights_come_out_of_the_bitstream(database, tmp_path):
    words = [int(w) for w in np.random.default_rng(5).integers(0, 256, 16)]
    cells = list(tables_of(words, simd=4, pe=2))
    frames = {}
    for cell in cells:
        site = "SLICEM_X0" if cell.site_x == 0 else "SLICEL_X1"
        write_lut(frames, database, truth_table(cell), cell.bel[0], site)
    found = through_a_bit_file(frames, database)
    tables = found_weights(found, cells, database)
    result = Result()
    compare_weights(weight_design(tmp_path, words), tables, result)
    assert result.differences == []
    assert result.weights == {"body.0.conv.weight.mem": 16 * 8}
    words[3] ^= 0b100000  # one weight of another network
    other = Result()
    compare_weights(weight_design(tmp_path, words), tables, other)
    assert other.differences == ["weights of body.0.conv.weight.mem, bit 5"]
    missed = Result()
    compare_weights(weight_design(tmp_path, words), {}, missed)
    assert missed.elsewhere == ["body.0.conv.weight.mem"]
    assert not missed.weights


@pytest.mark.parametrize("block", ["", "genblk1."])
def test_words_of_a_rom_are_found(database, block):
    # Yosys names the block between the ROM and its words when it has no name.
    name = f"pl.u_network.u_up_0_conv.g_rom.u_rom.{block}g_words.g_bit[6].u_table.lut.half[1].genblk1.lut"
    cell = lut(name, 0x12345678, 5, "A6LUT")
    frames = {}
    write_lut(frames, database, truth_table(cell))
    tables = found_weights(through_a_bit_file(frames, database), [cell], database)
    ((found,),) = (values.items() for values in tables.values())
    assert found[0] == ("words", 7)
    assert found[1].tolist() == [0x12345678 >> i & 1 for i in range(32)]


def test_placement_is_read_from_nextpnrs_netlist(tmp_path):
    attributes = {
        "NEXTPNR_BEL": "X5Y7/SLICE_X0Y0.A5LUT",
        "X_ORIG_TYPE": "LUT2",
        "X_ORIG_PORT_A3": "I0",
        "X_ORIG_PORT_A1": "I1",
    }
    connections = {"A1": [7], "A3": [3], "A4": [], "O5": [9]}
    cell = {"parameters": {"INIT": "0110"}, "attributes": attributes, "connections": connections}
    path = tmp_path / "placed.json"
    nets = {"$PACKER_GND_NET": {"bits": [3]}, "x": {"bits": [7]}}
    path.write_text(json.dumps({"modules": {"top": {"cells": {"a.b": cell}, "netnames": nets}}}))
    placed = Placed("a.b", "LUT2", 5, 7, 0, 0, "A5LUT", {"INIT": "0110"}, {"A3": "I0", "A1": "I1"}, {"A3": 0})
    assert read_placement(path) == [placed]
    assert lut_pins(path) == {"a.b": {"A1", "A3"}}
