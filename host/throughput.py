# SPDX-License-Identifier: BSD-3-Clause
"""How fast images go through a backend, and where the time goes: restore.py --throughput."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from host import RestoreError
from host.accelerator import Counters
from host.streaming import Times

if TYPE_CHECKING:
    from host.backend import Backend

_BEAT = 8  # bytes


@dataclass(frozen=True)
class Measurement:
    """What a run of images took.

    On a simulated board, time is that of the simulated clock, which stands still while Python works.

    Attributes:
        shapes: (H, W, C) of the images.
        scale: of the network.
        seconds: from the first pixel copied to the last result copied.
        clock_hz: of the logic; 0 if there is none.
        counters: of the logic.
        times: of the processor.
        repeated: tiles that had to be repeated.
    """

    shapes: Sequence[tuple[int, ...]]
    scale: int
    seconds: float
    clock_hz: int = 0
    counters: Counters = field(default_factory=lambda: Counters(0, 0, 0, 0, 0))
    times: Times = field(default_factory=Times)
    repeated: int = 0

    @property
    def rate(self) -> float:
        """Images per second."""
        return len(self.shapes) / max(self.seconds, 1e-9)

    def line(self) -> str:
        """Return in a line how long the logic has worked."""
        cycles = self.counters.cycles
        return (
            f"{cycles:,} cycles of the logic, {cycles / self.clock_hz * 1e3:.2f} ms at "
            f"{self.clock_hz / 1e6:g} MHz; {self.rate:.2f} images/s"
        )

    def shares(self) -> dict[str, float]:
        """Return the share of the time, 0..1, of each of those that take it.

        They work side by side, so that the shares may be more than 1 together. What "logic" and "transfer"
        leave of 1 is time in which no job is under way, and the logic waits for Python.
        """
        total = max(self.seconds, 1e-9)
        per_cycle = 1 / self.clock_hz if self.clock_hz else 0.0
        waits = (self.counters.read_wait + self.counters.write_wait) * per_cycle
        cache = self.times.flush + self.times.invalidate
        return {
            "logic": max(self.counters.cycles * per_cycle - waits, 0.0) / total,
            "transfer": (waits + cache) / total,
            "python": (self.times.fill + self.times.take) / total,
        }

    def metrics(self) -> dict[str, Any]:
        """Return the figures under the names that FINN's drivers use in throughput_metrics.json, and ours."""
        pixels_in = sum(int(np.prod(shape)) for shape in self.shapes)
        pixels_out = pixels_in * self.scale**2
        moved_in = self.counters.read_beats * _BEAT or pixels_in
        moved_out = self.counters.write_beats * _BEAT or pixels_out
        seconds = max(self.seconds, 1e-9)
        milliseconds = {
            "copy_input_data_to_device[ms]": self.times.fill + self.times.flush,
            "copy_output_data_from_device[ms]": self.times.invalidate + self.times.take,
        }
        return {
            "runtime[ms]": seconds * 1e3,
            "throughput[images/s]": self.rate,
            "DRAM_in_bandwidth[MB/s]": moved_in / seconds * 1e-6,
            "DRAM_out_bandwidth[MB/s]": moved_out / seconds * 1e-6,
            "fclk[mhz]": self.clock_hz / 1e6,
            "batch_size": len(self.shapes),
            **{name: value * 1e3 for name, value in milliseconds.items()},
            "logic_cycles": self.counters.cycles,
            "read_wait_cycles": self.counters.read_wait,
            "write_wait_cycles": self.counters.write_wait,
            "repeated_tiles": self.repeated,
            **{f"{name}_share": share for name, share in self.shares().items()},
        }


def measure(backend: Backend, images: Sequence[np.ndarray]) -> Measurement:
    """Restore images that are in memory, and throw the results away.

    Args:
        backend: runs the network.
        images: (H, W, C) uint8 each, with the network's C.

    Raises:
        RestoreError: the device failed.
    """
    start = time.perf_counter()
    for _ in backend.stream(images):
        pass
    seconds = time.perf_counter() - start
    found = getattr(backend, "measurement", None)
    return found or Measurement([image.shape for image in images], backend.network.scale, seconds)


def describe(measurement: Measurement) -> Iterator[str]:
    """Return lines for the user."""
    sizes = {f"{shape[1]} x {shape[0]}" for shape in measurement.shapes}
    size = sizes.pop() if len(sizes) == 1 else "different sizes"
    number = len(measurement.shapes)
    yield (
        f"{number} image{'s' if number > 1 else ''} of {size} pixels in {measurement.seconds:.3f} s: "
        f"{measurement.rate:.2f} images/s"
    )
    if measurement.clock_hz:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in measurement.shares().items())
        yield f"share of the time: {shares}"
    if measurement.repeated:
        yield f"tiles that had to be repeated: {measurement.repeated}"


def write_metrics(path: Path, measurement: Measurement) -> None:
    """Write throughput_metrics.json, complete or not at all.

    Raises:
        RestoreError: it cannot be written.
    """
    temporary = path.with_name(f".restore-{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_text(json.dumps(measurement.metrics(), indent=1) + "\n")
        os.replace(temporary, path)
    except OSError as error:
        raise RestoreError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
