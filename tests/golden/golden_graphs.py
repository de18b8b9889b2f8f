# SPDX-License-Identifier: BSD-3-Clause
"""Random networks of any structure that the validator accepts, sensible or not."""

import numpy as np

from golden import layers as L
from golden.inference import infer, pixels_type
from golden.network import IntegerNetwork
from golden.operators import BASE_FRACTION_BITS

MAX_CHANNELS = 40


def random_graph(rng, steps=12, max_width=MAX_CHANNELS):
    """Layers that each read any earlier tensors that they can; those that lead to no output are removed."""
    return _Graph(rng, max_width).finish(steps)


class _Graph:
    def __init__(self, rng, max_width):
        self.rng = rng
        self.max_width = max_width
        self.channels = int(rng.choice((1, 3)))
        self.types = {L.PIXELS: pixels_type(self.channels)}
        self.layers = []

    def finish(self, steps):
        makers = (
            self.conv_int8,
            self.conv_xnor,
            self.conv_xnor,
            self.requant,
            self.requant,
            self.rsign,
            self.rsign,
            self.join,
            self.join,
            self.shuffle,
            self.nearest,
            self.repeat,
        )
        for _ in range(steps):
            makers[self.rng.integers(len(makers))]()
        last = self.last_tensor()
        scale = self.types[last].factor
        base = self.add(L.Base(self.name(), (L.PIXELS,), scale))
        shift = int(self.rng.integers(BASE_FRACTION_BITS[scale], 32))
        slope, offset = 1 << 15, 1 << 31
        if self.rng.random() < 0.8:  # mostly so that the result is neither black nor white
            slope = min((256 << shift) // max(self.types[last].high, 1) + 1, slope)
            offset = min(64 << shift, offset)
        a = self.numbers(-slope, slope - 1, self.channels)
        b = self.numbers(-offset, offset - 1, self.channels)
        self.add(L.Output(self.name(), (last, base), a, b, shift))
        used, layers = {self.layers[-1].name}, []
        for layer in reversed(self.layers):
            if layer.name in used:
                layers.append(layer)
                used.update(layer.inputs)
        task = "sr" if scale > 1 else "denoise"
        return IntegerNetwork(task, scale, self.channels, tuple(reversed(layers)))

    def last_tensor(self):
        """A late accumulator or stream with the channels of the image."""
        wanted = [n for n in self.kinds("acc", "stream") if self.types[n].channels == self.channels]
        if wanted and self.rng.random() < 0.5:
            return wanted[-1]
        streams = [n for n in self.kinds("stream", "pixels") if self.types[n].bits <= 8]
        bits = self.kinds("bits")
        if bits and self.rng.random() < 0.6:
            return self.conv_xnor(bits[-1], self.channels)
        return self.conv_int8(streams[-1], self.channels)

    # Layers; each returns the name of its tensor, or None if there is nothing that it could read.

    def conv_int8(self, x=None, width=None):
        x = x or self.pick(n for n in self.kinds("pixels", "stream") if self.types[n].bits <= 8)
        width = width or self.width()
        low, high = ((-128, 127), (-1, 1), (127, 127))[self.rng.choice(3, p=(0.7, 0.2, 0.1))]
        weight = self.numbers(low, high, width, 3, 3, self.types[x].channels)
        return self.add(L.ConvInt8(self.name(), (x,), weight))

    def conv_xnor(self, x=None, width=None):
        x = x or self.pick(self.kinds("bits"))
        if x:
            weight = self.numbers(0, 1, width or self.width(), 3, 3, self.types[x].channels)
            return self.add(L.ConvXnor(self.name(), (x,), weight))
        return None

    def requant(self):
        x = self.pick(self.kinds("pixels", "acc", "stream"))
        kind = self.types[x]
        bits = int(self.rng.choice((2, 8, 8, 12, 16)))
        if self.rng.random() < 0.3:
            shift = int(self.rng.choice((0, 1, 5, 31)))
            a = self.rng.choice((-(1 << 15), -(1 << 14), -1, 0, 1, (1 << 15) - 1), (2, kind.channels))
            b = self.rng.choice((-(1 << 31), 0, (1 << 31) - 1), (2, kind.channels))
            ends = (-(1 << 31), kind.low - 1, kind.low, 0, kind.high - 1, kind.high, (1 << 31) - 1)
            threshold = self.rng.choice(np.array(ends, np.int64), kind.channels)
        else:
            shift = int(self.rng.integers(0, 14))
            slope = min(max(2 ** (bits + shift - 1) // max(kind.high, 1), 2), (1 << 15) - 1)
            a = self.numbers(-slope, slope, 2, kind.channels)
            b = self.numbers(-(1 << shift + bits - 2), 1 << shift + bits - 2, 2, kind.channels)
            threshold = self.numbers(kind.low, kind.high, kind.channels)
        return self.add(L.Requant(self.name(), (x,), a[0], a[1], b[0], b[1], threshold, shift, bits))

    def rsign(self):
        x = self.pick(self.kinds("stream"))
        if x:
            bits = self.types[x].bits
            limit = 1 << (bits if self.rng.random() < 0.3 else max(bits - 3, 0))
            threshold = self.numbers(-limit, max(limit - 1, 0), self.types[x].channels)
            return self.add(L.RSign(self.name(), (x,), threshold))
        return None

    def join(self):
        x = self.pick(self.kinds("stream"))
        if x is None:
            return None
        shape = (self.types[x].channels, self.types[x].factor)
        y = self.pick(
            n for n in self.kinds("stream") if (self.types[n].channels, self.types[n].factor) == shape
        )
        return self.add(L.Join(self.name(), (x, y), int(self.rng.choice((8, 12, 16)))))

    def shuffle(self):
        factor = int(self.rng.integers(2, 5))
        return self.move(
            lambda kind: kind.channels % factor**2 == 0 and kind.factor * factor <= 4,
            lambda name, x: L.PixelShuffle(name, (x,), factor),
        )

    def nearest(self):
        factor = int(self.rng.integers(2, 5))
        return self.move(
            lambda kind: kind.factor * factor <= 4, lambda name, x: L.NearestUp(name, (x,), factor)
        )

    def repeat(self):
        channels = self.width()
        return self.move(lambda kind: True, lambda name, x: L.RepeatChannels(name, (x,), channels))

    def move(self, fits, make):
        x = self.pick(n for n in self.kinds("pixels", "acc", "stream", "bits") if fits(self.types[n]))
        return x and self.add(make(self.name(), x))

    # Helpers.

    def add(self, layer):
        self.layers.append(layer)
        self.types[layer.name] = infer(layer, *(self.types[name] for name in layer.inputs))
        return layer.name

    def name(self):
        return f"t{len(self.layers)}"

    def kinds(self, *kinds):
        return [name for name, kind in self.types.items() if kind.kind in kinds]

    def pick(self, names):
        """One of the names, more often a late one."""
        names = list(names)
        return names[-1 - min(int(self.rng.geometric(0.4)) - 1, len(names) - 1)] if names else None

    def width(self):
        """Numbers of channels of which many can be shuffled."""
        width = int(self.rng.integers(1, self.max_width + 1))
        return width if self.rng.random() < 0.5 or width < 4 else width // 4 * 4

    def numbers(self, low, high, *shape):
        return self.rng.integers(low, high + 1, shape)
