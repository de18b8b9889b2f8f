# SPDX-License-Identifier: BSD-3-Clause
"""From IN and OUT to a list of files to restore, with no file written twice and no input overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from host import RestoreError
from host.output import output_format
from host.source import FORMAT_NAMES, looks_like_image


class Job(NamedTuple):
    """What to restore into what.

    Attributes:
        source: the image file.
        result: the file to write; its suffix decides the format.
        compare: the side-by-side picture to write (.png), or None.
    """

    source: Path
    result: Path
    compare: Path | None = None


class Plan(NamedTuple):
    """All jobs of a command.

    Attributes:
        jobs: what to do.
        problems: a line for each file that cannot be restored beside the others.
        folder: the folder that gets the results of a folder; None for a single image.
    """

    jobs: list[Job]
    problems: list[str]
    folder: Path | None


def plan(source: Path, out: Path, compare: bool = False) -> Plan:
    """Return what to restore into what.

    Args:
        source: an image or a folder of images, whose subfolders and hidden files are left alone.
        out: for an image the file to write, or an existing folder; for a folder a folder, made if missing.
        compare: whether side-by-side pictures are wanted.

    Raises:
        RestoreError: there is nothing to restore, or the result would replace the input.
    """
    found = pictures(source)
    if source.is_dir():
        return _plan_folder(source, found, out, compare)
    if out.is_dir():
        out = out / f"{source.stem}.png"
    output_format(out)
    job = _job(source, out, compare)
    for target in (job.result, job.compare):
        if target is not None and target.exists() and target.samefile(source):
            raise RestoreError(f"{target}: is the input itself: choose another name for OUT")
    return Plan([job], [], None)


def pictures(source: Path) -> list[Path]:
    """Return the images that IN names, in the order in which they are restored.

    Args:
        source: an image or a folder of images, whose subfolders and hidden files are left alone.

    Raises:
        RestoreError: there are none.
    """
    if not source.exists():
        raise RestoreError(f"{source}: does not exist, expected an image or a folder of images")
    if not source.is_dir():
        return [source]
    found = [path for path in sorted(source.iterdir()) if path.name[0] != "." and looks_like_image(path)]
    if not found:
        raise RestoreError(
            f"{source}: holds no image, expected {FORMAT_NAMES} files (subfolders are not read)"
        )
    return found


def _plan_folder(source: Path, found: list[Path], out: Path, compare: bool) -> Plan:
    if out.exists() and not out.is_dir():
        raise RestoreError(f"{out}: is a file, but {source} is a folder: give a folder as OUT")
    if out.exists() and out.samefile(source):
        raise RestoreError(f"{out}: is the input folder itself: choose another folder as OUT")
    jobs, problems, origin = [], [], {}
    for file in found:
        job = _job(file, out / f"{file.stem}.png", compare)
        targets = [target for target in (job.result, job.compare) if target is not None]
        taken = next((target for target in targets if target in origin), None)
        if taken is not None:
            problems.append(
                f"{file}: would be written to {taken.name} as {origin[taken].name} is: rename one"
            )
            continue
        origin.update(dict.fromkeys(targets, file))
        jobs.append(job)
    return Plan(jobs, problems, out)


def _job(source: Path, result: Path, compare: bool) -> Job:
    return Job(source, result, result.with_name(f"{result.stem}_compare.png") if compare else None)
