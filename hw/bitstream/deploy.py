# SPDX-License-Identifier: BSD-3-Clause
"""The folder for the board: bitstream, hardware description, network, driver, notebook; also as a zip."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

from golden import IntegerNetwork
from hw.bitstream import BitstreamError
from hw.bitstream.design import Design
from hw.bitstream.notebook import notebook
from hw.bitstream.steps import file_hash
from hw.files import write_text
from hw.modules import ROOT

_PACKAGES = ("host", "golden")
_ZIP_TIME = (2000, 1, 1, 0, 0, 0)
_README = Template("""\
# $name on $board

The network $name as a bitstream for $board, with the program that restores pictures on it. Content hash of
the network: $hash.

## Run it

Copy this folder to the board, for instance to `/home/xilinx/jupyter_notebooks/`, and as root:

```sh
sha256sum -c SHA256SUMS
python3 host/restore.py $photo restored.png --backend pynq
python3 host/restore.py $photo --backend pynq --throughput --metrics throughput_metrics.json
```

The first picture takes some seconds longer: the bitstream is loaded. `restore.ipynb` shows the same in
Jupyter, with the picture before and after. Any picture or folder of pictures will do, of any size.

Needs a PYNQ image of version 3 (Python 3.10, NumPy, Pillow; all of that is on it). On a workstation the same
command with `--backend golden` gives the same pixels without the board.

## What is in it

| file | |
|---|---|
| `$name.bit`, `$name.hwh` | for `pynq.Overlay`, by $flow, for $clock MHz ($fmax MHz by timing analysis) |
| `$name.json` | what the driver knows about the hardware |
| `$name.npz` | the network; the driver refuses a bitstream of another one |
| `host/`, `golden/` | the program and the integer model |
| `restore.ipynb` | the notebook |
| `SHA256SUMS` | checksums of all files |

If it does not answer: docs/board.md of the project goes through it step by step.
""")


def deploy(design: Design, bit: Path, report: Mapping[str, Any]) -> Path:
    """Write the folder and the zip.

    Args:
        bit: the .bit file; the .hwh lies beside it.
        report: content of bitstream.json.

    Returns:
        The zip.

    Raises:
        BitstreamError: the network of the build is missing or another one.
    """
    target = bit.parent / "deploy"
    new = bit.parent / ".deploy.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        _fill(new, design, bit, report)
        sums = [f"{file_hash(path)}  {path.relative_to(new).as_posix()}" for path in _files(new)]
        write_text(new / "SHA256SUMS", "\n".join(sums) + "\n")
        shutil.rmtree(target, ignore_errors=True)
        os.replace(new, target)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    archive = bit.with_suffix(".zip")
    _zip(target, archive, design.name)
    return archive


def _fill(folder: Path, design: Design, bit: Path, report: Mapping[str, Any]) -> None:
    for path in (bit, bit.with_suffix(".hwh")):
        shutil.copyfile(path, folder / path.name)
    model = design.build / "network.npz"
    network = IntegerNetwork.load(model)
    if network.content_hash != design.hash:
        raise BitstreamError(f"{model}: its content hash is not that of {design.name}; compile again")
    shutil.copyfile(model, folder / f"{design.name}.npz")
    description = {
        key: value for key, value in design.content.items() if key not in ("sources", "files_folder")
    }
    write_text(folder / f"{design.name}.json", json.dumps(description, indent=1) + "\n")
    for package in _PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    photo = _photo(folder)
    write_text(folder / "restore.ipynb", notebook(design.name, photo, design.board))
    values = {
        "name": design.name,
        "board": design.board,
        "hash": design.hash,
        "photo": photo,
        "flow": "Yosys, nextpnr and Project X-Ray" if report["flow"] == "open" else "Vivado",
        "clock": f"{report['clock_mhz']:.6g}",
        "fmax": f"{report['fmax_mhz']:.2f}",
    }
    write_text(folder / "README.md", _README.substitute(values))


def _photo(folder: Path) -> str:
    """Write a photo that is free to pass on, from scikit-image if that is there; return its name."""
    try:
        from skimage import data
    except ImportError:
        return "photo.jpg"
    top, left, height, width = 0, 96, 256, 320
    Image.fromarray(data.astronaut()[top : top + height, left : left + width]).save(folder / "photo.png")
    return "photo.png"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _zip(folder: Path, archive: Path, name: str) -> None:
    """Write the archive; equal files give an equal archive."""
    temporary = archive.with_name(f".{archive.name}")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
        for path in _files(folder):
            entry = zipfile.ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", _ZIP_TIME)
            entry.external_attr = 0o644 << 16
            file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    os.replace(temporary, archive)
