# SPDX-License-Identifier: BSD-3-Clause
"""Operators of attention: the table of a factor, and the product with it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from golden import operators as golden
from hw.compiler.ops.base import Port, Rtl, StreamOp, memory, operator


@operator
class Table(StreamOp):
    """Any function of a narrow stream: `golden.operators.lookup`."""

    parameters: ClassVar = {"table": "INT16"}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("s_axis", self["PE"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, x: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's lookup."""
        return (golden.lookup(x, table.astype(np.int16)),)

    def rtl(self) -> Rtl:
        """`stream_table`."""
        parameters = {
            "PE": self["PE"],
            "IN_BITS": self.get_input_datatype().bitwidth(),
            "BITS": self.get_output_datatype().bitwidth(),
            "TABLE_FILE": self.file("table"),
        }
        return Rtl("stream_table", parameters | self.style("TABLE_STYLE"))

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """The entries, that of the least input first."""
        words = self.constants(model)["table"].astype(np.int64).reshape(-1, 1)
        return {self.file("table"): memory(words, self.get_output_datatype().bitwidth())}


@operator
class Multiply(StreamOp):
    """Product of two streams, rounded and saturated: `golden.operators.multiply`.

    The factors have the size of x here, and its channels or, with GChannels = 1, one for all of them.
    """

    fields: ClassVar = {"GChannels": 0, "Shift": 0}

    def inputs(self) -> tuple[Port, ...]:
        """X in beats of PE; the factors too, or one of them for a pixel."""
        elements = self["PE"] if self["GChannels"] > 1 else 1
        return (
            self.port("s_x", self["PE"], source=0),
            self.port("s_g", elements, source=1, channels=self["GChannels"]),
        )

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's multiply."""
        return (golden.multiply(x, g, self["Shift"], self.get_output_datatype().bitwidth()),)

    def rtl(self) -> Rtl:
        """`stream_multiply`."""
        x, g = self.inputs()
        parameters = {
            "CHANNELS": x.channels,
            "G_CHANNELS": g.channels,
            "PE": x.elements,
            "X_BITS": x.datatype.bitwidth(),
            "G_BITS": g.datatype.bitwidth(),
            "SHIFT": self["Shift"],
            "BITS": self.get_output_datatype().bitwidth(),
        }
        return Rtl("stream_multiply", parameters)
