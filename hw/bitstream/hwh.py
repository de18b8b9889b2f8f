# SPDX-License-Identifier: BSD-3-Clause
"""The hardware description (.hwh) that pynq.Overlay wants beside a .bit file.

Vivado writes it from a block design; there is none here, so it is written from shell.json and the table of
registers. It says what PYNQ reads: the processor with its clocks and ports, one memory-mapped module with its
registers, and the connections between them.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from hw.bitstream.constraints import IO_PLL_HZ, divisors
from hw.bitstream.design import Design, split_part
from hw.shell.registers import REGISTERS, Register

INSTANCE = "bitmend_0"
VLNV = "bitmend.org:bitmend:restorer:1.0"
PROCESSOR = "processing_system7_0"
_PROCESSOR_VLNV = "xilinx.com:ip:processing_system7:5.5"
_ACCESS = {"RO": "read-only", "RW": "read-write", "WO": "write-only", "W1C": "read-write"}
_CHANNELS = ("AR", "AW", "W", "R", "B")
_UNUSED_CLOCK = (10, 10)  # divisors of FCLK1 to 3, which nothing uses


def hwh(design: Design) -> str:
    """Return the hardware description of a design as XML.

    Raises:
        BitstreamError: the board cannot make the design's clock.
    """
    device, package, speed = split_part(design.part)
    root = ET.Element("EDKSYSTEM", EDWVERSION="1.2", TIMESTAMP="", VIVADOVERSION="")
    ET.SubElement(
        root,
        "SYSTEMINFO",
        ARCH="zynq",
        DEVICE=device.removeprefix("xc"),
        NAME=design.name,
        PACKAGE=package,
        SPEEDGRADE=f"-{speed}",
    )
    ET.SubElement(root, "EXTERNALPORTS")
    ET.SubElement(root, "EXTERNALINTERFACES")
    modules = ET.SubElement(root, "MODULES")
    modules.append(_processor(design))
    modules.append(_restorer(design))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n' + ET.tostring(root, "unicode") + "\n"


def _module(instance: str, vlnv: str, **attributes: str) -> ET.Element:
    _, _, kind, version = vlnv.split(":")
    fixed = {"COREREVISION": "1", "FULLNAME": f"/{instance}", "HWVERSION": version, "INSTANCE": instance}
    return ET.Element("MODULE", fixed | {"MODTYPE": kind, "VLNV": vlnv} | attributes)


def _processor(design: Design) -> ET.Element:
    module = _module(
        PROCESSOR, _PROCESSOR_VLNV, BDTYPE="", IS_ENABLE="1", IS_PL="FALSE", MODCLASS="PROCESSOR"
    )
    _parameters(module, _clock_parameters(design) | _port_parameters())
    ports = ET.SubElement(module, "PORTS")
    mhz = str(design.clock_hz)
    _port(
        ports,
        "FCLK_CLK0",
        "O",
        "clk",
        "fclk0",
        [(INSTANCE, "clk"), (PROCESSOR, "M_AXI_GP0_ACLK")],
        CLKFREQUENCY=mhz,
    )
    _port(ports, "FCLK_RESET0_N", "O", "rst", "fclk_reset0_n", [(INSTANCE, "resetn")])
    _port(ports, "M_AXI_GP0_ACLK", "I", "clk", "fclk0", [(PROCESSOR, "FCLK_CLK0")], CLKFREQUENCY=mhz)
    _port(ports, "S_AXI_HP0_ACLK", "I", "clk", "fclk0", [(PROCESSOR, "FCLK_CLK0")], CLKFREQUENCY=mhz)
    _bus_ports(ports, "M_AXI_GP0", master=True, other=(INSTANCE, "s_axil"))
    _bus_ports(ports, "S_AXI_HP0", master=False, other=(INSTANCE, "m_axi"))
    buses = ET.SubElement(module, "BUSINTERFACES")
    _bus(buses, "M_AXI_GP0", "MASTER", "registers", 32, design)
    _bus(buses, "S_AXI_HP0", "SLAVE", "pixels", 64, design)
    memory = ET.SubElement(module, "MEMORYMAP")
    end = design.base_address + design.address_range - 1
    _range(memory, "Reg", design.base_address, end, INSTANCE, "M_AXI_GP0", "s_axil", "REGISTER")
    return module


def _clock_parameters(design: Design) -> dict[str, str]:
    """Return the clocks.

    PYNQ 3 sets FCLK0 from the two divisors. PYNQ 4 reads a frequency instead, for a Zynq-7000 too by the name
    that it has in a Zynq UltraScale+.
    """
    result = {"PCW_CRYSTAL_PERIPHERAL_FREQMHZ": "50", "PCW_IOPLL_CTRL_FBDIV": str(IO_PLL_HZ // 50_000_000)}
    for index in range(4):
        d0, d1 = divisors(design.clock_hz) if index == 0 else _UNUSED_CLOCK
        mhz = f"{IO_PLL_HZ / (d0 * d1) / 1e6:.6f}"
        result |= {
            f"PCW_FPGA_FCLK{index}_ENABLE": "1" if index == 0 else "0",
            f"PCW_EN_CLK{index}_PORT": "1" if index == 0 else "0",
            f"PCW_FCLK{index}_PERIPHERAL_CLKSRC": "IO PLL",
            f"PCW_FCLK{index}_PERIPHERAL_DIVISOR0": str(d0),
            f"PCW_FCLK{index}_PERIPHERAL_DIVISOR1": str(d1),
            f"PCW_FPGA{index}_PERIPHERAL_FREQMHZ": mhz,
            f"PCW_ACT_FPGA{index}_PERIPHERAL_FREQMHZ": mhz,
            f"PSU__CRL_APB__PL{index}_REF_CTRL__ACT_FREQMHZ": mhz,
        }
    return result


def _port_parameters() -> dict[str, str]:
    used = {f"PCW_USE_M_AXI_GP{i}": str(int(i == 0)) for i in range(2)}
    used |= {f"PCW_USE_S_AXI_HP{i}": str(int(i == 0)) for i in range(4)}
    return used | {"PCW_S_AXI_HP0_DATA_WIDTH": "64", "C_S_AXI_HP0_DATA_WIDTH": "64", "PCW_EN_RST0_PORT": "1"}


def _restorer(design: Design) -> ET.Element:
    module = _module(INSTANCE, VLNV, BDTYPE="", IS_ENABLE="1", IS_PL="TRUE", MODCLASS="PERIPHERAL")
    blocks = ET.SubElement(module, "ADDRESSBLOCKS")
    block = ET.SubElement(
        blocks,
        "ADDRESSBLOCK",
        ACCESS="",
        INTERFACE="s_axil",
        NAME="Reg",
        RANGE=str(design.address_range),
        USAGE="register",
    )
    registers = ET.SubElement(block, "REGISTERS")
    for register in REGISTERS:
        registers.append(_register(register))
    end = design.base_address + design.address_range - 1
    _parameters(
        module,
        {
            "NETWORK": design.name,
            "NETWORK_HASH": design.hash,
            "CLOCK_HZ": str(design.clock_hz),
            "C_BASEADDR": f"0x{design.base_address:08X}",
            "C_HIGHADDR": f"0x{end:08X}",
        },
    )
    ports = ET.SubElement(module, "PORTS")
    _port(ports, "clk", "I", "clk", "fclk0", [(PROCESSOR, "FCLK_CLK0")], CLKFREQUENCY=str(design.clock_hz))
    _port(ports, "resetn", "I", "rst", "fclk_reset0_n", [(PROCESSOR, "FCLK_RESET0_N")])
    _bus_ports(ports, "s_axil", master=False, other=(PROCESSOR, "M_AXI_GP0"))
    _bus_ports(ports, "m_axi", master=True, other=(PROCESSOR, "S_AXI_HP0"))
    buses = ET.SubElement(module, "BUSINTERFACES")
    _bus(buses, "s_axil", "SLAVE", "registers", 32, design)
    _bus(buses, "m_axi", "MASTER", "pixels", 64, design)
    memory = ET.SubElement(module, "MEMORYMAP")
    _range(memory, "HP0_DDR_LOWOCM", 0, 0x1FFFFFFF, PROCESSOR, "m_axi", "S_AXI_HP0", "MEMORY")
    return module


def _register(register: Register) -> ET.Element:
    element = ET.Element("REGISTER", NAME=register.name)
    text = register.text
    if register.array:
        text += f"; the first of an array, {register.step} bytes each, by {register.array}"
    _property(element, "DESCRIPTION", text)
    _property(element, "ADDRESS_OFFSET", f"0x{register.offset:X}")
    _property(element, "SIZE", "32")
    _property(element, "ACCESS", _ACCESS[register.access])
    _property(element, "IS_ENABLED", "true")
    _property(element, "RESET_VALUE", "0x0")
    fields = ET.SubElement(element, "FIELDS")
    for field in register.fields:
        entry = ET.SubElement(fields, "FIELD", NAME=field.name)
        _property(entry, "DESCRIPTION", field.text)
        _property(entry, "ADDRESS_OFFSET", "0x0")
        _property(entry, "BIT_OFFSET", str(field.low))
        _property(entry, "BIT_WIDTH", str(field.bits))
        _property(entry, "ACCESS", _ACCESS[register.access])
    return element


def _property(element: ET.Element, name: str, value: str) -> None:
    ET.SubElement(element, "PROPERTY", NAME=name, VALUE=value)


def _parameters(module: ET.Element, values: dict[str, str]) -> None:
    parameters = ET.SubElement(module, "PARAMETERS")
    for name, value in values.items():
        ET.SubElement(parameters, "PARAMETER", NAME=name, VALUE=value)


def _port(
    ports: ET.Element,
    name: str,
    direction: str,
    kind: str,
    signal: str,
    others: Sequence[tuple[str, str]],
    **attributes: str,
) -> None:
    values = {"DIR": direction, "NAME": name, "SIGIS": kind, "SIGNAME": signal} | attributes
    port = ET.SubElement(ports, "PORT", values)
    connections = ET.SubElement(port, "CONNECTIONS")
    for instance, other in others:
        ET.SubElement(connections, "CONNECTION", INSTANCE=instance, PORT=other)


def _bus_ports(ports: ET.Element, name: str, *, master: bool, other: tuple[str, str]) -> None:
    """Add one handshake signal per channel, which is what tells a reader what is connected."""
    for channel in _CHANNELS:
        forward = channel in ("AR", "AW", "W")
        direction = "O" if forward == master else "I"
        instance, bus = other
        signal = f"{min(name, bus)}_{channel}VALID"
        _port(
            ports, f"{name}_{channel}VALID", direction, "undef", signal, [(instance, f"{bus}_{channel}VALID")]
        )


def _bus(buses: ET.Element, name: str, kind: str, connection: str, bits: int, design: Design) -> None:
    bus = ET.SubElement(
        buses,
        "BUSINTERFACE",
        BUSNAME=connection,
        DATAWIDTH=str(bits),
        NAME=name,
        TYPE=kind,
        VLNV="xilinx.com:interface:aximm:1.0",
    )
    for key, value in (("DATA_WIDTH", str(bits)), ("PROTOCOL", "AXI3"), ("FREQ_HZ", str(design.clock_hz))):
        ET.SubElement(bus, "PARAMETER", NAME=key, VALUE=value)
    maps = ET.SubElement(bus, "PORTMAPS")
    for channel in _CHANNELS:
        ET.SubElement(maps, "PORTMAP", LOGICAL=f"{channel}VALID", PHYSICAL=f"{name}_{channel}VALID")


def _range(
    memory: ET.Element, block: str, base: int, end: int, instance: str, master: str, slave: str, kind: str
) -> None:
    ET.SubElement(
        memory,
        "MEMRANGE",
        ADDRESSBLOCK=block,
        BASENAME="C_BASEADDR",
        BASEVALUE=f"0x{base:08X}",
        HIGHNAME="C_HIGHADDR",
        HIGHVALUE=f"0x{end:08X}",
        INSTANCE=instance,
        IS_DATA="TRUE",
        MASTERBUSINTERFACE=master,
        MEMTYPE=kind,
        SLAVEBUSINTERFACE=slave,
    )
