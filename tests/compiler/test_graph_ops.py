# SPDX-License-Identifier: BSD-3-Clause
"""The operators in FINN's registries, and that their modules in hw/rtl/ do what they do."""

import os
import re

import numpy as np
import pytest
from compiler_examples import executed, lowered, replay
from finn.custom_op.fpgadataflow import custom_op
from finn.custom_op.fpgadataflow.rtl import custom_op as rtl_custom_op
from finn.util.fpgadataflow import is_fpgadataflow_node, is_rtl_node
from qonnx.custom_op.registry import getCustomOp

from golden.random_attention import ebsr_like
from golden.random_networks import Recipe, build
from hw.compiler.cost import resources
from hw.compiler.ops import OPERATORS, TAPS
from hw.compiler.transforms import stream_nodes
from hw.modules import ToolError, modules

SIZED = re.compile(r"\bs_size_tdata\b")


@pytest.fixture(scope="module")
def model():
    """A network of the structure of BBCU: binary head, binary and int8 convolutions, upsampling."""
    recipe = Recipe(width=6, depth=1, factors=(2,), head="binary", up="U")
    return lowered(build(np.random.default_rng(2), recipe, 3), 3, 4, seed=11)


@pytest.fixture(scope="module")
def attention():
    """A network of the structure of EBSR: factors per pixel, thresholds and factors of the image, no base."""
    return lowered(ebsr_like(np.random.default_rng(2), 6, 1), 3, 4, seed=12)


@pytest.fixture(scope="module")
def models(model, attention):
    """Both, which have every operator."""
    return model, attention


@pytest.fixture(scope="module")
def tensors(models):
    return [executed(model) for model in models]


def of_type(model, op):
    return [node for node in stream_nodes(model) if node.op_type == f"{op}_rtl"]


def test_every_operator_is_in_both_registries_and_in_an_example(models):
    for op in OPERATORS:
        assert custom_op[op.__name__] is op
        assert issubclass(rtl_custom_op[f"{op.__name__}_rtl"], op)
        assert any(of_type(model, op.__name__) for model in models), op
    nodes = [node for model in models for node in model.graph.node]
    assert all(is_fpgadataflow_node(node) and is_rtl_node(node) for node in nodes)


@pytest.mark.parametrize("name", ["model", "attention"])
def test_what_finn_asks_of_a_node(name, request):
    model = request.getfixturevalue(name)
    for node in stream_nodes(model):
        op = getCustomOp(node)
        op.check_folding()
        for index, name in enumerate(node.input):
            stream = model.get_initializer(name) is None
            assert bool(op.get_instream_width(index)) == stream
            if stream:
                assert op.get_normal_input_shape(index) == model.get_tensor_shape(name)
                folded = op.get_folded_input_shape(index)
                assert np.prod(folded) == np.prod(op.get_normal_input_shape(index))
                assert op.get_instream_width(index) == folded[-1] * op.get_input_datatype(index).bitwidth()
            assert op.get_input_datatype(index).allowed(0) or op.get_input_datatype(index).name == "BIPOLAR"
        for index, name in enumerate(node.output):
            assert op.get_normal_output_shape(index) == model.get_tensor_shape(name)
            folded = op.get_folded_output_shape(index)
            assert op.get_outstream_width(index) == folded[-1] * op.get_output_datatype(index).bitwidth()
            assert op.get_exp_cycles() >= np.prod(folded[:-1])
        interfaces = op.get_verilog_top_module_intf_names()
        assert len(interfaces["s_axis"]) == len(op.inputs())
        assert len(interfaces["m_axis"]) == len(node.output)


def test_cycles(model):
    for node in of_type(model, "XnorMVU"):
        op = getCustomOp(node)
        height, width = op["ImgDim"]
        assert op.get_exp_cycles() == height * width * op["MW"] * op["MH"] // (op["SIMD"] * op["PE"])
        assert op.get_op_and_param_counts() == {
            "op_mac_1bx1b": height * width * op["MW"] * op["MH"],
            "param_weight_1b": op["MW"] * op["MH"],
        }


