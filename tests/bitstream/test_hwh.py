# SPDX-License-Identifier: BSD-3-Clause
"""PYNQ's own code reads what we write. It lies apart, in <environment>/pynq: see the Makefile."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bitstream_examples import write_build

from golden.random_networks import bbcu_like
from hw.bitstream import BitstreamError
from hw.bitstream.constraints import clocks, divisors, next_slower, vivado_xdc
from hw.bitstream.design import read_design
from hw.bitstream.hwh import hwh
from hw.shell.registers import REGISTERS

PYNQ = Path(sys.prefix) / "pynq"
# IPython is there for pictures of block designs only; the parsers do not call it.
READ = """
import json, sys, types
display = types.ModuleType("IPython.display")
display.display = display.Javascript = display.HTML = None
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython.display"] = display
from pynq.pl_server.embedded_device import bit2bin, parse_bit_header
from pynq.pl_server.hwh_parser import _HWHZynq
from pynq.metadata.runtime_metadata_parser import RuntimeMetadataParser
from pynqmetadata.frontends import Metadata
hwh, bit = sys.argv[1:]
old, new = _HWHZynq(hwh), RuntimeMetadataParser(Metadata(input=hwh))
content = open(bit, "rb").read()
header = parse_bit_header(content)
binary = bit2bin(content)
result = {
    name: {
        "clocks": [dict(parser.clock_dict[i]) for i in range(4)],
        "ip": parser.ip_dict["bitmend_0"],
        "all": sorted(parser.ip_dict.keys()),
        "width": parser.ip_dict[sorted(parser.ip_dict.keys())[1]]["parameters"]["PCW_S_AXI_HP0_DATA_WIDTH"],
    }
    for name, parser in (("old", old), ("new", new))
}
result["bit"] = {key: header[key] for key in ("design", "part", "length")}
result["sync"] = binary.find(bytes.fromhex("665599aa"))
result["binary"] = len(binary)
print(json.dumps(result, default=str))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory, bit):
    folder = tmp_path_factory.mktemp("hwh")
    network = bbcu_like(np.random.default_rng(2), 2, 1, 2, 3)
    design = read_design(write_build(folder / "build", network, clock_hz=83_333_333))
    (folder / "tiny.hwh").write_text(hwh(design))
    (folder / "tiny.bit").write_bytes(bit.encode())
    return design, folder


@pytest.fixture(scope="module")
def read(made):
    if not (PYNQ / "pynq").is_dir():
        pytest.fail(f"PYNQ is not in {PYNQ}: run make setup")
    _, folder = made
    command = [sys.executable, "-W", "ignore", "-c", READ, str(folder / "tiny.hwh"), str(folder / "tiny.bit")]
    environment = {"PYTHONPATH": str(PYNQ), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize("parser", ["old", "new"])
def test_pynq_finds_the_accelerator_at_its_address(made, read, parser):
    design, _ = made
    assert read[parser]["all"] == ["bitmend_0", "processing_system7_0"]
    ip = read[parser]["ip"]
    assert ip["type"] == "bitmend.org:bitmend:restorer:1.0"
    assert (ip["phys_addr"], ip["addr_range"]) == (0x43C00000, 65536)
    assert ip["parameters"]["NETWORK_HASH"] == design.hash
    assert read[parser]["width"] == "64"


@pytest.mark.parametrize("parser", ["old", "new"])
def test_pynq_finds_every_register(read, parser):
    found = read[parser]["ip"]["registers"]
    assert {name: entry["address_offset"] for name, entry in found.items()} == {
        register.name: register.offset for register in REGISTERS
    }
    status = found["STATUS"]["fields"]
    assert (status["JOBS"]["bit_offset"], status["JOBS"]["bit_width"]) == (8, 8)
    assert found["SRC_ADDR"]["access"] == "read-write"


@pytest.mark.parametrize("parser", ["old", "new"])
def test_pynq_sets_the_clock(read, parser):
    first, *others = read[parser]["clocks"]
    assert first["enable"] == 1
    assert 1000 / (first["divisor0"] * first["divisor1"]) == pytest.approx(83.333333, abs=1e-5)
    assert [clock["enable"] for clock in others] == [0, 0, 0]


def test_pynq_reads_the_header_of_the_bit_file(read, bit):
    assert read["bit"] == {"design": "tiny", "part": "xc7z020clg400-1", "length": str(len(bit.data))}
    assert read["binary"] == len(bit.data)
    assert 0 <= read["sync"] < 1024  # in the byte order of the kernel's fpga_manager


def test_clocks_are_quotients_of_the_pll():
    assert divisors(100_000_000) == (10, 1)
    for hz, d0, d1 in clocks():
        assert 1 <= d1 <= d0 <= 63
        assert hz == pytest.approx(1e9 / (d0 * d1))
    assert next_slower(91.7) == pytest.approx(1000 / 11)
    assert next_slower(100.0) == 100
    with pytest.raises(BitstreamError, match="125 and 111"):
        divisors(120_000_000)


def test_constraints_of_vivado(made):
    design, _ = made
    assert "create_clock -name fclk0 -period 12.000" in vivado_xdc(design)


def test_a_clock_that_the_board_cannot_make_is_refused(tmp_path):
    network = bbcu_like(np.random.default_rng(2), 2, 1, 2, 3)
    with pytest.raises(BitstreamError, match="FCLK0 cannot be 97 MHz"):
        hwh(read_design(write_build(tmp_path, network, clock_hz=97_000_000)))
