# SPDX-License-Identifier: BSD-3-Clause
import pytest

from hw.bitstream import BitstreamError
from hw.bitstream.delays import CARRY, clock_to_out, setup
from hw.bitstream.timing import analyze, read_sdf

NAMES = r"""
(DELAYFILE
  (CELL (CELLTYPE "top")
    (INSTANCE )
        (INTERCONNECT a\$1/Q lut/A1 (100:200:300) (100:200:400))
        (INTERCONNECT a\$1/Q lut/A2 (500:600:700) (500:600:700))
        (INTERCONNECT lut/O6 dsp/A0 (900:1000:1100) (900:1000:1100))
        (INTERCONNECT dsp/P0 ram.0/ADDRARDADDRL3 (1000:1000:1000) (1000:1000:1000))
        (INTERCONNECT ram.0/DOADO0 carry/DI0 (100:100:100) (100:100:100))
        (INTERCONNECT carry/O1 ps/SAXIHP0WDATA5 (10:10:10) (10:10:10))
        (INTERCONNECT buffer/O a\$1/CK (4000:4000:4000) (4000:4000:4000))
        (INTERCONNECT buffer/O dsp/CLK (4000:4000:4000) (4000:4000:4000))
  (CELL
    (CELLTYPE "SLICE_FFX")
    (INSTANCE a\$1)
        (IOPATH CK Q (300:325:350) (300:325:350))
      (SETUPHOLD (posedge D) (posedge CK) (100:100:150) (200:200:200))
  (CELL
    (CELLTYPE "SLICE_LUTX")
    (INSTANCE lut)
        (IOPATH A1 O6 (100:125:150) (100:125:150))
        (IOPATH A2 O6 (100:125:150) (100:125:160))
  (CELL
    (CELLTYPE "DSP48E1_DSP48E1")
    (INSTANCE dsp)
  (CELL
    (CELLTYPE "RAMB36E1_RAMB36E1")
    (INSTANCE ram.0)
  (CELL
    (CELLTYPE "CARRY4")
    (INSTANCE carry)
  (CELL
    (CELLTYPE "PS7_PS7")
    (INSTANCE ps)
  (CELL
    (CELLTYPE "BUFGCTRL")
    (INSTANCE buffer)
"""
DSP = {"AREG": "0", "MREG": "1", "PREG": "1", "USE_DPORT": "FALSE"}


def result(tmp_path, text, **parameters):
    path = tmp_path / "delays.sdf"
    path.write_text(text)
    cells = {name.replace("_", "."): {"parameters": values} for name, values in parameters.items()}
    return analyze(read_sdf(path), cells)


def total(timing):
    return pytest.approx(1000 / timing.fmax_mhz, abs=1e-6)


def test_the_slowest_path_goes_through_the_memory_and_the_carry(tmp_path):
    timing = result(tmp_path, NAMES, dsp=DSP | {"AREG": "1"})
    assert total(timing) == 2.454 + 0.1 + CARRY + 0.01 + 1.038
    assert [(s["kind"], s["to"], s["to_pin"]) for s in timing.path] == [
        ("clk-to-q", "ram.0", "DOADO0"),
        ("routing", "carry", "DI0"),
        ("logic", "carry", "O1"),
        ("routing", "ps", "SAXIHP0WDATA5"),
        ("setup", "ps", "SAXIHP0WDATA5"),
    ]
    assert total(timing) == sum(s["delay_ns"] for s in timing.path)
    assert timing.ends == {"DSP48E1_DSP48E1": 1, "RAMB36E1_RAMB36E1": 1, "PS7_PS7": 1}


