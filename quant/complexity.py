# SPDX-License-Identifier: BSD-3-Clause
"""Operations and parameters beside the printed ones: `python -m quant.complexity`.

Every row of the papers' tables whose network quant can build is counted on the network that is built, and
judged: "equal" to the printed digit, a known "misprint", or "different", which is an error of ours.
`--model NAME` counts one of the presets instead.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from quant.config import PRESETS, ConfigError, NetworkConfig, preset
from quant.counting import CONVENTIONS, ELEMENTS, SIZE, Convention, Count, convention, count, total
from quant.networks import Key
from quant.outputs import markdown_table, text_table, write_json, write_text
from quant.printed import PrintedRow, csv_rows, implemented, misprints, status, table6_rows

TITLES = {
    "bbcu_table1": "BBCU Table 1: super-resolution",
    "bbcu_table2": "BBCU Table 2: denoising",
    "bbcu_table3": "BBCU Table 3: JPEG deblocking",
    "bbcu_table4": "BBCU Table 4: the four units, x4",
    "bbcu_table6": "BBCU Table 6: one part of SRResNet x4 at a time",
    "attention_table1": "Attention Table 1: attention in the block, x2",
    "ebsr_table3": "EBSR Table 3: its modules, x4",
    "ebsr_table4": "EBSR Table 4: costs, x4",
}


def _giga(macs: int) -> str:
    """10^9, all digits."""
    return f"{Decimal(macs).scaleb(-9).normalize():f}"


def arithmetic(parts: Mapping[str, Count], names: Sequence[str], rule: Convention) -> str:
    """The operations of the parts as a sum, in 10^9, all digits."""
    terms = []
    for name in names:
        full, binary = rule.flops * parts[name].macs, rule.flops * parts[name].binary_macs
        terms += [f"{_giga(full)} ({name})"] if full else []
        terms += [f"{_giga(binary)}/{rule.binary} ({name})"] if binary else []
        single = {what: rule.on_elements(parts[name], what) for what in rule.elements}
        terms += [f"{_giga(ops)} ({name}: {ELEMENTS[what]})" for what, ops in single.items() if ops]
    result = f"{float(rule.ops(total(parts, names))) / 1e9:.10g} G"
    return f"{' + '.join(terms)} = {result}" if len(terms) > 1 else result


@dataclass(frozen=True)
class Comparison:
    """A printed row beside the count of its network.

    Attributes:
        row: what is printed.
        counted: the parts that the printed operations are of.
        ops: their operations as the paper counts them.
        params: parameters as the paper counts them, of the parts that the printed parameters are of.
        status: "equal", "misprint", "unexplained" or "different".
        note: the arithmetic where not equal, and what to know about the row.
    """

    row: PrintedRow
    counted: Count
    ops: Fraction
    params: Fraction
    status: str
    note: str

    def record(self) -> dict[str, object]:
        """JSON-able form; printed figures are None where nothing is printed."""
        row = self.row
        return {
            "table": row.table,
            "task": row.task,
            "method": row.method,
            "setting": row.setting,
            "ops_g": float(self.ops) / 1e9,
            "printed_ops_g": float(row.ops_g),
            "params_k": float(self.params) / 1e3,
            "printed_params_k": float(row.params_k) if row.params_k else None,
            "status": self.status,
            "note": self.note,
            "binary_bits": self.counted.binary_weights,
            "words": self.counted.words,
        }


def compare_row(row: PrintedRow, config: NetworkConfig) -> Comparison:
    """Count a row's network and judge it."""
    rule = convention(row.table)
    parts = count(config, *rule.size)
    names = list(row.ops_of or parts)
    counted = total(parts, names)
    ops, params = rule.ops(counted), rule.params(total(parts, row.params_of))
    verdict = status(row, ops, params)
    known = misprints().get(row.key)
    notes = [row.note] if row.note else []
    if verdict != "equal":
        notes.append(f"{arithmetic(parts, names, rule)}, printed {row.ops_g}")
    if verdict != "equal" and row.params_k and (verdict == "different" or known.params is not None):
        notes.append(f"{float(params) / 1e3:g} K parameters, printed {row.params_k}")
    notes += [known.note] if known and known.note else []
    return Comparison(row, counted, ops, params, verdict, "; ".join(notes))


