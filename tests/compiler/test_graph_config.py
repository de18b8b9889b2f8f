# SPDX-License-Identifier: BSD-3-Clause
import json

import numpy as np
import pytest
from compiler_examples import lowered
from qonnx.custom_op.registry import getCustomOp

from golden.random_networks import Recipe, build
from hw.compiler import BuildError
from hw.compiler.config import read_config, write_config
from hw.compiler.lower import Job, lower
from hw.compiler.transforms import stream_nodes


@pytest.fixture(scope="module")
def network():
    return build(np.random.default_rng(4), Recipe(width=4, depth=1, factors=(2,)), 3)


def pinned(network, config, fifos=None):
    job = Job(network, lambda model: config, lambda model: fifos or config)
    return {node.name: getCustomOp(node) for node in stream_nodes(lower(job, 3, 3))}


def describe(node):
    return node.name, node.op_type, list(node.input), list(node.output), getCustomOp(node).rtl()


def test_the_written_configuration_gives_the_same_model_again(network, tmp_path):
    model = lowered(network, 3, 3, seed=1)
    assert any(node.name.endswith("/fifo") for node in model.graph.node)
    assert any(node.name.endswith("/width") for node in model.graph.node)
    write_config(model, tmp_path / "config.json")
    config = read_config(tmp_path / "config.json")
    assert set(config) == {"Defaults", *(node.name for node in model.graph.node)}
    again = lower(Job(network, lambda model: config, lambda model: config), 3, 3)
    write_config(again, tmp_path / "again.json")
    assert (tmp_path / "config.json").read_text() == (tmp_path / "again.json").read_text()
    assert [describe(node) for node in again.graph.node] == [describe(node) for node in model.graph.node]


def test_what_is_not_pinned_is_folded_to_the_least(network):
    ops = pinned(network, {"body.0.conv": {"SIMD": 18}})
    assert ops["body.0.conv"]["SIMD"] == 18
    assert ops["body.0.conv/window"]["P"] == 2
    assert ops["hr.conv"]["SIMD"] == 9
    assert ops["hr.conv/window"]["P"] == ops["hr.conv"]["PE"] == ops["hr"]["PE"] == 1


def test_defaults_apply_to_all_nodes_of_a_type(network):
    ops = pinned(network, {"Defaults": {"PE": [4, ["TwoPieceRequant_rtl"]]}}, {"hr": {}})
    assert ops["hr.requant"]["PE"] == 4
    assert ops["hr"]["PE"] == 1


def test_a_fifo_can_be_deepened_by_its_own_name(network):
    ops = pinned(
        network, {"hr": {"inFIFODepths": [30, 2]}, "hr/nothing/fifo": {}}, {"hr": {"inFIFODepths": [30, 2]}}
    )
    fifo = next(op for name, op in ops.items() if name.endswith("/fifo"))
    assert fifo["depth"] == 30
    name = fifo.onnx_node.name
    config = {"hr": {"inFIFODepths": [30, 2]}, name: {"depth": 77, "ram_style": "block"}}
    deeper = pinned(network, config)[name]
    assert deeper["depth"] == 77
    assert deeper.rtl().parameters == {
        "WIDTH": deeper.get_instream_width(),
        "DEPTH": 77,
        "RAM_STYLE": "block",
    }


def test_each_branch_of_a_fork_has_its_own_fifo(network):
    ops = pinned(network, {"body.0/fork": {"outFIFODepths": [2, 50]}, "hr": {"inFIFODepths": [2, 40]}})
    fifos = {name: op["depth"] for name, op in ops.items() if name.endswith("/fifo")}
    assert fifos == {"body.0/fork.b/fifo": 50, "hr.requant/fifo": 40}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hr.conf": {"PE": 1}}, "configuration of 'hr.conf': the network has no such node; it has "),
        ({"hr.conv": {"PR": 1}}, "configuration of 'hr.conv': 'PR' is not one of SIMD, PE, pack, P, "),
        ({"hr.conv": {"P": 1}}, "configuration of 'hr.conv': Op has no such attribute: P"),
        ({"hr.conv": {"PE": "2"}}, "configuration of 'hr.conv': Attribute PE expects int"),
        ({"hr.conv": {"ram_style": "ultra"}}, "configuration of 'hr.conv': ram_style = ultra not in"),
        ({"hr.conv": {"PE": 3}}, "node 'hr.conv': PE is 3, expected a divisor of 4"),
        ({"hr.conv": {"SIMD": 12}}, "node 'hr.conv': SIMD is 12, expected 9 times the P of its window"),
        ({"hr.conv": {"SIMD": 27}}, "node 'hr.conv': SIMD is 27, expected a divisor of 36"),
        ({"hr.requant": {"PE": 0}}, "node 'hr.requant': PE is 0, expected a divisor of 4"),
        (
            {"head.conv": {"pack": 2}},
            "node 'head.conv': pack is 2, expected 1 for two products in a DSP48",
        ),
        (
            {"hr.conv": {"SIMD": 18}, "hr.conv/window": {"P": 4}},
            "node 'hr.conv/window': P is 4, expected SIMD / 9 of 'hr.conv', whose SIMD is 18",
        ),
    ],
)
def test_wrong_configurations_are_refused_in_a_line(network, config, message):
    with pytest.raises(BuildError) as error:
        pinned(network, config)
    assert str(error.value).startswith(f"step 'set_folding': {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[1]", '{"hr.conv": 1}', "{"])
def test_files_that_are_no_configuration(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(BuildError, match=r"config\.json: "):
        read_config(path)
    with pytest.raises(BuildError, match=r"missing\.json"):
        read_config(tmp_path / "missing.json")


def test_the_file_is_json_as_finn_users_know_it(network, tmp_path):
    write_config(lowered(network, 2, 2), tmp_path / "final_hw_config.json")
    config = json.loads((tmp_path / "final_hw_config.json").read_text())
    assert config["Defaults"] == {}
    assert config["body.0.conv"] == {
        "SIMD": 9,
        "PE": 1,
        "ram_style": "auto",
        "inFIFODepths": [2],
        "outFIFODepths": [2],
    }
