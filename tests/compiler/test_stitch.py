# SPDX-License-Identifier: BSD-3-Clause
import os
import subprocess

import numpy as np
import pytest
from compiler_examples import lowered
from qonnx.transformation.base import Transformation

from golden.random_networks import Recipe, build
from hw.compiler import BuildError
from hw.compiler.stitch import identifier, stitch
from hw.compiler.top import read_top
from hw.verilator import verilator_environment

RECIPE = Recipe(width=6, depth=1, factors=(2,), head="binary", up="U")


@pytest.fixture(scope="module")
def stitched(tmp_path_factory):
    network = build(np.random.default_rng(2), RECIPE, 3)
    folder = tmp_path_factory.mktemp("stitched")
    model = lowered(network, 6, 8, seed=11)
    return model, stitch(model, "small_top", network.content_hash, folder), folder


def test_description_is_read_back(stitched):
    _, top, folder = stitched
    assert read_top(folder) == top
    assert (top.scale, top.channels, top.max_width) == (2, 3, 8)


def test_verilator_has_nothing_to_say(stitched):
    _, top, folder = stitched
    command = ["verilator", "--lint-only", "-Wall", "-I.", "--top-module", top.name, *top.sources]
    environment = {**os.environ, **verilator_environment()}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert not result.stderr


def test_every_stream_has_two_ends_and_every_file_is_there(stitched):
    model, top, folder = stitched
    nodes = {instance.node for instance in top.instances}
    assert nodes == {node.name for node in model.graph.node}
    assert [s.signal for s in top.streams if not s.source] == ["s_axis"]
    assert [s.signal for s in top.streams if not s.target] == ["m_axis"]
    assert {s.source for s in top.streams} | {s.target for s in top.streams} == nodes | {""}
    assert all((folder / file).stat().st_size for file in (*top.sources, *top.files))
    files = {v for i in top.instances for k, v in i.parameters.items() if k.endswith("_FILE")}
    assert files <= set(top.files)


def test_sizes_grow_along_the_chain(stitched):
    _, top, folder = stitched
    text = (folder / f"{top.name}.sv").read_text()
    assert text.count("12'd2") == 2  # height and width, once
    sized = [i for i in top.instances if "DIM_BITS" in i.parameters]
    assert text.count("u_size_fork_") == len(sized) - 1


class SameIdentifiers(Transformation):
    def apply(self, model):
        first, second = model.graph.node[:2]
        second.name = first.name.replace("/", ".")
        assert identifier(first.name) == identifier(second.name)
        return model, False


def test_two_names_that_become_one_identifier(stitched, tmp_path):
    model, *_ = stitched
    model = model.transform(SameIdentifiers(), make_deepcopy=True)
    with pytest.raises(BuildError, match="distinct names"):
        stitch(model, "small_top", "", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_folder_without_a_top(tmp_path):
    with pytest.raises(BuildError, match="'stitched' of a build"):
        read_top(tmp_path)
