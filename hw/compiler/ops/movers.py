# SPDX-License-Identifier: BSD-3-Clause
"""Operators that move pixels and channels, and the bilinear base."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from golden import operators as golden
from hw.compiler.ops.base import DIM_BITS, Port, Rtl, StreamOp, operator


def shuffle_order(channels: int, factor: int) -> np.ndarray:
    """Return the order of channels that `pixel_shuffle` with ORDER = 1 wants: (C * r * r,) indices.

    Position (i*r + j)*C + c of a pixel holds channel c*r*r + i*r + j of the contract; r = `factor`.

    Args:
        channels: C, those of the result of the shuffle.
        factor: r.
    """
    return np.arange(channels * factor * factor).reshape(channels, -1).T.ravel()


@operator
class PixelShuffle(StreamOp):
    """Channels become space: `golden.operators.pixel_shuffle`.

    With Order = 1 the channels of the input are in `shuffle_order`, else in the contract's order.
    """

    foldings = ("P",)
    fields: ClassVar = {"Factor": 0, "Order": 0}

    @property
    def channels(self) -> int:
        """C, the channels of the output."""
        return self["NumChannels"] // self["Factor"] ** 2

    def folds(self) -> dict[str, int]:
        """P divides the channels of the output, and so those of the input."""
        return {"P": self.channels}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C * r * r) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H * r, W * r, C) in beats of P."""
        return (self.port("m_axis", self["P"], channels=self.channels, scale=self["Factor"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Bring the channels into the contract's order and apply golden's pixel_shuffle."""
        if self["Order"]:
            x = x[:, :, np.argsort(shuffle_order(self.channels, self["Factor"]))]
        return (golden.pixel_shuffle(x, self["Factor"]),)

    def rtl(self) -> Rtl:
        """`pixel_shuffle`."""
        (port,) = self.inputs()
        parameters = {
            "CHANNELS": self.channels,
            "FACTOR": self["Factor"],
            "P": port.elements,
            "BITS": port.datatype.bitwidth(),
            "MAX_WIDTH": port.width,
            "DIM_BITS": DIM_BITS,
            "ORDER": self["Order"],
        }
        return Rtl("pixel_shuffle", parameters | self.style("RAM_STYLE"), sized=True)


@operator
class NearestUp(StreamOp):
    """Every pixel becomes r x r equal ones: `golden.operators.nearest_up`. Its memory serves as a FIFO too.

    `depth` is the capacity of that memory in beats; less than a row means one row, the least that it can be.
    """

    foldings = ("P",)
    fields: ClassVar = {"Factor": 0, "depth": 0}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H * r, W * r, C) in beats of P."""
        return (self.port("m_axis", self["P"], scale=self["Factor"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's nearest_up."""
        return (golden.nearest_up(x, self["Factor"]),)

    def rtl(self) -> Rtl:
        """`nearest_up`."""
        (port,) = self.inputs()
        row = port.width * port.channels // port.elements
        parameters = {
            "CHANNELS": port.channels,
            "FACTOR": self["Factor"],
            "P": port.elements,
            "BITS": port.datatype.bitwidth(),
            "MAX_WIDTH": port.width,
            "DIM_BITS": DIM_BITS,
            "DEPTH": max(2, row, self["depth"]),
        }
        return Rtl("nearest_up", parameters | self.style("RAM_STYLE"), sized=True)


@operator
class RepeatChannels(StreamOp):
    """Channel c is channel c mod C_in of the input: `golden.operators.repeat_channels`."""

    foldings = ("P", "OUT_P")
    fields: ClassVar = {"OutChannels": 0}

    def folds(self) -> dict[str, int]:
        """P divides the channels of the input, OUT_P those of the output."""
        return {"P": self["NumChannels"], "OUT_P": self["OutChannels"]}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, OutChannels) in beats of OUT_P."""
        return (self.port("m_axis", self["OUT_P"], channels=self["OutChannels"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's repeat_channels."""
        return (golden.repeat_channels(x, self["OutChannels"]),)

    def rtl(self) -> Rtl:
        """`repeat_channels`."""
        (port,) = self.inputs()
        parameters = {
            "CHANNELS": port.channels,
            "OUT_CHANNELS": self["OutChannels"],
            "P": port.elements,
            "OUT_P": self["OUT_P"],
            "BITS": port.datatype.bitwidth(),
        }
        return Rtl("repeat_channels", parameters)


@operator
class Base(StreamOp):
    """Bilinear enlargement of the pixels: `golden.operators.base`."""

    foldings = ("P",)
    fields: ClassVar = {"Factor": 0}

    def inputs(self) -> tuple[Port, ...]:
        """Pixels (H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H * r, W * r, C) in beats of P."""
        return (self.port("m_axis", self["P"], scale=self["Factor"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's base."""
        return (golden.base(x, self["Factor"]),)

    def rtl(self) -> Rtl:
        """`base`."""
        (port,) = self.inputs()
        parameters = {
            "SCALE": self["Factor"],
            "CHANNELS": port.channels,
            "P": port.elements,
            "MAX_WIDTH": port.width,
            "DIM_BITS": DIM_BITS,
        }
        return Rtl("base", parameters | self.style("RAM_STYLE"), sized=True)
