# SPDX-License-Identifier: BSD-3-Clause
"""Files: round trips, and that every damage is a ModelError of one line that names file, layer and field."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from golden_examples import tiny_layers, tiny_network

from golden import IntegerNetwork, ModelError
from golden.__main__ import main
from golden.modelfile import MAX_FILE_BYTES
from golden.random_networks import random_network


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "tiny.npz"
    tiny_network().save(path)
    return path


def members_of(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def header_of(members):
    return json.loads(members["header"].tobytes())


def write(path, members, header=None, compress=False):
    """Write arrays (and a header) as an .npz by NumPy's own means."""
    if header is not None:
        members = {**members, "header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    (np.savez_compressed if compress else np.savez)(path, **members)


def refused(path):
    """Load, expect a ModelError of one line that starts with the file, and return the rest."""
    with pytest.raises(ModelError) as caught:
        IntegerNetwork.load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert len(text) < len(str(path)) + 400
    return text[len(f"{path}: ") :]


@pytest.mark.parametrize("seed", range(12))
def test_round_trip(tmp_path, seed):
    network = random_network(np.random.default_rng(seed))
    network.save(tmp_path / "a.npz")
    loaded = IntegerNetwork.load(str(tmp_path / "a.npz"))
    assert loaded.content_hash == network.content_hash
    assert loaded.meta == network.meta
    assert loaded.record() == network.record()
    for ours, theirs in zip(network.layers, loaded.layers, strict=True):
        for key, rule in ours.rules().items():
            assert np.array_equal(getattr(ours, key), getattr(theirs, key))
            if hasattr(rule, "dtype"):
                assert getattr(theirs, key).dtype == rule.dtype
                assert getattr(theirs, key).dtype.isnative


def test_bytes_are_deterministic_and_replace_what_was_there(path):
    before = path.read_bytes()
    tiny_network().save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["tiny.npz"]


def test_failed_save_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def full(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        tiny_network(meta={}).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["tiny.npz"]


def test_binary_weights_are_packed(path):
    assert members_of(path)["body.0.conv.weight"].shape == (4, 3, 3, 1)


def test_file_that_numpy_wrote_again_still_loads(path):
    write(path, members_of(path))
    assert IntegerNetwork.load(path).content_hash == tiny_network().content_hash


def test_missing_file_and_folder(tmp_path):
    assert "cannot be read: No such file" in refused(tmp_path / "nothing.npz")
    assert "cannot be read: Is a directory" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"P", b"PK", b"\x89PNG\r\n", b"\x93NUMPY\x01\x00"])
def test_other_files(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    assert "is not an .npz file" in refused(tmp_path / "x.npz")


def test_huge_file(tmp_path):
    with open(tmp_path / "x.npz", "wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "is larger than 64 MiB" in refused(tmp_path / "x.npz")


def test_foreign_and_compressed_npz(path):
    members = members_of(path)
    write(path, {"weights": np.ones(3)})
    assert "not one that bitmend wrote" in refused(path)
    write(path, members, compress=True)
    assert "not one that bitmend wrote" in refused(path)


def test_truncation(path):
    data = path.read_bytes()
    offsets = {*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 30, len(data))}
    for offset in sorted(offsets):
        path.write_bytes(data[:offset])
        assert "is not an .npz file" in refused(path) or "truncated or damaged" in refused(path)


def test_flipped_bytes(path):
    """Damage is refused, or it is in bytes that mean nothing (time stamps, attributes)."""
    data = path.read_bytes()
    good = tiny_network().content_hash
    rng = np.random.default_rng(0)
    directory = data.index(b"PK\x01\x02")
    offsets = [*rng.integers(0, len(data), 300), *rng.integers(directory, len(data), 200)]
    survived = 0
    for offset in offsets:
        damaged = bytearray(data)
        damaged[offset] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(damaged))
        try:
            loaded = IntegerNetwork.load(path)
        except ModelError:
            continue
        assert loaded.content_hash == good
        survived += 1
    assert survived < len(offsets) // 2


