# SPDX-License-Identifier: BSD-3-Clause
"""All backends by name: the golden model, and the simulated RTL. An accelerator is one more `Backend`."""

from __future__ import annotations

from collections.abc import Callable

from golden import IntegerNetwork
from host import RestoreError
from host.backend import Backend, Options
from host.backend_golden import GoldenBackend
from host.backend_sim import SimBackend

BACKENDS: dict[str, Callable[[IntegerNetwork, Options], Backend]] = {
    "golden": GoldenBackend,
    "sim": SimBackend,
}


def open_backend(name: str, network: IntegerNetwork, options: Options | None = None) -> Backend:
    """Return a backend that runs `network`.

    Args:
        name: one of BACKENDS, or "auto" for the first of them.
        network: the network.
        options: the user's choices, None for the defaults.

    Raises:
        RestoreError: the backend cannot be had here; the message says why.
    """
    name = next(iter(BACKENDS)) if name == "auto" else name
    if name not in BACKENDS:
        raise RestoreError(f"backend is {name!r}, expected one of auto, {', '.join(BACKENDS)}")
    return BACKENDS[name](network, options or Options())
