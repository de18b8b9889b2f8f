# SPDX-License-Identifier: BSD-3-Clause
"""Images of any size in bounded memory: overlapping tiles whose joined results equal the untiled one.

A tile reads its own pixels and a margin of the network's receptive field around them; at the borders of the
image the margin ends, so that padding happens where it does in the whole image. Where a network needs
statistics of the whole image, they are measured first, by tiles as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from golden.engine import ENGINES, Engine, make_engine
from golden.inference import receptive_field
from golden.network import IntegerNetwork
from golden.reference import check_image
from golden.statistics import freeze, means, measure, run_streaming

Progress = Callable[[int, int], object]
"""Called as progress(done, total) after each tile."""


class Tile(NamedTuple):
    """A tile in input pixels: it delivers rows y0..y1 and columns x0..x1 and reads top..bottom, left..right.

    All ranges are half-open; what it reads contains what it delivers.
    """

    y0: int
    y1: int
    x0: int
    x1: int
    top: int
    bottom: int
    left: int
    right: int


def tiles(height: int, width: int, tile: tuple[int, int], halo: int) -> Iterator[Tile]:
    """Cut a height x width image into tiles, row by row.

    Args:
        height, width: size of the image in pixels.
        tile: (rows, columns) that a tile delivers; fewer at the lower and right border.
        halo: pixels read beyond these on each side, as far as the image goes.

    Raises:
        ValueError: `tile` is not two positive integers.
    """
    rows, columns = tile
    if rows < 1 or columns < 1:
        raise ValueError(f"tile is {rows} x {columns}, expected at least 1 x 1")
    for y0 in range(0, height, rows):
        y1 = min(y0 + rows, height)
        for x0 in range(0, width, columns):
            x1 = min(x0 + columns, width)
            reads = max(y0 - halo, 0), min(y1 + halo, height), max(x0 - halo, 0), min(x1 + halo, width)
            yield Tile(y0, y1, x0, x1, *reads)


def restore_bands(
    engine: Engine | IntegerNetwork,
    image: Any,
    tile: tuple[int, int] = (256, 256),
    progress: Progress | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Restore an image band by band, from top to bottom, in memory for one band and one tile.

    Args:
        engine: an engine, or a network to be run on the fastest engine available.
        image: (H, W, C) uint8, or (H, W) if the network has one channel: an array or anything with shape,
            dtype and slices that are arrays, such as a numpy.memmap.
        tile: (rows, columns) in input pixels.
        progress: called as progress(done, total) after each tile.

    Yields:
        (y0, band): band is (rows * scale, W * scale, C) or (rows * scale, W * scale) uint8, and y0 the row of
        the output at which it starts. Joined, the bands equal the result of the whole image.

    Raises:
        ValueError: the image or the tile is not as above.
    """
    engine = engine if isinstance(engine, Engine) else make_engine(engine)
    check_image(engine.network, image)
    height, width = image.shape[:2]
    halo = receptive_field(engine.network)
    plan = list(tiles(height, width, tile, halo))
    if means(engine.network):
        if engine.name in ENGINES:
            engine = _with_statistics(engine, image, tile)
        else:  # an engine of somebody else, whose network cannot be replaced: the image is one tile
            plan = list(tiles(height, width, (height, width), halo))
    return _restore_bands(engine, image, plan, progress)


def _with_statistics(engine: Engine, image: Any, tile: tuple[int, int]) -> Engine:
    """The same engine for the network of this image: its statistics are measured and made constants."""
    statistics = measure(engine.network, image, tile, engine.tensor_of)
    return make_engine(freeze(engine.network, statistics), engine.name)


def _restore_bands(
    engine: Engine, image: Any, plan: list[Tile], progress: Progress | None
) -> Iterator[tuple[int, np.ndarray]]:
    def results() -> Iterator[np.ndarray]:
        for done, tile in enumerate(plan, start=1):
            result = engine.run(np.asarray(image[tile.top : tile.bottom, tile.left : tile.right]))
            if progress is not None:
                progress(done, len(plan))
            yield result

    yield from join_tiles(plan, results(), engine.network.scale, image.shape)


def join_tiles(
    plan: Iterable[Tile], results: Iterable[np.ndarray], scale: int, shape: tuple[int, ...]
) -> Iterator[tuple[int, np.ndarray]]:
    """Join the results of tiles to bands.

    Args:
        plan: the tiles, as `tiles` gives them.
        results: of each tile, for all that it has read.
        scale: of the network.
        shape: of the image: (H, W, C) or (H, W).

    Yields:
        (y0, band), as `restore_bands` does.
    """
    width = shape[1]
    band = np.empty(0, np.uint8)
    for tile, result in zip(plan, results, strict=True):
        if tile.x0 == 0:
            band = np.empty(((tile.y1 - tile.y0) * scale, width * scale, *shape[2:]), np.uint8)
        y, x = (tile.y0 - tile.top) * scale, (tile.x0 - tile.left) * scale
        columns = (tile.x1 - tile.x0) * scale
        band[:, tile.x0 * scale : tile.x1 * scale] = result[y : y + len(band), x : x + columns]
        if tile.x1 == width:
            yield tile.y0 * scale, band


def restore(
    engine: Engine | IntegerNetwork,
    image: Any,
    tile: tuple[int, int] = (256, 256),
    progress: Progress | None = None,
) -> np.ndarray:
    """Restore a whole image by tiles: (H, W, C) uint8 -> (H*scale, W*scale, C) uint8.

    Equal to the engine's result on the untiled image, in less memory. Arguments, errors: `restore_bands`.
    """
    engine = engine if isinstance(engine, Engine) else make_engine(engine)
    bands = restore_bands(engine, image, tile, progress)  # checks the image
    scale, (height, width) = engine.network.scale, image.shape[:2]
    result = np.empty((height * scale, width * scale, *image.shape[2:]), np.uint8)
    for y0, band in bands:
        result[y0 : y0 + len(band)] = band
    return result


def restore_streaming(network: IntegerNetwork, image: np.ndarray, plan: Sequence[Tile]) -> np.ndarray:
    """Restore an image in tiles, each with the statistics of the one before, as hardware does after a reset.

    Args:
        network: any network; with statistics (`GlobalMean`) the result depends on the tiles.
        image: (H, W, C) uint8, or (H, W) if the network has one channel.
        plan: the tiles in their order, as `tiles` gives them.

    Returns:
        (H*scale, W*scale, C) or (H*scale, W*scale) uint8.
    """
    frames = (image[tile.top : tile.bottom, tile.left : tile.right] for tile in plan)
    bands = join_tiles(plan, run_streaming(network, frames), network.scale, image.shape)
    return np.concatenate([band for _, band in bands])
