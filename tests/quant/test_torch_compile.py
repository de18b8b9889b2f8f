# SPDX-License-Identifier: BSD-3-Clause
"""torch.compile of the networks with attention: one training step compiled equals one that is not."""

import copy
import os

import pytest
import torch

from quant.networks import build
from quant.networks.ebsr import EbsrConfig
from quant.networks.edsr_attention import AttentionConfig

SMALL = {"width": 4, "depth": 1, "scale": 2}
NETWORKS = {
    "se and spatial": AttentionConfig(**SMALL, on_binary="se", on_residual="spatial"),
    "ebsr": EbsrConfig(**SMALL),
    "ebsr, paper": EbsrConfig(**SMALL, mode="paper"),
}
CPP = pytest.mark.skipif(
    "BITMEND_COMPILE" not in os.environ,
    reason="C++ of a step takes about a minute per network: set BITMEND_COMPILE=1",
)
BACKENDS = ["aot_eager", pytest.param("inductor", marks=CPP)]


def step(network):
    """Return (loss, gradients, parameters after it, buffers after it) of one step as quant.train makes it."""
    generator = torch.Generator().manual_seed(1)
    low = torch.randint(0, 256, (2, 3, 8, 8), generator=generator).float()
    clean = torch.randint(0, 256, (2, 3, 16, 16), generator=generator).float()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, betas=(0.9, 0.99))
    loss = (network(low) - clean).abs().mean() / 255
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in network.named_parameters()}
    optimizer.step()
    after = {name: p.detach().clone() for name, p in network.named_parameters()}
    return loss.detach(), gradients, after, dict(network.named_buffers())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_compiled_step_equals_an_eager_one(name, backend):
    """Forward and backward are one graph each; aot_eager runs them as they are, inductor is what trains."""
    torch.manual_seed(0)
    eager = build(NETWORKS[name]).train()
    compiled = copy.deepcopy(eager)
    before = {key: p.detach().clone() for key, p in eager.named_parameters()}
    torch._dynamo.reset()
    compiled.compile(fullgraph=True, backend=backend)
    expected, found = step(eager), step(compiled)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-6, atol=0)
    for key, gradient in expected[1].items():
        size = float(gradient.abs().max())
        torch.testing.assert_close(found[1][key], gradient, rtol=0, atol=2e-3 * size + 1e-9, msg=key)
    torch.testing.assert_close(found[3], expected[3], rtol=1e-5, atol=1e-6)
    moved = [key for key, p in before.items() if not torch.equal(p, found[2][key])]
    assert {"head", "body", "tail"} <= {key.split(".")[0] for key in moved}
