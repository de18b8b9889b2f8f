# SPDX-License-Identifier: BSD-3-Clause
"""A small design, a device full of zeros, and tools that only pretend."""

import json
import os
import stat
import struct
import sys

import numpy as np

from hw.bitstream.bitfile import FRAME_WORDS, BitFile

PART = "xc7z020clg400-1"
ROWS = (
    ("top", 1),
    ("bottom", 2),
)  # columns are made up, their frames add up to the real number
COLUMNS = {"CLB_IO_CLK": (42, 2522), "BLOCK_RAM": (128, 640)}

TOP = """\
// SPDX-License-Identifier: BSD-3-Clause
module bitmend_top;
    wire [3:0] fclk;
    wire clk;
    wire [31:0] wd;
    BUFG clock (.I(fclk[0]), .O(clk));
    reg [9:0] address;
    reg [35:0] q;
    (* rom_style = "block" *) reg [35:0] memory [0:1023];
    initial $readmemh("table.mem", memory);
    wire [1:0] pair;
    LUT6_2 #(.INIT(64'h123456789abcdef0)) lut (.I0(wd[10]), .I1(wd[11]), .I2(wd[12]), .I3(wd[13]),
        .I4(wd[14]), .I5(1'b1), .O6(pair[1]), .O5(pair[0]));
    reg [7:0] delayed;
    always @(posedge clk) begin
        address <= wd[9:0];
        q <= memory[address];
        delayed <= {delayed[6:0], ^pair};
    end
    wire [31:0] rd = q[31:0] ^ {delayed[7], q[35:32]};
    PS7 ps (.FCLKCLK(fclk), .MAXIGP0ACLK(clk), .MAXIGP0WDATA(wd), .MAXIGP0RDATA(rd));
endmodule
"""


def write_build(folder, network, *, clock_hz=100_000_000):
    """A build folder with a tiny design in its shell, for a real network."""
    from hw.shell.registers import OFFSETS

    (folder / "shell").mkdir(parents=True)
    (folder / "stitched").mkdir()
    (folder / "shell" / "bitmend_top.sv").write_text(TOP)
    rng = np.random.default_rng(1)
    words = rng.integers(0, 2**36, 1024)
    (folder / "stitched" / "table.mem").write_text("".join(f"{word:09x}\n" for word in words))
    network.save(folder / "network.npz")
    content = {
        "name": "tiny_top",
        "hash": network.content_hash,
        "board": "pynq-z2",
        "part": PART,
        "clock_hz": clock_hz,
        "scale": network.scale,
        "channels": network.channels,
        "max_width": 64,
        "max_height": 64,
        "base_address": 0x43C00000,
        "address_range": 65536,
        "stages": ["a", "b"],
        "top": "bitmend_top",
        "pl": "bitmend_pl",
        "sources": ["bitmend_top.sv"],
        "files_folder": "../stitched",
        "registers": OFFSETS,
        "dma_bits": 64,
    }
    (folder / "shell" / "shell.json").write_text(json.dumps(content))
    return folder


def write_database(folder):
    """A database of Project X-Ray with the frames of a real xc7z020, and one tile of each kind."""
    family = folder / "zynq7"
    (family / PART).mkdir(parents=True)
    (family / "xc7z020").mkdir()
    regions = {
        half: {
            "rows": {
                str(row): {
                    "configuration_buses": {
                        bus: {
                            "configuration_columns": {
                                str(i): {"frame_count": n} for i, n in enumerate(_columns(frames))
                            }
                        }
                        for bus, frames in COLUMNS.items()
                    }
                }
                for row in range(rows)
            }
        }
        for half, rows in ROWS
    }
    (family / PART / "part.json").write_text(json.dumps({"global_clock_regions": regions}))
    (family / PART / "part.yaml").write_text("made up\n")
    clb = {"CLB_IO_CLK": {"baseaddr": "0x00400000", "frames": 36, "offset": 2, "words": 2}}
    bram = {"BLOCK_RAM": {"baseaddr": "0x00800000", "frames": 128, "offset": 10, "words": 10}}
    grid = {
        "CLBLM_L_X2Y3": {"bits": clb, "grid_x": 5, "grid_y": 7, "sites": {}, "type": "CLBLM_L"},
        "BRAM_L_X6Y0": {"bits": bram, "grid_x": 8, "grid_y": 9, "sites": {}, "type": "BRAM_L"},
        "NULL_X0Y0": {"bits": {}, "grid_x": 0, "grid_y": 0, "sites": {}, "type": "NULL"},
    }
    (family / "xc7z020" / "tilegrid.json").write_text(json.dumps(grid))
    luts = [
        f"CLBLM_L.{site}.{lut}LUT.INIT[{i:02d}] {26 + first + i % 4}_{16 * 'ABCD'.index(lut) + i // 4}"
        for first, site in ((4, "SLICEM_X0"), (0, "SLICEL_X1"))
        for lut in "ABCD"
        for i in range(64)
    ]
    (family / "segbits_clblm_l.db").write_text("\n".join([*luts, "CLBLM_L.SLICEM_X0.AFF.ZINI 31_03"]) + "\n")
    rams = [
        f"BRAM_L.RAMB18_Y{half}.{kind}_{word:02X}[{bit:03d}] {(word * 2 + bit // 128) % 128}_"
        f"{half * 160 + (128 if kind == 'INITP' else 0) + (bit % 128 if kind == 'INIT' else bit % 128 // 4)}"
        for half in (0, 1)
        for kind, words in (("INIT", 64), ("INITP", 8))
        for word in range(words)
        for bit in range(256)
        if kind == "INIT" or bit % 4 == 0
    ]
    (family / "segbits_bram_l.block_ram.db").write_text("\n".join(_dense(rams)) + "\n")
    return folder


