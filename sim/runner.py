# SPDX-License-Identifier: BSD-3-Clause
"""Build a module with Verilator and run a cocotb testbench on it.

Builds are cached in `build/sim/` under a hash of all that determines them: sources, parameters, options and
tool versions. A sweep whose points differ only in seed or in the contents of memory files compiles once. The
objects of Verilator's run-time library, most of the compile time of a small module, are compiled just once.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cocotb_tools.runner import get_runner

from hw.modules import ROOT, RTL, ToolError
from hw.modules import sources as rtl_sources
from hw.verilator import literal, verilator_environment
from sim.locks import locked

BUILD = ROOT / "build" / "sim"

_OPTIONS = (
    "-Wall",
    "-Wno-fatal",
    "-Werror-USERERROR",
    "--assert",
    "--x-initial",
    "unique",
    "-CFLAGS",  # it comes behind the -Os of Verilator's makefile
    "-O0",  # a test runs for seconds at any level; compiling takes up to 4 times as long with -O1 or -Os
    "--output-split",  # one C++ file: several share a precompiled header, and the wheel's makefile cannot
    "0",
)
_TRACE_OPTIONS = ("--trace-structs",)
_FUTURE = 10**9  # seconds: make takes the shared objects for newer than anything generated


@dataclass(frozen=True)
class Build:
    """A compiled module.

    Attributes:
        top: name of the module.
        parameters: its parameters.
        folder: where the executable is.
        waves: whether it can write a trace.
    """

    top: str
    parameters: Mapping[str, int | str]
    folder: Path
    waves: bool


def build(
    top: str,
    parameters: Mapping[str, int | str],
    *,
    folders: tuple[Path, ...] = (RTL,),
    waves: bool | None = None,
    defines: tuple[str, ...] = (),
) -> Build:
    """Compile module `top`, or return the cached build.

    Args:
        top: name of a module in one of `folders`.
        parameters: its parameters; strings (file names) are quoted here.
        folders: where modules are looked for.
        waves: build with FST tracing; None does so if BITMEND_WAVES names a folder for the traces.
        defines: macros that are defined, such as `hw.verilator.BEHAVIOURAL`.

    Raises:
        ToolError: no such module, Verilator is missing, or the module does not compile.
    """
    if waves is None:
        waves = bool(os.environ.get("BITMEND_WAVES"))
    environment = verilator_environment()
    sources = rtl_sources(top, folders)
    options = (*_OPTIONS, *(_TRACE_OPTIONS if waves else ()), *(f"+define+{name}" for name in defines))
    key = _key(top, dict(parameters), options, [path.read_text() for path in sources])
    folder = BUILD / top / key
    with locked(folder):
        if not (folder / "done").exists():
            _compile(top, parameters, sources, options, folder, environment, waves)
            (folder / "done").write_text(json.dumps(dict(parameters), indent=1) + "\n")
    return Build(top, dict(parameters), folder, waves)


def run(
    compiled: Build,
    testbench: str,
    *,
    seed: int = 0,
    files: Mapping[str, str | bytes] | None = None,
    testcase: str | None = None,
) -> Path:
    """Run the cocotb tests of a testbench module on a build.

    Args:
        compiled: of `build`.
        testbench: Python module with cocotb tests, "sim.tb_requant".
        seed: makes all random choices of the testbench.
        files: written into the folder in which the simulation runs, by name: memory files for the design,
            which opens them by relative names, and what the testbench needs to know about them.
        testcase: run only this test.

    Returns:
        The folder of the run: results.xml, log.txt, and dump.vcd with waves.

    Raises:
        AssertionError: a test failed; the message holds the end of the log.
    """
    runner = get_runner("verilator")
    name = hashlib.sha256(repr((testbench, seed, files, testcase)).encode()).hexdigest()[:12]
    folder = compiled.folder / f"run-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file, content in (files or {}).items():
        (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
    log = folder / "log.txt"
    runner.build_dir = compiled.folder
    failure = ""
    with _paths(verilator_environment()):
        try:
            runner.test(
                test_module=testbench,
                hdl_toplevel=compiled.top,
                hdl_toplevel_lang="verilog",
                build_dir=compiled.folder,
                test_dir=folder,
                seed=seed,
                waves=compiled.waves,
                testcase=testcase,
                extra_env={
                    "BITMEND_SEED": str(seed),
                    "BITMEND_PARAMETERS": json.dumps(dict(compiled.parameters)),
                    "COCOTB_LOG_LEVEL": "INFO",
                    "GPI_LOG_LEVEL": "WARNING",
                },
                results_xml=str(folder / "results.xml"),
                log_file=log,
            )
        except SystemExit as error:
            failure = str(error)
        except RuntimeError as error:
            failure = str(error)
    _collect_waves(compiled, folder)
    failure = failure or _failures(folder / "results.xml")
    if failure:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-60:]) if log.exists() else ""
        parameters = json.dumps(dict(compiled.parameters))
        raise AssertionError(f"{compiled.top} {parameters} seed {seed}: {failure}\n{tail}\nlog: {log}")
    return folder


def _collect_waves(compiled: Build, folder: Path) -> None:
    """Copy a trace to the folder that BITMEND_WAVES names, under the name of the module and its build."""
    target = os.environ.get("BITMEND_WAVES")
    if target and (folder / "dump.vcd").exists():
        Path(target).mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "dump.vcd", Path(target) / f"{compiled.top}-{compiled.folder.name}.vcd")


def _failures(results: Path) -> str:
    """Say what failed in a results.xml, or return an empty string."""
    if not results.exists():
        return "the simulation ended without results"
    cases = list(ET.parse(results).getroot().iter("testcase"))
    failed = [
        c.get("name", "?") for c in cases if c.find("failure") is not None or c.find("error") is not None
    ]
    if failed:
        return f"failed: {', '.join(failed)}"
    return "" if cases else "the testbench has no tests"


def _key(top: str, parameters: Mapping, options: tuple[str, ...], sources: list[str]) -> str:
    versions = [importlib.metadata.version(name) for name in ("verilator", "cocotb")]
    parts = [
        top,
        json.dumps(parameters, sort_keys=True),
        *options,
        *versions,
        os.environ.get("CXX", ""),
        *sources,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _compile(
    top: str,
    parameters: Mapping[str, int | str],
    sources: list[Path],
    options: tuple[str, ...],
    folder: Path,
    environment: Mapping[str, str],
    waves: bool,
) -> None:
    runtime = BUILD / "runtime" / _key("runtime", {}, options, [])
    _take_runtime(runtime, folder)
    values = {k: literal(v) for k, v in parameters.items()}
    log = folder / "build.txt"
    with _paths(environment):
        try:
            get_runner("verilator").build(
                sources=sources,
                hdl_toplevel=top,
                parameters=values,
                build_dir=folder,
                build_args=list(options),
                timescale=("1ns", "1ps"),
                always=True,
                log_file=log,
                waves=waves,
            )
        except (SystemExit, RuntimeError) as error:
            lines = log.read_text(errors="replace").splitlines() if log.exists() else [str(error)]
            errors = [line for line in lines if "rror" in line][:5] or lines[-5:]
            raise ToolError(f"{top} {dict(parameters)} does not compile: {' | '.join(errors)}") from error
    _keep_runtime(folder, runtime)


def _take_runtime(runtime: Path, folder: Path) -> None:
    if (runtime / "done").exists():
        for path in runtime.glob("verilated*.o"):
            shutil.copy(path, folder / path.name)
            stamp = time.time() + _FUTURE
            os.utime(folder / path.name, (stamp, stamp))


def _keep_runtime(folder: Path, runtime: Path) -> None:
    with locked(runtime):
        if not (runtime / "done").exists():
            for path in folder.glob("verilated*.o"):  # not verilator.o, which includes Vtop.h of the design
                shutil.copy(path, runtime / path.name)
            (runtime / "done").touch()


@contextmanager
def _paths(environment: Mapping[str, str]) -> Iterator[None]:
    """Run with these variables, and with the project on PYTHONPATH."""
    variables = {**environment, "PYTHONPATH": str(ROOT)}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
