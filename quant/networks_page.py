# SPDX-License-Identifier: BSD-3-Clause
"""docs/networks.md: every network of the papers, what it is, and what is known of it here.

    python -m quant.networks_page

The printed figures come from paper_tables.csv, ours from docs/zoo.json (`quant.zoo --publish`), from what
other commands have published in docs/ (`quant.page_results`), and from the cards in models/.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from quant.complexity import TITLES
from quant.config import ConfigError, NetworkConfig
from quant.methods import METHODS
from quant.methods.bam import BamUnit
from quant.networks import FAMILIES, Key
from quant.outputs import markdown_table, write_text
from quant.page_results import ablations, comparisons, streaming
from quant.zoo import compared_set, pairs_of, printed_cell, printed_psnr

ROOT = Path(__file__).resolve().parents[1]
PAGE, RESULTS = ROOT / "docs" / "networks.md", ROOT / "docs" / "zoo.json"
ALL_TITLES = TITLES | {
    "ebsr_table6": "EBSR Table 6: 16 blocks of 64 channels",
    "ebsr_table7": "EBSR Table 7: 32 blocks of 256 channels",
}

CLEAR_DB = 0.2
"""Pairs that are so far apart in print are counted by themselves: one short training may order closer ones
either way."""

PREFACE = """# The networks

Written by `python -m quant.networks_page`; a test compares. One file of `quant/networks/` per family,
one file of `quant/methods/` per binary method, one configuration per printed row. `make train
MODEL=NAME` trains a preset; [complexity.md](complexity.md) has the operations and parameters of every
row.
"""

METHODS_TEXT = """## Binary methods

A method is a body unit, `--set unit=NAME`; SRResNet, DnCNN and EDSR take all of them. `integers` says
whether the unit has a hardware mode: the same operators as BBCU's, the batch norm folded into the
requantizer's affine pieces and never into the +-1 weights. The exported integers equal the float64
network in every tensor: a test compares. Where a paper leaves something open, the file of the method
says what was chosen.
"""

ZOO_TEXT = """`make zoo` trains the methods of a table for the same iterations on the same patches. The claim
to check is the order of the methods, pair by pair. EDSR, E2FIF, EBSR and the attention networks add no
bilinear base: they have to learn the enlargement first, so that a short training favours SRResNet.
"""

BBCU_TEXT = {
    "v1": "RPReLU(x + BN(rsign(x) * s sign(W))); ReActNet's block",
    "v2": "RPReLU(x + rsign(x) * s sign(W))",
    "v3": "V2 with the input amplified by k = 130 n / 64",
    "v4": "x + RPReLU(rsign(x) * s sign(W)), amplified by k",
}
GRADIENTS = {  # of the activation's sign, of the weight's
    "bnn": ("clamp(x, -1, 1)", "clamp(W, -1, 1)"),
    "bireal": ("(2 - 2 abs x)+", "clamp(W, -1, 1)"),
    "irnet": ("k t (1 - tanh(t x)^2), t from 0.1 to 10", "the same, of the standardised W"),
    "btm": ("(2 - 2 abs x)+", "clamp(W, -1, 1)"),
    "dorefa": ("clamp(x, 0, 1)", "identity"),
}

NOT_HERE = """## What has no integers, and why

- Full-precision networks: the accelerator's body is binary. Of a network with a binary body, head, tail
  and other full-precision convolutions become int8.
- BAM: a layer sums all earlier activations with coefficients, and the sums of 32 layers have 528 terms:
  a stream would have to be kept for each layer until the end of the body, 32 of them side by side.
- Networks with a residual connection around several convolutions, or a broken one: ablations, float
  only.
- Networks whose head, upsampling or tail alone is binary (Table 6): the body would be full precision.

