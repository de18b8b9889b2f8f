# SPDX-License-Identifier: BSD-3-Clause
"""What a file of `quant.networks` says about its family: how it is configured, built, named and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from quant.config import NetworkConfig
from quant.networks.base import RestorationNetwork

Key = tuple[str, str, str]
"""(table, method, setting) of a printed row, as in paper_tables.csv."""


@dataclass(frozen=True)
class Misprint:
    """What is known about a printed row whose figures are not those of its network.

    Attributes:
        ops, params: the count that is right, in the paper's own convention; None where what is printed is
            equal to it. The check is exact: any other count is an error of ours.
        kind: "misprint", or "unexplained" where the paper counts something that it does not describe.
        note: what to know, besides the arithmetic, which is added.
    """

    ops: Fraction | int | None = None
    params: Fraction | int | None = None
    kind: str = "misprint"
    note: str = ""


@dataclass(frozen=True)
class Family:
    """One architecture.

    Attributes:
        arch: its name, the `arch` of its configurations.
        network: the class that builds it from a configuration.
        presets: configurations by name; names are unique over all families.
        rows: the network of every printed row of this family. Several rows may have the same one. A row
            without operations in the papers' tables is listed here too.
        misprints: printed rows whose figures are not the network's.
        parts: what `quant.counting` calls the parts, by the first name of the module.
    """

    arch: str
    network: type[RestorationNetwork]
    presets: Mapping[str, NetworkConfig]
    rows: Mapping[Key, NetworkConfig] = field(default_factory=dict)
    misprints: Mapping[Key, Misprint] = field(default_factory=dict)
    parts: Mapping[str, str] = field(
        default_factory=lambda: {
            "head": "head",
            "body": "body",
            "up": "upsampling",
            "hr": "conv_hr",
            "tail": "tail",
        }
    )