def test_estimates_come_from_the_cost_model(models):
    for node in (node for model in models for node in stream_nodes(model)):
        op = getCustomOp(node)
        found = op.estimate()
        assert found == resources(op.rtl().module, op.rtl().parameters)
        part = "xc7z020clg400-1"
        estimates = op.lut_estimation(part), op.bram_estimation(part), op.dsp_estimation(part)
        assert estimates == (found.lut, found.bram18, found.dsp)
        assert found.lut > 0
        assert found.ff > 0


def test_a_window_in_slices(model, tensors):
    for node in of_type(model, "Window"):
        op = getCustomOp(node)
        (x,), (y,) = op.inputs(), op.outputs()
        image, windows = (tensors[0][name][0] for name in (node.input[0], node.output[0]))
        inside = windows.reshape(x.height, x.width, -1, TAPS, op["P"])[:, :, :, TAPS // 2]
        assert (inside.reshape(image.shape) == image).all()
        corner = windows.reshape(x.height, x.width, -1, TAPS, op["P"])[0, 0, :, 0]
        assert set(np.unique(corner)) == {-1 if y.datatype.name == "BIPOLAR" else 0}


@pytest.mark.parametrize("name", ["model", "attention"])
def test_modules_have_the_parameters_and_ports_that_they_are_given(name, request):
    model, files = request.getfixturevalue(name), modules()
    for node in stream_nodes(model):
        op = getCustomOp(node)
        instance = op.rtl()
        text = files[instance.module].read_text()
        declared = set(re.findall(r"^\s*parameter\s+(?:\w+\s+|\[\S+\]\s*)?(\w+)\s*=", text, re.MULTILINE))
        assert set(instance.parameters) <= declared, node.name
        for port in (*op.inputs(), *op.outputs()):
            assert re.search(rf"\b{port.name}_tdata\b", text), (node.name, port.name)
        assert bool(SIZED.search(text)) == instance.sized
        named = {value for key, value in instance.parameters.items() if key.endswith("FILE")}
        assert named == set(op.memories(model)), node.name


def test_hdl_through_finns_interface(model, tmp_path):
    node = of_type(model, "XnorMVU")[0]
    op = getCustomOp(node)
    op.set_nodeattr("code_gen_dir_ipgen", str(tmp_path / "code"))
    op.code_generation_ipgen(model, "xc7z020clg400-1", 10)
    assert [file.name for file in (tmp_path / "code").iterdir()] == [op.rtl().parameters["WEIGHT_FILE"]]
    assert op["gen_top_module"] == "xnor_mvu"
    assert op.get_rtl_file_list()[-1] == "xnor_mvu.sv"
    assert all(os.path.isfile(file) for file in op.get_rtl_file_list(abspath=True))
    with pytest.raises(ToolError, match="Vivado"):
        op.code_generation_ipi()


def folded_in_between(node):
    """Of beats and elements per beat, the fewer: 1 is all in one beat, or one at a time."""
    return max(min(port.folded[3:]) for port in getCustomOp(node).outputs())


@pytest.mark.parametrize("op", [op.__name__ for op in OPERATORS])
def test_rtl_does_what_the_node_does(op, models, tensors):
    """The streams of a node, with its memories, folding and order of channels, in Verilator."""
    nodes = [
        (model, values, node)
        for model, values in zip(models, tensors, strict=True)
        for node in of_type(model, op)
    ]
    nodes.sort(key=lambda entry: folded_in_between(entry[2]), reverse=True)
    if os.environ.get("BITMEND_SWEEP") != "all":
        nodes = [nodes[0], nodes[-1]][: len(nodes)]
    for model, values, node in nodes:
        replay(model, node, values)


def test_rtl_without_a_window(attention, tensors):
    """1x1 convolutions, fully connected layers among them."""
    nodes = [node for node in of_type(attention, "Int8MVU") if getCustomOp(node)["Taps"] == 1]
    assert {getCustomOp(node)["MW"] for node in nodes} == {3, 6}
    for node in nodes:
        replay(attention, node, tensors[1])
