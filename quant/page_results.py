# SPDX-License-Identifier: BSD-3-Clause
"""Sections of docs/networks.md about what was measured: pictures, ablations, the cost of streaming.

Each reads what a command has published in docs/ and says nothing if there is nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from quant.outputs import markdown_table

COMPARISON = """## The same crops side by side

`python -m quant.comparison` draws them, for models, runs or a whole zoo. The captions have the PSNR of the
whole image. The benchmark images are for research only, so the pictures here show photos that come with
scikit-image and are free (`--publish`). Of Set14's ppt3, comic and zebra, and of text, stripes and faces in
the other sets, the command draws the same into build/comparison/:

```sh
python -m quant.comparison models/bbcu_nano_x2.npz --publish bbcu_nano_x2
python -m quant.comparison runs/zoo/bbcu_table1-x2-nano-paper --data Set14 Set5
python -m quant.comparison models/dncnn_nano_s25.npz --data CBSD68
python -m quant.comparison models/dncnn3_nano_q10.npz --data Classic5
```
"""

STREAMING = """## The cost of statistics of the frame before

Squeeze and excite and EBSR's channel-wise part need means over the whole image: two passes. One pass takes
the means of the frame or tile before ([numerics.md](numerics.md), "Statistics of the whole image").
`python -m quant.streaming` restores the same windows both ways, on the exported integers. `exact` is the PSNR
of two passes; the others are changes against it, and in brackets that of the image which loses most.

- initial: the running means of training, for ever.
- moving camera: the fourth frame of a scene that moves by so many pixels from frame to frame.
- tile before: the window goes through in tiles, each with the means of the one before.
- cut: the means of the image before in the data set, which shows something else: the worst case.

So short a training makes little use of the means; a network that was trained for long must be measured again.
"""


def records(folder: Path) -> list[dict]:
    """The JSON files of a folder by name, each with its name as "file"."""
    return [
        {**json.loads(path.read_text(encoding="utf-8")), "file": path.stem}
        for path in sorted(folder.glob("*.json"))
    ]


def _db(value: float | None) -> str:
    return "equal" if value is None else f"{value:.2f}"


def comparisons(docs: Path) -> Iterable[str]:
    """The pictures of docs/comparison/ with their figures."""
    found = records(docs / "comparison")
    yield COMPARISON
    for record in found:
        rows = record["rows"]
        labels = list(rows[0]["psnr_db"])
        credits = ", ".join(f"{r['image']} ({r['credit']})" for r in rows)
        cells = [
            [r["image"], _db(r["input_psnr_db"]), *(_db(r["psnr_db"][label]) for label in labels)]
            for r in rows
        ]
        steps = sorted(set(record["iterations"].values()))
        trained = f" Trained for {' to '.join(map(str, steps))} iterations." if steps else ""
        yield "\n".join(
            [
                f"### {record['title']}",
                "",
                f"![crops of {', '.join(r['image'] for r in rows)}](comparison/{record['file']}.png)",
                "",
                f"Input: {record['input']}. PSNR in dB on {record['convention']}.{trained} "
                f"Photos: {credits}.",
                "",
                markdown_table(("image", "input", *labels), cells),
                "",
            ]
        )


def ablations(docs: Path) -> Iterable[str]:
    """The ablations of docs/ablations/."""
    found = records(docs / "ablations")
    if found:
        yield (
            "## Ablations\n\n`make ablate` trains the networks of a table or figure at equal budget. The "
            "left side is the paper's, the right side ours.\n"
        )
    for record in found:
        rows = record["rows"]
        sets = list(rows[0]["psnr_db"])
        cells = [[r["name"], *(f"{r['psnr_db'][s]:.2f}" for s in sets)] for r in rows]
        held = [
            f"- {'holds' if c['holds'] else 'does not hold'}: {c['claim']}" for c in record["conclusions"]
        ]
        yield "\n".join(
            [
                f"### {record['title'][0].upper()}{record['title'][1:]}",
                "",
                f"![{record['title']}](ablations/{record['file']}.png)",
                "",
                f"x{record['scale']}, {record['width']} channels, {record['depth']} convolutions; "
                f"{rows[0]['iterations']} iterations each, batch {record['batch']}, patch {record['patch']}, "
                f"learning rate {record['lr']:g}, on {record['data']}, one run of each. The paper's networks "
                f"have 64 channels and 32 convolutions, x4, trained for long on DIV2K. PSNR in dB.",
                "",
                markdown_table(("network", *sets), cells),
                "",
                *_benefits(record),
                f"The paper's conclusions on {sets[0]}:",
                "",
                *held,
                "",
            ]
        )


def _benefits(record: dict) -> list[str]:
    """Table 6's V_C and V_P, where they were measured."""
    cells = [
        [b["part"], f"{b['psnr_loss_db']:.3f}", f"{b['v_c']:.2f}", f"{b['v_p']:.2f}"]
        for b in record.get("benefits", ())
    ]
    heads = ("binary part", "loss dB", "V_C 10^-6 dB", "V_P 10^-3 dB")
    return [markdown_table(heads, cells), ""] if cells else []


def streaming(docs: Path) -> Iterable[str]:
    """The table of docs/streaming.json."""
    path = docs / "streaming.json"
    if not path.exists():
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    ways = list(next(iter(found[0]["sets"].values())))
    names = [way["way"] for way in ways]
    cells = [
        [
            f"`{record['model']}`",
            str(record["means"]),
            f"{name} ({rows[0]['images']})",
            f"{rows[0]['psnr_db']:.2f}",
            *(f"{r['change_db']:+.3f} ({r['worst_db']:+.3f})" for r in rows[1:]),
        ]
        for record in found
        for name, rows in record["sets"].items()
    ]
    yield f"{STREAMING}\n{markdown_table(('network', 'means', 'set (images)', *names), cells)}\n"
    yield "\n".join([*(_conditions(record) for record in found), "", *_commands(found), ""])


def _conditions(record: dict) -> str:
    t = record["training"]
    return (
        f"- `{record['model']}`: {t['iterations']} iterations, batch {t['batch']}, patch {t['patch']}, "
        f"learning rate {t['lr']:g}, on {t['data']}; windows of {record['window']} x {record['window']} "
        f"pixels of the input, tiles of {record['tile']}. Input: {record['input']}. PSNR in dB on "
        f"{record['convention']}."
    )


def _commands(found: list[dict]) -> list[str]:
    record = found[0]
    t, name = record["training"], record["model"]
    limit = f" --limit {record['limit']}" if record["limit"] else ""
    return [
        "```sh",
        f"python -m quant.train --model {name} --iterations {t['iterations']} --batch {t['batch']} "
        f"--patch {t['patch']} --lr {t['lr']:g} --no-compile",
        f"python -m quant.export --folder runs/{name} --out build/{name}.npz",
        f"python -m quant.streaming --model build/{name}.npz --data {' '.join(record['sets'])}"
        f"{limit} --publish docs/streaming.json --trained-on {t['data']}",
        "```",
    ]
