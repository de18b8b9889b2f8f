# SPDX-License-Identifier: BSD-3-Clause
"""The backend for the board, on stand-ins for PYNQ's classes and, if it is installed, on those themselves."""

import json
import sys

import numpy as np
import pytest
from fake_pynq import fake_pynq, real_classes
from host_examples import network, pixels

from golden import run
from host import RestoreError, backend_pynq
from host import registers as reg
from host.backend import Options
from host.backends import open_backend

NET = network("x2")


@pytest.fixture
def deploy(tmp_path):
    """The folder of a user, with what the driver reads of it."""
    NET.save(tmp_path / "net.npz")
    (tmp_path / "net.bit").write_bytes(b"bits")
    (tmp_path / "net.hwh").write_text("<xml/>")
    (tmp_path / "net.json").write_text(json.dumps({"name": "net", "stages": [], "cycles_per_pixel": 4}))
    return tmp_path


def options(deploy):
    return Options(model=deploy / "net.npz")


@pytest.fixture(params=["stand-in", "real"])
def pynq(request, monkeypatch):
    classes = real_classes() if request.param == "real" else None
    module, device = fake_pynq(NET, classes)
    module.device = device
    monkeypatch.setitem(sys.modules, "pynq", module)
    return module


def test_an_image(pynq, deploy):
    image = pixels(40, 90)
    with open_backend("pynq", NET, options(deploy)) as backend:
        result = np.concatenate([band for _, band in backend.restore_bands(image)])
        assert np.array_equal(result, run(NET, image))
        assert backend.accelerator.design.cycles_per_pixel == 4
        assert backend.description == "accelerator net.bit on the board"
    assert pynq.loaded == [str(deploy / "net.bit")]
    assert pynq.device.afi == {0: 0xF00, 0x14: 0xF00}
    kinds = [kind for kind, _ in pynq.device.synced]
    assert kinds.count("flush") >= kinds.count("invalidate") > 0
    assert not pynq.device.port.regions


def test_auto_takes_the_board_if_there_is_a_bitstream(pynq, deploy):
    with open_backend("auto", NET, options(deploy)) as backend:
        assert "net.bit" in backend.description
    (deploy / "net.bit").unlink()
    with open_backend("auto", NET, options(deploy)) as backend:
        assert "golden" in backend.description
    with open_backend("auto", NET) as backend:
        assert "golden" in backend.description


def test_the_clock_is_set(pynq, deploy):
    pynq.Clocks.fclk0_mhz = 125.0
    with open_backend("pynq", NET, options(deploy)):
        assert pynq.Clocks.fclk0_mhz == pytest.approx(100.0)


def test_too_little_memory(pynq, deploy):
    pynq.memory = 4000
    with (
        open_backend("pynq", NET, options(deploy)) as backend,
        pytest.raises(RestoreError, match=r"no .* bytes of contiguous memory are left \(Allocate failed"),
    ):
        list(backend.restore_bands(pixels(20, 90)))


def test_files_that_are_missing(pynq, deploy):
    (deploy / "net.hwh").unlink()
    with pytest.raises(RestoreError, match=r"net\.hwh: no such file; PYNQ needs the \.bit and the \.hwh"):
        open_backend("pynq", NET, options(deploy))
    with pytest.raises(RestoreError, match=r"other\.bit: no such file"):
        open_backend("pynq", NET, Options(bitstream=deploy / "other.bit"))
    (deploy / "net.bit").unlink()
    with pytest.raises(RestoreError, match=r"net\.npz: there is no bitstream of the same name beside it"):
        open_backend("pynq", NET, options(deploy))


def test_a_bitstream_of_something_else(pynq, deploy, monkeypatch):
    pynq.device.port.overrides[reg.ID] = 0
    with pytest.raises(RestoreError, match="identity 0x00000000"):
        open_backend("pynq", NET, options(deploy))
    module, _ = fake_pynq(NET, ip_type="xilinx.com:hls:filter:1.0")
    monkeypatch.setitem(sys.modules, "pynq", module)
    with pytest.raises(RestoreError, match=r"net\.hwh: names no IP bitmend\.org:bitmend:restorer:"):
        open_backend("pynq", NET, options(deploy))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("Root permissions required."), "Root permissions required.*: run as root, sudo -E"),
        (RuntimeError("No Devices Found"), "No Devices Found.*: is this a PYNQ board"),
        (PermissionError(13, "Permission denied"), "Permission denied.*: run as root, sudo -E"),
    ],
)
def test_what_pynq_says(pynq, deploy, error, said):
    def overlay(name):
        raise error

    pynq.Overlay = overlay
    with pytest.raises(RestoreError, match=rf"net\.bit: cannot be loaded \(.*{said}"):
        open_backend("pynq", NET, options(deploy))


def test_no_pynq(deploy, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(RestoreError, match=r"the backend pynq needs PYNQ .*it runs on the board"):
        open_backend("pynq", NET, options(deploy))


def test_nothing_of_pynq_is_imported_before_it_is_needed(deploy):
    assert "pynq" not in sys.modules
    assert backend_pynq.find_bitstream(options(deploy)) == deploy / "net.bit"
    assert "pynq" not in sys.modules
