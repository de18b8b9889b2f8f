# SPDX-License-Identifier: BSD-3-Clause
"""The cost of statistics of the frame or tile before: `python -m quant.streaming --model M.npz`.

A network with global means is exact in two passes: statistics of the image, then its pixels. One pass uses
statistics of what came before (docs/numerics.md, "Statistics of the whole image"). This command restores the
same windows of test images in both ways and compares the PSNR:

- initial: the running mean of training, as in the first frame and for ever if nothing is measured;
- moving camera: the frame before shows the same scene, some pixels aside;
- cut: the frame before shows another image;
- tile before: the window goes through in tiles, each with the statistics of the one before it.

`--publish` puts the figures into a file that docs/networks.md shows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import golden
from golden.statistics import Statistics, initial, means, run_with
from golden.tiling import tiles
from quant.config import ConfigError, NetworkConfig
from quant.images import DataError, find_data
from quant.outputs import publish_record, text_table, write_json
from quant.scoring import (
    TEST_SETS,
    Case,
    clean_files,
    compare,
    convention,
    degradation_level,
    input_name,
    make_case,
)

COLUMNS = {"psnr_db": ".2f", "change_db": "+.3f", "worst_db": "+.3f"}
FRAMES = 4  # of the moving camera; the last one is scored
Window = Callable[[int], np.ndarray]
"""Frame i of a moving camera, counted from 0."""


def windows(case: Case, size: int, step: int, scale: int) -> tuple[Window, np.ndarray]:
    """Frames of a camera that moves down and to the right by `step` pixels, and the last one's clean image.

    Raises:
        DataError: the image is too small for it.
    """
    height, width = (min(size, side - (FRAMES - 1) * step) for side in case.low.shape[:2])
    if min(height, width) < 16:
        raise DataError(
            f"{case.name}: too small for {FRAMES} windows {step} pixels aside; use a smaller --step"
        )

    def frame(index: int) -> np.ndarray:
        at = index * step
        return case.low[at : at + height, at : at + width]

    at = (FRAMES - 1) * step * scale
    return frame, case.clean[at : at + height * scale, at : at + width * scale]


def score_image(
    network: golden.IntegerNetwork,
    config: NetworkConfig,
    case: Case,
    before: Statistics | None,
    arguments: argparse.Namespace,
) -> tuple[dict[str, float], Statistics]:
    """PSNR in dB of each way for one image.

    Args:
        before: exact statistics of another image, None if there is none yet.

    Returns:
        (PSNR by way, exact statistics of this image).
    """
    frame, clean = windows(case, arguments.window, arguments.step, config.scale)
    image = frame(FRAMES - 1)
    exact = golden.measure(network, image, tensor_of=golden.make_engine(network).tensor_of)
    tile = arguments.tile, arguments.tile
    plan = list(tiles(*image.shape[:2], tile, golden.receptive_field(network)))
    moving = list(golden.run_streaming(network, (frame(index) for index in range(FRAMES))))[-1]
    restored = {
        "exact": run_with(network, image, exact)[0],
        "initial": run_with(network, image, initial(network))[0],
        f"moving camera, {arguments.step} pixels": moving,
        f"tile before, {arguments.tile} pixels": golden.restore_streaming(network, image, plan),
    }
    if before is not None:
        restored["cut"] = run_with(network, image, before)[0]
    return {way: compare(result, clean, config)[0] for way, result in restored.items()}, exact


def load(path: Path) -> tuple[golden.IntegerNetwork, NetworkConfig]:
    """The network in a file and what it is.

    Raises:
        ConfigError, golden.ModelError: it has no statistics to be measured, or is damaged.
    """
    network = golden.IntegerNetwork.load(path)
    if not means(network):
        raise ConfigError(f"{path}: has no statistics of the image, so streaming costs nothing")
    return network, NetworkConfig.from_dict(network.meta["config"])


def measure_cost(
    network: golden.IntegerNetwork, config: NetworkConfig, folder: Path, arguments: argparse.Namespace
) -> list[dict[str, object]]:
    """One record per way: how many images, PSNR and its change against the exact form on these images.

    `worst_db` is the change of the image that loses most.

    Raises:
        DataError: the folder has no images, or one that is too small.
    """
    level = degradation_level(config, None, None)
    scores, before = [], None
    for file in clean_files(folder, arguments.limit):
        case = make_case(file, config, level, 0)
        figures, before = score_image(network, config, case, before, arguments)
        scores.append(figures)
    records = []
    for way in scores[-1]:
        both = [(figures[way], figures["exact"]) for figures in scores if way in figures]
        psnr, exact = np.mean(both, axis=0)
        worst = min(value - reference for value, reference in both)
        figures = {"psnr_db": psnr, "change_db": psnr - exact, "worst_db": worst}
        rounded = {key: round(float(value), 4) for key, value in figures.items()}
        records.append({"way": way, "images": len(both), **rounded})
    return records


def run(arguments: argparse.Namespace) -> None:
    """Measure on each data set, print, write.

    Raises:
        ConfigError, DataError, golden.ModelError: a model, a folder or a number that does not fit.
    """
    if min(arguments.step, arguments.tile, arguments.window) < 1:
        raise ConfigError("--step, --tile and --window are pixels: expected at least 1")
    network, config = load(arguments.model)
    measured = {}
    for name in arguments.data or [TEST_SETS[config.task]]:
        folder = find_data(name)
        records = measured[folder.resolve().name] = measure_cost(network, config, folder, arguments)
        cells = [
            (r["way"], str(r["images"]), *(f"{r[key]:{form}}" for key, form in COLUMNS.items()))
            for r in records
        ]
        print(text_table((f"statistics, {folder.name}", "images", "PSNR", "change", "worst"), cells))
    if arguments.json is not None:
        write_json(arguments.json, measured)
    if arguments.publish is not None:
        level = degradation_level(config, None, None)
        publish_record(
            arguments.publish,
            {
                "model": arguments.model.stem,
                "means": len(means(network)),
                "training": network.meta.get("training", {}) | {"data": arguments.trained_on},
                **{key: getattr(arguments, key) for key in ("limit", "window", "step", "tile")},
                "input": input_name(config, level),
                "convention": convention(config),
                "sets": measured,
            },
            same=("model",),
        )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.streaming`."""
    parser = argparse.ArgumentParser(prog="quant.streaming", description="The cost of streaming statistics.")
    parser.add_argument("--model", type=Path, required=True, help="M.npz of a network with global means")
    parser.add_argument(
        "--data", nargs="+", metavar="DIR", help="folders of clean images (default: as quant.evaluate)"
    )
    parser.add_argument("--limit", type=int, help="only the first images of each folder by name")
    parser.add_argument("--window", type=int, default=96, help="side of the windows in input pixels")
    parser.add_argument("--step", type=int, default=4, help="pixels from frame to frame")
    parser.add_argument("--tile", type=int, default=48, help="side of the tiles in input pixels")
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--publish", type=Path, metavar="JSON", help="add them to this (docs/streaming.json)")
    parser.add_argument(
        "--trained-on", default="unknown data", metavar="TEXT", help="with --publish: the training data"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = parse(argv)
    try:
        run(arguments)
    except (ConfigError, DataError, golden.ModelError) as error:
        print(f"quant.streaming: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
