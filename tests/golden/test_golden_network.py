# SPDX-License-Identifier: BSD-3-Clause
"""Layers and networks that break the contract are refused with the reason; types and hash are right."""

import dataclasses

import numpy as np
import pytest
from golden_examples import WIDTH, numbers, requant, tiny_layers, tiny_network

from golden import (
    Base,
    ConvInt8,
    ConvXnor,
    IntegerNetwork,
    Join,
    ModelError,
    NearestUp,
    Output,
    PixelShuffle,
    RepeatChannels,
    Requant,
    RSign,
    describe,
    tensor_types,
    trace,
)
from golden.inference import signed_bits
from golden.layers import LAYER_TYPES, MAX_CHANNELS


def changed(name, /, **changes):
    """The tiny network with other constants in one layer."""
    layers = tiny_layers()
    layers[name] = dataclasses.replace(layers[name], **changes)
    return tiny_network(layers=layers.values())


def with_layer(layer, after):
    """The tiny network with a layer inserted."""
    layers = list(tiny_layers().values())
    index = [existing.name for existing in layers].index(after) + 1
    return tiny_network(layers=[*layers[:index], layer, *layers[index:]])


def test_layers_convert_integers_and_freeze_them():
    layer = requant("v", "acc")
    assert [getattr(layer, key).dtype for key in ("a1", "a0")] == [np.int32] * 2
    assert [getattr(layer, key).dtype for key in ("b1", "b0")] == [np.int64] * 2
    assert layer.threshold.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        layer.a1[0] = 1
    mine = numbers(0, 1, 2, 3, 3, 1)
    layer = ConvXnor("m", ["bits"], mine.astype(bool))
    mine[:] = 7
    assert layer.weight.dtype == np.uint8
    assert layer.weight.max() == 1
    assert layer.inputs == ("bits",)
    assert Join("j", ("a", "b"), np.int64(12)).bits == 12


