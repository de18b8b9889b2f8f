# SPDX-License-Identifier: BSD-3-Clause
"""What a stitched top module consists of: the content of top.json. Reading it needs no FINN."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hw.compiler import BuildError

DESCRIPTION = "top.json"
"""Name of the file that describes the top module, beside it."""

WHOLE = "(top)"
"""In reports by node: the whole top, or what of it belongs to no node, the forks of the frame sizes."""


@dataclass(frozen=True)
class Stream:
    """A stream between two instances.

    Attributes:
        tensor: its name in the graph.
        signal: its name in the top module, without _tdata, _tvalid, _tready.
        source, target: names of the nodes at its ends; "" is a port of the top module.
        source_port, target_port: names of their ports.
        bits: width of a beat.
        beats: of a nominal frame.
    """

    tensor: str
    signal: str
    source: str
    source_port: str
    target: str
    target_port: str
    bits: int
    beats: int


@dataclass(frozen=True)
class Instance:
    """An instance of a module of `hw/rtl/` in the top module.

    Attributes:
        node: name of the node in the graph.
        op: its operator, "XnorMVU".
        name: of the instance.
        module: what it is an instance of.
        parameters: values of the module's parameters; COLUMNS is the name of a constant.
        depth: capacity in beats of a FIFO; 0 of others.
    """

    node: str
    op: str
    name: str
    module: str
    parameters: dict[str, int | str]
    depth: int = 0


@dataclass(frozen=True)
class Top:
    """What `stitch` wrote: the content of top.json.

    Attributes:
        name: of the top module, in the file <name>.sv.
        hash: content hash of the network.
        scale: of the output image to the input image.
        channels: of the images.
        in_elements, out_elements: channels per beat of s_axis and m_axis.
        dim_bits: bits of a height or width in s_size.
        max_width: the widest image it takes.
        sources: all source files, in the order in which they must be read, relative to the folder.
        files: memory files, opened by these names.
        instances, streams: what the top module consists of.
    """

    name: str
    hash: str
    scale: int
    channels: int
    in_elements: int
    out_elements: int
    dim_bits: int
    max_width: int
    sources: list[str]
    files: list[str]
    instances: list[Instance]
    streams: list[Stream]


SIZES = "s_size"
"""The stream of the sizes of frames: a port of the top, not one of `Top.streams`; the last of its taps."""


def tap_signals(top: Top) -> list[str]:
    """Return the signals at the ports taps_valid and taps_ready, bit 0 first, without _tvalid, _tready."""
    return [*(stream.signal for stream in top.streams), SIZES]


def read_top(folder: Path) -> Top:
    """Read the description of a stitched top.

    Args:
        folder: `stitched/` of a build.

    Raises:
        BuildError: there is none in the folder.
    """
    try:
        data = json.loads((folder / DESCRIPTION).read_text())
    except (OSError, ValueError) as error:
        raise BuildError(
            f"{folder / DESCRIPTION}: {error}; expected the folder 'stitched' of a build"
        ) from None
    instances = [Instance(**entry) for entry in data.pop("instances")]
    streams = [Stream(**entry) for entry in data.pop("streams")]
    return Top(**data, instances=instances, streams=streams)