IBTM's row is BTM's training mechanism in EDSR. Its multiple receptive-field block and its distillation
are not built: the paper's equations for them were not at hand. BTM normalises its input by one mean and
one deviation for all images, which fold into the head; statistics of each image would need a second
pass over it.
"""


def _first_line(thing: object) -> str:
    return " ".join((thing.__doc__ or "").split("\n")[0].split())


def methods_table() -> str:
    """Formula, gradients and integers of every method."""
    rows = [
        [f"`{unit}`", text, "(2 - 2 abs x)+", "clamp(W, -1, 1)", "yes"] for unit, text in BBCU_TEXT.items()
    ]
    rows += [[f"`{unit}`", _first_line(cls), *GRADIENTS[unit], "yes"] for unit, cls in METHODS.items()]
    rows.append(["`reactnet`", "V1", "(2 - 2 abs x)+", "clamp(W, -1, 1)", "yes"])
    bam = "x + K (sign(BN(sum beta A)) * s sign(BN(sum alpha W)))"
    rows.append(["`bam`", bam, "clamp(x, -1, 1)", "clamp of the normalised sum", "no"])
    assert BamUnit.__doc__  # the class is what the row is about
    return markdown_table(
        ("unit", "what it computes", "gradient of sign(x)", "of sign(W)", "integers"), rows, 5
    )


def integers_of(config: NetworkConfig) -> str:
    """Whether the network has a hardware mode."""
    try:
        replace(config, mode="hardware")
    except ConfigError:
        return "no"
    return "yes"


def describe(config: NetworkConfig) -> str:
    """The configuration of a row in a few words."""
    words = [config.arch, f"{config.width} x {config.depth}"]
    if config.binary:
        words.append(f"{config.unit}: {', '.join(config.binary)}")
    else:
        words.append("full precision")
    if config.residual:
        words.append(f"skip around {config.residual}")
    return ", ".join(words)


def preset_of(config: NetworkConfig) -> str:
    """The name of the preset that is this network, apart from the mode."""
    plain = replace(config, mode="paper")
    for family in FAMILIES.values():
        for name, preset in family.presets.items():
            if replace(preset, mode="paper") == plain:
                return f"`{name}`"
    return "-"


def _psnr(values: dict[str, float] | None) -> str:
    """The first data set's PSNR."""
    if not values:
        return "-"
    name, value = next(iter(values.items()))
    return f"{value:.2f} ({name})"


def _ours(key: Key, results: Sequence[dict]) -> str:
    """Our figure of that row from the zoo, on the paper's first data set that we have."""
    found = []
    for record in results:
        if (record["table"], record["setting"]) != (key[0], key[2]):
            continue
        ours, _ = compared_set(record)
        found += [
            f"{row['psnr_db'][ours]:.2f} ({ours}, {_kind(record)})"
            for row in record["rows"]
            if row["method"] == key[1]
        ]
    return "; ".join(found) or "-"


def _kind(record: dict) -> str:
    """Size and, if it is not the paper's, mode of a zoo's networks."""
    return record["size"] if record["mode"] == "paper" else f"{record['size']}, {record['mode']} mode"


def row_tables(results: Sequence[dict]) -> Iterable[str]:
    """One section per printed table."""
    rows = {key: config for family in FAMILIES.values() for key, config in family.rows.items()}
    printed = printed_psnr()
    for table, title in ALL_TITLES.items():
        own = {key: config for key, config in rows.items() if key[0] == table}
        order = [key for key in printed if key in own] + [key for key in own if key not in printed]
        cells = []
        for key in order:
            config = own[key]
            cells.append([key[1], key[2], describe(config), preset_of(config), integers_of(config),
                          _psnr(printed.get(key)), _ours(key, results)])  # fmt: skip
        if cells:
            heads = ("method", "setting", "network", "preset", "integers", "printed dB", "ours dB")
            yield f"### {title}\n\n{markdown_table(heads, cells, 7)}\n"


def _heading(record: dict) -> str:
    """The table of the paper, and its setting where the title does not say it."""
    return f"{ALL_TITLES[record['table']].removesuffix(', ' + record['setting'])}, {record['setting']}"


def zoo_summary(results: Sequence[dict]) -> str:
    """One line per zoo: in how many pairs of methods the paper's order holds."""
    rows = []
    for record in results:
        found = pairs_of(record)
        held = sum(p.holds for p in found)
        clear = [p for p in found if p.paper_db >= CLEAR_DB]
        rows.append([
            _heading(record), f"{record['size']}, {record['mode']}", str(record["training"]["iterations"]),
            f"{held} of {len(found)}", f"{sum(p.holds for p in clear)} of {len(clear)}",
        ])  # fmt: skip
    heads = ("table", "networks", "iterations", "pairs in order", f"of those {CLEAR_DB} dB apart in print")
    return markdown_table(heads, rows, 2)


