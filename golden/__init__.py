# SPDX-License-Identifier: BSD-3-Clause
"""The integer contract of bitmend and its bit-exact NumPy model: see docs/numerics.md.

network = IntegerNetwork.load("models/x.npz")
restored = run(network, image)  # (H, W, C) uint8 -> (H*scale, W*scale, C) uint8
"""

from golden.engine import Engine, make_engine
from golden.inference import TensorType, receptive_field, tensor_types
from golden.layers import (
    Base,
    ConvInt8,
    ConvXnor,
    Join,
    Layer,
    ModelError,
    NearestUp,
    Output,
    PixelShuffle,
    RepeatChannels,
    Requant,
    RSign,
)
from golden.network import FORMAT_VERSION, IntegerNetwork
from golden.reference import run, trace
from golden.summary import describe
from golden.tiling import restore, restore_bands

__all__ = [
    "FORMAT_VERSION",
    "Base",
    "ConvInt8",
    "ConvXnor",
    "Engine",
    "IntegerNetwork",
    "Join",
    "Layer",
    "ModelError",
    "NearestUp",
    "Output",
    "PixelShuffle",
    "RSign",
    "RepeatChannels",
    "Requant",
    "TensorType",
    "describe",
    "make_engine",
    "receptive_field",
    "restore",
    "restore_bands",
    "run",
    "tensor_types",
    "trace",
]
