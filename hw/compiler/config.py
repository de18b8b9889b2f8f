# SPDX-License-Identifier: BSD-3-Clause
"""Folding and FIFO depths as FINN's JSON: {"Defaults": {}, node: {attribute: value}}.

FINN's own functions apply and extract it. Beside "Defaults", a key is the name of a node: `body.0.conv`,
`body.0.conv/window`, `body.0.join/fork`, `body.0.join/fork.b/fifo`.
"""

from __future__ import annotations

import json
import os
from typing import Any

from finn.transformation.general import ApplyConfig
from finn.util.config import extract_model_config_to_json
from qonnx.core.modelwrapper import ModelWrapper

from hw.compiler import BuildError
from hw.compiler.transforms import stream_nodes

Config = dict[str, dict[str, Any]]

ATTRIBUTES = ("SIMD", "PE", "pack", "P", "OUT_P", "depth", "ram_style", "inFIFODepths", "outFIFODepths")
"""What a configuration decides; all other attributes follow from the network."""

PLUMBING = ("/width", "/fifo")
"""Ends of the names of nodes that are inserted after the folding is set."""


def read_config(path: str | os.PathLike[str]) -> Config:
    """Read a configuration.

    Raises:
        BuildError: the file is missing, is no JSON, or does not map names to attributes.
    """
    try:
        with open(path) as file:
            config = json.load(file)
    except (OSError, ValueError) as error:
        raise BuildError(f"{path}: {error}") from None
    if not isinstance(config, dict) or not all(isinstance(value, dict) for value in config.values()):
        raise BuildError(f'{path}: expected {{"Defaults": {{}}, node: {{attribute: value, ...}}, ...}}')
    return config


def write_config(model: ModelWrapper, path: str | os.PathLike[str]) -> None:
    """Write the configuration of a model, which gives the same model again when it is applied."""
    extract_model_config_to_json(model, path, ATTRIBUTES)


def apply_config(model: ModelWrapper, config: Config, ignore: tuple[str, ...] = ()) -> ModelWrapper:
    """Set the attributes of a configuration.

    Args:
        model: the graph.
        config: the configuration.
        ignore: ends of the names of nodes that the graph need not have.

    Raises:
        BuildError: a node does not exist, or an attribute does not or has a wrong type.
    """
    ops = {node.name: node for node in stream_nodes(model)}
    for name, attributes in config.items():
        if name in ops or name == "Defaults":
            unknown = [key for key in attributes if name in ops and key not in ATTRIBUTES]
            if unknown:
                raise BuildError(
                    f"configuration of '{name}': '{unknown[0]}' is not one of {', '.join(ATTRIBUTES)}"
                )
            try:
                model = model.transform(ApplyConfig({name: attributes}), make_deepcopy=False, cleanup=False)
            except (AttributeError, AssertionError, TypeError, ValueError) as error:
                raise BuildError(f"configuration of '{name}': {error}") from None
        elif not name.endswith(ignore):
            raise BuildError(
                f"configuration of '{name}': the network has no such node; it has {', '.join(ops)}"
            )
    return model
