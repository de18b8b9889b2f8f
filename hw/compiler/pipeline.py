# SPDX-License-Identifier: BSD-3-Clause
"""All steps of a compilation in order; `hw.compiler.compile` is its command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from golden import IntegerNetwork
from hw.compiler.build_folder import BuildFolder, replacing
from hw.compiler.config import write_config
from hw.compiler.cost import resources
from hw.compiler.estimates import write_estimates
from hw.compiler.fifos import area_of, decide
from hw.compiler.folding import Goal, plan
from hw.compiler.lower import STEPS, Job, lower
from hw.compiler.report import write_report
from hw.compiler.stitch import stitch
from hw.shell.generate import generate

STEP_NAMES = ("choose_folding", "build", *(step.name for step in STEPS), "stitch", "report", "shell")
"""What `progress` is called with, in order."""


def compile_network(
    network: IntegerNetwork,
    name: str,
    goal: Goal,
    out: Path,
    *,
    key: str = "",
    progress: Callable[[str], None] = lambda step: None,
) -> BuildFolder:
    """Compile a network.

    Args:
        network: the network.
        name: of the top module.
        goal: the frame, the board, the rate.
        out: the folder to write; what is there is replaced when all is done.
        key: identifies what was compiled; kept in the folder.
        progress: called with the name of every step before it is taken.

    Returns:
        The folder.

    Raises:
        DoesNotFit: no folding meets the goal; the message says why and what would.
        BuildError: the network cannot be compiled, or a step changed what it computes.
    """
    progress("choose_folding")
    found = plan(network, goal)
    with replacing(out) as build:
        job = Job(
            network, folding=lambda model: found.folding, fifos=partial(decide, area=area_of(resources))
        )
        model = lower(job, goal.height, found.strips.widest, folder=build.models, progress=progress)
        write_config(model, build.config)
        progress("stitch")
        top = stitch(model, name, network.content_hash, build.stitched)
        network.save(build.network)
        progress("report")
        write_estimates(build, model, top, found, goal)
        write_report(build)
        progress("shell")
        generate(build, goal.board)
        build.key.write_text(key)
    return BuildFolder(out)
