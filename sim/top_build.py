# SPDX-License-Identifier: BSD-3-Clause
"""Compile a stitched top module to a program that restores frames: Verilator around `sim/top_main.cpp`.

The popcounts are their behavioural twins (see xnor_popcount.sv), unless the structure itself is asked for.
Programs are cached in `build/sim_top/` under a hash of all that determines them. Memory files do not: the
program reads them when it runs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
from pathlib import Path

from hw.compiler.top import Instance, Stream, Top, read_top
from hw.modules import ROOT, ToolError
from hw.verilator import BEHAVIOURAL, verilator_environment
from sim.locks import locked

BUILD = ROOT / "build" / "sim_top"

MAIN = Path(__file__).with_name("top_main.cpp")

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
    "--top-module",
    "bitmend_probe",
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
    "-DVL_USER_STOP",  # top_main.cpp says what a $stop does
    *(
        f"-DVM_{name}=0"
        for name in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")
    ),
)
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")  # Verilator's own sources


def fifos(top: Top) -> list[Instance]:
    """Return the instances that have a high-water mark."""
    return [instance for instance in top.instances if instance.depth]


def signal(stream: Stream) -> str:
    """Return the signal of a stream as the probe sees it, without _tvalid and _tready."""
    return stream.signal if not (stream.source and stream.target) else f"u_top.{stream.signal}"


def probe(top: Top) -> str:
    """Return the module around the top: its ports, and what is inside whenever `look` rises.

    Ports:
        valid, ready: of stream i in bit i; the last one is s_size.
        moved: whether a beat moves in any stream.
        count, high_water: beats in FIFO i, and the most there have been, 32 bits each. The memory of a
            nearest_up has no count; it is 0.
    """
    inside, width = fifos(top), 2 * top.dim_bits
    streams = [*(signal(stream) for stream in top.streams), "s_size"]
    last, words = len(streams) - 1, max(32 * len(inside), 1) - 1
    lines = ["// SPDX-License-Identifier: BSD-3-Clause", "`default_nettype none", "module bitmend_probe ("]
    lines += ["    input wire logic clk, rst, look,"]
    for port, bits in (("s_size", width), ("s_axis", 8 * top.in_elements)):
        lines.append(f"    input wire logic [{bits - 1}:0] {port}_tdata, input wire logic {port}_tvalid,")
        lines.append(f"    output wire logic {port}_tready,")
    lines.append(f"    output wire logic [{8 * top.out_elements - 1}:0] m_axis_tdata,")
    lines.append("    output wire logic m_axis_tvalid, input wire logic m_axis_tready,")
    lines.append(f"    output logic [{last}:0] valid, ready, output wire logic moved,")
    lines.append(f"    output logic [{words}:0] count, high_water")
    lines += [");", f"    {top.name} u_top (.*);", "    assign moved = |(valid & ready);"]
    lines.append("    always @(posedge look) begin")
    for index, name in enumerate(streams):
        lines.append(f"        valid[{index}] <= {name}_tvalid;")
        lines.append(f"        ready[{index}] <= {name}_tready;")
    for index, fifo in enumerate(inside):
        counter = f"32'(u_top.{fifo.name}.count)" if fifo.module == "stream_fifo" else "32'd0"
        lines.append(f"        count[{32 * index} +: 32] <= {counter};")
        lines.append(f"        high_water[{32 * index} +: 32] <= 32'(u_top.{fifo.name}.high_water);")
    if not inside:
        lines += ["        count <= '0;", "        high_water <= '0;"]
    return "\n".join([*lines, "    end", "endmodule", "`default_nettype wire", ""])


def build(folder: Path, behavioural: bool = True) -> Path:
    """Compile the top module in a folder, or return the cached program.

    Args:
        folder: `stitched/` of a build.
        behavioural: with twins of the popcounts instead of their structure.

    Raises:
        BuildError: there is no top in the folder.
        ToolError: Verilator is missing, or the top does not compile.
    """
    top = read_top(folder)
    sources = [folder / source for source in top.sources]
    missing = [path for path in sources if not path.is_file()]
    if missing:
        raise ToolError(f"{missing[0]}: no such file, but {folder}/top.json names it; stitch the top again")
    macros = {
        "IN_ELEMENTS": top.in_elements,
        "OUT_ELEMENTS": top.out_elements,
        "CHANNELS": top.channels,
        "DIM_BITS": top.dim_bits,
        "SCALE": top.scale,
        "STREAMS": len(top.streams) + 1,
        "FIFOS": len(fifos(top)),
    }
    around = probe(top)
    options = [*_OPTIONS, *([f"+define+{BEHAVIOURAL}"] if behavioural else [])]
    defines = [f"-D{name}={value}" for name, value in macros.items()]
    texts = [path.read_text() for path in (*sources, *sorted(folder.glob("*.svh")), MAIN)]
    key = _key(*options, *defines, *_FAST, *_SLOW, around, *texts)
    target = BUILD / f"{top.name}-{key}"
    program = target / "Vbitmend"
    with locked(target):
        if not program.exists():
            (target / "bitmend_probe.sv").write_text(around)
            files = [*sources, target / "bitmend_probe.sv"]
            arguments = [
                *options,
                f"-I{folder.resolve()}",
                "--Mdir",
                str(target),
                *(str(f.resolve()) for f in files),
            ]
            _call("verilator", arguments, target)
            _link(target, defines, program)
    return program


def _key(*parts: str) -> str:
    tools = (importlib.metadata.version("verilator"), os.environ.get("CXX", ""), *_COMMON)
    return hashlib.sha256("\0".join((*tools, *parts)).encode()).hexdigest()[:16]


def _link(target: Path, defines: list[str], program: Path) -> None:
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
    _object(target, MAIN, (*_FAST, *defines))
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
