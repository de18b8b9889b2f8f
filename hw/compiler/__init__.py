# SPDX-License-Identifier: BSD-3-Clause
"""The compiler: FINN takes an integer network to a graph of streaming operators; docs/finn.md tells how.

model = build(network, height, width)  # hw.compiler.graph: a QONNX graph of standard operators and ours
model = lower(network, model)          # hw.compiler.lower: named steps, each executed against golden
"""


class BuildError(RuntimeError):
    """A network cannot be compiled, or a step of the compiler changed what it computes; one line."""