def _columns(frames):
    first, rest = frames
    return [first] + [128] * (rest // 128) + ([rest % 128] if rest % 128 else [])


def _dense(rams):
    """Parity vectors have a bit at every fourth place only: give the others places behind all words."""
    return [line for line in rams if ".INIT_" in line] + [
        f"BRAM_L.RAMB18_Y{half}.INITP_{word:02X}[{bit:03d}] {word * 2 + half}_{320 + bit}"
        for half in (0, 1)
        for word in range(8)
        for bit in range(256)
    ]


def encode(frames, addresses, *, part=PART, idcode=0x03727093):
    """A whole .bit file of frames; those that are not given are zero."""
    body = []
    for index, address in enumerate(addresses):
        body.append(frames.get(address, np.zeros(FRAME_WORDS, np.uint32)))
        following = addresses[index + 1] if index + 1 < len(addresses) else -1
        if following >> 17 != address >> 17:
            body += [np.zeros(FRAME_WORDS, np.uint32)] * 2
    data = np.concatenate(body).astype(">u4").tobytes()
    head = [0xFFFFFFFF] * 8 + [0x000000BB, 0x11220044, 0xFFFFFFFF, 0xFFFFFFFF, 0xAA995566, 0x20000000]
    head += [0x30018001, idcode, 0x30002001, addresses[0], 0x30004000, 0x50000000 | len(data) // 4]
    tail = [0x30008001, 0x0000000D] + [0x20000000] * 561
    pack = lambda words: b"".join(struct.pack(">I", word) for word in words)  # noqa: E731
    return BitFile("tiny;Generator=test", part, "2000/01/01", "00:00:00", pack(head) + data + pack(tail))


def write_program(path, text):
    """An executable Python program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


NEXTPNR = """
import json, os, pathlib, sys
options = dict(zip(sys.argv[1:], sys.argv[2:]))
given = [a for a in sys.argv if "=" in a and not a.startswith("-")]
named = dict(a.split("=", 1) for a in given)
fasm = named.get("fasm") or options["--fasm"]
xdc = named.get("xdc") or options["--xdc"]
assert "create_clock -period" in pathlib.Path(xdc).read_text()
assert json.load(open(options["--json"]))["modules"]
with open(os.environ["FAKE_CALLS"], "a") as file:
    file.write("nextpnr " + options["--seed"] + " " + options["--freq"] + "\\n")
fmax = dict(pair.split(":") for pair in os.environ["FAKE_FMAX"].split(","))[options["--seed"]]
if fmax == "crash":
    print("ERROR: Failed to route arc 3 of net 'x'")
    sys.exit(1)
print("Info: \\t          SLICE_LUTX:    12/ 106400     0%")
print("Info: Max frequency for clock 'clk': 12.00 MHz (FAIL at 100.00 MHz)")
print("Info: Max frequency for clock 'clk': 321.00 MHz (PASS at 100.00 MHz)")
pathlib.Path(fasm).write_text("A.B.C\\n")
pathlib.Path(options["--write"]).write_text("{}")
wire = 1e6 / float(fmax) - 518 - 100  # a flip-flop's delay and its setup time
first, last = "pl.net.u_body_0_conv.a", "pl.net.u_tail.b"
lines = [f"(INTERCONNECT {first}/Q {last}/D ({wire}::{wire}) (0::0))"]
lines += [f'(CELLTYPE "SLICE_FFX")\\n(INSTANCE {name})' for name in (first, last)]
pathlib.Path(options["--sdf"]).write_text("\\n".join(lines) + "\\n")
"""
FASM2FRAMES = """
import os, pathlib, sys
assert sys.argv[1:3] == ["--part", "xc7z020clg400-1"] and sys.argv[3] == "--db-root", sys.argv
pathlib.Path(sys.argv[6]).write_text(pathlib.Path(sys.argv[5]).read_text())
open(os.environ["FAKE_CALLS"], "a").write("fasm2frames\\n")
"""
FRAMES2BIT = """
import os, pathlib, sys
options = dict(a.lstrip("-").split("=", 1) for a in sys.argv[1:])
assert pathlib.Path(options["part_file"]).name == "part.yaml" and pathlib.Path(options["frm_file"]).exists()
pathlib.Path(options["output_file"]).write_bytes(pathlib.Path(os.environ["FAKE_BIT"]).read_bytes())
open(os.environ["FAKE_CALLS"], "a").write("frames2bit\\n")
"""


def write_tools(folder, *, nextpnr="nextpnr-himbaechel"):
    """A folder with the three programs of the open flow."""
    write_program(folder / nextpnr, NEXTPNR)
    write_program(folder / "fasm2frames", FASM2FRAMES)
    write_program(folder / "xc7frames2bit", FRAMES2BIT)
    return folder


def clean_path():
    """PATH without any tool of ours."""
    return os.pathsep.join(["/usr/bin", "/bin"])
