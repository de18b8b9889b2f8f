# SPDX-License-Identifier: BSD-3-Clause
"""The networks, one file per family, and `build`."""

from quant.config import NetworkConfig
from quant.networks.base import RestorationNetwork
from quant.networks.dncnn import DnCNN
from quant.networks.srresnet import SRResNet

FAMILIES: dict[str, type[RestorationNetwork]] = {"srresnet": SRResNet, "dncnn": DnCNN}


def build(config: NetworkConfig) -> RestorationNetwork:
    """A freshly initialised network of that configuration."""
    return FAMILIES[config.arch](config)


__all__ = ["DnCNN", "RestorationNetwork", "SRResNet", "build"]
