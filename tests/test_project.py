# SPDX-License-Identifier: BSD-3-Clause
"""The house itself: who may import whom, licence lines, and a README that names only what exists."""

import ast
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("golden", "quant", "hw", "sim", "host")
FORBIDDEN = {
    "golden": {"quant", "hw", "sim", "host", "torch", "brevitas", "PIL", "scipy", "skimage"},
    "quant": {"hw", "sim", "host"},
    "hw": {"quant", "host", "torch", "brevitas"},
    "sim": {"quant", "host", "torch", "brevitas"},
    "host": {"quant", "hw", "torch", "brevitas"},
}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Top-level names of all modules that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_rooms(room):
    files = sources(room)
    assert files
    wrong = {str(p.relative_to(ROOT)): sorted(imports(p) & FORBIDDEN[room]) for p in files}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_every_source_file_has_a_licence_line():
    missing = [
        str(p.relative_to(ROOT))
        for room in (*ROOMS, "tests")
        for p in sources(room)
        if not p.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: BSD-3-Clause\n")
    ]
    assert missing == []


def test_every_test_file_has_a_name_of_its_own():
    # Without packages, pytest imports two files of one name as one module, but only when both are collected.
    names = Counter(p.name for p in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_and_make_targets_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (folder / link).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)\b", text, re.MULTILINE)) - targets == set()


def test_make_help_lists_every_documented_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in (
        "setup",
        "demo",
        "test",
        "train",
        "export",
        "evaluate",
        "bench",
        "complexity",
        "sim",
        "waves",
        "formal",
    ):
        assert re.search(rf"make {target}\b", shown), target
