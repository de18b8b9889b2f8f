# SPDX-License-Identifier: BSD-3-Clause
"""The layers of an integer network: one frozen dataclass per operator of docs/numerics.md.

A layer has the name of the tensor it produces, the names of the tensors it reads, and its constants. The
type of a constant carries its rule (dtype, range, shape), which the constructor enforces: a layer that exists
fits the hardware. What only the whole network can tell (channel counts, kinds) `golden.inference` checks.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, get_type_hints

import numpy as np

PIXELS = "pixels"
"""Name of the network's input tensor."""

MAX_CHANNELS = 4096
"""Most channels that a tensor may have. No sum can overflow 32 bits: 9 * 4096 * 128 * 255 < 2^31."""

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,100}")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


class ModelError(ValueError):
    """An integer network, or the file that holds one, breaks the contract; the message is one line."""


@dataclass(frozen=True)
class ArrayRule:
    """What an array constant must be: its dtype, the range of its values, and its shape.

    `shape` is ("C",) for one entry per channel, or (C_out, 3, 3, C_in) for weights.
    """

    dtype: type[np.generic]
    low: int
    high: int
    shape: tuple[str | int, ...] = ("C",)

    def checked(self, value: Any) -> np.ndarray:
        """Return `value` as a read-only array of this dtype, or raise ValueError with what is wrong."""
        array = np.asarray(value)
        if array.dtype.kind not in "biu":
            raise ValueError(f"is of dtype {array.dtype}, expected integers ({np.dtype(self.dtype).name})")
        if not self._admits(array.shape):
            expected = ", ".join(str(axis) for axis in self.shape)
            raise ValueError(f"has shape {array.shape}, expected ({expected}), none of them 0")
        if max(array.shape) > MAX_CHANNELS:
            raise ValueError(f"has shape {array.shape}, expected at most {MAX_CHANNELS} channels")
        for extreme in (int(array.min()), int(array.max())):
            if not self.low <= extreme <= self.high:
                raise ValueError(f"holds {extreme}, expected {self.low}..{self.high}")
        array = np.array(array, dtype=self.dtype, order="C")
        array.setflags(write=False)
        return array

    def _admits(self, shape: tuple[int, ...]) -> bool:
        if len(shape) != len(self.shape) or 0 in shape:
            return False
        return all(isinstance(want, str) or want == got for want, got in zip(self.shape, shape, strict=True))


