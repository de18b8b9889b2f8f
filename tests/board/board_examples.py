# SPDX-License-Identifier: BSD-3-Clause
"""Builds for the simulated board."""

from hw.compiler.boards import find
from hw.compiler.build_folder import BuildFolder
from hw.shell.generate import generate


def shelled(folder, height, width, cycles):
    """Put the shell around what is stitched in a folder, as for a frame that takes so many cycles."""
    build = BuildFolder(folder)
    frame = {"height": height, "strip_width": width}
    build.write("design", {"board": "pynq-z2", "frame": frame, "cycles_per_strip": cycles})
    generate(build, find("pynq-z2"))
    return folder
