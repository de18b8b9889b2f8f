# SPDX-License-Identifier: BSD-3-Clause
"""What the papers print about operations and parameters, and which of our networks each row is.

The figures of Tables 1 to 4 of BBCU (and those of the other papers) are in paper_tables.csv; Table 6, which
has parts of one network instead of methods, is below.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

from quant.config import PRESETS, NetworkConfig

TABLES = Path(__file__).with_name("paper_tables.csv")


@dataclass(frozen=True)
class PrintedRow:
    """The size of one network as printed: operations in 10^9 and parameters in 10^3, as strings.

    Attributes:
        ops_of, params_of: the parts of the network (names of `quant.counting`) that the figures are of;
            None is all of them.
        note: what to know about the row.
    """

    table: str
    task: str
    method: str
    setting: str
    ops_g: str
    params_k: str
    ops_of: tuple[str, ...] | None = None
    params_of: tuple[str, ...] | None = None
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the row."""
        return self.table, self.method, self.setting


def csv_rows(path: Path = TABLES) -> list[PrintedRow]:
    """Every network of the csv that has operations printed, once, in the csv's order."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [
            PrintedRow(r["table"], r["task"], r["method"], r["setting"], r["ops_g"], r["params_k"])
            for r in csv.DictReader(file)
            if r["ops_g"]
        ]
    return list(dict.fromkeys(rows))


def _paper(name: str, **changes) -> NetworkConfig:
    return replace(PRESETS[name], mode="paper", **changes)


def implemented() -> dict[tuple[str, str, str], NetworkConfig]:
    """The network of every row that quant can build, by the row's key."""
    networks: dict[tuple[str, str, str], NetworkConfig] = {}
    methods = {
        "SRResNet": "srresnet",
        "SRResNet-Lite": "srresnet_lite",
        "BBCU-M": "bbcu_m",
        "BBCU-L": "bbcu_l",
    }
    for scale in ("x2", "x4"):
        for method, stem in methods.items():
            networks["bbcu_table1", method, scale] = _paper(f"{stem}_{scale}")
    for table, stem, name, settings in (
        ("bbcu_table2", "dncnn", "DnCNN", ("sigma15", "sigma25", "sigma50")),
        ("bbcu_table3", "dncnn3", "DnCNN-3", ("q10", "q20", "q30", "q40")),
    ):
        for setting in settings:
            networks[table, name, setting] = _paper(stem)
            networks[table, f"{name}-Lite", setting] = _paper(f"{stem}_lite")
            networks[table, "BBCU", setting] = _paper(f"bbcu_{stem}")
    for unit in ("V1", "V2", "V3", "V4"):
        networks["bbcu_table4", f"BBCU-{unit}", "x4"] = _paper(f"bbcu_{unit.lower()}_x4")
    for row in table6_rows():
        binary = row.params_of if row.method.endswith("binary") else ()
        networks[row.key] = _paper("srresnet_x4", binary=binary)
    return networks


def table6_rows() -> list[PrintedRow]:
    """BBCU Table 6: the parts of SRResNet x4 in full precision, and each of them made binary alone.

    Operations are printed there in 10^6, parameters in 10^3.
    """
    printed = {  # part: (OPs full, OPs binary), (params full, params binary)
        "head": (("99.53", "1.56"), ("1.73", "0.05")),
        "body": (("67947.73", "1061.68"), ("1179.65", "36.86")),
        "upsampling": (("76441.19", "1194.39"), ("294.91", "9.22")),
        "tail": (("1592.53", "24.88"), ("1.73", "0.05")),
    }
    rows = []
    for part, (ops, params) in printed.items():
        with_hr = part == "upsampling"
        ops_of = (part, "conv_hr") if with_hr else (part,)
        note = "operations, bits and words with conv_hr, parameters without it" if with_hr else ""
        for kind, mega, kilo in zip(("full precision", "binary"), ops, params, strict=True):
            giga = str(Decimal(mega).scaleb(-3))
            method = f"{part}, {kind}"
            rows.append(PrintedRow("bbcu_table6", "sr", method, "x4", giga, kilo, ops_of, (part,), note))
    return rows


_L_X4 = 79_194_931_200
# The true operations of rows whose printed ones are wrong; in Table 6, in the last digit.
MISPRINTS: dict[tuple[str, str, str], int] = {
    ("bbcu_table1", "BBCU-M", "x2"): 1_824_768_000,
    ("bbcu_table1", "SRResNet", "x4"): 146_080_972_800,
    ("bbcu_table1", "BBCU-L", "x4"): _L_X4,
    **{("bbcu_table4", f"BBCU-{unit}", "x4"): _L_X4 for unit in ("V1", "V2", "V3", "V4")},
    ("bbcu_table6", "body, full precision", "x4"): 67_947_724_800,
    ("bbcu_table6", "tail, full precision", "x4"): 1_592_524_800,
}


def prints_as(value: Fraction, printed: str) -> bool:
    """Whether a value in the printed unit, rounded half up to the printed digits, is what is printed."""
    digit = Decimal(printed).as_tuple().exponent
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(digit), ROUND_HALF_UP) == Decimal(printed)


def status(row: PrintedRow, ops: Fraction, params: Fraction) -> str:
    """Judge a count against the printed figures.

    Returns:
        "equal" to the printed digit; "misprint", where the printed operations are known to be wrong and the
        count is the right one; else "different".
    """
    if row.params_k and not prints_as(params / 10**3, row.params_k):
        return "different"
    if row.key in MISPRINTS:
        return "misprint" if ops == MISPRINTS[row.key] else "different"
    return "equal" if prints_as(ops / 10**9, row.ops_g) else "different"
