# SPDX-License-Identifier: BSD-3-Clause
"""From a network to the steps that `golden.fast_executor` carries out, described in `golden.fast_ops`.

Layers are taken in order. A convolution opens a step; requantizers and joins that alone read its result go
into the same step, on values that never reach memory. A step ends where its result is read more than once,
or as a window; it then writes as many forms of it as are asked for: the stream itself, words of bits (one
per RSign), pairs of channels for an int8 convolution, sums. Pixel shuffle, nearest-neighbour upsampling and
the repetition of channels are no work at all: they become views, tables that say which row to read instead.
"""

from __future__ import annotations

import numpy as np

from golden import layers as L
from golden.fast_ops import (
    BASE,
    IMAGE,
    INT8,
    JOIN,
    LOAD,
    LOAD_SUM,
    MULTIPLY,
    OUTPUT,
    PAIRS,
    REQUANT,
    REQUANT_WIDE,
    STREAM,
    SUMS,
    TABLE,
    WIDEN,
    WORDS,
    XNOR,
)
from golden.fast_steps import Buffer, Step, View, shuffled
from golden.network import IntegerNetwork
from golden.operators import BASE_FRACTION_BITS
from golden.statistics import Prefix

_INT16 = np.iinfo(np.int16)
_INT32 = np.iinfo(np.int32)

# Sub-pixels of the bilinear base along one axis: weight of the pixel, of its neighbour, and on which side.
_BASE_PHASES = {
    1: [(1, 0, 0)],
    2: [(3, 1, -1), (3, 1, 1)],
    3: [(171, 85, -1), (256, 0, 0), (171, 85, 1)],
    4: [(5, 3, -1), (7, 1, -1), (7, 1, 1), (5, 3, 1)],
}


def _upsampled(array: np.ndarray, factor: int) -> np.ndarray:
    return array.repeat(factor, axis=0).repeat(factor, axis=1)


def _wide(array: np.ndarray, channels: int) -> tuple[int, ...]:
    return (*array.shape[:2], channels, array.shape[3])


def _per_channel(*columns: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(column, np.int64) for column in columns], axis=-1)[None, None]


