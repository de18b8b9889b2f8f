# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from hw.modules import ToolError
from hw.yosys import synthesize
from sim.runner import build, run
from sim.sweep import grid, sweep
from sim.tb_int8_mvu import acc_bits, memory_files, random_matrix


def point(mw, simd, mh, pe, x_signed=1, in_bits=8, pack=1, narrow=1, style="lut"):
    sizes = {"MW": mw, "SIMD": simd, "MH": mh, "PE": pe, "X_SIGNED": x_signed, "IN_BITS": in_bits}
    return sizes | {"PACK": pack, "NARROW": narrow, "WEIGHT_STYLE": style}


def matrices(parameters):
    # Noise, and extreme weights; ACC_BITS is exact for the wider of the two.
    rng = np.random.default_rng(0)
    both = [random_matrix(rng, parameters, extreme) for extreme in (False, True)]
    return parameters | {"ACC_BITS": max(acc_bits(parameters, weight) for weight in both)}, both


def check(parameters):
    parameters, both = matrices(parameters)
    compiled = build("int8_mvu", parameters)
    for seed, weight in enumerate(both):
        run(compiled, "sim.tb_int8_mvu", seed=seed, files=memory_files(parameters, weight))


FOLDINGS = grid(
    MW=(1, 2, 3, 8, 9, 12, 18, 27, 32, 36),
    SIMD=(1, 2, 3, 4, 8, 9, 12, 16, 18, 27, 32, 36),
    MH=(1, 2, 3, 4, 6),
    PE=(1, 2, 3, 4, 6),
    X_SIGNED=(0, 1),
    IN_BITS=(2, 3, 4, 5, 6, 7, 8),
    PACK=(0, 1),
    NARROW=(0, 1),
    WEIGHT_STYLE=("lut", "block"),
)


def legal(p):
    return p["MW"] % p["SIMD"] == 0 and p["MH"] % p["PE"] == 0 and (p["X_SIGNED"] or p["IN_BITS"] == 8)


@pytest.mark.parametrize("parameters", sweep(FOLDINGS, 4, legal))
def test_any_folding(parameters):
    check(parameters)


# Each goes another way through the module: the vector in one beat or several, kept or not; pairs of results,
# a single one, both; a sum with a start, without, and without an accumulator; whole and broken chains; bytes,
# pixels, narrower elements; more than 128 of them in a cycle.
CORNERS = (
    point(27, 27, 4, 2, x_signed=0),
    point(27, 9, 6, 3, x_signed=0),
    point(36, 36, 3, 3),
    point(27, 27, 3, 3, narrow=0),
    point(18, 9, 2, 2, x_signed=0, narrow=0),
    point(9, 9, 4, 4),
    point(36, 18, 3, 3, style="block"),
    point(27, 9, 4, 2),
    point(18, 18, 4, 2, x_signed=0, pack=0),
    point(36, 9, 2, 1, pack=0, narrow=0),
    point(27, 9, 4, 2, in_bits=2),
    point(18, 18, 3, 3, in_bits=5, pack=0, narrow=0),
    point(288, 144, 2, 2),
)


@pytest.mark.parametrize("parameters", CORNERS, ids=str)
def test_corner(parameters):
    check(parameters)


# Without a window: a pixel of C_in channels is a vector. One result for all channels, and one per channel;
# one element per beat; a vector of pixels; streams of 2 to 8 bits.
POINTWISE = (
    point(12, 1, 1, 1),
    point(32, 4, 1, 1, in_bits=4),
    point(64, 16, 4, 2, in_bits=7, narrow=0),
    point(12, 12, 1, 1, in_bits=2, pack=0),
    point(16, 8, 8, 1, in_bits=6, style="block"),
    point(4, 2, 3, 3, in_bits=3),
    point(3, 1, 4, 2, x_signed=0),
    point(64, 1, 2, 1, in_bits=5, pack=0),
)


@pytest.mark.parametrize("parameters", sweep(POINTWISE, 5))
def test_pointwise(parameters):
    check(parameters)


LAYERS = (
    point(27, 27, 32, 2, x_signed=0),
    point(9, 9, 32, 4, x_signed=0),
    point(288, 72, 3, 3, style="block"),
    point(288, 18, 12, 2),
)


@pytest.mark.parametrize("parameters", sweep(LAYERS, 1))
def test_layer(parameters):
    check(parameters)


REFUSED = ({"SIMD": 5}, {"PE": 3}, {"ACC_BITS": 33}, {"IN_BITS": 9}, {"IN_BITS": 7, "X_SIGNED": 0})


@pytest.mark.parametrize("wrong", REFUSED)
def test_illegal_parameters_stop_elaboration(wrong):
    with pytest.raises(ToolError, match="expected"):
        build("int8_mvu", point(36, 12, 4, 2) | wrong)


@pytest.mark.parametrize(("pe", "pack", "dsp"), [(2, 1, 27), (2, 0, 54), (3, 1, 54)])
def test_two_products_in_a_dsp(pe, pack, dsp):
    parameters, both = matrices(point(27, 27, 6, pe, x_signed=0, pack=pack))
    files = memory_files(parameters, both[0])
    del files["constants.npz"]
    assert synthesize("int8_mvu", parameters, files=files).dsp == dsp
