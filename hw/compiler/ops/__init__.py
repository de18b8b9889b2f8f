# SPDX-License-Identifier: BSD-3-Clause
"""Our operators in FINN's registries: importing this package registers them.

Each is an operator X and an RTL backend X_rtl, in FINN's own ONNX domains. docs/finn.md lists them.
"""

from hw.compiler.finn_env import prepare

prepare()  # before the modules below, which import FINN

from hw.compiler.ops.arithmetic import Join, Output, PlainOutput, RSign, TwoPieceRequant  # noqa: E402
from hw.compiler.ops.attention import Multiply, Table  # noqa: E402
from hw.compiler.ops.base import DIM_BITS, DOMAIN, Port, Rtl, StreamOp  # noqa: E402
from hw.compiler.ops.movers import Base, NearestUp, PixelShuffle, RepeatChannels, shuffle_order  # noqa: E402
from hw.compiler.ops.mvu import Int8MVU, MatrixVectorUnit, XnorMVU  # noqa: E402
from hw.compiler.ops.plumbing import Fifo, Fork, WidthConverter  # noqa: E402
from hw.compiler.ops.statistics import Compare, GlobalMean, RepeatPixels  # noqa: E402
from hw.compiler.ops.window import TAPS, Window  # noqa: E402

OPERATORS: tuple[type[StreamOp], ...] = (
    Window,
    XnorMVU,
    Int8MVU,
    TwoPieceRequant,
    RSign,
    Join,
    PixelShuffle,
    NearestUp,
    RepeatChannels,
    Base,
    Output,
    PlainOutput,
    Table,
    Multiply,
    GlobalMean,
    RepeatPixels,
    Compare,
    Fork,
    WidthConverter,
    Fifo,
)

__all__ = [
    "DIM_BITS",
    "DOMAIN",
    "OPERATORS",
    "TAPS",
    "MatrixVectorUnit",
    "Port",
    "Rtl",
    "StreamOp",
    "shuffle_order",
    *(op.__name__ for op in OPERATORS),
]
