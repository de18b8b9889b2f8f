# SPDX-License-Identifier: BSD-3-Clause
"""Operators with a constant per channel, and the residual addition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from golden import operators as golden
from hw.compiler.ops.base import Port, Rtl, StreamOp, memory, operator


def affine_memory(
    pieces: Sequence[tuple[np.ndarray, np.ndarray]], elements: int, a_bits: int, b_bits: int
) -> str:
    """Return the memory file of slopes and offsets that requant.sv and output_stage.sv describe.

    Args:
        pieces: (slope, offset) of each piece, (C,) integers each.
        elements: channels per beat, PE.
        a_bits, b_bits: widths of slope and offset; a word is {offset, slope}.

    Returns:
        Word (i*KK + k) * N + p is that of piece p of N, channel k * PE + i; KK is C / PE rounded up to a
        power of two.
    """
    beats = len(pieces[0][0]) // elements
    words = np.zeros((elements, 1 << (beats - 1).bit_length(), len(pieces)), np.int64)
    for index, (a, b) in enumerate(pieces):
        word = (b.astype(np.int64) << a_bits) | (a.astype(np.int64) & ((1 << a_bits) - 1))
        words[:, :beats, index] = word.reshape(beats, elements).T
    return memory(words.reshape(-1, 1), a_bits + b_bits)


@operator
class TwoPieceRequant(StreamOp):
    """Two affine pieces per channel, saturated: `golden.operators.requant`. (FINN's Requant is another.)

    ABits and BBits are the widths that the slopes and offsets need.
    """

    parameters: ClassVar = {"a1": "INT16", "a0": "INT16", "b1": "INT32", "b0": "INT32", "threshold": "INT32"}
    fields: ClassVar = {"Shift": 0, "ABits": 16, "BBits": 32}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("s_axis", self["PE"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, x: np.ndarray, *constants: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's requant."""
        a1, a0, b1, b0, threshold = (constant.astype(np.int64) for constant in constants)
        bits = self.get_output_datatype().bitwidth()
        return (golden.requant(x, a1, a0, b1, b0, threshold, self["Shift"], bits),)

    def rtl(self) -> Rtl:
        """`requant`."""
        (x,), (y,) = self.inputs(), self.outputs()
        parameters = {
            "CHANNELS": x.channels,
            "PE": x.elements,
            "IN_BITS": x.datatype.bitwidth(),
            "IN_SIGNED": int(x.datatype.signed()),
            "BITS": y.datatype.bitwidth(),
            "SHIFT": self["Shift"],
            "A_BITS": self["ABits"],
            "B_BITS": self["BBits"],
            "T_BITS": self._threshold_bits(),
            "THRESHOLD_FILE": self.file("threshold"),
            "CONST_FILE": self.file("const"),
        }
        return Rtl("requant", parameters | self.style("CONST_STYLE"))

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """Thresholds t + 1, clipped to the range of the input and "never"; and the pieces, see requant.sv."""
        constants = {name: value.astype(np.int64) for name, value in self.constants(model).items()}
        x = self.get_input_datatype()
        first = np.clip(constants["threshold"] + 1, int(x.min()), int(x.max()) + 1)
        pieces = [(constants["a0"], constants["b0"]), (constants["a1"], constants["b1"])]
        return {
            self.file("threshold"): memory(first.reshape(-1, self["PE"]), self._threshold_bits()),
            self.file("const"): affine_memory(pieces, self["PE"], self["ABits"], self["BBits"]),
        }

    def _threshold_bits(self) -> int:
        x = self.get_input_datatype()
        return x.bitwidth() + (1 if x.signed() else 2)


@operator
class RSign(StreamOp):
    """Sign with a threshold per channel: `golden.operators.rsign`."""

    parameters: ClassVar = {"threshold": "INT17"}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("s_axis", self["PE"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """Bits (H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, x: np.ndarray, threshold: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's rsign."""
        return (golden.rsign(x, threshold),)

    def rtl(self) -> Rtl:
        """`rsign`."""
        (port,) = self.inputs()
        parameters = {
            "CHANNELS": port.channels,
            "PE": port.elements,
            "BITS": port.datatype.bitwidth(),
            "THRESHOLD_FILE": self.file("threshold"),
        }
        return Rtl("rsign", parameters)

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """Thresholds of BITS + 1 bits, PE to a word."""
        words = self.constants(model)["threshold"].reshape(-1, self["PE"])
        return {self.file("threshold"): memory(words, self.get_input_datatype().bitwidth() + 1)}


@operator
class Join(StreamOp):
    """Saturated sum of two streams: `golden.operators.join`."""

    def inputs(self) -> tuple[Port, ...]:
        """Two tensors (H, W, C) in beats of PE."""
        return (self.port("s_a", self["PE"], source=0), self.port("s_b", self["PE"], source=1))

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's join."""
        return (golden.join(a, b, self.get_output_datatype().bitwidth()),)

    def rtl(self) -> Rtl:
        """`stream_join`."""
        a, b = (port.datatype.bitwidth() for port in self.inputs())
        bits = self.get_output_datatype().bitwidth()
        return Rtl("stream_join", {"PE": self["PE"], "A_BITS": a, "B_BITS": b, "BITS": bits})


@operator
class Output(StreamOp):
    """The pixels of the result from residual and base: `golden.operators.output`."""

    parameters: ClassVar = {"a": "INT16", "b": "INT32"}
    fields: ClassVar = {"Shift": 0, "BaseBits": 0, "ABits": 16, "BBits": 32}

    def inputs(self) -> tuple[Port, ...]:
        """The residual and the base, (H, W, C) in beats of PE."""
        return (self.port("s_acc", self["PE"], source=0), self.port("s_base", self["PE"], source=1))

    def outputs(self) -> tuple[Port, ...]:
        """Pixels (H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(
        self, acc: np.ndarray, base: np.ndarray, a: np.ndarray, b: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Apply golden's output."""
        return (golden.output(acc, base, a, b, self["Shift"], self["BaseBits"]),)

    def rtl(self) -> Rtl:
        """`output_stage`."""
        acc, _ = self.inputs()
        parameters = {
            "CHANNELS": acc.channels,
            "PE": acc.elements,
            "ACC_BITS": acc.datatype.bitwidth(),
            "BASE_BITS": self["BaseBits"],
            "SHIFT": self["Shift"],
            "A_BITS": self["ABits"],
            "B_BITS": self["BBits"],
            "CONST_FILE": self.file("const"),
        }
        return Rtl("output_stage", parameters | self.style("CONST_STYLE"))

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """Slopes and offsets, see output_stage.sv."""
        constants = self.constants(model)
        pieces = [(constants["a"], constants["b"])]
        return {self.file("const"): affine_memory(pieces, self["PE"], self["ABits"], self["BBits"])}


@operator
class PlainOutput(StreamOp):
    """The pixels of the result where nothing is added: `golden.operators.output` of no base."""

    parameters: ClassVar = {"a": "INT16", "b": "INT32"}
    fields: ClassVar = {"Shift": 0, "ABits": 16, "BBits": 32}

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of PE."""
        return (self.port("s_axis", self["PE"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """Pixels (H, W, C) in beats of PE."""
        return (self.port("m_axis", self["PE"]),)

    def compute(self, acc: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
        """Apply golden's output to a base of 0."""
        return (golden.output(acc, np.zeros_like(acc), a, b, self["Shift"], 0),)

    def rtl(self) -> Rtl:
        """`requant` with unsigned results; its threshold, which divides nothing, is 0."""
        (acc,) = self.inputs()
        parameters = {
            "CHANNELS": acc.channels,
            "PE": acc.elements,
            "IN_BITS": acc.datatype.bitwidth(),
            "IN_SIGNED": 1,
            "BITS": self.get_output_datatype().bitwidth(),
            "OUT_SIGNED": 0,
            "SHIFT": self["Shift"],
            "A_BITS": self["ABits"],
            "B_BITS": self["BBits"],
            "T_BITS": 1,
            "THRESHOLD_FILE": self.file("threshold"),
            "CONST_FILE": self.file("const"),
        }
        return Rtl("requant", parameters | self.style("CONST_STYLE"))

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """No threshold, and twice the same piece; see requant.sv."""
        constants = self.constants(model)
        pieces = [(constants["a"], constants["b"])] * 2
        none = np.zeros((self["NumChannels"] // self["PE"], self["PE"]), np.int64)
        return {
            self.file("threshold"): memory(none, 1),
            self.file("const"): affine_memory(pieces, self["PE"], self["ABits"], self["BBits"]),
        }