def compare(
    networks: Mapping[Key, NetworkConfig] | None = None,
) -> tuple[list[Comparison], list[PrintedRow]]:
    """Compare all printed rows.

    Args:
        networks: the network of each row, by (table, method, setting); all that quant can build by default.

    Returns:
        (the comparison of each row that has a network, the rows that have none).
    """
    networks = implemented() if networks is None else networks
    rows = csv_rows() + table6_rows()
    return (
        [compare_row(row, networks[row.key]) for row in rows if row.key in networks],
        [row for row in rows if row.key not in networks],
    )


def missing_networks(rows: list[PrintedRow]) -> list[str]:
    """One line per table: how many of its rows have no network yet, and which methods these are."""
    lines = []
    for table in dict.fromkeys(row.table for row in rows):
        methods = [row.method for row in rows if row.table == table]
        lines.append(f"{table}: {len(methods)} rows ({', '.join(dict.fromkeys(methods))})")
    return lines


HEADINGS = ("method", "setting", "OPs G", "printed", "params K", "printed", "binary bits", "words", "status")


def _cells(c: Comparison) -> tuple[str, ...]:
    """A line of the table without method and setting."""
    digits = 6 if c.row.table == "bbcu_table6" else 4
    return (
        f"{float(c.ops) / 1e9:.{digits}f}",
        c.row.ops_g,
        f"{float(c.params) / 1e3:.3f}",
        c.row.params_k,
        f"{c.counted.binary_weights:,}",
        f"{c.counted.words:,}",
        c.status,
    )


def _folded(pairs: Iterable[tuple[str, Hashable]]) -> dict[Hashable, str]:
    """Names of equal things joined by commas, in order of first appearance."""
    names: dict[Hashable, list[str]] = {}
    for name, thing in pairs:
        names.setdefault(thing, []).append(name)
    return {thing: ", ".join(group) for thing, group in names.items()}


def _tables(comparisons: list[Comparison]) -> Iterator[tuple[str, list[list[str]], list[str]]]:
    """(title, rows, notes) of each printed table; rows and notes that differ in the setting only are one."""
    for table in TITLES:
        own = [c for c in comparisons if c.row.table == table]
        if not own:
            continue
        folded = _folded((c.row.setting, (c.row.method, _cells(c))) for c in own)
        notes = _folded((f"{c.row.method} {c.row.setting}", c.note) for c in own if c.note)
        rows = [[method, settings, *cells] for (method, cells), settings in folded.items()]
        yield TITLES[table], rows, [f"{names}: {note}" for note, names in notes.items()]


def summary(comparisons: list[Comparison]) -> str:
    """How many rows have which status."""
    states = [c.status for c in comparisons]
    return ", ".join(f"{states.count(s)} {s}" for s in ("equal", "misprint", "unexplained", "different"))


def to_text(comparisons: list[Comparison], missing: list[PrintedRow]) -> str:
    """What the command prints."""
    blocks = [
        "\n".join([title, text_table(HEADINGS, rows, left=2), *notes])
        for title, rows, notes in _tables(comparisons)
    ]
    if missing:
        blocks.append("\n".join(["not built yet:", *(f"  {line}" for line in missing_networks(missing))]))
    blocks.append(f"{len(comparisons)} rows: {summary(comparisons)}")
    return "\n\n".join(blocks)


def _convention(paper: str, name: str) -> str:
    text = f"- {paper}: {CONVENTIONS[name].note}."
    return textwrap.fill(text, 110, subsequent_indent="  ", break_on_hyphens=False)


PREFACE = f"""# Operations and parameters

Written by `make complexity ARGS='--markdown docs/complexity.md'`; a test compares. The counts are taken from
the networks that `quant` builds, run on torch's meta device, where each convolution reports its size: a wrong
topology would show here as `different`.

Every paper counts in its own way:

- BBCU (Sec. 4.1): input {SIZE[0]} x {SIZE[1]}, one multiply-accumulate of a convolution is one operation, a
  binary one counts 1/64, a binary parameter 1/32. Biases, RPReLU, alpha, the weight scale s and the base
  image count nothing.
{_convention("Attention", "attention")}
{_convention("EBSR", "ebsr")}

The last two papers name no profiler. The one named here gives their figures for the networks without the
paper's own modules: EDSR and BinEDSR; EDSR in two sizes, and E2FIF in two but for the last digit.

`equal` means equal in every printed digit; a `misprint` is shown with its arithmetic: the figure is not that
of the network described; `unexplained` is a figure above the count, of which neither the paper nor the
profiler says what is in it.

Real storage stands beside that: `binary bits` is one bit per binary weight; `words` are the numbers that a
float implementation must keep besides: full-precision weights, biases, alpha, s, gamma, beta, zeta, and BN's
four vectors. What the integers of a model take is printed by `python -m golden describe`.
"""


