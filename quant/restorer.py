# SPDX-License-Identifier: BSD-3-Clause
"""A stored model made ready to restore: its integers on golden, or the float64 torch network behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import golden
from quant.config import ConfigError, NetworkConfig

ENGINES = ("golden", "torch")
TILE = 1024  # output pixels on a side that are computed at a time; larger images go in tiles


@dataclass(frozen=True)
class Restorer:
    """A model and how to run it.

    Attributes:
        path: where it was read from.
        config: what it is.
        engine: "golden" or "torch".
        backend: what it computes with: "numba" or "numpy" for golden, "float64" for torch.
        content_hash: of the integer network; None for a network in paper mode, which has none.
        run: (H, W, C) uint8, or float32 in paper mode, to (rH, rW, C) uint8.
    """

    path: Path
    config: NetworkConfig
    engine: str
    backend: str
    content_hash: str | None
    run: Callable[[np.ndarray], np.ndarray]


def load_restorer(path: Path, engine: str = "golden") -> Restorer:
    """Read a model.

    Args:
        path: models/M.npz; or M.pt, for the float network alone (paper mode has no integers).
        engine: "golden" runs the integers. "torch" runs models/M.pt in float64, after checking that its
            integers are those of the .npz.

    Raises:
        ConfigError, golden.ModelError: the model is missing, damaged, or its two files disagree.
    """
    if path.suffix == ".pt":
        if engine != "torch":
            raise ConfigError(
                f"{path}: a float network, which engine {engine} cannot run; use --engine torch"
            )
        return _float_network(path)
    network = golden.IntegerNetwork.load(path)
    config = _config(path, network)
    if engine == "golden":
        ready = golden.make_engine(network, "auto")
    else:
        ready = golden.Engine("float64", network, _checked_twin(path, network))
    tile = (TILE // network.scale,) * 2
    return Restorer(
        path,
        config,
        engine,
        ready.name,
        network.content_hash,
        lambda image: golden.restore(ready, image, tile),
    )


def _config(path: Path, network: golden.IntegerNetwork) -> NetworkConfig:
    try:
        config = NetworkConfig.from_dict(network.meta["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: its meta holds no usable configuration ({error}); export it with quant.export"
        ) from None
    told = (config.task, config.scale, config.channels, config.mode)
    real = (network.task, network.scale, network.channels, "hardware")
    if told != real:
        raise ConfigError(f"{path}: its meta says (task, scale, channels, mode) = {told}, but it is {real}")
    return config


def _torch_run(network) -> Callable[[np.ndarray], np.ndarray]:
    """Run a torch network in float64 and evaluation mode, rounded to 8 bits."""
    import torch  # golden alone does not need it

    from quant.export import float64_network

    twin = float64_network(network)

    def run(image: np.ndarray) -> np.ndarray:
        pixels = torch.tensor(image, dtype=torch.float64).permute(2, 0, 1)[None]
        with torch.no_grad():
            restored = twin(pixels)[0].round().clamp(0, 255)
        return restored.permute(1, 2, 0).to(torch.uint8).numpy()

    return run


def _checked_twin(path: Path, network: golden.IntegerNetwork) -> Callable[[np.ndarray], np.ndarray]:
    from quant.export import to_integers
    from quant.trained import load_network

    twin = load_network(path.with_suffix(".pt"))
    found = to_integers(twin).content_hash
    if found != network.content_hash:
        raise ConfigError(
            f"{path.with_suffix('.pt')}: exports integers {found[:16]}, but {path.name} holds "
            f"{network.content_hash[:16]}; export again with quant.export --network"
        )
    return _torch_run(twin)


def _float_network(path: Path) -> Restorer:
    from quant.export import to_integers
    from quant.trained import load_network

    network = load_network(path)
    config = network.config
    found = to_integers(network).content_hash if config.mode == "hardware" else None
    return Restorer(path, config, "torch", "float64", found, _torch_run(network))
