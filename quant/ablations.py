# SPDX-License-Identifier: BSD-3-Clause
"""BBCU's ablations as lists of networks, and what the paper prints or says about each (Sec. 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from quant.config import PARTS, UNITS, NetworkConfig
from quant.experiments import Experiment, Measured
from quant.figures import Line, Panel


@dataclass(frozen=True)
class Series:
    """A curve of an ablation: its name and the experiment at each tick, None where there is none."""

    name: str
    experiments: Sequence[str | None]


@dataclass(frozen=True)
class Ablation:
    """One table or figure of the paper.

    Attributes:
        title: what it is, and where in the paper.
        horizontal: what its ticks are.
        ticks: their labels.
        experiments: the networks to train.
        series: which experiment is at which tick of which curve.
        paper: the paper's values, curve by curve, None where the paper prints no number.
        paper_set: the data set of the paper's values.
        claims: what the paper concludes: a sentence, and its test on our PSNR by experiment.
    """

    title: str
    horizontal: str
    ticks: Sequence[str]
    experiments: Sequence[Experiment]
    series: Sequence[Series]
    paper: Sequence[Line]
    paper_set: str
    claims: Sequence[tuple[str, Callable[[Mapping[str, float]], bool]]] = field(default_factory=tuple)


def _base(scale: int, width: int, depth: int) -> NetworkConfig:
    """BBCU-L in paper mode: the body alone is binary."""
    return NetworkConfig(scale=scale, width=width, depth=depth, binary=("body",), mode="paper")


def _divisors(depth: int) -> list[int]:
    return [n for n in (1, 2, 4, 8, 16, 32, 64) if depth % n == 0]


def residual(scale: int, width: int, depth: int) -> Ablation:
    """Figure 5: convolutions per residual connection, full precision and binary."""
    base, steps = _base(scale, width, depth), _divisors(depth)
    experiments = [
        Experiment(f"{name}_{n}", replace(base, binary=binary, residual=n))
        for name, binary in (("full", ()), ("binary", ("body",)))
        for n in steps
    ]
    paper = (  # Urban100 x4; the other points are only drawn: these two are the networks of Table 1
        Line("full precision", [26.11 if n == 2 else None for n in steps]),
        Line("binary", [25.62 if n == 1 else None for n in steps]),
    )

    def best(kind: str, psnr: Mapping[str, float]) -> int:
        return max(steps, key=lambda n: psnr[f"{kind}_{n}"])

    def drop(kind: str, psnr: Mapping[str, float]) -> float:
        values = [psnr[f"{kind}_{n}"] for n in steps]
        return max(values) - values[-1]

    return Ablation(
        "convolutions with one residual connection (BBCU Fig. 5)",
        "convolutions",
        [str(n) for n in steps],
        experiments,
        [Series(name, [f"{key}_{n}" for n in steps]) for name, key in
         (("full precision", "full"), ("binary", "binary"))],
        paper,
        "Urban100",
        (
            ("full precision is best with 2", lambda psnr: best("full", psnr) == 2),
            ("binary is best with 1", lambda psnr: best("binary", psnr) == 1),
            ("binary suffers less from the longest", lambda psnr: drop("binary", psnr) < drop("full", psnr)),
        ),
    )  # fmt: skip


def broken_skips(scale: int, width: int, depth: int) -> Ablation:
    """Table 5: one unit without residual connection. The paper prints 10 twice; we read 10 and 15."""
    printed = {1: 25.43, 5: 25.44, 10: 25.11, 15: 25.46, 20: 25.40, 25: 25.44}
    positions = {max(1, min(depth, round(p * depth / 32))): p for p in printed}
    experiments = [Experiment(f"at_{n}", replace(_base(scale, width, depth), broken=(n,))) for n in positions]
    experiments.append(Experiment("none", _base(scale, width, depth)))
    names = [e.name for e in experiments]
    return Ablation(
        "one broken residual connection (BBCU Table 5)",
        f"its position of {depth} (the paper's of 32: {', '.join(map(str, positions.values()))})",
        [*(str(n) for n in positions), "none"],
        experiments,
        [Series("binary", names)],
        (Line("binary", [*(printed[p] for p in positions.values()), 25.62]),),
        "Urban100",
        (
            (
                "a broken connection is worse at any position",
                lambda psnr: all(psnr[name] < psnr["none"] for name in names[:-1]),
            ),
        ),
    )


FACTORS = (1, 30, 65, 130, 260, 520)


def amplification(scale: int, width: int, depth: int) -> Ablation:
    """Figure 6: the amplification factor against channels; the paper's best is k = 130 n / 64."""
    widths = (max(1, width // 2), width, 2 * width)
    experiments = [
        Experiment(f"w{w}_k{k}", replace(_base(scale, w, depth), amplification=float(k)))
        for w in widths
        for k in FACTORS
    ]

    def peak(psnr: Mapping[str, float], w: int) -> float:
        return max(FACTORS, key=lambda k: psnr[f"w{w}_k{k}"])

    def near(psnr: Mapping[str, float], w: int) -> bool:
        return 0.5 <= peak(psnr, w) / (130 * w / 64) <= 2

    names = [f"{w} channels, best k by the rule {130 * w / 64:g}" for w in widths]
    return Ablation(
        "amplification factor and channels (BBCU Fig. 6)",
        "k",
        [str(k) for k in FACTORS],
        experiments,
        [Series(n, [f"w{w}_k{k}" for k in FACTORS]) for n, w in zip(names, widths, strict=True)],
        (Line("64 channels", [25.62 if k == 130 else None for k in FACTORS]),),
        "Urban100",
        tuple(
            (f"with {w} channels the best k is within twofold of 130 n / 64", lambda psnr, w=w: near(psnr, w))
            for w in widths
        ),
    )


def units(scale: int, width: int, depth: int) -> Ablation:
    """Table 4: the four versions of the unit."""
    experiments = [Experiment(unit, replace(_base(scale, width, depth), unit=unit)) for unit in UNITS]
    order = ("v2", "v1", "v3", "v4")
    return Ablation(
        "the four units (BBCU Table 4)",
        "unit",
        [unit.upper() for unit in UNITS],
        experiments,
        [Series("binary", list(UNITS))],
        (Line("binary", [31.54, 31.37, 31.71, 31.79]),),
        "Set5",
        tuple(
            (f"{b.upper()} is better than {a.upper()}", lambda psnr, a=a, b=b: psnr[b] > psnr[a])
            for a, b in pairwise(order)
        ),
    )


PAPER_PARTS = {"head": 28.58, "body": 28.38, "upsampling": 28.59, "tail": 27.76}
PAPER_FULL = 28.60  # SRResNet x4 on Set14, Table 1; Table 6 does not name its set


def parts(scale: int, width: int, depth: int) -> Ablation:
    """Table 6: one part binary at a time; `quant.ablate` adds V_C and V_P."""
    base = replace(_base(scale, width, depth), binary=())
    experiments = [Experiment("full", base)]
    experiments += [Experiment(part, replace(base, binary=(part,))) for part in PARTS]
    names = [e.name for e in experiments]
    return Ablation(
        "one binary part at a time (BBCU Table 6)",
        "binary part",
        ["none", *PARTS],
        experiments,
        [Series("SRResNet", names)],
        (Line("SRResNet", [PAPER_FULL, *PAPER_PARTS.values()]),),
        "Set14",
        (
            ("the tail loses most", lambda psnr: min(PARTS, key=lambda p: psnr[p]) == "tail"),
            ("the upsampling loses least", lambda psnr: max(PARTS, key=lambda p: psnr[p]) == "upsampling"),
        ),
    )


ABLATIONS: dict[str, Callable[[int, int, int], Ablation]] = {
    "residual": residual,
    "broken-skips": broken_skips,
    "amplification": amplification,
    "units": units,
    "parts": parts,
}


def panels(ablation: Ablation, results: Sequence[Measured], data_set: str) -> tuple[Panel, Panel]:
    """(the paper's diagram, ours on that data set)."""
    psnr = {r.name: r.psnr_db[data_set] for r in results}
    iterations = max((r.iterations for r in results), default=0)
    ours = [
        Line(series.name, [None if name is None else psnr.get(name) for name in series.experiments])
        for series in ablation.series
    ]
    printed = sum(v is not None for line in ablation.paper for v in line.values)
    missing = sum(len(line.values) for line in ablation.paper) - printed
    note = "points that the paper prints; others are only drawn there" if missing else ""
    paper_title = f"paper, {ablation.paper_set} x4"
    return (
        Panel(paper_title, ablation.horizontal, ablation.ticks, ablation.paper, note),
        Panel(f"here, {data_set}, {iterations} iterations", ablation.horizontal, ablation.ticks, ours),
    )