ONES = np.ones((2, 3, 3, 2), np.int8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvInt8("", ("x",), ONES), "layer name ''"),
        (lambda: ConvInt8("a/b", ("x",), ONES), "layer name 'a/b'"),
        (lambda: ConvInt8("pixels", ("x",), ONES), "layer name 'pixels'"),
        (lambda: ConvInt8(3, ("x",), ONES), "layer name 3"),
        (lambda: ConvInt8("c", "x", ONES), "layer 'c': inputs are 'x', expected a tuple"),
        (lambda: ConvInt8("c", ("x\n",), ONES), "inputs are"),
        (lambda: ConvInt8("c", ("x", "y"), ONES), "layer 'c': has 2 inputs, expected 1"),
        (lambda: Join("j", ("x",), 12), "layer 'j': has 1 inputs, expected 2"),
        (lambda: ConvInt8("c", ("x",), ONES * 1.0), "layer 'c': field 'weight' is of dtype float64"),
        (
            lambda: ConvInt8("c", ("x",), ONES[:, :2]),
            r"field 'weight' has shape \(2, 2, 3, 2\), expected \(C_out",
        ),
        (lambda: ConvInt8("c", ("x",), ONES[0]), "field 'weight' has shape"),
        (lambda: ConvInt8("c", ("x",), ONES[..., :0]), "field 'weight' has shape"),
        (lambda: ConvInt8("c", ("x",), None), "field 'weight' is of dtype object"),
        (
            lambda: ConvInt8("c", ("x",), 129 * ONES.astype(int)),
            "field 'weight' holds 129, expected -128..127",
        ),
        (lambda: ConvXnor("c", ("x",), -ONES), r"field 'weight' holds -1, expected 0\.\.1"),
        (lambda: RSign("s", ("x",), np.ones(5000, int)), "expected at most 4096 channels"),
        (
            lambda: RSign("s", ("x",), np.array([2**63], np.uint64)),
            "field 'threshold' holds 9223372036854775808",
        ),
        (lambda: Join("j", ("x", "y"), 17), r"layer 'j': field 'bits' is 17, expected 2\.\.16"),
        (lambda: Join("j", ("x", "y"), 12.0), r"field 'bits' is 12\.0, expected an integer"),
        (lambda: Join("j", ("x", "y"), True), "field 'bits' is True, expected an integer"),
        (lambda: PixelShuffle("p", ("x",), 1), r"field 'factor' is 1, expected 2\.\.4"),
        (lambda: Base("b", ("pixels",), 5), r"field 'factor' is 5, expected 1\.\.4"),
        (lambda: RepeatChannels("r", ("x",), 0), "field 'channels' is 0"),
        (lambda: requant("v", "x", shift=32), r"field 'shift' is 32, expected 0\.\.31"),
        (lambda: requant("v", "x", bits=1), r"field 'bits' is 1, expected 2\.\.16"),
        (
            lambda: dataclasses.replace(requant("v", "x"), a1=[32768]),
            "field 'a1' holds 32768, expected -32768..32767",
        ),
        (lambda: dataclasses.replace(requant("v", "x"), b0=[2**31]), "field 'b0' holds 2147483648"),
        (lambda: dataclasses.replace(requant("v", "x"), threshold=[-(2**31) - 1]), "field 'threshold' holds"),
        (lambda: Output("o", ("x", "b"), [40000], [0], 16), "field 'a' holds 40000"),
    ],
)
def test_layer_constants_are_checked(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


TINY = numbers(0, 1, WIDTH, 3, 3, WIDTH)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tiny_network(task="paint"), "field 'task' is 'paint', expected one of sr"),
        (lambda: tiny_network(scale=5), r"field 'scale' is 5, expected 1\.\.4"),
        (lambda: tiny_network(scale="2"), "field 'scale' is '2', expected an integer"),
        (lambda: tiny_network(channels=2), "field 'channels' is 2, expected 1"),
        (lambda: tiny_network(channels=4), "field 'channels' is 4"),
        (lambda: tiny_network(layers=()), "field 'layers' must be a non-empty"),
        (lambda: tiny_network(layers=["head"]), "field 'layers' must be"),
        (lambda: tiny_network(meta={"x": np.ones(2)}), "field 'meta' cannot be stored"),
        (lambda: tiny_network(meta={"x": float("nan")}), "field 'meta' cannot be stored"),
        (lambda: tiny_network(meta=[1]), "field 'meta' is a list, expected a dict"),
        (
            lambda: tiny_network(channels=1),
            "layer 'head.conv': field 'weight' is for 3 input channels, expected 1",
        ),
        (
            lambda: tiny_network(scale=3),
            r"layer 'image': the image is 2 x the input size, expected the scale, 3",
        ),
        (lambda: tiny_network(scale=1), r"layer 'up.shuffle': has 2 x the input size, expected at most"),
        (
            lambda: changed("body.0", inputs=("head", "nowhere")),
            "layer 'body.0': reads 'nowhere', which no earlier",
        ),
        (lambda: changed("head", inputs=("body.0",)), "layer 'head': reads 'body.0', which no earlier"),
        (lambda: changed("body.0.requant", name="head"), "layer 'head': an earlier layer has the same name"),
        (lambda: changed("body.0.conv", inputs=("head",)), "reads 'head' of kind stream, expected bits"),
        (
            lambda: changed("body.0.sign", inputs=("pixels",)),
            "reads 'pixels' of kind pixels, expected stream",
        ),
        (
            lambda: changed("body.0.sign", inputs=("head.conv",)),
            "reads 'head.conv' of kind acc, expected stream",
        ),
        (lambda: changed("head", inputs=("pixels",)), "field 'a1' has 4 entries, expected 3"),
        (
            lambda: changed("head.conv", weight=ONES),
            "layer 'head.conv': field 'weight' is for 2 input channels",
        ),
        (
            lambda: changed("tail", inputs=("up",)),
            "reads 'up' of 12 bits, expected a stream of at most 8 bits",
        ),
        (
            lambda: changed("tail", inputs=("up.conv",)),
            "reads 'up.conv' of kind acc, expected pixels or stream",
        ),
        (
            lambda: changed("body.0.requant", a1=numbers(0, 9, WIDTH - 1)),
            r"layer 'body.0.requant': field 'a1' has 3 entries, expected 4 \(one per channel\)",
        ),
        (
            lambda: changed("up.sign", threshold=[0]),
            "layer 'up.sign': field 'threshold' has 1 entries, expected 4",
        ),
        (
            lambda: changed("up.sign", threshold=[0, 0, 0, 4096]),
            r"field 'threshold' holds 4096, expected -4096\.\.4095 \(13 bits, for a stream of 12\)",
        ),
        (lambda: changed("up", inputs=("body.0", "up.shuffle")), "expected equal shapes"),
        (lambda: changed("up", inputs=("up.shuffle", "base")), "which no earlier"),
        (
            lambda: changed("body.0", inputs=("head", "body.0.conv")),
            "'body.0.conv' of kind acc, expected stream",
        ),
        (lambda: changed("up.shuffle", factor=3), "reads 16 channels, expected a multiple of 9"),
        (
            lambda: changed("base", inputs=("head",)),
            "layer 'base': reads 'head' of kind stream, expected pixels",
        ),
        (lambda: changed("base", factor=1), "expected equal shapes"),
        (lambda: changed("image", shift=3), r"layer 'image': field 'shift' is 3, expected 4\.\.31"),
        (lambda: changed("image", a=[1]), "layer 'image': field 'a' has 1 entries, expected 3"),
        (
            lambda: changed("image", inputs=("base", "tail")),
            "reads 'base' of kind base, expected acc or stream",
        ),
        (lambda: changed("image", inputs=("tail", "up")), "reads 'up' of kind stream, expected base"),
        (
            lambda: tiny_network(layers=list(tiny_layers().values())[:-1]),
            "expected exactly one Output or PlainOutput layer",
        ),
        (
            lambda: with_layer(RepeatChannels("more", ("head",), 9), "head"),
            "layer 'more': no later layer reads it",
        ),
        (lambda: with_layer(NearestUp("more", ("base",), 2), "base"), "reads 'base' of kind base"),
    ],
)
def test_networks_are_checked(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_two_outputs_are_refused():
    layers = tiny_layers()
    first = dataclasses.replace(layers["image"], name="first")
    with pytest.raises(ModelError, match="layer 'first': expected exactly one Output"):
        tiny_network(layers=[*list(layers.values())[:-1], first, layers["image"]])


def test_base_reads_the_input_itself():
    with pytest.raises(ModelError, match="layer 'base': reads 'wide', expected 'pixels'"):
        IntegerNetwork("sr", 1, 3, [RepeatChannels("wide", ("pixels",), 3), Base("base", ("wide",), 1)])


def test_no_accumulator_can_overflow():
    layers = [RepeatChannels("wide", ("pixels",), MAX_CHANNELS)]
    layers.append(ConvInt8("acc", ("wide",), np.full((3, 3, 3, MAX_CHANNELS), -128, np.int8)))
    layers.append(Base("base", ("pixels",), 1))
    layers.append(Output("image", ("acc", "base"), [1] * 3, [0] * 3, 8))
    kind = IntegerNetwork("denoise", 1, 3, layers).types["acc"]
    assert (kind.low, kind.high, kind.bits) == (-9 * MAX_CHANNELS * 128 * 255, 0, 32)


def test_types_of_the_tiny_network():
    types = tensor_types(tiny_network())
    kinds = {name: (t.kind, t.channels, t.factor, t.bits) for name, t in types.items()}
    assert list(kinds) == ["pixels", *tiny_layers()]
    assert kinds["pixels"] == ("pixels", 3, 1, 8)
    assert kinds["head"] == ("stream", 4, 1, 12)
    assert kinds["body.0.sign"] == ("bits", 4, 1, 1)
    assert kinds["body.0.conv"] == ("acc", 4, 1, 7)
    assert (types["body.0.conv"].low, types["body.0.conv"].high) == (-36, 36)
    assert kinds["up.conv"] == ("acc", 16, 1, 7)
    assert kinds["up.shuffle"] == ("stream", 4, 2, 12)
    assert kinds["tail.in"] == ("stream", 4, 2, 8)
    assert kinds["base"] == ("base", 3, 2, 12)
    assert (types["base"].low, types["base"].high) == (0, 255 * 16)
    assert kinds["image"] == ("image", 3, 2, 8)


def test_bounds_of_accumulators_are_attained():
    weight = numbers(-128, 127, 1, 3, 3, 1)
    layers = [ConvInt8("acc", ("pixels",), weight), Base("base", ("pixels",), 1)]
    layers.append(Output("image", ("acc", "base"), [1], [0], 8))
    kind = IntegerNetwork("deblock", 1, 1, layers).types["acc"]
    assert kind.low == 255 * int(weight[weight < 0].sum())
    assert kind.high == 255 * int(weight[weight > 0].sum())
    assert kind.bits == signed_bits(kind.low, kind.high)


def test_bounds_include_the_padding():
    """A stream that is never below 5 still meets zeros outside the image."""
    layers = [
        Requant("five", ("pixels",), [0], [0], [5], [5], [0], 0, 8),
        ConvInt8("acc", ("five",), np.ones((1, 3, 3, 1), np.int8)),
        Base("base", ("pixels",), 1),
        Output("image", ("acc", "base"), [1], [0], 8),
    ]
    network = IntegerNetwork("deblock", 1, 1, layers)
    tensors = dict(trace(network, np.zeros((3, 3), np.uint8)))
    assert (network.types["five"].low, network.types["five"].high) == (5, 5)
    assert network.types["acc"].low <= tensors["acc"].min() == 20
    assert network.types["acc"].high == tensors["acc"].max() == 45


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-2, 1, 2), (-576, 576, 11)]
)
def test_signed_bits(low, high, bits):
    assert signed_bits(low, high) == bits


