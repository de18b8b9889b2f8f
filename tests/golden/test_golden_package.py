# SPDX-License-Identifier: BSD-3-Clause
"""What the package promises of itself: documented operators, Python 3.10 syntax, NumPy and nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import golden
from golden.layers import LAYER_TYPES
from golden.operators import BASE_FRACTION_BITS

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "golden").glob("*.py"))


def test_every_layer_is_documented():
    page = (ROOT / "docs" / "numerics.md").read_text()
    for name, cls in LAYER_TYPES.items():
        assert f"`{name}`" in page, name
        for key in cls.rules():
            assert f"`{key}`" in page, f"{name}.{key}"


def test_documented_constants():
    page = (ROOT / "docs" / "numerics.md").read_text()
    for factor, bits in BASE_FRACTION_BITS.items():
        assert any(line.startswith(f"| {factor} |") and f"| {bits} |" in line for line in page.splitlines())
    assert f"format version {golden.FORMAT_VERSION}" in page


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_sources(source):
    text = source.read_text()
    assert text.startswith("# SPDX-License-Identifier: BSD-3-Clause\n")
    ast.parse(text, feature_version=(3, 10))
    assert len(text.splitlines()) <= 400


def test_import_needs_nothing_but_numpy():
    """Importing golden loads the standard library, NumPy and golden itself."""
    script = (
        "import sys, numpy; before = set(sys.modules); import golden, golden.random_networks;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) <= {"golden", "numpy"}
