# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from hw.modules import ToolError
from hw.verilator import BEHAVIOURAL
from hw.weights import columns
from hw.yosys import synthesize
from sim.runner import build, run
from sim.sweep import grid, sweep
from sim.tb_xnor_mvu import memory_files


def legal(point):
    return point["MW"] % point["SIMD"] == 0 and point["MH"] % point["PE"] == 0


def point(mw, simd, mh, pe, style="block"):
    return {"MW": mw, "SIMD": simd, "MH": mh, "PE": pe, "WEIGHT_STYLE": style}


def random_matrix(parameters, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (parameters["MH"], parameters["MW"]))


def as_constant(parameters, weight):
    memory = memory_files(parameters, weight)["weights.mem"]
    return parameters | {"COLUMNS": columns(memory, parameters["PE"] * parameters["SIMD"])}


def check(parameters, weight, seed=0, defines=()):
    built = build("xnor_mvu", parameters, defines=defines)
    run(built, "sim.tb_xnor_mvu", seed=seed, files=memory_files(parameters, weight))


FOLDINGS = grid(
    MW=(1, 2, 9, 18, 27, 36, 45, 64, 72),
    SIMD=(1, 2, 3, 5, 9, 12, 16, 18, 27, 36, 64, 72),
    MH=(1, 3, 4, 6),
    PE=(1, 2, 3, 4),
    WEIGHT_STYLE=("lut", "block"),
)


@pytest.mark.parametrize("parameters", sweep(FOLDINGS, 5, legal))
def test_any_folding(parameters):
    check(parameters, random_matrix(parameters))


# Each goes another way through the module: the vector in one beat or several, kept or not, few words or many,
# a beat of results every one to nine cycles, odd lengths.
CORNERS = (
    point(9, 9, 4, 4),  # one word
    point(63, 63, 6, 1, "lut"),  # the input register keeps the vector; XNOR in the ROM
    point(36, 12, 4, 4),  # several beats, no replay; a result every 3 cycles
    point(45, 9, 6, 3),  # replay; a row of places for the results
    point(72, 8, 6, 2, "lut"),  # 27 words: a ROM before the XNOR
    point(72, 1, 2, 1, "lut"),  # 144 words
)


@pytest.mark.parametrize("parameters", CORNERS, ids=str)
def test_corner(parameters):
    check(parameters, random_matrix(parameters), seed=2)


LAYERS = (point(288, 72, 8, 4), point(288, 288, 2, 1), point(288, 288, 2, 1, "lut"), point(576, 64, 8, 4))

# The twin that simulations of whole networks use: the same results with the promised latency and throughput
TWINS = (point(63, 63, 6, 3, "lut"), point(45, 9, 6, 3, "lut"), point(72, 1, 2, 1, "lut"), *CORNERS, *LAYERS)


@pytest.mark.parametrize("parameters", sweep(TWINS, 2), ids=str)
def test_behavioural_twin(parameters):
    weight = random_matrix(parameters)
    text = parameters["WEIGHT_STYLE"] == "lut"
    check(as_constant(parameters, weight) if text else parameters, weight, seed=3, defines=(BEHAVIOURAL,))


@pytest.mark.parametrize("bit", [0, 1])
def test_constant_matrix(bit):
    parameters = point(36, 12, 4, 2)
    check(parameters, np.full((4, 36), bit))


# Weights as text: an odd number of PE, more words than fit with the XNOR, than fit a LUT5, than fit a LUT6
TEXTS = (
    point(63, 63, 6, 3, "lut"),
    point(27, 9, 7, 1, "lut"),
    point(9, 3, 12, 1, "lut"),
    point(18, 1, 4, 1, "lut"),
)


@pytest.mark.parametrize("parameters", sweep(TEXTS, 2))
def test_weights_as_constant(parameters):
    weight = random_matrix(parameters)
    check(as_constant(parameters, weight), weight)


@pytest.mark.parametrize("parameters", sweep(LAYERS, 1))
def test_layer(parameters):
    check(parameters, random_matrix(parameters))


@pytest.mark.parametrize("wrong", [{"SIMD": 5}, {"PE": 3}, {"WEIGHT_STYLE": "ultra"}])
def test_illegal_parameters_stop_elaboration(wrong):
    with pytest.raises(ToolError, match="xnor_"):
        build("xnor_mvu", point(36, 12, 4, 2) | wrong)


def test_area_with_weights_in_block_ram():
    parameters = point(576, 64, 64, 4)
    files = memory_files(parameters, random_matrix(parameters))
    area = synthesize("xnor_mvu", {**parameters, "WEIGHT_FILE": "weights.mem"}, files=files)
    assert area.bram36 == 4
    assert area.lut <= 1.3 * 4 * 64


def test_area_with_weights_in_luts():
    parameters = point(72, 72, 32, 2, "lut")
    area = synthesize("xnor_mvu", as_constant(parameters, random_matrix(parameters)))
    assert area.bram36 == 0
    assert area.lut <= 1.5 * 2 * 72
