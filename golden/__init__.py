# SPDX-License-Identifier: BSD-3-Clause
"""The integer contract of bitmend and its bit-exact NumPy model: see docs/numerics.md.

network = IntegerNetwork.load("models/x.npz")
restored = run(network, image)  # (H, W, C) uint8 -> (H*scale, W*scale, C) uint8
"""

from golden.engine import Engine, make_engine
from golden.inference import TensorType, receptive_field, tensor_types
from golden.layers import (
    Base,
    Compare,
    ConvInt8,
    ConvPoint,
    ConvXnor,
    GlobalMean,
    Join,
    Layer,
    ModelError,
    Multiply,
    NearestUp,
    Output,
    PixelShuffle,
    PlainOutput,
    RepeatChannels,
    Requant,
    RSign,
    Table,
)
from golden.network import FORMAT_VERSION, IntegerNetwork
from golden.reference import run, trace
from golden.statistics import freeze, measure, run_streaming
from golden.summary import describe
from golden.tiling import restore, restore_bands, restore_streaming

__all__ = [
    "FORMAT_VERSION",
    "Base",
    "Compare",
    "ConvInt8",
    "ConvPoint",
    "ConvXnor",
    "Engine",
    "GlobalMean",
    "IntegerNetwork",
    "Join",
    "Layer",
    "ModelError",
    "Multiply",
    "NearestUp",
    "Output",
    "PixelShuffle",
    "PlainOutput",
    "RSign",
    "RepeatChannels",
    "Requant",
    "Table",
    "TensorType",
    "describe",
    "freeze",
    "make_engine",
    "measure",
    "receptive_field",
    "restore",
    "restore_bands",
    "restore_streaming",
    "run",
    "run_streaming",
    "tensor_types",
    "trace",
]
