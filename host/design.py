# SPDX-License-Identifier: BSD-3-Clause
"""What is known about a design beside its bitstream: the content of <model>.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from host import RestoreError

_SLOWEST = 65536.0  # cycles per pixel of a design that does not say how fast it is


class Stage(NamedTuple):
    """A stream of the network that the registers show.

    Attributes:
        name: of the stream.
        source, target: the operators at its ends; "" is a port of the network.
    """

    name: str
    source: str
    target: str


@dataclass(frozen=True)
class Design:
    """A compiled network.

    Attributes:
        name: of the network.
        stages: its streams, in the order of the registers; empty if unknown.
        cycles_per_pixel: of the input, in the long run.
    """

    name: str = "design"
    stages: tuple[Stage, ...] = ()
    cycles_per_pixel: float = _SLOWEST


def load_design(path: Path) -> Design:
    """Read the description of a design.

    Raises:
        RestoreError: the file is missing or damaged.
    """
    try:
        data = json.loads(path.read_text())
        names = data["stages"]
        ends = data.get("ends") or [["", ""]] * len(names)
        stages = tuple(Stage(name, *pair) for name, pair in zip(names, ends, strict=True))
        return Design(data["name"], stages, float(data.get("cycles_per_pixel", _SLOWEST)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RestoreError(
            f"{path}: cannot be read ({type(error).__name__}: {error}), expected the description of a "
            "design: copy the whole deploy folder again, or compile the network again"
        ) from None
