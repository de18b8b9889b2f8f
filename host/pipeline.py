# SPDX-License-Identifier: BSD-3-Clause
"""One image from file to file, in memory for the decoded input and one row of tiles."""

from __future__ import annotations

from golden import IntegerNetwork
from host import RestoreError, colour
from host.backend import Backend, Progress
from host.compare import CompareWriter
from host.jobs import Job
from host.output import PendingFiles, check_result, open_writer
from host.source import Source


def restore_image(
    source: Source, job: Job, backend: Backend, overwrite: bool = False, progress: Progress | None = None
) -> None:
    """Restore a decoded image and write the files of `job`: all of them, or none if anything fails.

    Args:
        source: the image of job.source.
        job: which files to write.
        backend: runs the network.
        overwrite: whether existing files may be replaced.
        progress: called as progress(done, total) after each tile.

    Raises:
        RestoreError: the result cannot be written.
    """
    network = backend.network
    width, height = source.width * network.scale, source.height * network.scale
    check_result(job.result, width, height, source.alpha)
    try:
        with PendingFiles(overwrite) as files:
            channels = colour.result_channels(source, network)
            result = open_writer(files.open(job.result), job.result, width, height, channels, source.icc)
            compare = None
            if job.compare is not None:
                compare = CompareWriter(files.open(job.compare), width, height, _labels(network))
            for rows in colour.restored_rows(source, backend, compare is not None, progress):
                result.write(rows.restored)
                if compare is not None:
                    compare.write(rows)
            result.close()
            if compare is not None:
                compare.close()
    except OSError as error:
        raise RestoreError(f"{job.result}: cannot be written: {error.strerror or error}") from None
    except MemoryError:
        raise RestoreError(
            f"{job.source}: not enough memory to restore it: choose a smaller --tile"
        ) from None


def _labels(network: IntegerNetwork) -> tuple[str, str]:
    name = network.meta.get("name") or network.task
    return f"bicubic x{network.scale}" if network.scale > 1 else "input", f"bitmend {name}"
