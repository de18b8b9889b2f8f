# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from compiler_examples import executed, replay
from golden_examples import WIDTH, numbers, requant, tiny_layers, tiny_network
from qonnx.custom_op.registry import getCustomOp

from golden import ConvInt8
from hw.compiler.lower import Job, lower
from hw.compiler.transforms import stream_nodes


# The tiny network, and its units by name: the tail reads a stream of `bits`, the least weight is `least`.
def lowered_with(pack, bits, least):
    layers = tiny_layers()
    layers["tail.in"] = requant("tail.in", "up", shift=20 - bits, bits=bits)
    for name, shape in (("head.conv", (WIDTH, 3, 3, 3)), ("tail", (3, 3, 3, WIDTH))):
        weight = np.maximum(numbers(-128, 127, *shape), least)
        weight[1, 2, 0, 2] = least
        layers[name] = ConvInt8(name, layers[name].inputs, weight)
    folding = {"tail": {"SIMD": 18, "PE": 3, "pack": pack}, "head.conv": {"SIMD": 27, "PE": 4, "pack": pack}}
    model = lower(Job(tiny_network(layers=layers.values()), lambda model: folding), 3, 4)
    return model, {node.name: node for node in stream_nodes(model, "Int8MVU")}


@pytest.mark.parametrize(("pack", "bits", "least"), [(1, 5, -128), (0, 8, -127), (1, 2, -127)])
def test_every_kind_of_unit_equals_golden_in_rtl(pack, bits, least):
    model, units = lowered_with(pack, bits, least)
    tensors = executed(model)
    for name, node in units.items():
        parameters = getCustomOp(node).rtl().parameters
        tail = name == "tail"
        assert parameters["X_SIGNED"] == tail
        assert parameters["IN_BITS"] == (bits if tail else 8)
        assert parameters["NARROW"] == (least > -128)
        assert parameters["PACK"] == pack
        assert ("BIAS_FILE" in parameters) == (pack == 1 and not tail)
        replay(model, node, tensors)
