# SPDX-License-Identifier: BSD-3-Clause
"""A step that changes what the graph computes is named; so are FINN's own, where we do without them."""

from dataclasses import replace

import numpy as np
import pytest
from compiler_examples import executed
from finn.transformation.fpgadataflow.convert_to_hw.duplicate_streams import InferDuplicateStreamsLayer
from finn.transformation.fpgadataflow.convert_to_hw.quantized_matrix_vector_activation import (
    InferQuantizedMatrixVectorActivation,
)
from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
from finn.transformation.streamline.absorb import AbsorbConsecutiveTransposes
from onnx import helper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.bipolar_to_xnor import ConvertBipolarMatMulToXnorPopcount
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from golden.random_networks import Recipe, build
from hw.compiler import BuildError
from hw.compiler.lower import PART, STEPS, Job, lower
from hw.compiler.transforms import CHANNEL_ORDER, RestoreNames, stream_nodes
from hw.compiler.verify import check_same


@pytest.fixture(scope="module")
def network():
    return build(np.random.default_rng(1), Recipe(width=4, depth=1, factors=(2,)), 3)


def broken(name, change):
    """The steps, one of which makes a change after its work."""

    def apply(model, job, decision, step):
        model = step.apply(model, job, decision)
        return change(model, job) or model

    return [
        replace(step, apply=lambda *args, step=step: apply(*args, step)) if step.name == name else step
        for step in STEPS
    ]


def instead(name, *transformations):
    """The steps, one of which consists of these transformations."""

    def apply(model, job, decision):
        for transformation in (*transformations, RestoreNames(job.network)):
            model = model.transform(transformation)
        return model

    return [replace(step, apply=apply) if step.name == name else step for step in STEPS]


def failure(network, steps, height=4, width=5):
    with pytest.raises(BuildError) as error:
        lower(Job(network), height, width, steps=steps)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", [step.name for step in STEPS])
def test_every_step_is_checked(network, name):
    def distort(model, job):
        model.set_initializer("hr.sign/threshold", np.array([1, -1, 1, -1], np.int32) << 12)

    assert failure(network, broken(name, distort)).startswith(f"step '{name}': tensor 'hr.sign'")


def test_the_first_wrong_tensor_is_named_with_place_and_values(network):
    def flip(model, job):
        weight = model.get_initializer("body.0.conv/weight").copy()
        weight[0, 1] *= -1
        model.set_initializer("body.0.conv/weight", weight)

    message = failure(network, broken("order_channels", flip))
    assert message.startswith("step 'order_channels': tensor 'body.0.conv' is not that of golden: ")
    assert "values differ, the first at row 0, column 0, channel 1: " in message


def test_a_lost_tensor_is_named(network):
    def forget(model, job):
        model.rename_tensor("body.0", "other")

    assert failure(network, broken("infer_forks", forget)) == (
        "step 'infer_forks': the graph has no tensor 'body.0' any more"
    )


def test_a_graph_that_does_not_execute_is_named(network):
    def remove(model, job):
        model.graph.node.remove(model.graph.node[3])

    assert failure(network, broken("tidy_up", remove)).startswith("step 'tidy_up': ")


def test_a_copy_is_compared_too(network):
    def other(model, job):
        fork = next(node for node in model.graph.node if node.name == "head/fork")
        fork.input[0] = "body.0/fork.b"

    assert "step 'infer_forks': " in failure(network, broken("infer_forks", other))


def test_a_wrong_datatype_is_named(network):
    def narrow(model, job):
        getCustomOp(stream_nodes(model, "Join")[0]).set_nodeattr("outputDataType", "INT7")

    message = failure(network, broken("specialize_layers", narrow))
    assert message.startswith("step 'specialize_layers': ")
    assert "'body.0'" in message


def test_order_of_channels_is_no_licence(network):
    def claim(model, job):
        model.set_metadata_prop(CHANNEL_ORDER, "{}")

    assert failure(network, broken("order_channels", claim)).startswith(
        "step 'order_channels': tensor 'up.0.conv' is not that of golden"
    )


