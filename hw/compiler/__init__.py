# SPDX-License-Identifier: BSD-3-Clause
"""The compiler: FINN takes an integer network to a graph of streaming operators, and we to one top module.

    compile     the command line; pipeline has all steps in order, build_folder what they write
    folding     chooses the folding for a frame rate on a board's budget; cost is the cost model
    lower       from the network to the graph of RTL operators, each step executed against golden
    fifos       FIFO depths from a schedule, timing
    stitch      the top module; top describes it without FINN
    report      estimates beside what netlist (Yosys) and sim.measure (Verilator) find

docs/compiler.md, docs/finn.md and docs/scheduling.md tell how and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hw.compiler.folding import Plan


class BuildError(RuntimeError):
    """A network cannot be compiled, or a step of the compiler changed what it computes; one line."""


class DoesNotFit(BuildError):
    """No folding meets the goal; the message says why.

    Attributes:
        best: the fastest `hw.compiler.folding.Plan` that fits, or None if nothing does.
    """

    def __init__(self, message: str, best: Plan | None) -> None:
        super().__init__(message)
        self.best = best
