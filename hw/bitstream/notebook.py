# SPDX-License-Identifier: BSD-3-Clause
"""The Jupyter notebook of a deploy folder: the picture before and after, and how fast it is."""

from __future__ import annotations

import json
from string import Template

_CELLS: tuple[tuple[str, str], ...] = (
    (
        "markdown",
        """\
# $name on $board

Takes a good photo, makes it bad the way the network was trained for (smaller, noisy, or JPEG), restores it in
the programmable logic, and shows all three. Put the name of a photo of yours into the next cell, or leave it.
Run as root, as the notebooks on the board do.""",
    ),
    (
        "code",
        """\
import json
import subprocess
import sys

import numpy as np
from IPython.display import display
from PIL import Image

from golden import IntegerNetwork
from host.degrade import clean_image, degradation, degrade, psnr

PHOTO = "$photo"
MODEL = "$name.npz"
BACKEND = "pynq"  # "golden" gives the same pixels without the board, slowly


def restore(*arguments):
    command = [sys.executable, "host/restore.py", *arguments, "--model", MODEL, "--backend", BACKEND]
    result = subprocess.run(command, capture_output=True, text=True)
    print(result.stdout + result.stderr)
    if result.returncode:
        raise RuntimeError("restore.py failed: see above")""",
    ),
    (
        "code",
        """\
network = IntegerNetwork.load(MODEL)
good = clean_image(np.asarray(Image.open(PHOTO).convert("RGB")), network)
Image.fromarray(degrade(good, network).squeeze()).save("before.png")
print(degradation(network))
restore("before.png", "after.png")""",
    ),
    ("markdown", "Before, after, and the photo that it was made of."),
    (
        "code",
        """\
after = Image.open("after.png")
before = Image.open("before.png").resize(after.size, Image.BICUBIC)
photo = Image.fromarray(good.squeeze())
width, height = after.size
side = min(width, height, 96)
box = ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2)
middle = Image.new(photo.mode, (3 * (3 * side + 8), 3 * side), "white")
for index, picture in enumerate((before, after, photo)):
    part = picture.crop(box).resize((3 * side, 3 * side), Image.NEAREST)
    middle.paste(part, (index * (3 * side + 8), 0))
for picture in (before, after, middle):
    display(picture)
for name, picture in (("before", before), ("after", after)):
    pixels = np.asarray(picture).reshape(good.shape)
    print(f"PSNR {name}: {psnr(pixels, good, network):.2f} dB")""",
    ),
    (
        "markdown",
        """\
Throughput: restores the picture repeatedly, writes no picture, and measures frames per second and the share
of time in logic, transfer and Python. The numbers are also in `throughput_metrics.json`.""",
    ),
    (
        "code",
        """\
restore("before.png", "--throughput", "--metrics", "throughput_metrics.json")
with open("throughput_metrics.json") as file:
    metrics = json.load(file)
print(json.dumps(metrics, indent=1))""",
    ),
)


def notebook(name: str, photo: str, board: str) -> str:
    """Return the notebook as JSON of format 4.5.

    Args:
        name: of the network and of its files.
        photo: picture that is restored.
        board: for the title.
    """
    cells = []
    for index, (kind, source) in enumerate(_CELLS):
        text = Template(source).substitute(name=name, photo=photo, board=board)
        cell = {
            "cell_type": kind,
            "id": f"cell-{index}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1) + "\n"
