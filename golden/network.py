# SPDX-License-Identifier: BSD-3-Clause
"""`IntegerNetwork`: a whole restoration network in integers, validated when it is built."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from golden.inference import MAX_SCALE, TensorType, tensor_types
from golden.layers import ArrayRule, Layer, ModelError, ScalarRule

FORMAT_VERSION = 2
"""The newest version of the file format; a network is written in the oldest one that has all its layers."""

TASKS = ("sr", "denoise", "deblock")


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """A network as a straight list of layers in execution order; reading a tensor twice is a fork.

    Attributes:
        task: "sr", "denoise" or "deblock".
        scale: output size over input size, 1..4.
        channels: channels of the image, 1 (grey or Y) or 3 (RGB).
        layers: the layers; the last one is the Output.
        meta: anything JSON-able that describes the network (name, sigma, quality, training); not hashed.

    Raises:
        ModelError: the layers do not form a valid network; the message names layer and field.
    """

    task: str
    scale: int
    channels: int
    layers: tuple[Layer, ...] = field(repr=False)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the fields and the graph."""
        if self.task not in TASKS:
            raise ModelError(f"field 'task' is {self.task!r}, expected one of {', '.join(TASKS)}")
        for key, high in (("scale", MAX_SCALE), ("channels", 3)):
            try:
                object.__setattr__(self, key, ScalarRule(1, high).checked(getattr(self, key)))
            except ValueError as error:
                raise ModelError(f"field '{key}' {error}") from None
        if self.channels == 2:
            raise ModelError("field 'channels' is 2, expected 1 (grey or Y) or 3 (RGB)")
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers or not all(isinstance(layer, Layer) for layer in self.layers):
            raise ModelError("field 'layers' must be a non-empty sequence of layers of golden.layers")
        try:
            meta = json.loads(json.dumps(self.meta, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelError(f"field 'meta' cannot be stored as JSON: {error}") from None
        if not isinstance(meta, dict):
            raise ModelError(f"field 'meta' is a {type(self.meta).__name__}, expected a dict")
        object.__setattr__(self, "meta", meta)
        self.types  # noqa: B018  validates

    @cached_property
    def types(self) -> dict[str, TensorType]:
        """The static type of every tensor, by name; see `golden.inference`."""
        return tensor_types(self)

    @property
    def format(self) -> int:
        """The version of the file format that this network needs."""
        return max(layer.since for layer in self.layers)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of all that decides the result, so all but `meta`; the same on every platform.

        Hashed are the record of the network as JSON (sorted keys, no spaces, ASCII), preceded by its length
        in 8 bytes, and then the arrays in the order of layers and fields; all numbers are little-endian.
        """
        text = json.dumps(self.record(), sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(len(text).to_bytes(8, "little") + text)
        for layer in self.layers:
            for key, rule in layer.rules().items():
                if isinstance(rule, ArrayRule):
                    digest.update(little_endian(getattr(layer, key)).tobytes())
        return digest.hexdigest()

    def record(self) -> dict[str, Any]:
        """Return the network without its arrays as JSON-able values; arrays are replaced by their shapes."""
        return {
            "format": self.format,
            "task": self.task,
            "scale": self.scale,
            "channels": self.channels,
            "layers": [_layer_record(layer) for layer in self.layers],
        }

    def describe(self, height: int = 180, width: int = 320) -> str:
        """Return a page about the network for an input of that size; see `golden.summary`."""
        from golden import summary  # it imports this module

        return summary.describe(self, height, width)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an .npz file; equal networks give equal bytes. See `golden.modelfile`."""
        from golden import modelfile  # modelfile builds networks: importing it above would be circular

        modelfile.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> IntegerNetwork:
        """Read a network from an .npz file.

        Raises:
            ModelError: the file is missing, damaged or breaks the contract; the message is one line and names
                the file and, where there is one, the layer and the field.
        """
        from golden import modelfile

        return modelfile.load(path)


def little_endian(array: np.ndarray) -> np.ndarray:
    """Return the array in little-endian byte order, the order of files and hashes."""
    return array.astype(array.dtype.newbyteorder("<"))


def _layer_record(layer: Layer) -> dict[str, Any]:
    record: dict[str, Any] = {"type": type(layer).__name__, "name": layer.name, "inputs": list(layer.inputs)}
    for key, rule in layer.rules().items():
        value = getattr(layer, key)
        record[key] = list(value.shape) if isinstance(rule, ArrayRule) else value
    return record
