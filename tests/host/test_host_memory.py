# SPDX-License-Identifier: BSD-3-Clause
"""Memory: the decoded input and one row of tiles, however large the result is."""

import subprocess
import sys
from pathlib import Path

import pytest
from host_examples import network
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SIDE = 1_300
RESULT_MIB = (SIDE * 4) ** 2 * 4 >> 20  # 103, RGBA at four times the size
DECODED_MIB = SIDE**2 * 4 >> 20
ALLOWED_MIB = 32  # a row of tiles of input, result and comparison, and the allocator's slack

# The network is played by numpy.repeat: what host/ keeps is measured, quickly. Peaks are of the process's own
# memory (ru_maxrss would inherit that of the process that started it).
SCRIPT = """
import sys
import numpy as np
from golden import IntegerNetwork
from host import backends, restore

class Repeat(backends.GoldenBackend):
    def restore_bands(self, image, progress=None):
        for y in range(0, image.shape[0], 32):
            rows = image[y : min(y + 32, image.shape[0]), 0 : image.shape[1]]
            yield y * 4, rows.repeat(4, axis=0).repeat(4, axis=1)

def peak_mib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10

backends.BACKENDS = {"repeat": Repeat}
peaks = []
for name in ("small", "large"):
    command = [f"{name}.png", f"{name}_restored.png", "--model", "x4.npz", "--engine", "numpy", "--compare"]
    assert restore.main(command) == 0
    peaks.append(peak_mib())
print(peaks[1] - peaks[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_result_is_never_in_memory_as_a_whole(tmp_path):
    network("x4").save(tmp_path / "x4.npz")
    Image.new("RGBA", (SIDE, SIDE), (90, 120, 150, 200)).save(tmp_path / "large.png", compress_level=1)
    Image.new("RGBA", (8, 8), (90, 120, 150, 200)).save(tmp_path / "small.png")
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.splitlines()[-1]) < DECODED_MIB + ALLOWED_MIB < RESULT_MIB / 2
    with Image.open(tmp_path / "large_restored.png") as image:
        assert image.size == (SIDE * 4, SIDE * 4)
