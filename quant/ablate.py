# SPDX-License-Identifier: BSD-3-Clause
"""BBCU's ablations at a chosen budget: `python -m quant.ablate --what residual --budget 2000`.

Trains the networks of one figure or table on the same patches, resuming what was interrupted; draws the
paper's figure beside ours, prints a table, and says which of the paper's conclusions hold. `--publish` puts
the figure and all that was found into docs/ablations/, from where docs/networks.md shows them.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from quant.ablations import ABLATIONS, Ablation, panels
from quant.config import PARTS, ConfigError
from quant.counting import CONVENTIONS, count, total
from quant.experiments import Budget, Measured, run_all
from quant.figures import draw
from quant.images import DataError, find_data
from quant.outputs import text_table, write_json
from quant.train import TRAINING_SET, TrainConfig

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "ablations"


@dataclass(frozen=True)
class Benefit:
    """What making one part binary costs for what it saves (BBCU Eq. 10 and 11), smaller is better.

    Attributes:
        psnr_loss_db: PSNR of the full-precision network minus that with the binary part.
        v_c: loss per 10^6 saved operations, in 10^-6 dB.
        v_p: loss per 10^3 saved parameters, in 10^-3 dB.
    """

    part: str
    psnr_loss_db: float
    v_c: float
    v_p: float


def benefits(ablation: Ablation, psnr: Mapping[str, float]) -> list[Benefit]:
    """V_C and V_P of each part.

    As in Table 6, operations in 10^6, parameters in 10^3, and those of the upsampling without conv_hr. With
    its PSNR, and 28.60 dB for the full-precision network, this gives the V_C and V_P that Table 6 prints.
    """
    rule = CONVENTIONS["bbcu"]
    configs = {e.name: e.config for e in ablation.experiments}
    full = count(configs["full"])
    out = []
    for part in PARTS:
        binary = count(configs[part])
        ops = float(rule.ops(total(full)) - rule.ops(total(binary))) / 1e6
        params = float(rule.params(full[part]) - rule.params(binary[part])) / 1e3
        loss = psnr["full"] - psnr[part]
        out.append(Benefit(part, loss, 1e6 * loss / ops, 1e3 * loss / params))
    return out


def conclusions(ablation: Ablation, psnr: Mapping[str, float]) -> list[dict]:
    """The paper's conclusions and whether each holds here; none while a network is missing."""
    if len(psnr) < len(ablation.experiments):
        return []
    return [{"claim": claim, "holds": bool(test(psnr))} for claim, test in ablation.claims]


def report(what: str, ablation: Ablation, results: Sequence[Measured]) -> dict:
    """What was measured and what follows from it, JSON-able; on the first data set."""
    rows = [{"name": r.name, "iterations": r.iterations, "psnr_db": r.psnr_db} for r in results]
    drawn = next(iter(results[0].psnr_db))
    psnr = {r.name: r.psnr_db[drawn] for r in results}
    record = {"what": what, "title": ablation.title, "rows": rows, "paper_set": ablation.paper_set}
    record["conclusions"] = conclusions(ablation, psnr)
    if what == "parts" and record["conclusions"]:
        record["benefits"] = [asdict(b) for b in benefits(ablation, psnr)]
    return record


def to_text(record: dict) -> str:
    """Table, the paper's conclusions and, for parts, V_C and V_P."""
    sets = list(record["rows"][0]["psnr_db"])
    rows = [
        [r["name"], str(r["iterations"]), *(f"{r['psnr_db'][s]:.3f}" for s in sets)] for r in record["rows"]
    ]
    blocks = [record["title"], text_table(("network", "iterations", *sets), rows)]
    if found := record["conclusions"]:
        lines = [f"the paper's conclusions on {sets[0]}:"]
        lines += [f"  {'holds' if c['holds'] else 'does not hold'}: {c['claim']}" for c in found]
        blocks.append("\n".join(lines))
    if "benefits" in record:
        cells = [
            [b["part"], f"{b['psnr_loss_db']:.3f}", f"{b['v_c']:.2f}", f"{b['v_p']:.2f}"]
            for b in record["benefits"]
        ]
        blocks.append(text_table(("binary part", "loss dB", "V_C 1e-6", "V_P 1e-3"), cells))
    return "\n\n".join(blocks)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.ablate`."""
    parser = argparse.ArgumentParser(prog="quant.ablate", description="BBCU's ablations at a chosen budget.")
    add = parser.add_argument
    add("--what", required=True, choices=tuple(ABLATIONS), help="which one")
    add("--budget", default="2000", help="iterations per network, or minutes as 10m (default: %(default)s)")
    add("--scale", type=int, default=2, choices=(2, 3, 4), help="default: 2; the paper's are x4")
    add("--width", type=int, default=32, help="channels (default: 32; the paper's are 64)")
    add("--depth", type=int, default=8, help="convolutions of the body (default: 8; the paper's are 32)")
    add("--batch", type=int, default=8, help="patches per iteration (default: 8)")
    add("--patch", type=int, default=64, help="side of a patch (default: 64)")
    add("--lr", type=float, default=1e-3, help="learning rate (default: 1e-3)")
    add("--data", help=f"clean images to train on (default: $BITMEND_DATA/{TRAINING_SET})")
    add("--test", nargs="+", metavar="DIR", default=["Set5", "Set14"], help="the first one is drawn")
    add("--limit", type=int, metavar="N", help="images per test set")
    add("--folder", type=Path, help="of the runs (default: runs/ablate/WHAT-xSCALE-WIDTHxDEPTH)")
    add("--compile", action="store_true", help="torch.compile each network")
    add("--workers", type=int, default=0)
    add("--threads", type=int, help="CPU threads of torch")
    add("--publish", action="store_true", help="put figure and results into docs/ablations/")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Train, measure, draw, print."""
    for option in ("width", "depth", "batch", "patch"):
        if getattr(args, option) < 1:
            raise ConfigError(f"--{option} {getattr(args, option)}: expected at least 1")
    ablation = ABLATIONS[args.what](args.scale, args.width, args.depth)
    data = find_data(args.data, TRAINING_SET)
    sets = [find_data(name) for name in args.test]
    name = f"{args.what}-x{args.scale}-{args.width}x{args.depth}"
    folder = args.folder or Path("runs/ablate") / name
    training = TrainConfig(batch=args.batch, patch=args.patch, lr=args.lr, compile=args.compile)
    heaviest = max((e.config for e in ablation.experiments), key=lambda c: c.width)
    iterations = Budget.parse(args.budget).in_iterations(heaviest, training, folder)
    training = replace(training, iterations=iterations)
    results = run_all(
        ablation.experiments, training, data, folder, sets, limit=args.limit, workers=args.workers
    )
    record = report(args.what, ablation, results)
    record |= {"scale": args.scale, "width": args.width, "depth": args.depth, "data": data.name}
    record |= {"batch": args.batch, "patch": args.patch, "lr": args.lr}
    print(to_text(record))
    shown = panels(ablation, results, sets[0].name)
    draw(shown, folder / "figure.png")
    write_json(folder / "ablation.json", record)
    print(f"\nfigure: {folder / 'figure.png'}")
    if args.publish:
        draw(shown, PUBLISHED / f"{args.what}.png")
        write_json(PUBLISHED / f"{args.what}.json", record)
        print(f"published: {PUBLISHED / args.what}.json")


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        run(args)
    except (ConfigError, DataError, OSError) as error:
        print(f"quant.ablate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