def zoo_sections(results: Sequence[dict]) -> Iterable[str]:
    """What was trained at equal budget, and whether the paper's order holds."""
    for record in results:
        t, (ours, paper) = record["training"], compared_set(record)
        sets = list(record["rows"][0]["psnr_db"])
        cells = [
            [r["method"], *(f"{r['psnr_db'][s]:.2f}" for s in sets), printed_cell(r, paper)]
            for r in record["rows"]
        ]
        inputs = record["rows"][0]["input_psnr_db"]
        cells.append(["input", *(f"{inputs[s]:.2f}" for s in sets), ""])
        found = pairs_of(record)
        wrong = [p for p in found if not p.holds]
        lines = [
            f"### {_heading(record)}, {record['size']}, {record['mode']} mode",
            "",
            f"{t['iterations']} iterations each, batch {t['batch']}, patch {t['patch']}, learning rate "
            f"{t['lr']:g}, on {record['data']}. PSNR in dB. The last column is the paper's {paper}, of "
            "full-size networks, fully trained on DIV2K: compare the order of the rows, not the columns.",
            "",
            markdown_table(("method", *sets, f"paper: {paper}"), cells),
            "",
            f"Of {len(found)} pairs of methods, {len(found) - len(wrong)} have the paper's order on {ours}."
            + (" Not these:" if wrong else ""),
            *(["", *_wrong_pairs(wrong)] if wrong else []),
            *_too_short(record, ours),
            "",
        ]
        yield "\n".join(lines)


def _wrong_pairs(wrong: Sequence) -> list[str]:
    return [
        f"- {p.better} over {p.worse}: paper {p.paper_db:+.2f} dB, here {p.ours_db:+.2f} dB" for p in wrong
    ]


def _too_short(record: dict, dataset: str) -> list[str]:
    """Which networks do not reach their input, whose order therefore says nothing."""
    below = [r["method"] for r in record["rows"] if r["psnr_db"][dataset] < r["input_psnr_db"][dataset]]
    if not below:
        return []
    return [
        "",
        f"Below their input after so short a training, so that their order says nothing: {', '.join(below)}.",
    ]


def cards_table() -> str:
    """The trained models of models/."""
    rows = []
    for path in sorted((ROOT / "models").glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        config = NetworkConfig.from_dict(card["config"])
        figures = [
            f"{f['dataset']} {f['psnr_db']:.2f} (input {f['input_psnr_db']:.2f})" for f in card["figures"]
        ]
        rows.append([f"[{card['name']}](../models/{card['name']}.md)", describe(config), ", ".join(figures)])
    return markdown_table(("model", "network", "PSNR dB of its integers"), rows, 3)


def page(results: Sequence[dict], docs: Path = ROOT / "docs") -> str:
    """docs/networks.md.

    Args:
        results: of docs/zoo.json.
        docs: the folder with what other commands have published.
    """
    families = [
        [f"`{f.arch}`", _first_line(f.network), f"`{Path(sys.modules[f.network.__module__].__file__).name}`",
         str(len(f.presets)), str(len(f.rows))]
        for f in FAMILIES.values()
    ]  # fmt: skip
    heads = ("family", "what it is", "file", "presets", "printed rows")
    blocks = [
        PREFACE,
        markdown_table(heads, families, 3) + "\n",
        METHODS_TEXT,
        methods_table() + "\n",
        NOT_HERE,
        "## Trained models\n",
        cards_table() + "\n",
        "Each model's page has its data, budget and commands. No paper prints networks this small.\n",
        *comparisons(docs),
        "## At equal budget\n",
        ZOO_TEXT,
        zoo_summary(results) + "\n",
        *zoo_sections(results),
        *ablations(docs),
        *streaming(docs),
        "## Printed rows\n",
        "`ours` is from the section above, with the size that was trained; `-` is not trained yet.\n",
        *row_tables(results),
    ]
    return "\n".join(blocks)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="quant.networks_page", description="Write docs/networks.md.")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, metavar="JSON", help="of quant.zoo --publish"
    )
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE")
    args = parser.parse_args(argv)
    try:
        results = json.loads(args.results.read_text(encoding="utf-8")) if args.results.exists() else []
        write_text(args.out, page(results))
    except (ConfigError, OSError, ValueError, KeyError) as error:
        print(f"quant.networks_page: {args.results}: {error}", file=sys.stderr)
        return 2
    print(f"networks: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
