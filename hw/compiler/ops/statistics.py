# SPDX-License-Identifier: BSD-3-Clause
"""Operators with statistics of the whole image: a vector is a tensor of one pixel, made of a frame.

In the graph a vector belongs to its own frame, as in golden's exact form. In hardware it is used for the next
one (`golden.run_streaming`): GlobalMean sends its initial values first, so a RepeatPixels that takes a vector
for every frame repeats the statistics of the frame before.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from golden import operators as golden
from hw.compiler.ops.base import DIM_BITS, Port, Rtl, StreamOp, memory, operator


@operator
class GlobalMean(StreamOp):
    """Mean of each channel over a frame: `golden.operators.global_mean`."""

    foldings = ("P",)
    parameters: ClassVar = {"initial": "INT16"}
    fields: ClassVar = {"Shift": 0}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """A vector, one channel per beat."""
        return (self.port("m_axis", 1, vector=True),)

    def compute(self, x: np.ndarray, initial: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's global_mean."""
        return (golden.global_mean(x, self["Shift"], self.get_output_datatype().bitwidth()),)

    def rtl(self) -> Rtl:
        """`global_mean`."""
        (port,) = self.inputs()
        parameters = {
            "CHANNELS": port.channels,
            "P": port.elements,
            "IN_BITS": port.datatype.bitwidth(),
            "SHIFT": self["Shift"],
            "BITS": self.get_output_datatype().bitwidth(),
            "DIM_BITS": DIM_BITS,
            "INITIAL_FILE": self.file("initial"),
        }
        return Rtl("global_mean", parameters | self.style("RAM_STYLE"), sized=True)

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """The vector that is sent first."""
        return {self.file("initial"): memory(self.initial(model), self.get_output_datatype().bitwidth())}

    def initial(self, model: ModelWrapper) -> np.ndarray:
        """Return the vector that the module sends first: (C, 1) integers."""
        return self.constants(model)["initial"].astype(np.int64).reshape(-1, 1)


@operator
class RepeatPixels(StreamOp):
    """A vector for every pixel of a frame of the size ImgDim: in the contract, operators broadcast it."""

    foldings = ("P",)

    def inputs(self) -> tuple[Port, ...]:
        """A vector in beats of P."""
        return (self.port("s_axis", self["P"], source=0, vector=True),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("m_axis", self["P"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return x for every pixel."""
        height, width = self["ImgDim"]
        return (np.broadcast_to(x, (height, width, x.shape[2])),)

    def rtl(self) -> Rtl:
        """`repeat_pixels`."""
        (port,) = self.inputs()
        parameters = {
            "CHANNELS": port.channels,
            "P": port.elements,
            "BITS": port.datatype.bitwidth(),
            "DIM_BITS": DIM_BITS,
        }
        return Rtl("repeat_pixels", parameters, sized=True)


@operator
class Compare(StreamOp):
    """Sign with thresholds that come as a stream: `golden.operators.compare`."""

    def inputs(self) -> tuple[Port, ...]:
        """X and the thresholds, (H, W, C) in beats of PE."""
        return (self.port("s_x", self["PE"], source=0), self.port("s_t", self["PE"], source=1))

    def outputs(self) -> tuple[Port, ...]:
        """Bits (H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, x: np.ndarray, threshold: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's compare."""
        return (golden.compare(x, threshold),)

    def rtl(self) -> Rtl:
        """`stream_compare`."""
        x, t = (port.datatype.bitwidth() for port in self.inputs())
        return Rtl("stream_compare", {"PE": self["PE"], "X_BITS": x, "T_BITS": t})