@dataclass(frozen=True)
class ScalarRule:
    """What an integer constant must be: its range, both ends included."""

    low: int
    high: int

    def checked(self, value: Any) -> int:
        """Return `value` as a Python int; raise ValueError with the reason if it is none or out of range."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ValueError(f"is {value!r}, expected an integer {self.low}..{self.high}")
        number = operator.index(value)
        if not self.low <= number <= self.high:
            raise ValueError(f"is {number}, expected {self.low}..{self.high}")
        return number


Rule = ArrayRule | ScalarRule


def _signed(dtype: type[np.generic], bits: int) -> ArrayRule:
    return ArrayRule(dtype, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


_WEIGHT_SHAPE = ("C_out", 3, 3, "C_in")
Int8Weight = Annotated[np.ndarray, ArrayRule(np.int8, -128, 127, _WEIGHT_SHAPE)]
PointWeight = Annotated[np.ndarray, ArrayRule(np.int8, -128, 127, ("C_out", "C_in"))]
BitWeight = Annotated[np.ndarray, ArrayRule(np.uint8, 0, 1, _WEIGHT_SHAPE)]
Slope = Annotated[np.ndarray, _signed(np.int32, 16)]
Offset = Annotated[np.ndarray, _signed(np.int64, 32)]
AccThreshold = Annotated[np.ndarray, _signed(np.int32, 32)]
StreamThreshold = Annotated[np.ndarray, _signed(np.int32, 17)]
TableEntries = Annotated[np.ndarray, ArrayRule(np.int16, -(1 << 15), (1 << 15) - 1, ("entries",))]
StreamValue = Annotated[np.ndarray, _signed(np.int16, 16)]
Shift = Annotated[int, ScalarRule(0, 31)]
ProductShift = Annotated[int, ScalarRule(0, 30)]
MeanShift = Annotated[int, ScalarRule(0, 15)]
StreamBits = Annotated[int, ScalarRule(2, 16)]
UpFactor = Annotated[int, ScalarRule(2, 4)]
BaseFactor = Annotated[int, ScalarRule(1, 4)]
Channels = Annotated[int, ScalarRule(1, MAX_CHANNELS)]


@dataclass(frozen=True, eq=False)
class Layer:
    """What all layers share: `name` is that of the tensor it produces, `inputs` are those of what it reads.

    Raises:
        ModelError: a name is not 1 to 100 letters, digits, '_', '.' or '-'; the number of inputs is wrong; a
            constant has the wrong type, shape or range. Integer arrays of other widths are converted.
    """

    name: str
    inputs: tuple[str, ...]

    arity: ClassVar[int] = 1
    since: ClassVar[int] = 1  # the first version of the file format that has this layer

    def __post_init__(self) -> None:
        """Check every field, and convert each to its canonical type."""
        if not _is_name(self.name) or self.name == PIXELS:
            raise ModelError(
                f"layer name {self.name!r}: expected 1 to 100 letters, digits, '_', '.' or '-', not 'pixels'"
            )
        if not isinstance(self.inputs, (tuple, list)) or not all(map(_is_name, self.inputs)):
            self.fail(f"inputs are {self.inputs!r}, expected a tuple of tensor names")
        if len(self.inputs) != self.arity:
            self.fail(f"has {len(self.inputs)} inputs, expected {self.arity}")
        object.__setattr__(self, "inputs", tuple(self.inputs))
        for key, rule in self.rules().items():
            try:
                object.__setattr__(self, key, rule.checked(getattr(self, key)))
            except ValueError as error:
                self.fail(f"field '{key}' {error}")

    @classmethod
    @cache
    def rules(cls) -> dict[str, Rule]:
        """Return the rule of every constant of this layer class, in order of declaration."""
        hints = get_type_hints(cls, include_extras=True)
        return {key: hint.__metadata__[0] for key, hint in hints.items() if hasattr(hint, "__metadata__")}

    def _expect_fits(self, key: str, bits: int) -> None:
        """Fail if an entry of the array `key` is no signed integer of `bits` bits."""
        limit = 1 << (bits - 1)
        for extreme in (int(getattr(self, key).min()), int(getattr(self, key).max())):
            if not -limit <= extreme < limit:
                self.fail(f"field '{key}' holds {extreme}, expected {-limit}..{limit - 1} (bits is {bits})")

    def fail(self, message: str) -> None:
        """Raise ModelError with the name of this layer before the message."""
        raise ModelError(f"layer '{self.name}': {message}") from None


@dataclass(frozen=True, eq=False)
class ConvInt8(Layer):
    """acc = sum of w * x over 3x3 and C_in; 0 outside the image. Input: pixels, or a stream of <= 8 bits."""

    weight: Int8Weight


@dataclass(frozen=True, eq=False)
class ConvXnor(Layer):
    """m = 2 * popcount(xnor(w, x)) - 9 * C_in; bit 1 means +1, bit 0 means -1; outside the image bit 0."""

    weight: BitWeight


@dataclass(frozen=True, eq=False)
class Requant(Layer):
    """v = acc > t ? (a1*acc + b1) >> shift : (a0*acc + b0) >> shift per channel, saturated to signed `bits`.

    b1 and b0 hold the half that rounds. Input: pixels, an accumulator or a stream.
    """

    a1: Slope
    a0: Slope
    b1: Offset
    b0: Offset
    threshold: AccThreshold
    shift: Shift
    bits: StreamBits


@dataclass(frozen=True, eq=False)
class RSign(Layer):
    """Bit = 1 iff X >= threshold of its channel; the threshold is signed, one bit wider than the stream X."""

    threshold: StreamThreshold


@dataclass(frozen=True, eq=False)
class Join(Layer):
    """X' = X + I saturated to signed `bits`; both inputs are streams of the same shape."""

    bits: StreamBits

    arity: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class PixelShuffle(Layer):
    """Channel c*r*r + i*r + j of pixel (y, x) becomes channel c of pixel (y*r + i, x*r + j), r = factor."""

    factor: UpFactor