class Plan:
    """The steps of a network without statistics of the whole image, or of the prefix of one.

    Attributes:
        steps: in order; the first one reads the image, the last one makes the output, or a prefix's stream.
        result: the buffer with the last tensor of a prefix, complete; None for a network.
    """

    def __init__(self, network: IntegerNetwork | Prefix) -> None:
        self.steps: list[Step] = []
        self._types = network.types
        self._uses = {name: 0 for name in network.types}
        for layer in network.layers:
            for name in layer.inputs:
                self._uses[name] += 1
        image = Step(1, network.channels, [], wide=False)
        self._values: dict[str, Step | View] = {L.PIXELS: self._close(image)}
        image.add(IMAGE, buffer=self._stored(image, STREAM, write=False))
        self._forms: dict[tuple[str, int], Buffer] = {}
        for layer in network.layers:
            value = self._take(layer)
            if isinstance(value, Step) and self._uses[layer.name] > 1:
                value = self._close(value)
            self._values[layer.name] = value
        self.result = None if isinstance(network, IntegerNetwork) else self._complete(network.layers[-1].name)
        for step in self.steps:
            if self.result not in step.buffers:
                _store_in_place(step)

    # Layers: each returns an open step or a view.

    def _take(self, layer: L.Layer) -> Step | View | None:
        source = layer.inputs[0]
        match layer:
            case L.ConvXnor():
                return self._convolution(
                    XNOR, self._form(source, WORDS), layer.weight, 9 * layer.weight.shape[3]
                )
            case L.ConvInt8():
                return self._convolution(INT8, self._form(source, PAIRS), layer.weight, 0)
            case L.Requant():
                return self._requant(layer, self._open(source))
            case L.Join():
                return self._join(layer)
            case L.RSign():
                view = self._view(source)
                threshold = np.broadcast_to(layer.threshold.astype(np.int64)[:, None], view.table.shape)
                return View(view.step, view.table, threshold)
            case L.PixelShuffle():
                value = self._values[source]
                if isinstance(value, View):
                    return value.moved(lambda array: shuffled(array, layer.factor))
                value.shuffle(layer.factor)
                return value
            case L.NearestUp():
                return self._view(source).moved(lambda array: _upsampled(array, layer.factor))
            case L.RepeatChannels():
                channels = np.arange(layer.channels) % self._types[source].channels
                return self._view(source).moved(lambda array: array[:, :, channels])
            case L.Base():
                return None
            case L.Output() | L.PlainOutput():
                return self._output(layer)
            case L.ConvPoint():  # the middle of a 3x3 convolution
                weight = np.pad(layer.weight[:, None, None], ((0, 0), (1, 1), (1, 1), (0, 0)))
                return self._convolution(INT8, self._form(source, PAIRS), weight, 0)
            case L.Table():
                step = self._open(source)
                step.add(TABLE, table=layer.table.astype(np.int32), high=len(layer.table))
                return step
            case L.Multiply():
                return self._multiply(layer)
        raise L.ModelError(f"layer '{layer.name}': {type(layer).__name__} is unknown to golden.fast")

    def _convolution(self, code: int, buffer: Buffer, weight: np.ndarray, differing: int) -> Step:
        step = Step(buffer.maker.factor, len(weight), [], True, differing)
        step.add(code, _per_channel(np.arange(len(weight))), buffer=buffer, weight=weight)
        return step

    def _requant(self, layer: L.Requant, step: Step) -> Step:
        x = self._types[layer.inputs[0]]
        low, high, shift = x.low, x.high, layer.shift
        t, a1, b1, a0, b0 = (
            v.astype(np.int64) for v in (layer.threshold, layer.a1, layer.b1, layer.a0, layer.b0)
        )
        n = step.differing
        if n:
            # m = n - 2 d decreases with d, so the pieces change places: m > t is d <= ceil((n - t) / 2) - 1.
            t = np.clip(-((t - n) // 2) - 1, -1, n)
            a1, b1, a0, b0 = -2 * a0, b0 + a0 * n, -2 * a1, b1 + a1 * n
            low, high = 0, n
            if shift:  # slopes are even now: shifting out the last bit of everything changes nothing
                a1, b1, a0, b0, shift = a1 >> 1, b1 >> 1, a0 >> 1, b0 >> 1, shift - 1
        narrow = _fits(_INT16, np.array([low, high]), a1, a0) and _fits(
            _INT32, *_piece_ends(t, a1, b1, a0, b0, low, high)
        )
        limit = 1 << (layer.bits - 1)
        if narrow:  # the upper half of a slope must not count
            a1, a0 = a1 & 0xFFFF, a0 & 0xFFFF
        code = REQUANT if narrow else REQUANT_WIDE
        self._widen(step)
        step.add(code, _per_channel(t, a1, b1, a0, b0), shift=shift, low=-limit, high=limit - 1)
        step.wide, step.differing = False, 0
        return step

    def _join(self, layer: L.Join) -> Step:
        first, second = layer.inputs
        if not isinstance(self._values[first], Step):  # better that the one not yet stored stays so
            first, second = second, first
        step = self._open(first)
        view = self._view(second)
        limit = 1 << (layer.bits - 1)
        buffer = self._stored(view.step, STREAM)
        step.add(JOIN, view.table, buffer=buffer, low=-limit, high=limit - 1)
        return step

    def _multiply(self, layer: L.Multiply) -> Step:
        first, second = layer.inputs
        if not isinstance(self._values[first], Step) and self._same_channels(first, second):
            first, second = second, first  # as in a Join
        step = self._open(first)
        rows = self._view(second).moved(lambda array: np.broadcast_to(array, _wide(array, step.channels)))
        limit = 1 << (layer.bits - 1)
        buffer = self._stored(rows.step, STREAM)
        step.add(MULTIPLY, rows.table, buffer=buffer, shift=layer.shift, low=-limit, high=limit - 1)
        return step

    def _same_channels(self, first: str, second: str) -> bool:
        return self._types[first].channels == self._types[second].channels

    def _complete(self, name: str) -> Buffer:
        """Store a tensor as it is, all of its lines, for whoever asked for this prefix."""
        view = self._view(name)
        if not view.plain:
            view = self._close(self._load(view))
        return self._stored(view.step, STREAM)

    def _output(self, layer: L.Output | L.PlainOutput) -> View:
        step = self._open(layer.inputs[0])
        self._widen(step)
        a, b = layer.a.astype(np.int64), layer.b
        if step.differing:
            a, b = -2 * a, b + a * step.differing
        base_shift = 0  # of a PlainOutput, whose base stays 0
        if isinstance(layer, L.Output):
            pixels = self._values[L.PIXELS].step.buffers[0]
            phases = np.array(_BASE_PHASES[step.factor], np.int64)[None, None]
            step.add(BASE, phases, buffer=pixels)
            base_shift = layer.shift - BASE_FRACTION_BITS[step.factor]
        step.add(OUTPUT, _per_channel(a, b), shift=layer.shift, low=base_shift)
        return self._close(step)

    # Tensors in the form that a layer needs.

    def _close(self, step: Step) -> View:
        """End a step; what follows reads its result."""
        self.steps.append(step)
        for operation in step.operations:
            if operation.buffer is not None and operation.code < STREAM:
                ratio = step.factor // operation.buffer.maker.factor
                operation.buffer.readers.append((step, ratio, operation.code in (XNOR, INT8, BASE)))
        rows = np.arange(step.factor * step.channels).reshape(1, step.factor, step.channels, 1)
        return View(step, rows)

    def _view(self, name: str) -> View:
        """Return a tensor as a view, ending the step that makes it."""
        if isinstance(self._values[name], Step):
            self._values[name] = self._close(self._values[name])
        return self._values[name]

    def _open(self, name: str) -> Step:
        """Return a tensor as the scratch of a step that is not ended, loading it if it is stored."""
        value = self._values[name]
        return value if isinstance(value, Step) else self._load(value)

    def _load(self, view: View) -> Step:
        wide = view.step.wide
        step = Step(view.table.shape[1], view.table.shape[2], [], wide, view.step.differing)
        buffer = self._stored(view.step, SUMS if wide else STREAM)
        step.add(LOAD_SUM if wide else LOAD, view.table, buffer=buffer)
        return step

    def _widen(self, step: Step) -> None:
        if not step.wide:
            step.add(WIDEN)
            step.wide = True

    def _stored(self, step: Step, form: int, write: bool = True) -> Buffer:
        """Return the step's result in a form, SUMS or STREAM; the step writes it from now on."""
        for buffer in step.buffers:
            if buffer.form == form:
                return buffer
        return (
            self._write(step, form, None, step.channels) if write else self._buffer(step, form, step.channels)
        )

    def _buffer(self, step: Step, form: int, planes: int) -> Buffer:
        step.buffers.append(Buffer(form, step, planes))
        return step.buffers[-1]

    def _write(self, step: Step, form: int, constants: np.ndarray | None, planes: int) -> Buffer:
        buffer = self._buffer(step, form, planes)
        step.add(form, constants, buffer=buffer)
        return buffer

    def _form(self, name: str, form: int) -> Buffer:
        """Return a tensor as WORDS or PAIRS, which whoever makes it writes, or else a step that copies it."""
        if (name, form) not in self._forms:
            view = self._view(name)
            step = view.step
            image = step.operations[0].code == IMAGE
            if image or not view.plain:
                step = self._load(view)
                self._close(step)
            if form == WORDS:
                constants, planes = _sign_constants(view.threshold), -(-step.channels // 32)
            else:
                constants, planes = None, -(-step.channels // 2)
            self._forms[name, form] = self._write(step, form, constants, planes)
        return self._forms[name, form]


def _sign_constants(threshold: np.ndarray) -> np.ndarray:
    """Per channel a threshold of 16 bits, and the bit of the channel, 0 if no value reaches the threshold."""
    bit = np.int64(1) << (np.arange(threshold.shape[2])[:, None] % 32)
    bits = np.where(threshold > _INT16.max, 0, bit)
    return np.concatenate([threshold.clip(_INT16.min, _INT16.max), bits], axis=-1)


def _fits(limits: np.iinfo, *arrays: np.ndarray) -> bool:
    return all(array.min() >= limits.min and array.max() <= limits.max for array in arrays)


def _piece_ends(t, a1, b1, a0, b0, low: int, high: int) -> list[np.ndarray]:
    """Return the sums at both ends of each piece that is ever taken: there they are extreme."""
    pieces = (
        (a1, b1, np.maximum(t + 1, low), np.full_like(t, high)),
        (a0, b0, np.full_like(t, low), t.clip(max=high)),
    )
    ends = [(a * end + b)[first <= last] for a, b, first, last in pieces for end in (first, last)]
    return [values for values in ends if values.size]


def _store_in_place(step: Step) -> None:
    """Let the result of a step take the place of a stream that nothing but the step reads, row by row."""
    stream = next((buffer for buffer in step.buffers if buffer.form == STREAM), None)
    for operation in step.operations:
        other = operation.buffer
        if stream is None or operation.code != JOIN or other.planes != stream.planes:
            continue
        same_rows = np.arange(other.planes * step.factor)
        if [reader for reader, _, _ in other.readers] == [step] and np.array_equal(
            operation.constants.ravel(), same_rows
        ):
            stream.home = other.home
            return
