# SPDX-License-Identifier: BSD-3-Clause
"""From a compiled build to what a user copies to the board: bitstream, hardware description, driver."""

from __future__ import annotations

from collections.abc import Sequence


class BitstreamError(RuntimeError):
    """A step failed or its input is wrong; the message is one line that says what to do."""


class MissingTools(BitstreamError):
    """Neither the open tools nor Vivado are complete.

    Attributes:
        lines: one line per missing thing: what it is and how it is found.
    """

    def __init__(self, lines: Sequence[str]):
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)
