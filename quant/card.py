# SPDX-License-Identifier: BSD-3-Clause
"""Model cards and the README's table.

    python -m quant.card --model models/X.npz --training data="..." --training hardware="..."

A card is models/X.json (figures, for programs) and models/X.md (the same for people). Every figure comes from
`quant.evaluate` on the exported integers. `--readme` rewrites the table in README.md from all cards.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import golden
from quant import evaluate
from quant.config import UNITS
from quant.outputs import markdown_table, write_json, write_text
from quant.scoring import REPORTED_SETS

README_MARKS = ("<!-- results: written by make report -->", "<!-- /results -->")
ROOT = Path(__file__).resolve().parent.parent


class CardError(ValueError):
    """A card that cannot be written; the message says why."""


def measure(model: Path, dataset: str) -> dict:
    """What `quant.evaluate --json` says of a model on a test set; of single images only the PSNR."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        code = evaluate.main(["--model", str(model), "--data", dataset, "--json", str(result)])
        if code:
            raise CardError(f"{model}: evaluation on {dataset} failed; see the line above")
        figures = json.loads(result.read_text(encoding="utf-8"))
    per_image = {image["name"]: round(image["psnr_db"], 4) for image in figures.pop("per_image")}
    kept = {key: value for key, value in figures.items() if key not in ("model", "content_hash")}
    return {**kept, "psnr_db_per_image": per_image}


def make_card(model: Path, training: dict[str, str]) -> dict:
    """All that a card says of a model, as a JSON-able dict.

    Args:
        model: models/X.npz.
        training: what files do not know, in words: the data it was trained on, the hardware.
    """
    network = golden.IntegerNetwork.load(model)
    return {
        "name": model.stem,
        "content_hash": network.content_hash,
        "task": network.task,
        "scale": network.scale,
        "config": network.meta["config"],
        "training": {**training, **network.meta.get("training", {})},
        "bytes": model.stat().st_size,
        "figures": [measure(model, dataset) for dataset in REPORTED_SETS[network.task]],
    }


def _title(card: dict) -> str:
    config = card["config"]

    def span(ends: list) -> str:
        return f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g} to {ends[1]:g}"

    return {
        "sr": f"super-resolution x{card['scale']}",
        "denoise": f"colour denoising, sigma {span(config['sigma'])}",
        "deblock": f"JPEG deblocking, grey, quality {span(config['quality'])}",
    }[card["task"]]


def _figure_table(card: dict) -> str:
    rows = [
        [
            f["dataset"],
            f"{f['input_psnr_db']:.2f} / {f['input_ssim']:.4f}",
            f"**{f['psnr_db']:.2f} / {f['ssim']:.4f}**",
        ]
        for f in card["figures"]
    ]
    return markdown_table(("set", "input: PSNR / SSIM", "restored: PSNR / SSIM"), rows)


def _train_command(card: dict) -> str:
    training = card["training"]
    flags = ("iterations", "batch", "patch", "lr", "schedule", "seed")
    options = " ".join(f"--{flag} {training[flag]}" for flag in flags if flag in training)
    return f"python -m quant.train --model {card['name']} --data DIR {options}"


def _unit(config: dict) -> str:
    """The name of the body's unit in its paper."""
    return f"BBCU {config['unit'].upper()}" if config["unit"] in UNITS else config["unit"].upper()


def to_markdown(card: dict) -> str:
    """The card for people."""
    config, figures, name = card["config"], card["figures"], card["name"]
    title = _title(card)
    commands = [f"python -m quant.evaluate --model models/{name}.npz --data {f['dataset']}" for f in figures]
    return f"""# {name}

{title[0].upper()}{title[1:]}.

- {config["arch"]}, {config["width"]} channels, {config["depth"]} body units ({_unit(config)})
- 1-bit {" and ".join(config["binary"])}, int8 head and tail, a stream of {config["stream_bits"]} bits
- {card["bytes"] / 1024:.0f} KiB, content hash `{card["content_hash"][:16]}`

{_figure_table(card)}

PSNR in dB and SSIM on {figures[0]["convention"]}; input: {figures[0]["input"]}.
These are the figures of the exported integers on the golden model. The float64 PyTorch network behind them,
`{name}.pt`, gives the same pixels. Measure again with

```sh
{chr(10).join(commands)}
```

## Training

{markdown_table(("", ""), [[key, str(value)] for key, value in card["training"].items()], left=2)}

```sh
{_train_command(card)}
python -m quant.export --folder runs/{name} --out models/{name}.npz
```
"""


def readme_table(cards: list[dict]) -> str:
    """The README's table of all cards."""
    rows = [
        [
            f"[{card['name']}](models/{card['name']}.md)",
            _title(card),
            figure["dataset"],
            f"{figure['input_psnr_db']:.2f} dB",
            f"**{figure['psnr_db']:.2f} dB**",
        ]
        for card in cards
        for figure in card["figures"]
    ]
    return markdown_table(("model", "task", "set", "input", "restored"), rows, left=3)


def update_readme(readme: Path, models: Path) -> None:
    """Rewrite the table between the marks in README.md from all cards in the models folder."""
    cards = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(models.glob("*.json"))]
    text = readme.read_text(encoding="utf-8")
    start, end = (text.find(mark) for mark in README_MARKS)
    if start < 0 or end < start:
        raise CardError(f"{readme}: expected the marks {' and '.join(README_MARKS)}")
    head = text[: start + len(README_MARKS[0])]
    write_text(readme, f"{head}\n{readme_table(cards)}\n{text[end:]}")


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="quant.card", description="Write model cards and the README's table."
    )
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="models/X.npz, one or more")
    parser.add_argument(
        "--training",
        action="append",
        default=[],
        metavar="KEY=TEXT",
        help="a line of the training table, such as data or hardware (default: as in the old card)",
    )
    parser.add_argument("--readme", action="store_true", help="rewrite the table in README.md")
    args = parser.parse_args(argv)
    try:
        if not all("=" in text for text in args.training):
            raise CardError(f"--training {args.training}: expected KEY=TEXT")
        for model in args.model:
            old = model.with_suffix(".json")
            known = json.loads(old.read_text(encoding="utf-8"))["training"] if old.exists() else {}
            card = make_card(model, {**known, **dict(text.split("=", 1) for text in args.training)})
            write_json(old, card)
            write_text(model.with_suffix(".md"), to_markdown(card))
            print(f"card: {model.with_suffix('.md')}")
        if args.readme:
            update_readme(ROOT / "README.md", ROOT / "models")
    except (CardError, golden.ModelError, OSError) as error:
        print(f"quant.card: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