def test_a_window_of_another_slicing_is_found_by_execution(network):
    def slice_differently(model, job):
        window = next(node for node in model.graph.node if node.name == "body.0.conv/window")
        getCustomOp(window).set_nodeattr("P", 2)

    assert failure(network, broken("set_folding", slice_differently)).startswith(
        "step 'set_folding': tensor 'body.0.conv' is not that of golden"
    )


def test_a_graph_that_depends_on_the_frame_is_refused(network):
    def differ(model, job):
        if model.get_tensor_shape("pixels")[1] > 100:
            getCustomOp(stream_nodes(model, "RSign")[0]).set_nodeattr("PE", 2)

    message = failure(network, broken("set_folding", differ), 200, 300)
    assert message.startswith("step 'set_folding': node 'body.0.sign' depends on the size of the frame")


def test_twins_of_one_size_are_the_same(network):
    steps = STEPS[:8]
    check_same(lower(Job(network), 200, 100, steps=steps), lower(Job(network), 4, 5, steps=steps), "")


# Why we do without some transformations of FINN and QONNX (docs/finn.md).


def test_finn_counts_where_it_should_sum(network):
    """FINN's MVAU of bipolar inputs and weights returns a popcount, the MatMul that it replaces a sum."""
    message = failure(network, instead("infer_matrix_vector_units", InferQuantizedMatrixVectorActivation()))
    assert message.startswith("step 'infer_matrix_vector_units': tensor 'body.0.conv' is not that of golden")


def test_qonnx_wants_a_multithreshold_before_a_binary_matmul(network):
    steps = instead("infer_matrix_vector_units", ConvertBipolarMatMulToXnorPopcount())
    assert "Could not find upstream bipolar MultiThreshold" in failure(network, steps)


def test_qonnx_forgets_the_padding_of_bits(network):
    """With a MultiThreshold it goes on, makes 0 and 1 of -1 and +1, and keeps padding with -1."""

    def threshold(model, job):
        for index, node in enumerate(list(model.graph.node)):
            if node.op_type == "RSign":
                thresholds = model.get_initializer(node.input[1]).reshape(-1, 1).astype(np.float32)
                model.set_initializer(node.input[1], thresholds)
                attributes = {
                    "out_dtype": "BIPOLAR",
                    "out_scale": 2.0,
                    "out_bias": -1.0,
                    "data_layout": "NHWC",
                }
                other = helper.make_node(
                    "MultiThreshold", node.input, node.output, domain="qonnx.custom_op.general", **attributes
                )
                model.graph.node.remove(node)
                model.graph.node.insert(index, other)

    model = lower(Job(network), 4, 5, steps=[*broken("tidy_up", threshold)[:1], *STEPS[1:3]])
    tensors = executed(model.transform(ConvertBipolarMatMulToXnorPopcount()))
    assert set(np.unique(tensors["body.0.sign"])) == {0, 1}
    assert set(np.unique(tensors["body.0.conv/pad"][:, 0])) == {-1}


def test_finn_pads_with_zero_alone(network):
    model = lower(Job(network), 4, 5, steps=STEPS[:3])
    types = {node.name: node.op_type for node in model.graph.node if node.name.endswith("/pad")}
    assert types == {
        "head.conv/pad": "FMPadding",
        "body.0.conv/pad": "Pad",
        "up.0.conv/pad": "Pad",
        "hr.conv/pad": "Pad",
        "tail/pad": "FMPadding",
    }


def test_qonnx_takes_one_channel_for_depthwise():
    network = build(np.random.default_rng(0), Recipe(width=1, depth=0), 1)
    steps = instead("lower_convolutions", LowerConvsToMatMul(), AbsorbConsecutiveTransposes())
    assert failure(network, steps).startswith(
        "step 'infer_our_operators': node 'head.conv' is still a MatMul, expected one of our operators"
    )


def test_finn_has_no_hardware_but_hls_for_a_fork(network):
    steps = instead("infer_forks", InferDuplicateStreamsLayer())
    model = lower(Job(network), 4, 5, steps=steps[:6])
    assert {node.op_type for node in model.transform(SpecializeLayers(PART)).graph.node} & {
        "DuplicateStreams_hls"
    }
    assert failure(network, steps).startswith("step 'specialize_layers': the graph does not execute: ")
