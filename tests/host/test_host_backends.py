# SPDX-License-Identifier: BSD-3-Clause
"""Backends: what restore.py asks of them, and that a new one can take the golden model's place."""

import numpy as np
import pytest
from host_examples import network, picture, pixels, read, restore

from golden import run
from host import RestoreError, backends
from host.backend import Backend, Options
from host.backend_golden import GoldenBackend
from host.backends import open_backend


def test_bands_and_progress():
    calls = []
    with open_backend("auto", network("x3"), Options(tile=4, engine="numpy")) as backend:
        bands = list(backend.restore_bands(pixels(9, 10), lambda done, total: calls.append((done, total))))
    assert [(y, len(band)) for y, band in bands] == [(0, 12), (12, 12), (24, 3)]
    assert np.array_equal(np.concatenate([band for _, band in bands]), run(network("x3"), pixels(9, 10)))
    assert calls == [(done, 9) for done in range(1, 10)]
    assert backend.description == "golden model, numpy engine"


def test_the_default_tile_gives_results_of_512_pixels():
    backend = GoldenBackend(network("x2"), Options(engine="numpy"))
    (y, first), *_ = backend.restore_bands(pixels(257, 2))
    assert (y, len(first)) == (0, 512)


def test_an_unknown_backend():
    with pytest.raises(RestoreError, match="backend is 'abacus', expected one of auto, golden"):
        open_backend("abacus", network("x2"))


def test_an_accelerator_is_one_more_backend(tmp_path, out, models, monkeypatch, capsys):
    class Accelerator(Backend):
        closed = 0

        def __init__(self, network, options):
            super().__init__(network, "an accelerator")

        def restore_bands(self, image, progress=None):
            if image.shape[1] > 8:
                raise RestoreError("the accelerator stopped: error flags 0x4")
            yield 0, run(self.network, np.asarray(image[0:2, 0 : image.shape[1]]))

        def close(self):
            Accelerator.closed += 1

    monkeypatch.setitem(backends.BACKENDS, "accelerator", Accelerator)
    options = ("--model", models / "x2.npz", "--backend", "accelerator")
    picture(2, 8).save(tmp_path / "a.png")
    assert restore(tmp_path / "a.png", out / "a.png", *options) == 0
    assert np.array_equal(read(out / "a.png"), run(network("x2"), pixels(2, 8)))
    picture(2, 9).save(tmp_path / "b.png")
    assert restore(tmp_path / "b.png", out / "b.png", *options) == 2
    assert capsys.readouterr().err == "restore: the accelerator stopped: error flags 0x4\n"
    assert [file.name for file in out.iterdir()] == ["a.png"]
    assert Accelerator.closed == 2
