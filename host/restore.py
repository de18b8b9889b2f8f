# SPDX-License-Identifier: BSD-3-Clause
"""Restore an image or a folder of images: python host/restore.py IN OUT. docs/restore.md is the guide."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

if __package__ in (None, ""):  # run as a file, from whatever folder
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tqdm import tqdm

from golden import IntegerNetwork, ModelError
from host import RestoreError, colour
from host.backend import Backend, Options
from host.backend_golden import ENGINES
from host.backends import BACKENDS, open_backend
from host.jobs import Job, Plan, pictures, plan
from host.pipeline import restore_image
from host.progress import TileBar
from host.source import FORMAT_NAMES, MAX_PIXELS, open_source
from host.throughput import describe, measure, write_metrics

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
DEFAULT_MODEL = MODELS / "bbcu_nano_x2.npz"

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report a wrong command line in one line, as every other error."""
        _report(f"{message}; --help explains the options")
        raise SystemExit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, 2 after bad input, 130 if interrupted."""
    options = _arguments(arguments)
    try:
        good = _measure(options) if options.throughput else _write_all(options)
    except RestoreError as error:
        _report(str(error))
        return BAD_INPUT
    except OSError as error:  # of looking at the paths that were given; all else is a RestoreError
        _report(f"{error.filename}: {error.strerror}")
        return BAD_INPUT
    except KeyboardInterrupt:
        _report("interrupted; no unfinished file is left")
        return INTERRUPTED
    return OK if good else BAD_INPUT


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.throughput and options.output is not None:
        parser.error("--throughput writes no pictures: leave OUT out")
    if not options.throughput and options.output is None:
        parser.error("OUT is missing: the file or folder to write")
    if options.metrics is not None and not options.throughput:
        parser.error("--metrics FILE goes with --throughput")
    if options.model is None:
        options.model = _default_model()
    return options


def _default_model() -> Path:
    """Return the network that comes with this copy: in a deploy folder it is the only one beside host/."""
    beside = sorted(ROOT.glob("*.npz"))
    return beside[0] if len(beside) == 1 and not DEFAULT_MODEL.exists() else DEFAULT_MODEL


def _open(options: argparse.Namespace) -> Backend:
    network = load_model(options.model)
    choices = Options(
        tile=options.tile,
        engine=options.engine,
        build=options.build,
        model=options.model,
        bitstream=options.bitstream,
    )
    return open_backend(options.backend, network, choices)


def _write_all(options: argparse.Namespace) -> bool:
    todo = plan(options.input, options.output, options.compare)
    with _open(options) as backend, _made(todo.folder):
        if backend.remark and not options.quiet:
            _say(f"{options.model.name}: {backend.remark}")
        return _restore_all(todo, backend, options)


def _measure(options: argparse.Namespace) -> bool:
    """Restore all images, writing none of them, and say how fast that was."""
    paths = pictures(options.input)
    with _open(options) as backend:
        sources = [open_source(path, options.max_pixels) for path in paths]
        channels = backend.network.channels
        images = [colour.NetworkInput(source, channels)[:, :] for source in sources]
        measurement = measure(backend, images)
        _say(f"{options.input}: {backend.description}")
        if backend.remark:
            _say(f"{options.model.name}: {backend.remark}")
        for line in describe(measurement):
            _say(f"{options.input}: {line}")
        if options.metrics is not None:
            write_metrics(options.metrics, measurement)
    return True


def load_model(path: Path) -> IntegerNetwork:
    """Load a network; RestoreError says what is wrong with the file, or which networks there are."""
    if not path.exists():
        shipped = ", ".join(sorted(file.name for file in MODELS.glob("*.npz"))) or "none yet"
        raise RestoreError(f"{path}: no such network, give --model an .npz file (models/ has: {shipped})")
    try:
        return IntegerNetwork.load(path)
    except ModelError as error:
        raise RestoreError(str(error)) from None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="restore",
        description="Restore images with a 1-bit network. Its task (super-resolution, denoising, JPEG "
        "deblocking) and scale are those of the network.",
    )
    parser.add_argument(
        "input", type=Path, metavar="IN", help=f"an image ({FORMAT_NAMES}) or a folder of images"
    )
    parser.add_argument(
        "output",
        type=Path,
        nargs="?",
        metavar="OUT",
        help="the file to write (.png, .jpg, .webp, .bmp), or a folder for PNG files of the same names",
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="the network (models/bbcu_nano_x2.npz)")
    parser.add_argument("--backend", choices=("auto", *BACKENDS), default="auto", help="what runs it (auto)")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="of the golden model (auto)")
    parser.add_argument(
        "--build", type=Path, metavar="DIR", help="compiled design to simulate (build/<model>-pynq-z2)"
    )
    parser.add_argument(
        "--bitstream", type=Path, metavar="FILE", help="what pynq loads (the .bit beside the model)"
    )
    parser.add_argument(
        "--tile", type=_positive, metavar="N", help="side of a tile in input pixels (512 / scale)"
    )
    parser.add_argument(
        "--compare", action="store_true", help="also write <name>_compare.png: input | restored"
    )
    parser.add_argument(
        "--throughput", action="store_true", help="write no pictures, say how fast and what takes the time"
    )
    parser.add_argument(
        "--metrics", type=Path, metavar="FILE", help="with --throughput: also write its figures as JSON"
    )
    parser.add_argument(
        "--keep", action="store_true", help="report files that exist instead of replacing them"
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    parser.add_argument(
        "--max-pixels",
        type=_positive,
        default=MAX_PIXELS,
        metavar="N",
        help=f"refuse larger images ({MAX_PIXELS:,}; decoding takes 4 bytes per pixel)",
    )
    return parser


@contextmanager
def _made(folder: Path | None) -> Iterator[None]:
    """Make the folder if it is missing; take it away again if it is still empty in the end."""
    if folder is None or folder.exists():
        yield
        return
    try:
        folder.mkdir()
    except OSError as error:
        raise RestoreError(f"{folder}: cannot be made: {error.strerror}") from None
    try:
        yield
    finally:
        with suppress(OSError):  # it is not empty, as a rule
            folder.rmdir()


def _restore_all(todo: Plan, backend: Backend, options: argparse.Namespace) -> bool:
    """Restore all images; report what fails and go on. Return whether all went well."""
    for problem in todo.problems:
        _report(problem)
    good = not todo.problems
    silent = True if options.quiet or len(todo.jobs) == 1 else None  # None: unless stderr is no terminal
    for job in tqdm(todo.jobs, unit="image", leave=False, disable=silent):
        try:
            _restore(job, backend, options)
        except RestoreError as error:
            _report(str(error))
            good = False
    return good


def _restore(job: Job, backend: Backend, options: argparse.Namespace) -> None:
    source = open_source(job.source, options.max_pixels)
    start = time.perf_counter()
    with TileBar(job.source.name, options.quiet, backend.unit) as bar:
        restore_image(source, job, backend, not options.keep, bar)
    if options.quiet:
        return
    scale, (width, height) = backend.network.scale, (source.width, source.height)
    remark = colour.note(source, backend.network)
    _say(
        f"{job.source} -> {job.result}: {width} x {height} to {width * scale} x {height * scale} pixels in "
        f"{time.perf_counter() - start:.1f} s" + (f" ({remark})" if remark else "")
    )
    if backend.report():
        _say(f"{job.source}: {backend.report()}")


def _say(line: str) -> None:
    tqdm.write(_printable(line, sys.stdout))


def _report(line: str) -> None:
    tqdm.write(_printable(f"restore: {line}", sys.stderr), file=sys.stderr)


def _printable(line: str, stream: TextIO) -> str:
    """One line that the stream can encode: file names may hold anything."""
    encoding = stream.encoding or "utf-8"
    return " ".join(line.splitlines()).encode(encoding, "backslashreplace").decode(encoding)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Being ended and a closed terminal are interrupts too: nothing unfinished is left.
    for name in {"SIGTERM", "SIGHUP"} & set(dir(signal)):  # Windows has no SIGHUP
        signal.signal(getattr(signal, name), _interrupt)
    sys.exit(main())
