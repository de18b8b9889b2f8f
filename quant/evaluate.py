# SPDX-License-Identifier: BSD-3-Clause
"""PSNR and SSIM of a trained network: `python -m quant.evaluate --model models/M.npz --data DIR`.

The degradation and the metric follow from the network's task; docs/evaluation.md has the conventions.
`--input-only` scores the degraded inputs themselves, without a network.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import golden
from quant.config import ConfigError
from quant.images import DataError, find_data
from quant.inputs import input_rows
from quant.outputs import text_table, write_json
from quant.restorer import ENGINES, Restorer, load_restorer
from quant.scoring import (
    TEST_SETS,
    Case,
    Score,
    clean_files,
    convention,
    degradation_level,
    input_name,
    make_case,
    mean_score,
    score,
)
from quant.sheet import ContactSheet

SHORT_INPUT = {"sr": "bicubic", "denoise": "noisy", "deblock": "JPEG"}
Watch = Callable[[Case, object, Score], None]


def evaluate(
    restorer: Restorer, files: list[Path], level: float | None, seed: int = 0, watch: Watch | None = None
) -> list[Score]:
    """Restore and score images, one after the other.

    Args:
        restorer: the model.
        files: clean images.
        level: sigma or quality of the degradation, None for super-resolution.
        seed: of the noise.
        watch: called as watch(case, restored, score) after each image.
    """
    scores = []
    for file in _progress(files):
        case = make_case(file, restorer.config, level, seed)
        restored = restorer.run(case.low)
        scores.append(score(case, restored, restorer.config))
        if watch is not None:
            watch(case, restored, scores[-1])
    return scores


def _progress(files: list[Path]):
    from tqdm import tqdm

    return tqdm(files, unit="image", leave=False, file=sys.stderr)


def score_table(scores: list[Score]) -> str:
    """Text table, one row per image and their mean."""
    rows = [
        [
            s.name,
            f"{s.width} x {s.height}" if s.width else f"{len(scores)} images",
            *(f"{value:.2f}" for value in (s.input_psnr_db, s.psnr_db)),
            f"{s.gain_db:+.2f}",
            *(f"{value:.4f}" for value in (s.input_ssim, s.ssim)),
        ]
        for s in (*scores, mean_score(scores))
    ]
    headings = ("image", "size", "input dB", "ours dB", "gain dB", "input SSIM", "ours SSIM")
    return text_table(headings, rows)


def _finite(value: float) -> float | None:
    """JSON has no infinity: the PSNR of equal images becomes null."""
    return value if math.isfinite(value) else None


def score_record(scored: Score) -> dict:
    """The figures of a Score, JSON-able."""
    return {key: _finite(v) if isinstance(v, float) else v for key, v in asdict(scored).items()}


def report(
    restorer: Restorer, dataset: str, scores: list[Score], level: float | None, seed: int
) -> dict[str, object]:
    """Everything about an evaluation, JSON-able; docs/evaluation.md lists the fields."""
    config, mean = restorer.config, score_record(mean_score(scores))
    return {
        "model": restorer.path.name,
        "content_hash": restorer.content_hash,
        "engine": restorer.engine,
        "backend": restorer.backend,
        "task": config.task,
        "scale": config.scale,
        "dataset": dataset,
        "level": level,
        "seed": seed,
        "input": input_name(config, level),
        "convention": convention(config),
        "images": len(scores),
        **{key: mean[key] for key in ("psnr_db", "ssim", "input_psnr_db", "input_ssim")},
        "per_image": [score_record(s) for s in scores],
    }


def _evaluate_model(args: argparse.Namespace) -> None:
    restorer = load_restorer(args.model, args.engine)
    config = restorer.config
    level = degradation_level(config, args.sigma, args.quality)
    folder = find_data(args.data or TEST_SETS[config.task])
    files = clean_files(folder, args.limit)
    dataset = folder.resolve().name
    sheet = None
    if args.sheet:
        note = f"PSNR of the whole image: {convention(config)}; input: {input_name(config, level)}"
        sheet = ContactSheet(f"{restorer.path.stem} on {dataset}", note, SHORT_INPUT[config.task])
    scores = evaluate(restorer, files, level, args.seed, sheet.add if sheet else None)
    print(score_table(scores))
    print(f"\n{restorer.path.name} on {dataset}, engine {restorer.engine} ({restorer.backend})", end="")
    print(
        f", integers {restorer.content_hash[:16]}" if restorer.content_hash else ", paper mode, no integers"
    )
    print(f"input: {input_name(config, level)}\nPSNR and SSIM on {convention(config)}")
    if args.json:
        write_json(args.json, report(restorer, dataset, scores, level, args.seed))
    if sheet:
        sheet.save(args.sheet)
        print(f"contact sheet: {args.sheet}")


def _evaluate_inputs(args: argparse.Namespace) -> None:
    folder = find_data(args.data or TEST_SETS[args.task])
    files = clean_files(folder, args.limit)
    dataset = folder.resolve().name
    rows = input_rows(args.task, args.scale, args.sigma, args.quality, args.seed)
    cells, records = [], []
    for row in rows:
        figures = [row.figures(file) for file in _progress(files)]
        psnr_db, ssim = (sum(column) / len(files) for column in zip(*figures, strict=True))
        cells.append([row.name, f"{psnr_db:.2f}", f"{ssim:.4f}"])
        per_image = [
            {"name": file.name, "psnr_db": _finite(p), "ssim": s}
            for file, (p, s) in zip(files, figures, strict=True)
        ]
        means = {"psnr_db": _finite(psnr_db), "ssim": ssim}
        records.append({"input": row.name, "level": row.level, **means, "per_image": per_image})
    scale = f" x{args.scale}" if args.task == "sr" else ""
    print(text_table((f"{dataset}{scale}, {len(files)} images", "dB", "SSIM"), cells))
    if args.json:
        about = {"dataset": dataset, "images": len(files), "task": args.task, "seed": args.seed}
        if args.task == "sr":
            about["scale"] = args.scale
        write_json(args.json, {**about, "rows": records})


def _check(args: argparse.Namespace) -> None:
    """Raise ConfigError where flags do not go together or are out of range."""
    if args.input_only:
        if args.model or args.sheet:
            raise ConfigError("--input-only scores inputs without a network: leave out --model and --sheet")
        if args.task is None:
            raise ConfigError(f"--input-only needs --task {'|'.join(TEST_SETS)}")
    elif args.model is None:
        raise ConfigError("expected --model models/M.npz, or --input-only --task sr|denoise|deblock")
    elif args.task or args.scale:
        raise ConfigError("--task and --scale go with --input-only: a model knows its own")
    if args.scale and args.task != "sr":
        raise ConfigError(f"--scale {args.scale}: only for task 'sr'")
    args.scale = args.scale or 2
    for flag, value, least in (("--limit", args.limit, 1), ("--seed", args.seed, 0)):
        if value is not None and value < least:
            raise ConfigError(f"{flag} {value}: expected {least} or more")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.evaluate`."""
    parser = argparse.ArgumentParser(prog="quant.evaluate", description="PSNR and SSIM of a trained network.")
    add = parser.add_argument
    add("--model", type=Path, help="models/M.npz; or models/M.pt with --engine torch, for paper mode")
    add("--data", help="folder of clean images, or a name under $BITMEND_DATA/test (default: by task, "
        + ", ".join(f"{task} {name}" for task, name in TEST_SETS.items()) + ")")  # fmt: skip
    add("--engine", choices=ENGINES, default="golden",
        help="golden: the integers (default); torch: the float64 network in models/M.pt")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write all figures")
    add("--sheet", type=Path, metavar="FILE.png", help="write a before/after contact sheet")
    add("--sigma", type=float, help="noise level (default: the one trained for; 25 for a blind network)")
    add("--quality", type=int, help="JPEG quality (default: the one trained for; 10 for a blind network)")
    add("--seed", type=int, default=0, help="of the noise")
    add("--limit", type=int, metavar="N", help="only the first N images by name")
    add("--input-only", action="store_true", help="score the degraded inputs, without a network")
    add("--task", choices=tuple(TEST_SETS), help="with --input-only")
    add("--scale", type=int, choices=(2, 3, 4), help="with --input-only --task sr (default: 2)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    try:
        _check(args)
        (_evaluate_inputs if args.input_only else _evaluate_model)(args)
    except (ConfigError, DataError, golden.ModelError, OSError) as error:
        print(f"quant.evaluate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
