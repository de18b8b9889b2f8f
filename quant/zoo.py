# SPDX-License-Identifier: BSD-3-Clause
"""The methods of a printed table at equal budget: `python -m quant.zoo --table bbcu_table1 --budget 20000`.

Every method is trained for the same iterations on the same patches, and its PSNR stands beside the printed
one. The claim to check is the order of the methods: for each pair, whether the one that the paper prints as
better is better here. docs/networks.md shows what was published with --publish.
"""

from __future__ import annotations

import argparse
import csv
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import torch

from quant.config import ConfigError, NetworkConfig, preset
from quant.experiments import Budget, Experiment, Measured, run_all
from quant.images import DataError, find_data
from quant.networks import FAMILIES, Key
from quant.outputs import publish_record, text_table, write_json
from quant.printed import TABLES
from quant.scoring import REPORTED_SETS
from quant.train import TRAINING_SET, TrainConfig

SIZES = ("nano", "paper")
NANO_WIDTH, NANO_DEPTH = 32, 8
SETTINGS = {"bbcu_table1": "x2", "bbcu_table2": "sigma25", "bbcu_table3": "q10", "bbcu_table4": "x4"}
RECORD_KEY = ("table", "setting", "size", "mode")
"""A published record takes the place of the one with the same."""
PAPER_TRAINING = {
    "sr": TrainConfig(300_000, 16, 128, 1e-4, "step", 0),
    "denoise": TrainConfig(300_000, 32, 64, 1e-4, "step", 0),
    "deblock": TrainConfig(300_000, 32, 64, 1e-4, "step", 0),
}


