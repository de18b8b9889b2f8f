# SPDX-License-Identifier: BSD-3-Clause
"""How an image is cut into tiles for hardware that takes frames up to a certain size."""

from __future__ import annotations

from golden.tiling import Tile, tiles
from host import RestoreError


def plan_tiles(
    height: int, width: int, limits: tuple[int, int], halo: int, side: int | None = None
) -> list[Tile]:
    """Cut an image into as few tiles as the top can take, row by row.

    Args:
        height, width: of the image, in pixels.
        limits: the most rows and columns that a tile may read.
        halo: by how many pixels tiles overlap on each side.
        side: the most rows and columns that a tile may deliver; None for no other limit.

    Raises:
        RestoreError: the top is too small for any tile.
    """
    rows, columns = (
        min(_deliver(size, limit, halo), side or size)
        for size, limit in zip((height, width), limits, strict=True)
    )
    if not rows or not columns:
        raise RestoreError(
            f"an image of {width} x {height} pixels does not fit the design: it takes {limits[1]} x "
            f"{limits[0]}, and tiles overlap by {halo} on each side: compile for a wider frame"
        )
    return list(tiles(height, width, (rows, columns), halo))


def _deliver(size: int, limit: int, halo: int) -> int:
    """Return how many of `size` pixels each of the fewest tiles delivers that read at most `limit`; or 0."""
    if size <= limit:
        return size
    for number in range(2, size + 1):
        part = -(-size // number)
        if all(tile.right - tile.left <= limit for tile in tiles(1, size, (1, part), halo)):
            return part
    return 0