def test_hash_is_pinned():
    """A change of this hash is a change of the format: it orphans every trained network."""
    expected = "b6548d7f5fe57465112874a855b21d52e82419b101309d36d003927cc3bec774"
    assert tiny_network().content_hash == expected


def test_hash_covers_everything_but_meta():
    original = tiny_network().content_hash
    assert tiny_network(meta={"other": 1}).content_hash == original
    others = [
        tiny_network(task="denoise"),
        changed("image", shift=17),
        changed("body.0", inputs=("body.0.requant", "head")),
        changed("image", name="picture"),
    ]
    for name, layer in tiny_layers().items():
        for key, rule in layer.rules().items():
            if hasattr(rule, "dtype"):
                array = getattr(layer, key).copy()
                array.flat[-1] ^= 1
                others.append(changed(name, **{key: array}))
    hashes = {network.content_hash for network in others}
    assert original not in hashes
    assert len(hashes) == len(others)


def test_describe_is_one_page_with_the_facts():
    layers = list(tiny_layers().values())
    unit = [layer for layer in layers if layer.name.startswith("body.0")]
    second = [
        dataclasses.replace(
            layer,
            name=layer.name.replace(".0", ".1"),
            inputs=tuple({"head": "body.0"}.get(i, i.replace(".0", ".1")) for i in layer.inputs),
        )
        for layer in unit
    ]
    up = dataclasses.replace(layers[6], inputs=("body.1",))
    network = tiny_network(layers=[*layers[:6], *second, up, *layers[7:]])
    text = describe(network, 10, 20)
    assert network.describe(10, 20) == text
    assert network.content_hash in text
    assert "20 x 10 -> 40 x 20" in text
    assert "meta.name        tiny" in text
    assert f"{(2 * 9 * 16 + 9 * 64) * 200:,}" in text  # binary MACs
    assert f"{9 * 12 * 200 + 9 * 12 * 800:,}" in text  # int8 MACs
    assert "2 x|body.0.sign" in text
    assert "body.1" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_every_layer_class_is_a_layer_type():
    assert len(LAYER_TYPES) == 16
