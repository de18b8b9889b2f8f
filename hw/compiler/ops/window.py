# SPDX-License-Identifier: BSD-3-Clause
"""Sliding window: what FMPadding (or Pad) and ConvolutionInputGenerator do together, as one node."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hw.compiler.ops.base import DIM_BITS, Port, Rtl, StreamOp, operator

TAPS = 9
"""Taps of a 3x3 window, in the order ky, kx."""


@operator
class Window(StreamOp):
    """The 3x3 neighbourhood of every pixel: (H, W, C) -> (H, W, 9 * C), padded with bit 0 (-1) or value 0.

    A beat has P channels, the slice, in; the nine taps of the slice out. The output tensor is in the order of
    the stream, (slice, ky, kx, channel of the slice), and so depends on P; with P = C it is FINN's order.
    """

    foldings = ("P",)

    def inputs(self) -> tuple[Port, ...]:
        """(H, W, C) in beats of P."""
        return (self.port("s_axis", self["P"], source=0),)

    def outputs(self) -> tuple[Port, ...]:
        """(H, W, 9 * C) in beats of 9 * P."""
        return (self.port("m_axis", TAPS * self["P"], channels=TAPS * self["NumChannels"]),)

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the windows; bit 0 and value 0 are what golden's convolutions see outside the image."""
        height, width, channels = x.shape
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = sliding_window_view(padded, (3, 3), axis=(0, 1))  # (H, W, C, 3, 3)
        slices = windows.reshape(height, width, channels // self["P"], self["P"], TAPS)
        return (slices.swapaxes(3, 4).reshape(height, width, TAPS * channels),)

    def rtl(self) -> Rtl:
        """`window`."""
        (port,) = self.inputs()
        parameters = {
            "CHANNELS": port.channels,
            "P": port.elements,
            "BITS": port.datatype.bitwidth(),
            "PAD": 0,
            "MAX_WIDTH": port.width,
            "DIM_BITS": DIM_BITS,
        }
        return Rtl("window", parameters | self.style("RAM_STYLE"), sized=True)
