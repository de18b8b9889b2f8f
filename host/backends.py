# SPDX-License-Identifier: BSD-3-Clause
"""All backends by name: the golden model, the accelerator on the board, and two simulations of it."""

from __future__ import annotations

from collections.abc import Callable

from golden import IntegerNetwork
from host import RestoreError
from host.backend import Backend, Options
from host.backend_board_sim import open_board_sim
from host.backend_golden import GoldenBackend
from host.backend_pynq import available, open_pynq
from host.backend_sim import SimBackend

BACKENDS: dict[str, Callable[[IntegerNetwork, Options], Backend]] = {
    "golden": GoldenBackend,
    "pynq": open_pynq,
    "sim": SimBackend,
    "board-sim": open_board_sim,
}


def open_backend(name: str, network: IntegerNetwork, options: Options | None = None) -> Backend:
    """Return a backend that runs `network`.

    Args:
        name: one of BACKENDS, or "auto": the board if PYNQ is installed and the model has a bitstream, else
            the first of BACKENDS.
        network: the network.
        options: the user's choices, None for the defaults.

    Raises:
        RestoreError: the backend cannot be had here; the message says why.
    """
    options = options or Options()
    if name == "auto":
        name = "pynq" if "pynq" in BACKENDS and available(options) else next(iter(BACKENDS))
    if name not in BACKENDS:
        raise RestoreError(f"backend is {name!r}, expected one of auto, {', '.join(BACKENDS)}")
    return BACKENDS[name](network, options)
