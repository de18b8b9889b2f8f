# SPDX-License-Identifier: BSD-3-Clause
"""A progress bar over one image."""

from __future__ import annotations

from tqdm import tqdm


class TileBar:
    """A bar on stderr if that is a terminal; call it as progress(done, total). A context manager.

    Args:
        label: what is being restored.
        quiet: show nothing.
        unit: what is counted.
    """

    def __init__(self, label: str, quiet: bool = False, unit: str = "tile"):
        self._bar = tqdm(desc=label, unit=unit, leave=False, disable=True if quiet else None)

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are finished."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> TileBar:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()