DELETE = object()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", 7, "is format version 7, this bitmend reads versions 1 to 2: "),
        ("format", DELETE, "is format version None"),
        ("format", [1], r"is format version \[1\]"),
        ("task", "paint", "field 'task' is 'paint'"),
        ("task", ["sr"], r"field 'task' is \['sr'\]"),
        ("scale", 3, "expected the scale, 3"),
        ("scale", 2.0, r"field 'scale' is 2\.0"),
        ("scale", 10**400, "field 'scale' is 1000"),
        ("channels", 1, "layer 'head.conv': field 'weight' is for 3 input channels"),
        ("channels", None, "field 'channels' is None"),
        ("layers", {}, "field 'layers' is not a list"),
        ("layers", [], "holds 'base|holds 'body|holds 'head"),
        ("layers", [1], "field 'layers' is not a list of objects"),
        ("hash", "0" * 64, "field 'hash' is '0000"),
        ("hash", 5, "field 'hash' is 5"),
        ("meta", 3, "field 'meta' is a int"),
        ("meta", DELETE, "header: field 'meta' is missing"),
        ("extra", 1, "header: field 'extra' is unknown"),
    ],
)
def test_header_fields(path, field, value, message):
    members = members_of(path)
    header = header_of(members)
    if value is DELETE:
        del header[field]
    else:
        header[field] = value
    write(path, members, header)
    assert re.search(message, refused(path))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000, b"7", b"[]", b"null", b'{"format": 1}']
)
def test_header_that_is_no_object(path, text):
    write(path, {**members_of(path), "header": np.frombuffer(text, np.uint8)})
    refused(path)


@pytest.mark.parametrize(
    ("layer", "field", "value", "message"),
    [
        (
            "head.conv",
            "type",
            "ConvInt4",
            "layer 'head.conv': type 'ConvInt4' is unknown, expected one of ConvInt8",
        ),
        ("head.conv", "type", ["ConvInt8"], "layer 'head.conv': type ['ConvInt8'] is unknown"),
        ("head.conv", "type", "ConvXnor", "layer 'head.conv': field 'weight'"),
        ("head.conv", "name", "other", "layer 'other': the array of field 'weight' is missing"),
        ("head.conv", "name", None, "layer 'None': the array of field 'weight' is missing"),
        ("body.0", "name", "a\nb", "layer name 'a\\nb'"),
        ("body.0", "inputs", "head", "layer 'body.0': inputs are 'head'"),
        ("body.0", "inputs", ["head", 1], "layer 'body.0': inputs are"),
        ("body.0", "inputs", DELETE, "layer 'body.0': field 'inputs' is missing"),
        ("body.0", "bits", 99, "layer 'body.0': field 'bits' is 99"),
        ("body.0", "bits", 11, "field 'hash' is"),
        ("body.0", "bits", "12", "layer 'body.0': field 'bits' is '12'"),
        ("body.0", "bits", DELETE, "layer 'body.0': field 'bits' is missing"),
        ("body.0", "more", 1, "layer 'body.0': field 'more' is unknown"),
        ("head", "a1", [5], "layer 'head': field 'a1' is stored as int32 (4,), expected int32 (5,)"),
        ("head", "a1", [10**30], "layer 'head': field 'a1' is stored as"),
        ("head", "a1", [-4], "layer 'head': field 'a1' has shape [-4] in the header"),
        ("head", "a1", 4, "layer 'head': field 'a1' has shape 4 in the header"),
        ("head", "a1", [], "layer 'head': field 'a1' has shape [] in the header"),
        (
            "body.0.conv",
            "weight",
            [4, 3, 3, 7],
            "layer 'body.0.conv': field 'weight' is for 7 input channels",
        ),
        ("body.0.conv", "weight", [4, 3, 3, 9], "layer 'body.0.conv': field 'weight' is stored as uint8"),
        ("body.0.conv", "weight", [36, 1], "layer 'body.0.conv': field 'weight' is stored as"),
    ],
)
def test_layer_fields(path, layer, field, value, message):
    members = members_of(path)
    header = header_of(members)
    record = next(record for record in header["layers"] if record["name"] == layer)
    if value is DELETE:
        del record[field]
    else:
        record[field] = value
    write(path, members, header)
    assert message in refused(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (None, "layer 'head': the array of field 'a1' is missing"),
        (np.zeros(4, np.int64), "layer 'head': field 'a1' is stored as int64 (4,), expected int32 (4,)"),
        (np.zeros(4, ">i4"), "layer 'head': field 'a1' is stored as >i4 (4,), expected int32 (4,)"),
        (np.zeros(4, "<f4"), "layer 'head': field 'a1' is stored as float32"),
        (np.zeros(3, np.int32), "layer 'head': field 'a1' is stored as int32 (3,), expected int32 (4,)"),
        (np.zeros((2, 2), np.int32), "layer 'head': field 'a1' is stored as int32 (2, 2)"),
        (np.array(["a"] * 4), "layer 'head': field 'a1' is stored as <U1"),
        (np.full(4, 40000, np.int32), "layer 'head': field 'a1' holds 40000, expected -32768..32767"),
        (np.zeros(4, np.int32), "field 'hash' is"),
    ],
)
def test_arrays(path, array, message):
    members = members_of(path)
    del members["head.a1"]
    if array is not None:
        members["head.a1"] = array
    write(path, members, header_of(members))
    assert message in refused(path)


