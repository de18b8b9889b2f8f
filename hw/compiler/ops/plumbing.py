# SPDX-License-Identifier: BSD-3-Clause
"""Operators that pass a tensor on as it is: fork, width converter, FIFO."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hw.compiler.ops.base import Port, Rtl, StreamOp, operator


@operator
class Fork(StreamOp):
    """Two copies of a stream."""

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("s_axis", self["PE"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """The same, twice."""
        return (self.port("m_a", self["PE"]), self.port("m_b", self["PE"]))

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return x twice."""
        return x, x

    def rtl(self) -> Rtl:
        """`stream_fork`."""
        return Rtl("stream_fork", {"WIDTH": self.get_instream_width()})


@operator
class WidthConverter(StreamOp):
    """The same tensor in beats of another width: what FINN's StreamingDataWidthConverter does."""

    foldings = ("P", "OUT_P")

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of OUT_P."""
        return (self.port("m_axis", self["OUT_P"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return x."""
        return (x,)

    def rtl(self) -> Rtl:
        """`stream_width`."""
        return Rtl(
            "stream_width", {"IN_WIDTH": self.get_instream_width(), "OUT_WIDTH": self.get_outstream_width()}
        )


@operator
class Fifo(StreamOp):
    """Room for `depth` beats, at least 2: what FINN's StreamingFIFO does."""

    foldings = ("P",)
    fields: ClassVar = {"depth": 2}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """The same."""
        return (self.port("m_axis", self["P"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return x."""
        return (x,)

    def rtl(self) -> Rtl:
        """`stream_fifo`."""
        parameters = {"WIDTH": self.get_instream_width(), "DEPTH": self["depth"]}
        return Rtl("stream_fifo", parameters | self.style("RAM_STYLE"))
