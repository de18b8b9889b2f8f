# SPDX-License-Identifier: BSD-3-Clause
"""Steps that are not repeated: each has a folder and a key of all that it was made of."""

from __future__ import annotations

import fcntl
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.bitstream import BitstreamError
from hw.files import write_text

VERSION = 1
"""Of the flow: raise it when the same inputs give other results."""


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def key_of(files: Iterable[Path], **options: Any) -> str:
    """Return a hash of the names and contents of files, and of options."""
    content = {
        "version": VERSION,
        "files": [[path.name, file_hash(path)] for path in files],
        "options": options,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass
class Progress:
    """Tells what is being done: a line that changes on a terminal, one line per step elsewhere."""

    terminal: bool = field(default_factory=lambda: sys.stdout.isatty())

    def say(self, text: str) -> None:
        """Print a line that stays."""
        print(f"\r{text:<78}" if self.terminal else text, flush=True)

    def show(self, text: str) -> None:
        """Show where a step is; only on a terminal."""
        if self.terminal:
            print(f"\r{text[:78]:<78}", end="", flush=True)

    @contextmanager
    def watching(self, name: str, log: Path, meaning: Callable[[str], str | None]) -> Iterator[None]:
        """While the body runs, show the last line of a log that means something, and the seconds."""
        done = threading.Event()
        start = time.monotonic()

        def watch() -> None:
            offset, text = 0, ""
            while not done.wait(0.5):
                if log.exists():
                    with open(log, errors="replace") as file:
                        file.seek(offset)
                        for line in file.read().splitlines():
                            text = meaning(line) or text
                        offset = file.tell()
                self.show(f"{name}: {time.monotonic() - start:4.0f} s  {text}")

        thread = threading.Thread(target=watch, daemon=True) if self.terminal else None
        if thread:
            thread.start()
        try:
            yield
        finally:
            done.set()
            if thread:
                thread.join()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder against other builds; it exists afterwards.

    Raises:
        BitstreamError: another process builds there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BitstreamError(
                f"{folder}: another process is at work there; wait for it, or end it"
            ) from None
        yield


@dataclass(frozen=True)
class Step:
    """A step with its folder.

    Attributes:
        name: as told to the user.
        folder: for its outputs and logs.
        key: of its inputs.
    """

    name: str
    folder: Path
    key: str

    @property
    def done(self) -> bool:
        """Whether it has been finished with the same inputs."""
        try:
            return json.loads((self.folder / "step.json").read_text())["key"] == self.key
        except (OSError, ValueError, KeyError):
            return False

    @property
    def seconds(self) -> float:
        """How long it took when it was done."""
        return json.loads((self.folder / "step.json").read_text())["seconds"]

    def run(self, work: Callable[[Path], None], progress: Progress) -> None:
        """Do it, unless it has been done: `work` gets the folder. A failed step leaves its logs, no more."""
        if self.done:
            progress.say(f"{self.name}: done before ({self.seconds:.0f} s)")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "step.json").unlink(missing_ok=True)
        progress.say(f"{self.name} ...")
        start = time.monotonic()
        work(self.folder)
        record: Mapping[str, Any] = {"key": self.key, "seconds": round(time.monotonic() - start, 1)}
        write_text(self.folder / "step.json", json.dumps(record) + "\n")
        progress.say(f"{self.name}: {record['seconds']:.0f} s")
