# SPDX-License-Identifier: BSD-3-Clause
"""The report of a bitstream: report/bitstream.json of the build, and what is printed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw.bitstream.bitfile import decode
from hw.bitstream.design import Design
from hw.bitstream.place_route import Routed
from hw.bitstream.steps import file_hash

_INSTANCE = re.compile(r"(?:^|\.)u_([A-Za-z]\w*)")


def report(
    design: Design,
    flow: str,
    routed: Routed,
    bit: Path,
    seconds: Mapping[str, float],
    synthesized: Mapping[str, float],
) -> dict[str, Any]:
    """Return the content of bitstream.json.

    Args:
        flow: "open" or "vivado".
        routed: what placement and routing gave.
        bit: the .bit file.
        seconds: by step.
        synthesized: resource -> used, as synthesis counts.
    """
    wanted = design.clock_hz / 1e6
    return {
        "name": design.name,
        "network": design.hash,
        "board": design.board,
        "part": design.part,
        "flow": flow,
        "seed": routed.seed,
        "folder": routed.folder.name,
        "clock_mhz": wanted,
        "fmax_mhz": round(routed.fmax_mhz, 2),
        "nextpnr_fmax_mhz": routed.nextpnr_mhz,
        "slack_ns": round(design.period_ns - 1e3 / routed.fmax_mhz, 3),
        "timing_closed": routed.fmax_mhz >= wanted,
        "utilisation": {name: {"used": n, "available": of} for name, (n, of) in routed.used.items() if n},
        "synthesis": dict(synthesized),
        "critical_path": list(routed.critical_path),
        "critical_instances": instances(routed.critical_path),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "bit": {
            "file": bit.name,
            "bytes": bit.stat().st_size,
            "sha256": file_hash(bit),
            "header": decode(bit.read_bytes()).design,
        },
    }


def instances(path: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the instances of the network's stages that a path goes through, in order."""
    result: list[str] = []
    for segment in path:
        for cell in (segment["from"], segment["to"]):
            match = _INSTANCE.search(cell)
            name = match[1] if match else cell.split(".")[0]
            if not name.startswith("$") and (not result or result[-1] != name):
                result.append(name)
    return result


def text(content: Mapping[str, Any]) -> str:
    """Return the report as a table to print."""
    lines = []
    for name, entry in content["utilisation"].items():
        share = entry["used"] / entry["available"]
        lines.append(f"{name:22}{entry['used']:>8} of {entry['available']:>8}{share:>7.0%}")
    closed = "reached" if content["timing_closed"] else "NOT reached"
    fmax, slack = content["fmax_mhz"], content["slack_ns"]
    lines.append(
        f"{'clock':22}{content['clock_mhz']:>8.6g} MHz {closed}: {fmax:.2f} MHz, slack {slack:.3f} ns"
    )
    if content["critical_instances"]:
        lines.append(f"{'slowest path':22}{' > '.join(content['critical_instances'])}")
    bit = content["bit"]
    lines.append(f"{bit['file']:22}{bit['bytes']:>8} bytes, SHA-256 {bit['sha256']}")
    return "\n".join(lines)
