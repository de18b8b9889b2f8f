# SPDX-License-Identifier: BSD-3-Clause
"""Tiles equal the whole image on every pixel, and the halo is neither too small nor larger than needed."""

import numpy as np
import pytest
from golden_examples import tiny_network
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import (
    Base,
    IntegerNetwork,
    NearestUp,
    Output,
    Requant,
    make_engine,
    receptive_field,
    restore,
    restore_bands,
    run,
)
from golden.random_networks import Recipe, bbcu_like, build, random_image, random_network
from golden.tiling import tiles


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 24), st.integers(1, 24), st.integers(1, 9), st.integers(1, 9)
)
def test_tiled_equals_whole(seed, height, width, rows, columns):
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_width=6, max_depth=2)
    image = random_image(rng, height, width, network.channels)
    assert np.array_equal(restore(network, image, (rows, columns)), run(network, image))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 8), (8, 8), (9, 17)])
@pytest.mark.parametrize("tile", [(1, 1), (2, 3), (8, 8), (100, 100)])
def test_sizes_around_the_tile(size, tile):
    network = tiny_network()
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.array_equal(restore(network, image, tile), run(network, image))


def test_bands_are_complete_and_in_order(tmp_path):
    network = bbcu_like(np.random.default_rng(0), 4, 1, 3, channels=1)
    image = np.random.default_rng(1).integers(0, 256, (23, 11), dtype=np.uint8)
    image.tofile(tmp_path / "image")
    mapped = np.memmap(tmp_path / "image", np.uint8, "r", shape=image.shape)
    calls = []
    bands = list(restore_bands(network, mapped, (10, 4), lambda done, total: calls.append((done, total))))
    assert [(y0, band.shape) for y0, band in bands] == [(0, (30, 33)), (30, (30, 33)), (60, (9, 33))]
    assert np.array_equal(np.concatenate([band for _, band in bands]), run(network, image))
    assert calls == [(done, 9) for done in range(1, 10)]


def test_memory_is_bounded_by_the_tile():
    """Only slices of tile plus halo are ever read from the image."""
    network = tiny_network()
    halo = receptive_field(network)

    class Image:
        shape, dtype = (10**4, 40, 3), np.dtype(np.uint8)

        def __getitem__(self, key):
            rows, columns = key
            assert rows.stop - rows.start <= 5 + 2 * halo
            assert columns.stop - columns.start <= 6 + 2 * halo
            return np.zeros((rows.stop - rows.start, columns.stop - columns.start, 3), np.uint8)

    bands = restore_bands(network, Image(), (5, 6))
    assert [next(bands)[0] for _ in range(3)] == [0, 10, 20]


def test_engine_is_taken_as_it_is():
    engine = make_engine(tiny_network(), "numpy")
    image = np.zeros((4, 5, 3), np.uint8)
    assert np.array_equal(restore(engine, image), engine.run(image))


@pytest.mark.parametrize("tile", [(0, 4), (4, -1)])
def test_bad_tile(tile):
    with pytest.raises(ValueError, match=rf"tile is {tile[0]} x {tile[1]}, expected at least 1 x 1"):
        restore_bands(tiny_network(), np.zeros((4, 4, 3), np.uint8), tile)


def test_bad_image_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="expected uint8"):
        restore(tiny_network(), np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match="expected at least one pixel"):
        restore_bands(tiny_network(), np.zeros((4, 0, 3), np.uint8))


def test_tiles_partition_the_image():
    plan = list(tiles(7, 10, (3, 4), 2))
    covered = np.zeros((7, 10), int)
    for tile in plan:
        covered[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
        assert (tile.top, tile.left) == (max(0, tile.y0 - 2), max(0, tile.x0 - 2))
        assert (tile.bottom, tile.right) == (min(7, tile.y1 + 2), min(10, tile.x1 + 2))
    assert np.all(covered == 1)


@pytest.mark.parametrize(
    ("recipe", "halo"),
    [
        (Recipe(4, 0), 2),  # head and tail
        (Recipe(4, 3), 5),
        (Recipe(4, 3, (2,)), 6),  # head, 3 units, up; hr and tail at x2 are one input pixel together
        (Recipe(4, 3, (3,)), 6),
        (Recipe(4, 3, (2, 2)), 6),  # hr and tail at x4: 2 -> 1 at x2, with up.1 2 -> 1, with up.0 2
        (Recipe(4, 3, (4,)), 6),
        (Recipe(4, 3, (2,), up="tail"), 5),
        (Recipe(4, 3, (4,), up="L"), 6),
        (Recipe(4, 0, (2,), head="binary", up="tail"), 2),
    ],
)
def test_receptive_field_by_hand(recipe, halo):
    assert receptive_field(build(np.random.default_rng(0), recipe, 3)) == halo


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_base_needs_one_pixel(factor):
    """Without any convolution, the halo is the neighbour that the base interpolates with."""
    layers = [
        Requant("x", ("pixels",), [1], [1], [-128], [-128], [0], 0, 12),
        NearestUp("up", ("x",), factor),
        Base("base", ("pixels",), factor),
        Output("image", ("up", "base"), [1 << 14], [1 << 15], 16),
    ]
    network = IntegerNetwork("sr", factor, 1, layers)
    assert receptive_field(network) == 1
    image = np.random.default_rng(0).integers(0, 256, (5, 7), dtype=np.uint8)
    assert np.array_equal(restore(network, image, (1, 2)), run(network, image))


def response(network, image, changed, core):
    """Whether changing pixels changes the output of rows and columns `core` = (first, last + 1)."""
    first, last = (edge * network.scale for edge in core)
    part = np.s_[first:last, first:last]
    return bool(np.any(run(network, image)[part] != run(network, changed)[part]))


@pytest.mark.parametrize("seed", range(40))
def test_pixels_beyond_the_halo_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, max_width=6, max_depth=2)
    halo = receptive_field(network)
    size, core = 2 * halo + 11, (halo + 4, halo + 7)
    image = rng.integers(0, 256, (size, size, network.channels), dtype=np.uint8)
    changed = rng.integers(0, 256, image.shape, dtype=np.uint8)
    near = np.s_[core[0] - halo : core[1] + halo, core[0] - halo : core[1] + halo]
    changed[near] = image[near]
    assert np.any(changed != image)
    assert not response(network, image, changed, core)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_pixels_at_the_halo_do_matter(scale):
    """The halo is tight: some network of this structure reacts to the outermost pixels, on each side."""
    sides = [np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]]
    reacted = [False] * 4
    for seed in range(20):
        rng = np.random.default_rng(seed)
        network = bbcu_like(rng, 8, 1, scale)
        halo = receptive_field(network)
        size, core = 2 * halo + 3, (halo, halo + 3)
        image = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
        for index, side in enumerate(sides):
            changed = image.copy()
            changed[side] = 255 - image[side]
            reacted[index] |= response(network, image, changed, core)
    assert all(reacted)
