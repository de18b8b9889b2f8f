# SPDX-License-Identifier: BSD-3-Clause
"""What the papers print about operations and parameters, and which of our networks each row is.

The figures of Tables 1 to 4 of BBCU (and those of the other papers) are in paper_tables.csv; Table 6, which
has parts of one network instead of methods, is below.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

from quant.config import NetworkConfig
from quant.counting import convention
from quant.networks import FAMILIES, Key, Misprint

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
    def key(self) -> Key:
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


def implemented() -> dict[Key, NetworkConfig]:
    """The network of every row that quant can build, by the row's key; the families say which."""
    return {key: config for family in FAMILIES.values() for key, config in family.rows.items()}


def misprints() -> dict[Key, Misprint]:
    """The rows whose printed figures are not those of their networks; the families say which."""
    return {key: known for family in FAMILIES.values() for key, known in family.misprints.items()}


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


def prints_as(value: Fraction, printed: str) -> bool:
    """Whether a value in the printed unit, rounded half up to the printed digits, is what is printed."""
    digit = Decimal(printed).as_tuple().exponent
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(digit), ROUND_HALF_UP) == Decimal(printed)


def status(row: PrintedRow, ops: Fraction, params: Fraction) -> str:
    """Judge a count against the printed figures.

    Args:
        ops, params: in the convention of the row's paper.

    Returns:
        "equal" to the printed digit; "misprint" or "unexplained" (`Misprint.kind`), where the printed figures
        are known not to be those of the network and the count is exactly the right one; else "different".
    """
    known = misprints().get(row.key, Misprint())
    good_ops = ops == known.ops if known.ops is not None else prints_as(ops / 10**9, row.ops_g)
    if known.params is not None:
        good_params = params == known.params
    else:
        digit = convention(row.table).params_digit
        good_params = not row.params_k or prints_as(params / 10**3, _params(row.params_k, digit))
    if not (good_ops and good_params):
        return "different"
    return "equal" if known == Misprint() else known.kind


def _params(printed: str, digit: int | None) -> str:
    """The printed string cut or continued to its true last digit: "80.0" to the 10s is "8E+1"."""
    return printed if digit is None else str(Decimal(printed).quantize(Decimal(digit).normalize()))
