# SPDX-License-Identifier: BSD-3-Clause
"""The float network behind a model: models/<name>.pt beside models/<name>.npz.

It holds the configuration and the latent weights, for fine-tuning and for the float64 proof. It is read with
`weights_only=True`, so that a downloaded file cannot run code.
"""

from __future__ import annotations

from pathlib import Path

import torch

from quant.config import ConfigError, NetworkConfig
from quant.networks import RestorationNetwork, build
from quant.outputs import one_line, replacing


def save_network(network: RestorationNetwork, path: Path) -> None:
    """Write configuration and weights; the file appears whole or not at all."""
    state = {key: value.cpu() for key, value in network.state_dict().items()}
    content = {"config": network.config.to_dict(), "state": state, "provenance": network.provenance}
    with replacing(path) as temporary:
        torch.save(content, temporary)


def load_network(path: Path) -> RestorationNetwork:
    """Read what `save_network` wrote, in evaluation mode.

    Raises:
        ConfigError: the file is missing, damaged, or of another kind; the message says which.
    """
    if not path.exists():
        raise ConfigError(
            f"{path}: no such file; it holds the float network behind the .npz of the same name"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        network = build(NetworkConfig.from_dict(content["config"]))
        network.load_state_dict(content["state"])
        network.provenance = content["provenance"]
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{path}: not a network of bitmend ({one_line(error)})") from None
    return network.eval()
