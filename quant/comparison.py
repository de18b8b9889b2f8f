# SPDX-License-Identifier: BSD-3-Clause
"""Networks side by side on the same crops: `python -m quant.comparison runs/zoo/X --data Set14`.

One row per image: the whole of it, then the same crop of original, input and each network's result, with
the PSNR of the whole image. Networks are models (.npz, .pt), runs, or folders of runs as `quant.zoo` and
`quant.ablate` leave them. Pictures of research images go to build/; `--publish NAME` puts one of the free
photos into docs/comparison/, from where docs/networks.md shows it.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

import golden
from quant.config import ConfigError, NetworkConfig
from quant.crops import FREE, FREE_PHOTOS, SIDE, Subject, subjects
from quant.evaluate import SHORT_INPUT
from quant.experiments import restorer
from quant.export import from_checkpoint
from quant.images import DataError
from quant.outputs import text_table, write_json
from quant.restorer import load_restorer
from quant.scoring import Case, compare, convention, degradation_level, input_name, make_case
from quant.sheet import Sheet, crop_picture, overview
from quant.zoo import folder_name, printed_psnr

ZOOM = 3
TASKS = {"sr": "Super-resolution x{:g}", "denoise": "Denoising, sigma {:g}", "deblock": "JPEG, quality {:g}"}
PUBLISHED_IMAGES = 3  # of them, unless --limit says otherwise: a picture in docs/ should be small
PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "comparison"


@dataclass(frozen=True)
class Method:
    """A network of the comparison.

    Attributes:
        label: above its column.
        config: what it is.
        run: (H, W, C) as its task degrades it, to (rH, rW, C) uint8.
        iterations: it was trained for, 0 if unknown.
    """

    label: str
    config: NetworkConfig
    run: Callable[[np.ndarray], np.ndarray]
    iterations: int = 0


@dataclass(frozen=True)
class Result:
    """The figures of one image, PSNR in dB by method; infinite where the images are equal."""

    image: str
    input_psnr_db: float
    psnr_db: dict[str, float]


@cache
def _labels() -> dict[str, str]:
    """Methods by the folders of their runs, in the order of the papers' tables."""
    return {folder_name(method): method for _, method, _ in printed_psnr()}


def run_folders(folder: Path) -> list[Path]:
    """The finished runs in a folder: itself, or those below it, in the order of the papers' tables.

    Raises:
        ConfigError: there is none.
    """
    if (folder / "last.ckpt").exists():
        return [folder]
    order = list(_labels())
    found = [path.parent for path in folder.glob("*/measured.json") if path.with_name("last.ckpt").exists()]
    if not found:
        raise ConfigError(f"{folder}: expected last.ckpt of a run, or folders of runs that are finished")
    return sorted(found, key=lambda p: (order.index(p.name) if p.name in order else len(order), p.name))


def load_method(path: Path) -> Method:
    """A model file or the folder of one run.

    Raises:
        ConfigError, golden.ModelError: it is neither, or damaged.
    """
    if not path.is_dir():
        ready = load_restorer(path, "torch" if path.suffix == ".pt" else "golden")
        return Method(path.stem, ready.config, ready.run)
    network = from_checkpoint(path / "last.ckpt")
    done = int(network.provenance.get("iterations_done", 0))
    return Method(_labels().get(path.name, path.name), network.config, restorer(network), done)


def load_methods(paths: Sequence[Path]) -> list[Method]:
    """All networks of these files and folders.

    Raises:
        ConfigError: they do not restore the same input.
    """
    places = [place for path in paths for place in (run_folders(path) if path.is_dir() else [path])]
    methods = [load_method(place) for place in places]
    first = methods[0]
    for method in methods[1:]:
        a, b = _input_of(first.config), _input_of(method.config)
        if a != b:
            raise ConfigError(
                f"{first.label} restores {a}, {method.label} {b}: compare networks of the same input"
            )
    return methods


def _input_of(config: NetworkConfig) -> str:
    level = degradation_level(config, None, None)
    degraded = "downscaled" if config.task == "sr" else input_name(config, level)
    return f"{'RGB' if config.channels == 3 else 'grey'} images x{config.scale}, {degraded}"


def restore_all(case: Case, methods: Sequence[Method]) -> tuple[Result, list[np.ndarray]]:
    """All results for one image and their PSNR."""
    config = methods[0].config
    images = [method.run(case.low) for method in methods]
    psnr = {m.label: compare(image, case.clean, config)[0] for m, image in zip(methods, images, strict=True)}
    return Result(case.name, compare(case.before, case.clean, config)[0], psnr), images