def to_markdown(comparisons: list[Comparison], missing: list[PrintedRow]) -> str:
    """docs/complexity.md."""
    blocks = [PREFACE, f"All {len(comparisons)} rows: {summary(comparisons)}.\n"]
    for title, rows, notes in _tables(comparisons):
        blocks += [f"## {title}\n", markdown_table(HEADINGS, rows, left=2) + "\n"]
        blocks += ["\n".join(f"- {note}" for note in notes) + "\n"] if notes else []
    own = _folded((name, _size_cells(total(count(PRESETS[name])))) for name in PRESETS if "nano" in name)
    rows = [[names, *cells] for cells, names in own.items()]
    blocks += ["## Our own networks\n", markdown_table(("preset", *SIZE_HEADINGS), rows) + "\n"]
    if missing:
        blocks.append("## Rows whose networks are not built yet\n")
        blocks += [f"- {line}" for line in missing_networks(missing)]
    return "\n".join(blocks) + "\n"


SIZE_HEADINGS = ("OPs G", "MACs G", "binary MACs G", "params K", "binary bits", "words")


def _size_cells(c: Count) -> tuple[str, ...]:
    giga = (f"{float(v) / 1e9:.4f}" for v in (c.ops, c.macs, c.binary_macs))
    return *giga, f"{float(c.params) / 1e3:.3f}", f"{c.binary_weights:,}", f"{c.words:,}"


def _print_model(name: str, width: int, height: int, json: Path | None) -> None:
    parts = count(preset(name), width, height)
    parts = {part: c for part, c in parts.items() if c.words or c.binary_weights}
    rows = [*parts.items(), ("all", total(parts))]
    print(f"{name}, input {width} x {height}")
    print(text_table(("part", *SIZE_HEADINGS), [[part, *_size_cells(c)] for part, c in rows]))
    if json:
        sizes = {
            part: {"ops_g": float(c.ops) / 1e9, "params_k": float(c.params) / 1e3, **vars(c)}
            for part, c in rows
        }
        write_json(json, {"model": name, "width": width, "height": height, "parts": sizes})


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not match:
        raise ConfigError(f"--size {text}: expected WIDTHxHEIGHT in pixels, such as 640x360")
    return int(match[1]), int(match[2])


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line of `python -m quant.complexity`."""
    parser = argparse.ArgumentParser(
        prog="quant.complexity", description="Operations and parameters beside the papers' printed ones."
    )
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="write the records")
    add("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    add("--model", metavar="NAME", help="count this preset (quant/config.py) instead of the papers' rows")
    add("--size", default="x".join(map(str, SIZE)), metavar="WxH", help="input size, with --model")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code: 0, 1 if a count differs from the printed one, 2 on bad input."""
    args = parse(argv)
    try:
        width, height = _size(args.size)
        if args.model:
            if args.markdown:
                raise ConfigError("--markdown writes the papers' rows: leave it out with --model")
            _print_model(args.model, width, height, args.json)
            return 0
        if (width, height) != SIZE:
            raise ConfigError(f"--size {args.size}: goes with --model; the papers' rows are for 320x180")
        comparisons, missing = compare()
        print(to_text(comparisons, missing))
        if args.json:
            write_json(args.json, [c.record() for c in comparisons])
        if args.markdown:
            write_text(args.markdown, to_markdown(comparisons, missing))
    except (ConfigError, OSError) as error:
        print(f"quant.complexity: {error}", file=sys.stderr)
        return 2
    return 1 if any(c.status == "different" for c in comparisons) else 0


if __name__ == "__main__":
    sys.exit(main())
