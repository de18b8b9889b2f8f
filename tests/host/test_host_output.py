# SPDX-License-Identifier: BSD-3-Clause
import os

import pytest

from host import RestoreError, output
from host.output import PendingFiles


def test_files_are_complete_when_they_appear(tmp_path, monkeypatch):
    targets = [tmp_path / "a.png", tmp_path / "b.png"]
    targets[0].write_bytes(b"old")
    calls = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor):
        calls.append("fsync")
        fsync(descriptor)

    def replaced(source, target):
        assert source.read_bytes() == target.name.encode()
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(output.os, "fsync", synced)
    monkeypatch.setattr(output.os, "replace", replaced)
    with PendingFiles(overwrite=True) as files:
        for target in targets:
            files.open(target).write(target.name.encode())
        assert targets[0].read_bytes() == b"old"
        assert not targets[1].exists()
    assert calls == ["fsync", "fsync", "replace", "replace"]
    assert [path.read_bytes() for path in targets] == [b"a.png", b"b.png"]
    assert sorted(tmp_path.iterdir()) == targets


def test_nothing_appears_after_an_error(tmp_path):
    kept = tmp_path / "a.png"
    kept.write_bytes(b"old")

    def fail():
        with PendingFiles(overwrite=True) as files:
            files.open(kept).write(b"half")
            files.open(tmp_path / "b.png")
            raise RestoreError("no")

    with pytest.raises(RestoreError, match=r"^no$"):
        fail()
    assert kept.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [kept]