def nano(config: NetworkConfig) -> NetworkConfig:
    """The same kind of network with 32 instead of 64 channels and 8 body convolutions; Lite shrinks along."""
    width = max(1, NANO_WIDTH * config.width // (256 if config.width == 256 else 64))
    return replace(config, width=width, depth=NANO_DEPTH)


def methods(table: str, setting: str) -> dict[str, NetworkConfig]:
    """The networks of a printed table's setting, by method, in the paper's order.

    Raises:
        ConfigError: no such table or setting.
    """
    rows = {key: config for family in FAMILIES.values() for key, config in family.rows.items()}
    order = dict.fromkeys(key for key in printed_psnr() if key[0] == table and key[2] == setting)
    found = {key[1]: rows[key] for key in order if key in rows}
    if not found:
        known = sorted({(key[0], key[2]) for key in rows})
        listed = ", ".join(f"{t} {s}" for t, s in known)
        raise ConfigError(f"--table {table} --setting {setting}: no such networks; known are {listed}")
    return found


def without_twins(configs: Mapping[str, NetworkConfig]) -> dict[str, NetworkConfig]:
    """The networks without those that are another's twin at this size, as EBSR is EBSR-light's at nano."""
    kept: dict[str, NetworkConfig] = {}
    for method, config in configs.items():
        twin = next((m for m, c in kept.items() if c == config), None)
        if twin is None:
            kept[method] = config
        else:
            print(f"{method}: left out, at this size the same network as {twin}")
    return kept


def printed_psnr() -> dict[Key, dict[str, float]]:
    """PSNR in dB by row and data set, in the order of paper_tables.csv."""
    out: dict[Key, dict[str, float]] = {}
    with open(TABLES, newline="", encoding="utf-8") as file:
        for r in csv.DictReader(file):
            out.setdefault((r["table"], r["method"], r["setting"]), {})[r["dataset"]] = float(r["psnr_db"])
    return out


def folder_name(method: str) -> str:
    """The folder of a method's run."""
    return "".join(c if c.isalnum() else "_" for c in method).lower()


def in_mode(config: NetworkConfig, mode: str) -> NetworkConfig:
    """The network in hardware mode if that is asked for and it has one, else in paper mode."""
    wanted = replace(config, mode="paper")
    if mode == "hardware":
        with suppress(ConfigError):  # which says why there are no integers
            wanted = replace(config, mode="hardware")
    return wanted


@dataclass(frozen=True)
class Pair:
    """Two methods: the paper's difference in dB (never negative) and ours, of the first over the second."""

    better: str
    worse: str
    paper_db: float
    ours_db: float

    @property
    def holds(self) -> bool:
        """Whether the order is the paper's; what the paper prints as equal holds."""
        return self.paper_db == 0 or self.ours_db > 0


def pairs(paper: Mapping[str, float], ours: Mapping[str, float]) -> list[Pair]:
    """All pairs of methods that have both figures, largest difference in the paper first."""
    both = [name for name in paper if name in ours]
    out = []
    for a, b in combinations(both, 2):
        if paper[a] < paper[b]:
            a, b = b, a
        out.append(Pair(a, b, round(paper[a] - paper[b], 3), round(ours[a] - ours[b], 3)))
    return sorted(out, key=lambda p: -p.paper_db)


def order_lines(found: Sequence[Pair]) -> list[str]:
    """How many pairs have the paper's order, and which have not."""
    good = sum(p.holds for p in found)
    lines = [f"order of the methods: {good} of {len(found)} pairs are as in the paper"]
    return lines + [
        f"  not: {p.better} over {p.worse}: paper {p.paper_db:+.2f} dB, here {p.ours_db:+.2f} dB"
        for p in found
        if not p.holds
    ]


def report(table: str, setting: str, results: Sequence[Measured], names: Mapping[str, str]) -> dict:
    """Everything about a zoo, JSON-able; `names` is the method of each experiment, or a preset's name."""
    paper = printed_psnr()
    rows = [
        {
            "method": names[r.name],
            "iterations": r.iterations,
            "psnr_db": r.psnr_db,
            "input_psnr_db": r.input_psnr_db,
            "printed_psnr_db": paper.get((table, names[r.name], setting), {}),
        }
        for r in results
    ]
    return {"table": table, "setting": setting, "rows": rows}


def compared_set(record: dict) -> tuple[str, str]:
    """The first data set that both have: (its name in our figures, in the paper's)."""
    level = "".join(c for c in record["setting"] if c.isdigit())
    for ours in record["rows"][0]["psnr_db"]:
        name, _, at = ours.partition(" ")
        if (not at or at == level) and name in record["rows"][0]["printed_psnr_db"]:
            return ours, name
    raise ConfigError(f"{record['table']}: none of our test sets is in the paper's table")


def pairs_of(record: dict) -> list[Pair]:
    """The pairs of a report, on its first common data set."""
    ours, paper = compared_set(record)
    return pairs(
        {r["method"]: r["printed_psnr_db"][paper] for r in record["rows"] if r["printed_psnr_db"]},
        {r["method"]: r["psnr_db"][ours] for r in record["rows"]},
    )


def printed_cell(row: dict, paper: str) -> str:
    """The paper's PSNR of a row of a report on its data set `paper`; "" where it prints none."""
    return f"{row['printed_psnr_db'][paper]:.2f}" if row["printed_psnr_db"] else ""


def to_text(record: dict) -> str:
    """What the command prints."""
    sets = list(record["rows"][0]["psnr_db"])
    _, common = compared_set(record)
    headings = ("method", "iterations", *sets, f"paper: {common}")
    cells = [
        [
            r["method"],
            str(r["iterations"]),
            *(f"{r['psnr_db'][s]:.2f}" for s in sets),
            printed_cell(r, common),
        ]
        for r in record["rows"]
    ]
    first = record["rows"][0]["input_psnr_db"]
    cells.append(["input", "", *(f"{first[s]:.2f}" for s in sets), ""])
    return "\n".join([text_table(headings, cells), "", *order_lines(pairs_of(record))])


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.zoo`."""
    parser = argparse.ArgumentParser(prog="quant.zoo", description="A printed table's methods, equal budget.")
    add = parser.add_argument
    add("--table", default="bbcu_table1", help="of paper_tables.csv (default: %(default)s)")
    add("--setting", help="such as x2, sigma25, q10 (default: the table's)")
    add("--methods", nargs="+", metavar="NAME", help="only these, as printed (default: all of the table)")
    add("--also", nargs="+", metavar="PRESET", default=(), help="train these too; the table has no such row")
    add("--budget", default="2000", help="iterations per network, or minutes as 10m (default: %(default)s)")
    add("--size", choices=SIZES, default="nano", help="nano: 32 channels, 8 convolutions (default)")
    add("--mode", choices=("paper", "hardware"), default="paper", help="hardware: where a network has it")
    add("--data", help=f"clean images to train on (default: $BITMEND_DATA/{TRAINING_SET})")
    add("--test", nargs="+", metavar="DIR", help="folders of clean images (default: by task)")
    add("--limit", type=int, metavar="N", help="images per test set")
    add("--folder", type=Path, help="of the runs (default: runs/zoo/TABLE-SETTING-SIZE-MODE)")
    add("--batch", type=int, help="patches per iteration (default: 8; the paper's with --size paper)")
    add("--patch", type=int, help="side of a patch (default: 64; the paper's with --size paper)")
    add("--lr", type=float, help="learning rate (default: 1e-3; the paper's with --size paper)")
    add("--compile", action="store_true", help="torch.compile each network (worth it from some minutes on)")
    add("--workers", type=int, default=0)
    add("--threads", type=int, help="CPU threads of torch")
    add("--publish", type=Path, metavar="JSON", help="add the result to this file (docs/zoo.json)")
    return parser.parse_args(argv)


def training_of(args: argparse.Namespace, task: str) -> TrainConfig:
    """Training settings from the size's defaults and the command line; iterations come from the budget."""
    base = PAPER_TRAINING[task] if args.size == "paper" else TrainConfig(batch=8, patch=64, lr=1e-3)
    given = {name: getattr(args, name) for name in ("batch", "patch", "lr") if getattr(args, name)}
    precision = "bf16" if args.size == "paper" and torch.cuda.is_available() else "auto"
    return replace(base, **given, compile=args.compile, precision=precision)


def run(args: argparse.Namespace) -> dict:
    """Train and measure; the report with its conditions."""
    setting = args.setting or SETTINGS.get(args.table, "x2")
    networks = methods(args.table, setting)
    unknown = set(args.methods or ()) - set(networks)
    if unknown:
        raise ConfigError(f"--methods {' '.join(sorted(unknown))}: known are {', '.join(networks)}")
    networks = {m: c for m, c in networks.items() if not args.methods or m in args.methods}
    networks |= {name: preset(name) for name in args.also}
    shrink = nano if args.size == "nano" else (lambda config: config)
    configs = without_twins({m: in_mode(shrink(c), args.mode) for m, c in networks.items()})
    task = next(iter(configs.values())).task
    data = find_data(args.data, TRAINING_SET)
    sets = [find_data(name) for name in args.test or REPORTED_SETS[task]]
    folder = args.folder or Path("runs/zoo") / f"{args.table}-{setting}-{args.size}-{args.mode}"
    training = training_of(args, task)
    budget = Budget.parse(args.budget).in_iterations(list(configs.values())[-1], training, folder)
    training = replace(training, iterations=budget)
    names = {folder_name(method): method for method in configs}
    experiments = [Experiment(name, configs[method]) for name, method in names.items()]
    results = run_all(experiments, training, data, folder, sets, limit=args.limit, workers=args.workers)
    record = report(args.table, setting, results, names)
    conditions = {"iterations": budget, "batch": training.batch, "patch": training.patch, "lr": training.lr}
    record |= {"size": args.size, "mode": args.mode, "data": data.name, "training": conditions}
    write_json(folder / "zoo.json", record)
    return record


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = parse(argv)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        record = run(args)
        print(to_text(record))
        if args.publish:
            publish_record(args.publish, record, RECORD_KEY)
    except (ConfigError, DataError, OSError) as error:
        print(f"quant.zoo: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