@dataclass(frozen=True, eq=False)
class NearestUp(Layer):
    """Every pixel becomes factor x factor equal pixels."""

    factor: UpFactor


@dataclass(frozen=True, eq=False)
class RepeatChannels(Layer):
    """Channel c of the output is channel c mod C_in of the input: the skip of BBCU-H."""

    channels: Channels


@dataclass(frozen=True, eq=False)
class Base(Layer):
    """Bilinear upsampling of the pixels by `factor`, with `operators.BASE_FRACTION_BITS` fraction bits."""

    factor: BaseFactor


@dataclass(frozen=True, eq=False)
class Output(Layer):
    """Y = clip_u8(((base << (shift - s_b)) + a*acc + b) >> shift) per channel; inputs are (acc, base).

    b holds the half that rounds. The first input is an accumulator or, in BBCU-T, a stream.
    """

    a: Slope
    b: Offset
    shift: Shift

    arity: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class ConvPoint(Layer):
    """acc = sum of w * x over C_in: a 1x1 convolution, or a fully connected layer if the input is a vector.

    Input: pixels, or a stream of <= 8 bits.
    """

    weight: PointWeight

    since: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class Table(Layer):
    """y = table[x + 2^(n-1)] for a stream x of n bits; the table has 2^n entries, signed, of `bits` bits."""

    table: TableEntries
    bits: StreamBits

    since: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check also that the table has a power of two entries, and that they fit `bits`."""
        super().__post_init__()
        entries = len(self.table)
        if entries < 4 or entries & (entries - 1):
            self.fail(f"field 'table' has {entries} entries, expected 4, 8, 16 ... {MAX_CHANNELS}")
        self._expect_fits("table", self.bits)


@dataclass(frozen=True, eq=False)
class Multiply(Layer):
    """y = (x * g + half) >> shift saturated to signed `bits`, half = 1 << (shift - 1), or 0 if shift is 0.

    Inputs (x, g) are streams. g has the channels of x or one for all of them, and the resolution of x, or it
    is a vector, the same for all pixels.
    """

    shift: ProductShift
    bits: StreamBits

    arity: ClassVar[int] = 2
    since: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class GlobalMean(Layer):
    """Mean of each channel over the whole image, times 2^shift, rounded half up, saturated to signed `bits`.

    The sum is exact, and so is the division before it is rounded. The result is a vector. `initial` is what
    the streaming form uses before it has seen an image: see `golden.statistics`.
    """

    initial: StreamValue
    shift: MeanShift
    bits: StreamBits

    since: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check also that the initial values fit `bits`."""
        super().__post_init__()
        self._expect_fits("initial", self.bits)


@dataclass(frozen=True, eq=False)
class Compare(Layer):
    """Bit = 1 iff X >= T, with T a vector: thresholds of this image. Inputs (X, T) are streams."""

    arity: ClassVar[int] = 2
    since: ClassVar[int] = 2


@dataclass(frozen=True, eq=False)
class PlainOutput(Layer):
    """Y = clip_u8((a*acc + b) >> shift) per channel: an Output for networks that add no base.

    b holds the half that rounds. The input is an accumulator or a stream.
    """

    a: Slope
    b: Offset
    shift: Shift

    since: ClassVar[int] = 2


LAYER_TYPES: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        ConvInt8,
        ConvXnor,
        Requant,
        RSign,
        Join,
        PixelShuffle,
        NearestUp,
        RepeatChannels,
        Base,
        Output,
        ConvPoint,
        Table,
        Multiply,
        GlobalMean,
        Compare,
        PlainOutput,
    )
}
