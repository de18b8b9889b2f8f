# SPDX-License-Identifier: BSD-3-Clause
"""From SystemVerilog and a main program in C++ to an executable: Verilator, and a compiler told what is slow.

Programs are cached under a hash of all that determines them. Memory files do not: a program reads them when
it runs, from the folder that it is started in.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hw.modules import ROOT, ToolError
from hw.verilator import BEHAVIOURAL, verilator_environment
from sim.locks import locked

BUILD = ROOT / "build" / "sim_top"

HEADERS = sorted(Path(__file__).parent.glob("*.h"))

_OPTIONS = (
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "unique",
    "--no-timing",
    "--assert",
    "-Wno-fatal",
    "-Werror-USERERROR",
    "-Wno-WIDTH",
    "--prefix",
    "Vbitmend",
    "--output-split",
    "0",
)
_FAST = ("-O1",)  # what runs every cycle
_SLOW = ("-O0",)  # what runs once
_COMMON = (
    "-std=gnu++17",
    "-fno-strict-aliasing",
    "-w",
    "-DVERILATOR=1",
    "-DVL_USER_STOP",  # the main program says what a $stop does
    *(
        f"-DVM_{name}=0"
        for name in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")
    ),
)
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")  # Verilator's own sources


@dataclass(frozen=True)
class Program:
    """What a program is made of.

    Attributes:
        name: for people, the first part of the name of its folder.
        top: the module on top.
        main: the main program; it includes Vbitmend.h, and may include the headers beside this file.
        sources: files in SystemVerilog, in the order in which they must be read.
        texts: further ones that are generated, by name.
        include: folders of what they include (*.svh).
        macros: of the main program.
        behavioural: with twins of popcounts and constant weights instead of their structure.
    """

    name: str
    top: str
    main: Path
    sources: Sequence[Path]
    texts: dict[str, str] = field(default_factory=dict)
    include: Sequence[Path] = ()
    macros: dict[str, int] = field(default_factory=dict)
    behavioural: bool = True


def build(program: Program) -> Path:
    """Compile a program, or return the cached one.

    Raises:
        ToolError: Verilator is missing, a source is, or something does not compile.
    """
    missing = [path for path in program.sources if not path.is_file()]
    if missing:
        raise ToolError(f"{missing[0]}: no such file, but the design names it; compile the network again")
    options = [*_OPTIONS, "--top-module", program.top]
    options += [f"+define+{BEHAVIOURAL}"] if program.behavioural else []
    defines = [f"-D{name}={value}" for name, value in program.macros.items()]
    included = [path for folder in program.include for path in sorted(folder.glob("*.svh"))]
    texts = [path.read_text() for path in (*program.sources, *included, program.main, *HEADERS)]
    key = _key(*options, *defines, *_FAST, *_SLOW, *program.texts.values(), *texts)
    target = BUILD / f"{program.name}-{key}"
    made = target / "Vbitmend"
    with locked(target):
        if not made.exists():
            for name, text in program.texts.items():
                (target / name).write_text(text)
            files = [*program.sources, *(target / name for name in program.texts)]
            folders = [f"-I{folder.resolve()}" for folder in program.include]
            paths = [str(path.resolve()) for path in files]
            _call("verilator", [*options, *folders, "--Mdir", str(target), *paths], target)
            _link(target, program.main, defines, made)
    return made


def _key(*parts: str) -> str:
    tools = (importlib.metadata.version("verilator"), os.environ.get("CXX", ""), *_COMMON)
    return hashlib.sha256("\0".join((*tools, *parts)).encode()).hexdigest()[:16]


def _link(target: Path, main: Path, defines: list[str], program: Path) -> None:
    """Compile what Verilator wrote: its makefile would compile all of it alike, and its library each time."""
    runtime = BUILD / f"runtime-{_key(*_FAST)}"
    with locked(runtime):
        for source in _RUNTIME:
            if not (runtime / source).with_suffix(".o").exists():
                _object(runtime, _include() / source, _FAST)
    written = sorted(target.glob("Vbitmend*.cpp"))
    for part, flags in (("fast", _FAST), ("slow", _SLOW)):
        chosen = [path.name for path in written if (part == "slow") == ("__Slow" in path.name)]
        unit = target / f"{part}.cpp"
        unit.write_text("".join(f'#include "{name}"\n' for name in chosen))
        _object(target, unit, flags)
    _object(target, main, (*_FAST, *defines))
    objects = [*sorted(target.glob("*.o")), *sorted(runtime.glob("*.o"))]
    made = program.with_suffix(".new")
    _call(_compiler(), ["-o", str(made), *map(str, objects), "-pthread"], target)
    made.rename(program)  # a program that exists is complete


def _object(target: Path, source: Path, flags: tuple[str, ...]) -> None:
    include = _include()
    folders = [f"-I{folder}" for folder in (target, include, include / "vltstd")]
    made = target / f"{source.stem}.o"
    partial = made.with_suffix(".part")
    _call(_compiler(), [*_COMMON, *flags, *folders, "-c", str(source), "-o", str(partial)], target)
    partial.rename(made)


def _include() -> Path:
    """Return the folder of Verilator's headers and of the sources of its library."""
    return Path(verilator_environment()["VERILATOR_ROOT"]) / "include"


def _compiler() -> str:
    return os.environ.get("CXX", "g++")


def _call(program: str, arguments: list[str], target: Path) -> None:
    environment = {**os.environ, **verilator_environment()}
    done = subprocess.run([program, *arguments], cwd=target, env=environment, capture_output=True, text=True)
    log = target / f"{Path(program).name}.log"
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        lines = log.read_text().splitlines()
        errors = [line for line in lines if "rror" in line][:3] or lines[-3:]
        raise ToolError(f"{target.name} does not compile: {' | '.join(errors)}; all of it: {log}")