def test_extra_array(path):
    write(path, {**members_of(path), "head.a2": np.zeros(4, np.int32)})
    assert "holds 'head.a2.npy', which belongs to no layer" in refused(path)


def npy(shape_text, body=b"", dtype="<i4"):
    """An .npy of version 1.0 whose header claims any shape."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape_text}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x03\x00" + b"\x00" * 8,
        npy("(4,)", b"\x00" * 15),
        npy("(4,)", b"\x00" * 17),
        npy(f"({10**15},)", b"\x00" * 16),
        npy("(-4,)", b"\x00" * 16),
        npy("(4, 'x')"),
        npy("(" * 200),
        npy("(4,)", b"\x00" * 32, "|O"),
        npy("(4,)", b"\x00" * 16, "nonsense"),
        npy("(4,)", b"\x00" * 16)[:-20],
    ],
)
def test_arrays_with_false_headers(path, content):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["head.a1.npy"] = content
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert "layer 'head': field 'a1' is" in refused(path)


def test_array_twice(path):
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("head.a1.npy", npy("(4,)", b"\x00" * 16))
    assert "an array is in it twice" in refused(path)


@pytest.mark.parametrize(("offset", "value"), [(6, 99), (8, 1), (28, 255), (42, 255), (45, 255)])
def test_fields_of_the_zip_directory(path, offset, value):
    """Version needed, encryption flag, length of the name, offset: zipfile raises another type for each."""
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + offset] = value
    path.write_bytes(bytes(data))
    assert "is a truncated or damaged .npz file" in refused(path)


def test_overlapping_archive_is_not_expanded(path):
    """An array whose bytes are other arrays, headers and all: the quoting of a zip bomb."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("inner.npy", bytes(10_000))
        quoted = archive.infolist()[0]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", inner.getvalue()[: archive_end(quoted)])
        quoted.header_offset = 30 + len("header.npy")
        archive.filelist.append(quoted)
    assert "not one that bitmend wrote" in refused(path)


def archive_end(info):
    """Where the only member of an archive ends: local header, name, data."""
    return 30 + len(info.filename) + info.compress_size


def test_expanding_archive_is_not_expanded(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", bytes(1 << 24))
    path.write_bytes(buffer.getvalue())
    assert "not one that bitmend wrote" in refused(path)


def test_command_line(path, capsys):
    assert main(["describe", str(path), "--size", "20x10"]) == 0
    assert "20 x 10 -> 40 x 20" in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:-9])
    assert main(["describe", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(str(path))
    assert error.count("\n") == 1
    with pytest.raises(SystemExit) as caught:
        main(["describe", str(path), "--size", "20"])
    assert caught.value.code == 2


def test_file_names_arrays_after_layers(path):
    names = {name.rsplit(".", 1)[0] for name in members_of(path)} - {"header"}
    assert names <= set(tiny_layers())