def test_an_output_register_of_the_memory_makes_another_path_the_slowest(tmp_path):
    timing = result(tmp_path, NAMES, dsp=DSP, ram_0={"DOA_REG": "1"})
    assert total(timing) == 0.518 + 0.7 + 0.16 + 1.1 + 1.928  # names are unescaped, the longer pin counts
    assert timing.path[0]["from"] == "a$1"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"AREG": "1"}, 0.518 + 0.7 + 0.16 + 1.1 + 0.362),
        ({"USE_DPORT": "TRUE", "ADREG": "0"}, 0.518 + 0.7 + 0.16 + 1.1 + 3.288),
        ({"PREG": "0", "AREG": "1"}, 2.5 + 1.0 + 0.566),
        ({"PREG": "0", "MREG": "0", "AREG": "1"}, 5.666 + 1.0 + 0.566),
    ],
)
def test_registers_of_a_dsp(tmp_path, change, expected):
    timing = result(tmp_path, NAMES, dsp=DSP | change, ram_0={"DOA_REG": "1"})
    assert total(timing) == expected


def test_a_slower_wire_is_a_slower_clock(tmp_path):
    slow = NAMES.replace("(100:100:100) (100:100:100))", "(100:100:100) (100:100:900))")
    assert total(result(tmp_path, slow)) == 2.454 + 0.9 + CARRY + 0.01 + 1.038


def test_a_loop_is_an_error(tmp_path):
    back = "(INTERCONNECT lut/O6 lut/A1 (1:1:1) (1:1:1))"
    loop = NAMES.replace("(INTERCONNECT lut/O6", f"{back}\n(INTERCONNECT lut/O6", 1)
    with pytest.raises(BitstreamError, match="loop without a register through lut"):
        result(tmp_path, loop)


@pytest.mark.parametrize("text", ["", "(DELAYFILE)"])
def test_no_delays(tmp_path, text):
    with pytest.raises(BitstreamError, match="holds no wires"):
        result(tmp_path, text)


def test_lut_ram_is_written_at_the_clock_and_read_without(tmp_path):
    text = """
        (INTERCONNECT buffer/O ram/CLK (4000:4000:4000) (4000:4000:4000))
        (INTERCONNECT f/Q ram/DI1 (2000:2000:2000) (2000:2000:2000))
        (INTERCONNECT f/Q ram/A1 (100:100:100) (100:100:100))
        (INTERCONNECT ram/O6 f/D (300:300:300) (300:300:300))
    """ + "".join(
        f'(CELLTYPE "{kind}")\n(INSTANCE {name})\n{rest}'
        for name, kind, rest in (
            ("f", "SLICE_FFX", ""),
            ("ram", "SLICE_LUTX", "(IOPATH A1 O6 (150:150:150) (150:150:150))\n"),
            ("buffer", "BUFGCTRL", ""),
        )
    )
    timing = result(tmp_path, text)
    assert total(timing) == 0.518 + 2.0 + 0.6
    assert timing.ends == {"SLICE_LUTX": 1, "SLICE_FFX": 1}


def test_hard_blocks():
    assert setup("PS7_PS7", "SAXIHP0WDATA0", {}) == 1.038
    assert setup("RAMB18E1_RAMB18E1", "DIADI0", {}) == 0.737
    assert clock_to_out("RAMB36E1_RAMB36E1", "DOBDO0", {"DOB_REG": "1"}) == 0.882
    assert clock_to_out("DSP48E1_DSP48E1", "PCOUT3", {}) == 0.478


def test_pins_that_a_lut_shares_with_its_neighbour_make_no_path(tmp_path):
    shared = NAMES.replace("lut/O6 dsp/A0", "lut/O6 lut/A3").replace(
        "(IOPATH A2 O6 (100:125:150) (100:125:160))",
        "(IOPATH A2 O6 (100:125:150) (100:125:160))\n(IOPATH A3 O6 (100:100:100) (100:100:100))",
    )
    path = tmp_path / "delays.sdf"
    path.write_text(shared)
    with pytest.raises(BitstreamError, match="loop without a register through lut"):
        analyze(read_sdf(path), {})
    assert analyze(read_sdf(path), {}, {"lut": {"A1": "I0", "A2": "I1", "O6": "O"}}).fmax_mhz > 0
