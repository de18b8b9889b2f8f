# SPDX-License-Identifier: BSD-3-Clause
"""Restore a real photo and show the result: pictures, a table and a page. python -m host.demo --help."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL

from golden import IntegerNetwork
from golden.summary import layer_cost
from host import RestoreError
from host.backend import Options
from host.backend_golden import ENGINES
from host.backends import open_backend
from host.degrade import clean_image, degradation, degrade
from host.demo_page import Headline, Row, Section, cells, facts_table, results_table, write_page
from host.demo_photo import Photo, interesting_parts, load_photo
from host.demo_rtl import rtl_stage
from host.demo_stages import Demo, baseline_stage, golden_stage, save
from host.restore import BAD_INPUT, DEFAULT_MODEL, INTERRUPTED, OK, load_model

_ROOT = Path(__file__).resolve().parent.parent
_TASKS = {"sr": "super-resolution x{}", "denoise": "colour denoising", "deblock": "JPEG deblocking"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return its exit code: 0, 2 after bad input, 130 if interrupted."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except RestoreError as error:
        print(f"demo: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"demo: {error.filename or options.out}: cannot be written: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return INTERRUPTED
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m host.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/demo"), help="folder to write (build/demo)")
    parser.add_argument("--photo", type=Path, help="a photo of yours (default: scikit-image's astronaut)")
    parser.add_argument(
        "--model", type=Path, default=DEFAULT_MODEL, help="the network (models/bbcu_nano_x2.npz)"
    )
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="of the golden model (auto)")
    parser.add_argument(
        "--build", type=Path, help="a compiled design: the demo ends with the photo through its simulation"
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    network = load_model(options.model)
    photo = load_photo(options.photo)
    clean = clean_image(photo.pixels, network)
    demo = Demo(
        out=options.out,
        network=network,
        clean=clean,
        degraded=degrade(clean, network),
        parts=interesting_parts(photo, clean, network.scale),
    )
    demo.out.mkdir(parents=True, exist_ok=True)
    save(demo.out / "original.png", demo.clean)
    save(demo.out / "input.png", demo.degraded)
    with open_backend("golden", network, Options(engine=options.engine)) as backend:
        print(f"network  {_name(network)}: {_task(network)}, hash {network.content_hash[:16]}")
        print(f"photo    {photo.title} ({photo.credit}), {clean.shape[1]} x {clean.shape[0]}")
        print(f"input    {degradation(network)}, restored on the {backend.description}\n", flush=True)
        demo.facts.update(_facts(demo, photo))
        baseline = baseline_stage(demo)
        restored = golden_stage(demo, backend, baseline)
    simulated = ""
    if options.build is not None:
        with open_backend("sim", network, Options(build=options.build)) as backend:
            print(f"hardware {backend.description}\n", flush=True)
            simulated = rtl_stage(demo, backend)
    _write_page(demo, restored, options)
    print(_table(demo))
    if simulated:
        print(f"\n{simulated}")
    print(f"\n1-bit multiply-accumulates: {_binary_share(network)} of all")
    print(f"pictures and page: {demo.out / 'index.html'}")


def _write_page(demo: Demo, restored: Row, options: argparse.Namespace) -> None:
    network, first = demo.network, demo.rows[0]
    psnr, gain, seconds = cells(restored, first)
    headlines = [
        Headline(gain, f"over {'the ' if first.method == 'input' else ''}{first.method}"),
        Headline(psnr, "PSNR against the original"),
        Headline(_binary_share(network), "of multiply-accumulates are 1-bit"),
        Headline(seconds, f"{demo.degraded.shape[1]} x {demo.degraded.shape[0]} pixels on this CPU"),
    ]
    lead = (
        f"A photo after {degradation(network)}, restored by {_name(network)}. The convolutions in the body "
        "of this network multiply nothing: they compare bits (XNOR) and count them. All arithmetic is on "
        "integers, so every machine gets these pixels, bit for bit."
    )
    tables = [
        Section("Numbers", results_table(demo.rows)),
        Section("What was run", facts_table(demo.facts)),
        Section("Do it yourself", _commands(demo, options)),
    ]
    task = _task(network)
    title = f"{task[0].upper()}{task[1:]} with 1-bit convolutions"
    write_page(demo.out / "index.html", title, lead, headlines, [*demo.sections, *tables])


def _facts(demo: Demo, photo: Photo) -> dict[str, str]:
    network = demo.network
    binary, int8, bits = _costs(network, *demo.degraded.shape[:2])
    measure = {"sr": f"Y of BT.601, {network.scale} border pixels cropped"}.get(network.task, "all pixels")
    return {
        "Network": f"{_name(network)}, {_task(network)}, {bits / 8192:.1f} KiB of constants",
        "Content hash": network.content_hash,
        "Multiply-accumulates": f"{binary:,} of 1 bit, {int8:,} of 8 bits for this image",
        "Photo": f"{photo.title}. {photo.credit}. {demo.clean.shape[1]} x {demo.clean.shape[0]} pixels",
        "Degradation": degradation(network),
        "PSNR": f"peak 255, {measure}",
        "Software": f"Python {platform.python_version()}, NumPy {np.__version__}, Pillow {PIL.__version__}",
    }


def _costs(network: IntegerNetwork, height: int, width: int) -> tuple[int, int, int]:
    """Return 1-bit and 8-bit multiply-accumulates for one image, and the bits of all constants."""
    costs = [layer_cost(network, layer, height, width) for layer in network.layers]
    return (
        sum(cost.binary_macs for cost in costs),
        sum(cost.int8_macs for cost in costs),
        sum(cost.storage for cost in costs),
    )


def _binary_share(network: IntegerNetwork) -> str:
    binary, int8, _ = _costs(network, 1, 1)
    return f"{100 * binary / max(binary + int8, 1):.1f} %"


def _commands(demo: Demo, options: argparse.Namespace) -> str:
    model = options.model.resolve()
    model = model.relative_to(_ROOT) if model.is_relative_to(_ROOT) else model.name
    photo = f" --photo {options.photo.name}" if options.photo else ""
    return (
        "<p>In a checkout of bitmend, this page is made again by the first line; the second one restores a "
        "picture of yours.</p>"
        f"<pre>.venv/bin/python -m host.demo --model {model}{photo}\n"
        f".venv/bin/python host/restore.py photo.jpg restored.png --model {model} --compare</pre>"
        "<p>Beside this page lie original.png, input.png, restored.png, the side-by-side compare.png and the "
        "magnified parts.png.</p>"
    )


def _name(network: IntegerNetwork) -> str:
    return str(network.meta.get("name") or "a network without a name")


def _task(network: IntegerNetwork) -> str:
    return _TASKS[network.task].format(network.scale)


def _table(demo: Demo) -> str:
    """Return the table of results as text."""
    lines = [("", "PSNR", "gain", "time", "")]
    lines += [(row.method, *cells(row, demo.rows[0]), row.note) for row in demo.rows]
    method, *numbers = ([len(max(column, key=len)) for column in zip(*lines, strict=True)])[:-1]
    return "\n".join(
        "  ".join((line[0].ljust(method), *map(str.rjust, line[1:-1], numbers), line[-1])).rstrip()
        for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
