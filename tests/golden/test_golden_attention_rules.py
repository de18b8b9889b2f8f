# SPDX-License-Identifier: BSD-3-Clause
"""Layers, networks and files with attention that break the contract are refused with the reason."""

import json
from dataclasses import replace

import numpy as np
import pytest
from golden_examples import WIDTH, numbers, tiny_layers, tiny_network

import golden
from golden import (
    Compare,
    ConvInt8,
    ConvPoint,
    GlobalMean,
    IntegerNetwork,
    Join,
    ModelError,
    Multiply,
    PixelShuffle,
    PlainOutput,
    Requant,
    RSign,
    Table,
    run,
)
from golden.random_attention import ebsr_like, random_attention_network

# Rules of composition.

VECTOR = GlobalMean("mean", ("head",), numbers(-9, 9, WIDTH), 4, 16)
GATE = Requant("gate", ("mean",), *[[1] * WIDTH] * 2, *[[0] * WIDTH] * 3, shift=4, bits=8)


def with_layers(*layers, after="head", **changes):
    """The tiny network with layers inserted, and others changed."""
    old = {**tiny_layers(), **changes}
    place = list(old).index(after) + 1
    return tiny_network(layers=[*list(old.values())[:place], *layers, *list(old.values())[place:]])


def test_a_network_with_a_vector_is_accepted():
    gated = Multiply("gated", ("head", "gate"), 7, 12)
    join = replace(tiny_layers()["body.0"], inputs=("gated", "body.0.requant"))
    network = with_layers(VECTOR, GATE, gated, **{"body.0": join})
    assert network.types["mean"].factor == network.types["gate"].factor == 0
    assert network.types["gated"].factor == 1
    assert network.format == 2
    page = network.describe()
    assert "and the whole image through 1 mean" in page
    assert "1 x 1 x 4" in page


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvPoint("p", ("x",), np.ones((2, 3, 3, 2), int)), r"field 'weight' has shape"),
        (lambda: ConvPoint("p", ("x",), [[200]]), r"field 'weight' holds 200, expected -128\.\.127"),
        (lambda: Table("t", ("x",), [1] * 6, 8), "field 'table' has 6 entries, expected 4, 8, 16"),
        (lambda: Table("t", ("x",), [1, 2], 8), "field 'table' has 2 entries"),
        (lambda: Table("t", ("x",), [0] * 8192, 8), "expected at most 4096"),
        (lambda: Table("t", ("x",), [0, 0, 0, 128], 8), r"field 'table' holds 128, expected -128\.\.127"),
        (lambda: Table("t", ("x",), [0, 0, 0, 1], 17), "field 'bits' is 17"),
        (lambda: Multiply("m", ("x",), 0, 8), "has 1 inputs, expected 2"),
        (lambda: Multiply("m", ("x", "g"), 31, 8), r"field 'shift' is 31, expected 0\.\.30"),
        (lambda: Multiply("m", ("x", "g"), -1, 8), "field 'shift' is -1"),
        (lambda: GlobalMean("g", ("x",), [1], 16, 8), r"field 'shift' is 16, expected 0\.\.15"),
        (
            lambda: GlobalMean("g", ("x",), [9], 0, 4),
            r"field 'initial' holds 9, expected -8\.\.7 \(bits is 4\)",
        ),
        (lambda: GlobalMean("g", ("x",), [0.5], 0, 4), "field 'initial' is of dtype float64"),
        (lambda: Compare("c", ("x",)), "has 1 inputs, expected 2"),
        (lambda: PlainOutput("o", ("x",), [1], [1 << 31], 4), "field 'b' holds"),
    ],
)
def test_constants_are_checked(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: with_layers(ConvPoint("p", ("head",), numbers(0, 1, 2, WIDTH))),
            "reads 'head' of 12 bits, expected a stream of at most 8 bits",
        ),
        (
            lambda: with_layers(ConvPoint("p", ("pixels",), numbers(0, 1, 2, WIDTH))),
            "field 'weight' is for 4 input channels, expected 3",
        ),
        (
            lambda: with_layers(
                ConvPoint("p", ("body.0.sign",), numbers(0, 1, 2, WIDTH)), after="body.0.sign"
            ),
            "of kind bits, expected pixels or stream",
        ),
        (lambda: with_layers(Table("t", ("head",), numbers(0, 1, 256), 8)), "has 256 entries, expected 4096"),
        (
            lambda: with_layers(Table("t", ("pixels",), numbers(0, 1, 256), 8)),
            "of kind pixels, expected stream",
        ),
        (lambda: with_layers(Multiply("m", ("head", "head.conv"), 0, 8)), "of kind acc, expected stream"),
        (
            lambda: with_layers(Multiply("m", ("head", "up.requant"), 0, 8), after="up.requant"),
            "with 4 channels at 1 x the input size and 'up.requant' with 16 at 1 x the input size, expected",
        ),
        (
            lambda: with_layers(Multiply("m", ("up.shuffle", "head"), 0, 8), after="up.shuffle"),
            "at 2 x the input size and 'head' with 4 at 1 x",
        ),
        (
            lambda: with_layers(VECTOR, Multiply("m", ("mean", "head"), 0, 8)),
            r"one pixel for all \(a vector\) and 'head'",
        ),
        (lambda: with_layers(replace(VECTOR, initial=[1])), r"'initial' has 1 entries, expected 4"),
        (lambda: with_layers(replace(VECTOR, inputs=("head.conv",))), "of kind acc, expected stream"),
        (lambda: with_layers(VECTOR, replace(VECTOR, name="n", inputs=("mean",))), "reads 'mean', a vector"),
        (
            lambda: with_layers(VECTOR, GATE, ConvInt8("c", ("gate",), numbers(0, 1, 1, 3, 3, WIDTH))),
            "a vector",
        ),
        (lambda: with_layers(VECTOR, RSign("s", ("mean",), numbers(0, 1, WIDTH))), "reads 'mean', a vector"),
        (lambda: with_layers(VECTOR, PixelShuffle("s", ("mean",), 2)), "reads 'mean', a vector"),
        (
            lambda: with_layers(VECTOR, Join("j", ("head", "mean"), 12)),
            r"at one pixel for all \(a vector\), expected equal",
        ),
        (
            lambda: with_layers(Compare("c", ("head", "head"))),
            "expected a vector of 4, one threshold per channel",
        ),
        (lambda: with_layers(VECTOR, Compare("c", ("mean", "mean"))), "reads 'mean', a vector"),
        (lambda: with_layers(VECTOR), "layer 'mean': no later layer reads it"),
        (
            lambda: tiny_network(
                layers=[*list(tiny_layers().values())[:-1], PlainOutput("o", ("base",), *[[1] * 3] * 2, 4)]
            ),
            "of kind base, expected acc or stream",
        ),
        (
            lambda: with_layers(VECTOR, PlainOutput("o", ("mean",), *[[1] * WIDTH] * 2, 4)),
            "expected exactly one Output or PlainOutput layer",
        ),
    ],
)
def test_rules_of_composition(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


# Files.


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.npz"
    ebsr_like(np.random.default_rng(0), 4, 1).save(path)
    return path


def members_of(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def write(path, members, header=None):
    if header is not None:
        members = {**members, "header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    np.savez(path, **members)


def header_of(members):
    return json.loads(members["header"].tobytes())


def refused(path):
    with pytest.raises(ModelError) as caught:
        IntegerNetwork.load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("seed", range(8))
def test_round_trip(tmp_path, seed):
    network = random_attention_network(np.random.default_rng(seed))
    network.save(tmp_path / "a.npz")
    loaded = IntegerNetwork.load(tmp_path / "a.npz")
    assert loaded.content_hash == network.content_hash
    assert loaded.record() == network.record()
    image = np.full((3, 4, network.channels), 77, np.uint8)
    assert np.array_equal(run(loaded, image), run(network, image))


def test_old_networks_keep_their_format_and_hash():
    """Networks without the new layers are written as before: same version, same bytes, same hash."""
    network = tiny_network()
    assert network.format == network.record()["format"] == 1
    assert network.content_hash == "b6548d7f5fe57465112874a855b21d52e82419b101309d36d003927cc3bec774"


@pytest.mark.parametrize("version", [0, 1, 3, True, 2.0])
def test_format_that_its_layers_contradict(path, version):
    members = members_of(path)
    header = header_of(members)
    assert header["format"] == golden.FORMAT_VERSION == 2
    write(path, members, {**header, "format": version})
    expected = "its layers are of version 2" if version == 1 and version is not True else "this bitmend reads"
    assert f"is format version {version}" in refused(path)
    assert expected in refused(path)


def test_old_network_in_a_new_format(tmp_path):
    path = tmp_path / "tiny.npz"
    tiny_network().save(path)
    members = members_of(path)
    write(path, members, {**header_of(members), "format": 2})
    assert "is format version 2, but its layers are of version 1" in refused(path)


@pytest.mark.parametrize(
    ("layer", "field", "value", "message"),
    [
        ("body.0.spatial.factor", "table", np.zeros(7, np.int16), "field 'table' is stored as int16 (7,)"),
        ("body.0.spatial.factor", "table", None, "the array of field 'table' is missing"),
        ("body.0.channel.mean", "initial", np.zeros(4, np.int32), "field 'initial' is stored as int32"),
        ("body.0.channel.mean", "shift", 99, "layer 'body.0.channel.mean': field 'shift' is 99"),
        ("body.0.channel.mean", "bits", 2, "layer 'body.0.channel.mean': field 'initial' holds"),
        ("body.0.spatial", "shift", 5, "field 'hash' is"),
        ("body.0.spatial", "inputs", ["head"], "layer 'body.0.spatial': has 1 inputs, expected 2"),
        ("body.0.sign", "inputs", ["head", "head"], "expected a vector of 4"),
        ("body.0.sign", "more", 1, "layer 'body.0.sign': field 'more' is unknown"),
        ("body.0.sign", "type", "Join", "layer 'body.0.sign': field 'bits' is missing"),
    ],
)
def test_damaged_layers(path, layer, field, value, message):
    members = members_of(path)
    header = header_of(members)
    key = f"{layer}.{field}"
    if key in members:
        members = {name: array for name, array in members.items() if name != key}
        members |= {} if value is None else {key: value}
    else:
        next(record for record in header["layers"] if record["name"] == layer)[field] = value
    write(path, members, header)
    assert message in refused(path)


def test_flipped_bytes(path):
    data, rng = path.read_bytes(), np.random.default_rng(0)
    good = IntegerNetwork.load(path).content_hash
    for offset in rng.integers(0, len(data), 150):
        damaged = bytearray(data)
        damaged[offset] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(damaged))
        try:
            assert IntegerNetwork.load(path).content_hash == good
        except ModelError:
            continue
