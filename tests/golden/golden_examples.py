# SPDX-License-Identifier: BSD-3-Clause
"""Networks that several tests use, made of formulas: the same on every NumPy version and platform."""

import numpy as np

from golden import (
    Base,
    ConvInt8,
    ConvXnor,
    IntegerNetwork,
    Join,
    NearestUp,
    Output,
    PixelShuffle,
    Requant,
    RSign,
)

WIDTH = 4


def numbers(low, high, *shape):
    """Integers of low..high that look random, from a fixed recurrence."""
    count = int(np.prod(shape))
    state, out = 12345 + count, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        out.append(low + (state >> 8) % (high - low + 1))
    return np.array(out, np.int64).reshape(shape)


def requant(name, source, channels=WIDTH, shift=10, bits=12):
    return Requant(
        name,
        (source,),
        a1=numbers(-500, 2000, channels),
        a0=numbers(-500, 900, channels),
        b1=numbers(-9999, 9999, channels),
        b0=numbers(-999, 999, channels),
        threshold=numbers(-9, 9, channels),
        shift=shift,
        bits=bits,
    )


def tiny_layers():
    """BBCU-M x2 with one body unit and four channels, as a dict by name."""
    layers = [
        ConvInt8("head.conv", ("pixels",), numbers(-128, 127, WIDTH, 3, 3, 3)),
        requant("head", "head.conv"),
        RSign("body.0.sign", ("head",), numbers(-99, 99, WIDTH)),
        ConvXnor("body.0.conv", ("body.0.sign",), numbers(0, 1, WIDTH, 3, 3, WIDTH)),
        requant("body.0.requant", "body.0.conv", shift=3),
        Join("body.0", ("head", "body.0.requant"), 12),
        RSign("up.sign", ("body.0",), numbers(-99, 99, WIDTH)),
        ConvXnor("up.conv", ("up.sign",), numbers(0, 1, 4 * WIDTH, 3, 3, WIDTH)),
        requant("up.requant", "up.conv", 4 * WIDTH, shift=4),
        PixelShuffle("up.shuffle", ("up.requant",), 2),
        NearestUp("up.skip", ("body.0",), 2),
        Join("up", ("up.shuffle", "up.skip"), 12),
        requant("tail.in", "up", shift=12, bits=8),
        ConvInt8("tail", ("tail.in",), numbers(-128, 127, 3, 3, 3, WIDTH)),
        Base("base", ("pixels",), 2),
        Output("image", ("tail", "base"), numbers(-300, 300, 3), numbers(-9999, 9999, 3) + (1 << 15), 16),
    ]
    return {layer.name: layer for layer in layers}


def tiny_network(**changes):
    fields = {
        "task": "sr",
        "scale": 2,
        "channels": 3,
        "layers": tiny_layers().values(),
        "meta": {"name": "tiny"},
    }
    return IntegerNetwork(**{**fields, **changes})
