# SPDX-License-Identifier: BSD-3-Clause
"""The compiler: FINN takes an integer network to a graph of streaming operators; docs/finn.md tells how.

model = build(network, height, width)  # hw.compiler.graph: a QONNX graph, standard operators where there are any
model = lower(network, model)          # hw.compiler.lower: named steps, each executed against golden
"""
