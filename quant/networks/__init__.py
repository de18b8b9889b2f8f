# SPDX-License-Identifier: BSD-3-Clause
"""The networks, one file per family, and `build`.

A new family is one file here with a network class (of `RestorationNetwork`), if it needs more fields a
configuration class (of `NetworkConfig`, with its `ARCHS`), and `FAMILY`; and its line in the list below.
"""

from quant.config import NetworkConfig
from quant.networks import dncnn, e2fif, ebsr, edsr, edsr_attention, srresnet
from quant.networks.base import RestorationNetwork
from quant.networks.dncnn import DnCNN
from quant.networks.family import Family, Key, Misprint
from quant.networks.srresnet import SRResNet

FAMILIES: dict[str, Family] = {
    family.arch: family
    for family in (
        srresnet.FAMILY,
        dncnn.FAMILY,
        edsr.FAMILY,
        e2fif.FAMILY,
        edsr_attention.FAMILY,
        ebsr.FAMILY,
    )
}


def build(config: NetworkConfig) -> RestorationNetwork:
    """A freshly initialised network of that configuration."""
    return FAMILIES[config.arch].network(config)


__all__ = ["FAMILIES", "DnCNN", "Family", "Key", "Misprint", "RestorationNetwork", "SRResNet", "build"]
