# SPDX-License-Identifier: BSD-3-Clause
"""Matrix-vector units: a matrix of MH rows and MW columns times the vector of every pixel.

The vector is a window in the order of its stream (see `Window`), P = SIMD / 9 channels to a slice; or just a
pixel (1x1 convolutions), or what stands for a whole image (fully connected layers). The weights of the node
stay in FINN's order and shape, (MW, MH) with rows in the order (ky, kx, channel): a node whose SIMD does not
fit its window computes something else, and the check of the folding finds it.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from hw.compiler.ops.base import Port, Rtl, StreamOp, memory, operator
from hw.compiler.ops.window import TAPS

WEIGHT_BITS = 8
"""Bits of a weight of an Int8MVU, and of a pixel."""

MAX_LUT_WORDS = 64
"""Weights of more words are in block RAM, unless ram_style is "distributed"."""


class MatrixVectorUnit(StreamOp):
    """Base of the two units: NF = MH / PE beats out for SF = MW / SIMD beats in, SF * NF cycles per pixel."""

    foldings = ("SIMD", "PE")
    fields: ClassVar = {"MW": 0, "MH": 0}

    @property
    def taps(self) -> int:
        """Taps of the window: 9, or 1 where there is none."""
        return TAPS

    def folds(self) -> dict[str, int]:
        """SIMD divides MW; that it is `taps` * P as well `check_folding` checks. PE divides MH."""
        return {"SIMD": self["MW"], "PE": self["MH"]}

    def check_folding(self) -> None:
        """SIMD is whole slices of a window."""
        super().check_folding()
        if self["SIMD"] % self.taps:
            self.fail(f"SIMD is {self['SIMD']}, expected {self.taps} times the P of its window")

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, MW) in beats of SIMD."""
        return (self.port("s_axis", self["SIMD"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, MH) in beats of PE."""
        return (self.port("m_axis", self["PE"], channels=self["MH"]),)

    def get_exp_cycles(self) -> int:
        """H * W * SF * NF."""
        height, width = self["ImgDim"]
        return height * width * (self["MW"] // self["SIMD"]) * (self["MH"] // self["PE"])

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return multiply-accumulates of a frame and weights, in FINN's words."""
        height, width = self["ImgDim"]
        x, w = (self.get_input_datatype(i).bitwidth() for i in (0, 1))
        size = self["MW"] * self["MH"]
        return {f"op_mac_{min(x, w)}bx{max(x, w)}b": height * width * size, f"param_weight_{w}b": size}

    def stream_order(self) -> np.ndarray:
        """Return the row of the weights that belongs to each position of the vector: (MW,) indices."""
        slices = -1, self["SIMD"] // self.taps  # (slice, channel of the slice)
        return np.arange(self["MW"]).reshape(self.taps, *slices).swapaxes(0, 1).ravel()

    def weight_style(self) -> str:
        """Return "lut" or "block": where the weights are, unless ram_style says it."""
        words = self["MW"] // self["SIMD"] * (self["MH"] // self["PE"])
        block = self["ram_style"] == "block" or (self["ram_style"] == "auto" and words > MAX_LUT_WORDS)
        return "block" if block else "lut"

    def weight_words(self, model: ModelWrapper) -> np.ndarray:
        """Return the weights as words of memory: (NF * SF, PE * SIMD).

        Element p*SIMD + i of word nf*SF + sf is that of result nf*PE + p and position sf*SIMD + i of the
        vector.
        """
        weight = self.constants(model)["weight"][self.stream_order()].T  # (MH, MW)
        tiles = weight.reshape(-1, self["PE"], self["MW"] // self["SIMD"], self["SIMD"])
        return tiles.swapaxes(1, 2).reshape(-1, self["PE"] * self["SIMD"]).astype(np.int64)


@operator
class XnorMVU(MatrixVectorUnit):
    """m = 2 * popcount(xnor(w, x)) - MW: the arithmetic of `golden.operators.conv_xnor_plain`."""

    parameters: ClassVar = {"weight": "BIPOLAR"}

    def compute(self, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sum products of +-1 in float32, which is exact up to 2^24."""
        return (((2 * x.astype(np.float32) - 1) @ weight[self.stream_order()]).astype(np.int32),)

    def rtl(self) -> Rtl:
        """`xnor_mvu`; its weights are truth tables, unless ram_style is "block" or there are many words."""
        parameters = {name: self[name] for name in ("MW", "MH", "SIMD", "PE")}
        parameters |= {"WEIGHT_FILE": self.file("weight"), "WEIGHT_STYLE": self.weight_style()}
        return Rtl("xnor_mvu", parameters)

    def constants_of_files(self) -> dict[str, tuple[str, int]]:
        """The weights, if they are truth tables."""
        tables = self.weight_style() == "lut"
        return {"COLUMNS": (self.file("weight"), self["PE"] * self["SIMD"])} if tables else {}

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """Weights of one bit, 1 for +1."""
        return {self.file("weight"): memory((self.weight_words(model) > 0).astype(np.int64), 1)}


@operator
class Int8MVU(MatrixVectorUnit):
    """acc = sum of w * x: the arithmetic of `golden.operators.conv_int8` and `conv_point`.

    Taps is 9 behind a window, else 1. Narrow says that no weight is -128. The folding decides pack: 1 makes
    two products in a DSP48, which takes more LUTs, 0 one.
    """

    parameters: ClassVar = {"weight": "INT8"}
    fields: ClassVar = {**MatrixVectorUnit.fields, "Taps": TAPS, "Narrow": 0, "pack": 1}

    @property
    def taps(self) -> int:
        """Taps of the window: 9, or 1 where there is none."""
        return self["Taps"]

    def check_folding(self) -> None:
        """The same as above; pack is 0 or 1."""
        super().check_folding()
        if self["pack"] not in (0, 1):
            self.fail(f"pack is {self['pack']}, expected 1 for two products in a DSP48 or 0 for one")

    def compute(self, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sum products in float64, which is exact up to 2^53."""
        return ((x.astype(np.float64) @ weight[self.stream_order()].astype(np.float64)).astype(np.int32),)

    def rtl(self) -> Rtl:
        """`int8_mvu`."""
        x, acc = self.get_input_datatype(), self.get_output_datatype()
        parameters = {name: self[name] for name in ("MW", "MH", "SIMD", "PE")}
        parameters |= {"X_SIGNED": int(x.signed()), "IN_BITS": x.bitwidth(), "ACC_BITS": acc.bitwidth()}
        parameters |= {"PACK": self["pack"], "NARROW": self["Narrow"]}
        parameters |= {"WEIGHT_FILE": self.file("weight"), "WEIGHT_STYLE": self.weight_style()}
        if self._has_bias():
            parameters["BIAS_FILE"] = self.file("bias")
        return Rtl("int8_mvu", parameters)

    def memories(self, model: ModelWrapper) -> dict[str, str]:
        """Weights of 8 bits; where pixels are packed also 128 times their sums, see int8_mvu.sv."""
        files = {self.file("weight"): memory(self.weight_words(model), WEIGHT_BITS)}
        if self._has_bias():
            sums = self.constants(model)["weight"].astype(np.int64).sum(axis=0) << (WEIGHT_BITS - 1)
            words = sums.reshape(-1, self["PE"])
            files[self.file("bias")] = memory(words, self.get_output_datatype().bitwidth())
        return files

    def _has_bias(self) -> bool:
        return bool(self["pack"]) and not self.get_input_datatype().signed()
