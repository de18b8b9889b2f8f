# SPDX-License-Identifier: BSD-3-Clause
"""Combinational paths from the inputs of a module to its outputs: docs/rtl.md allows hardly any.

Yosys breaks the module down to single-bit gates and flip-flops; what an input reaches without passing a
flip-flop is a path. Exact up to gates whose output does not depend on all of their inputs.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from hw.modules import RTL
from hw.yosys import read_commands, run_script

_CLOCKED = ("$_DFF", "$_SDFF", "$_DFFE", "$_ALDFF", "$_SR")


def combinational_paths(
    top: str,
    parameters: Mapping[str, int | str],
    files: Mapping[str, str] | None = None,
    folders: tuple[Path, ...] = (RTL,),
) -> set[tuple[str, str]]:
    """Return all (input port, output port) between which there is a combinational path; clk and rst excepted.

    Args:
        top: name of a module in one of `folders`.
        parameters: its parameters; small ones suffice, the structure does not depend on them.
        files: memory files by the names that the parameters give.
        folders: where modules are looked for.

    Raises:
        ToolError: Yosys is missing or refuses the module.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (files or {}).items():
            (folder / file).write_text(text)
        run_script(
            [
                *read_commands(top, parameters, folders, models=True),
                "proc",
                "flatten",
                "opt",
                "check -assert",
                "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr",
                "memory -nomap",
                "opt_mem",
                "memory_map",
                "opt",
                "techmap",
                "opt",
                "write_json net.json",
            ],
            folder,
        )
        modules = json.loads((folder / "net.json").read_text())["modules"]
    module = next(m for m in modules.values() if int(str(m["attributes"].get("top", "0")), 2))
    return _paths(module)


def _paths(module: dict) -> set[tuple[str, str]]:
    reaches: dict[int, set[int]] = defaultdict(set)  # from a bit to the bits that gates make of it
    for cell in module["cells"].values():
        if cell["type"].startswith(_CLOCKED) or cell["type"].startswith("$scopeinfo"):
            continue
        directions = cell["port_directions"]
        ins = [b for p, bits in cell["connections"].items() if directions[p] == "input" for b in bits]
        outs = [b for p, bits in cell["connections"].items() if directions[p] == "output" for b in bits]
        for bit in ins:
            if isinstance(bit, int):
                reaches[bit].update(outs)
    ports = module["ports"]
    outputs = {name: set(port["bits"]) for name, port in ports.items() if port["direction"] == "output"}
    paths = set()
    for name, port in ports.items():
        if port["direction"] != "input" or name in ("clk", "rst"):
            continue
        cone = _cone(set(port["bits"]), reaches)
        paths |= {(name, output) for output, bits in outputs.items() if bits & cone}
    return paths


def _cone(start: set, reaches: Mapping[int, set[int]]) -> set:
    seen, pending = set(start), list(start)
    while pending:
        for bit in reaches.get(pending.pop(), ()):
            if bit not in seen:
                seen.add(bit)
                pending.append(bit)
    return seen


def forbidden(paths: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the paths that docs/rtl.md forbids: all but tvalid of one input stream to tready of another."""
    return {
        (source, target)
        for source, target in paths
        if not (
            source.startswith("s_")
            and source.endswith("_tvalid")
            and target.startswith("s_")
            and target.endswith("_tready")
            and source.removesuffix("_tvalid") != target.removesuffix("_tready")
        )
    }
