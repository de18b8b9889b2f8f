# SPDX-License-Identifier: BSD-3-Clause
"""The folder that a compilation writes, laid out as FINN's users know it. Reading it needs no FINN."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.compiler import BuildError
from hw.compiler.top import Top, read_top
from hw.files import write_text
from hw.modules import BUILD


@dataclass(frozen=True)
class BuildFolder:
    """`build/<model>-<board>/`.

    Attributes:
        path: of the folder.
    """

    path: Path

    @classmethod
    def of(cls, model: str, board: str) -> BuildFolder:
        """Return the folder of a model on a board."""
        return cls(BUILD / f"{model}-{board}")

    @property
    def stitched(self) -> Path:
        """The top module, its memory files and all sources."""
        return self.path / "stitched"

    @property
    def shell(self) -> Path:
        """The top module beside the processor, and shell.json, which describes it."""
        return self.path / "shell"

    @property
    def models(self) -> Path:
        """The graph after every step, for Netron."""
        return self.path / "intermediate_models"

    @property
    def network(self) -> Path:
        """A copy of the network."""
        return self.path / "network.npz"

    @property
    def config(self) -> Path:
        """The folding and the FIFO depths, as FINN writes them."""
        return self.path / "final_hw_config.json"

    @property
    def key(self) -> Path:
        """A hash of all that this folder was made of."""
        return self.path / "key.txt"

    @property
    def page(self) -> Path:
        """The report as a page."""
        return self.path / "report" / "index.html"

    def top(self) -> Top:
        """Read the description of the top module; BuildError if there is none."""
        return read_top(self.stitched)

    def report(self, name: str) -> Path:
        """The file of a part of the report."""
        return self.path / "report" / f"{name}.json"

    def read(self, name: str) -> Any:
        """Read a part of the report; None if it has not been made.

        Raises:
            BuildError: it is no JSON.
        """
        try:
            return json.loads(self.report(name).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise BuildError(f"{self.report(name)}: {error}; compile again") from None

    def write(self, name: str, content: Any) -> None:
        """Write a part of the report."""
        write_text(self.report(name), json.dumps(content, indent=1) + "\n")


@contextmanager
def replacing(path: Path) -> Iterator[BuildFolder]:
    """Make a new folder beside `path`, which takes its place if all goes well, and else disappears."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new, old = (path.with_name(f".{path.name}.{what}") for what in ("new", "old"))
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
    new.mkdir()
    try:
        yield BuildFolder(new)
        if path.exists():
            os.replace(path, old)
        os.replace(new, path)
    finally:
        for folder in (new, old):
            shutil.rmtree(folder, ignore_errors=True)
