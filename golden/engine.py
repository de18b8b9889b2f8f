# SPDX-License-Identifier: BSD-3-Clause
"""Engines run a network on the CPU: "numpy" is the reference, "numba" computes the same bits faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from golden import reference
from golden.network import IntegerNetwork
from golden.statistics import TensorOf, freeze, means, measure

ENGINES = ("numpy", "numba")


@dataclass(frozen=True)
class Engine:
    """A network made ready to run.

    Attributes:
        name: "numpy" or "numba".
        network: the network.
        run: restores an image, as `golden.run`: (H, W, C) uint8 -> (H*scale, W*scale, C) uint8.
        tensor_of: see `golden.statistics`; None is the reference.
    """

    name: str
    network: IntegerNetwork
    run: Callable[[np.ndarray], np.ndarray]
    tensor_of: TensorOf | None = None


def make_engine(network: IntegerNetwork, name: str = "auto") -> Engine:
    """Return an engine for `network`.

    Args:
        network: the network to run.
        name: "numpy", "numba", or "auto" for numba where it is installed and numpy elsewhere.

    Raises:
        ValueError: the name is none of these.
        ImportError: numba was asked for by name and is not installed.
    """
    if name not in ("auto", *ENGINES):
        raise ValueError(f"engine is {name!r}, expected one of auto, {', '.join(ENGINES)}")
    if name != "numpy":
        try:
            from golden.fast import FastEngine  # needs numba, which the board does not have

            return _fast_engine(network, FastEngine)
        except ImportError as error:
            if name == "numba":
                raise ImportError(
                    f"engine 'numba' is not available ({error}): pip install bitmend[fast], or use 'numpy'"
                ) from error
    return Engine("numpy", network, lambda image: reference.run(network, image))


def _fast_engine(network: IntegerNetwork, fast: type) -> Engine:
    """Engine "numba": a network with statistics is made another one for each image."""
    if not means(network):
        return Engine("numba", network, fast(network).run)
    from golden.fast import tensor_of

    def run(image: np.ndarray) -> np.ndarray:
        return fast(freeze(network, measure(network, image, None, tensor_of))).run(image)

    return Engine("numba", network, run, tensor_of)