def row(
    case: Case, subject: Subject, methods: Sequence[Method], images: Sequence[np.ndarray], result: Result
) -> list[tuple[Image.Image, str, str]]:
    """The cells of one image: (picture, first line, second line) each."""
    config = methods[0].config
    y, x = subject.place(case.clean, config.scale)
    height, width = case.clean.shape[:2]
    cells = [
        (overview(case.clean, y, x, SIDE, ZOOM), case.name, f"{width} x {height}"),
        (crop_picture(case.clean, y, x, SIDE, ZOOM), "original", f"{SIDE} x {SIDE} at {x}, {y}"),
    ]
    shown = [
        (SHORT_INPUT[config.task], case.before, result.input_psnr_db),
        *((m.label, image, result.psnr_db[m.label]) for m, image in zip(methods, images, strict=True)),
    ]
    return cells + [
        (crop_picture(image, y, x, SIDE, ZOOM), label, f"{psnr:.2f} dB") for label, image, psnr in shown
    ]


def draw(
    methods: Sequence[Method], shown: Sequence[Subject], level: float | None, title: str
) -> tuple[Sheet, list[Result]]:
    """Restore all images with all networks.

    Returns:
        (the sheet, the figures of each image).
    """
    config = methods[0].config
    sheet = Sheet(title, f"PSNR of the whole image: {convention(config)}", SIDE * ZOOM)
    results = []
    for subject in tqdm(shown, unit="image", leave=False, file=sys.stderr):
        case = make_case(subject.file, config, level, 0)
        result, images = restore_all(case, methods)
        sheet.rows.append(row(case, subject, methods, images, result))
        results.append(result)
    return sheet, results


def record(methods: Sequence[Method], results: Sequence[Result], level: float | None, title: str) -> dict:
    """What docs/networks.md says beside a published picture, JSON-able."""

    def finite(value: float) -> float | None:
        return round(value, 3) if math.isfinite(value) else None

    config, credits = methods[0].config, {photo.file: photo.credit for photo in FREE_PHOTOS}
    return {
        "title": title,
        "input": input_name(config, level),
        "convention": convention(config),
        "iterations": {m.label: m.iterations for m in methods if m.iterations},
        "rows": [
            {
                "image": r.image,
                "credit": credits[r.image],
                "input_psnr_db": finite(r.input_psnr_db),
                "psnr_db": {label: finite(value) for label, value in r.psnr_db.items()},
            }
            for r in results
        ],
    }


def to_text(results: Sequence[Result]) -> str:
    """What the command prints."""
    labels = list(results[0].psnr_db)
    cells = [
        [r.image, f"{r.input_psnr_db:.2f}", *(f"{r.psnr_db[label]:.2f}" for label in labels)] for r in results
    ]
    return text_table(("image", "input", *labels), cells)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.comparison`."""
    parser = argparse.ArgumentParser(prog="quant.comparison", description="Networks on the same crops.")
    add = parser.add_argument
    add("networks", nargs="+", type=Path, help="M.npz, M.pt, a run, or a folder of runs")
    add("--data", nargs="+", metavar="DIR", help=f"folders, test sets or {FREE!r} (default: the task's sets)")
    add("--out", type=Path, metavar="PNG", help="default: build/comparison/NAME.png")
    add("--publish", metavar="NAME", help=f"docs/comparison/NAME.png and .json, with --data {FREE}")
    add("--title", help="above the picture (default: task and names)")
    add("--sigma", type=float, help="noise level (default: the one trained for; 25 for a blind network)")
    add("--quality", type=int, help="JPEG quality (default: the one trained for; 10 for a blind network)")
    add("--limit", type=int, metavar="N", help="images of each set (default: all; 3 to publish)")
    add("--threads", type=int, help="CPU threads of torch")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> Path:
    """Restore, draw, print, write; returns the picture's path."""
    if args.publish and (args.data or [FREE]) != [FREE]:
        given = " ".join(args.data)
        raise ConfigError(f"--publish with --data {given}: only {FREE!r} may be published, leave out --data")
    if args.publish and args.out:
        raise ConfigError("--publish NAME and --out PNG: give one of them")
    if args.limit is not None and args.limit < 1:
        raise ConfigError(f"--limit {args.limit}: expected at least 1")
    methods = load_methods(args.networks)
    config = methods[0].config
    level = degradation_level(config, args.sigma, args.quality)
    limit = args.limit or (PUBLISHED_IMAGES if args.publish else None)
    shown = subjects(config, [FREE] if args.publish else args.data, limit)
    names = [path.resolve().stem for path in args.networks]
    name = args.publish or "-".join(names)
    task = TASKS[config.task].format(config.scale if level is None else level)
    title = args.title or f"{task}: {', '.join(names)}"
    sheet, results = draw(methods, shown, level, title)
    out = PUBLISHED / f"{name}.png" if args.publish else args.out or Path("build/comparison") / f"{name}.png"
    sheet.save(out)
    if args.publish:
        write_json(out.with_suffix(".json"), record(methods, results, level, title))
    print(to_text(results))
    print(f"input: {input_name(config, level)}\nPSNR on {convention(config)}")
    return out


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        print(f"comparison: {run(args)}")
    except (ConfigError, DataError, golden.ModelError, OSError) as error:
        print(f"quant.comparison: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
