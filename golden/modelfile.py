# SPDX-License-Identifier: BSD-3-Clause
"""The .npz file of an integer network: a zip archive of uncompressed NumPy arrays.

Array "header" holds JSON as UTF-8 bytes: the record of the network (`IntegerNetwork.record`), its "hash" and
its "meta". Array "<layer>.<field>" holds each array constant, little-endian, in the dtype of its rule; the
0/1 weights of a ConvXnor are packed along C_in, channel c in bit c % 8 of byte c // 8.

A file is not trusted. Sizes are compared before anything is allocated, and whatever the parsers of the
standard library and of NumPy raise on damaged bytes becomes a ModelError.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from golden.layers import LAYER_TYPES, ArrayRule, ConvXnor, Layer, ModelError
from golden.network import FORMAT_VERSION, IntegerNetwork, little_endian
from golden.packing import pack_bytes, unpack_bytes

MAX_FILE_BYTES = 1 << 26
_HEADER = "header"
_HEADER_KEYS = {"format", "task", "scale", "channels", "layers", "hash", "meta"}


def save(network: IntegerNetwork, path: str | os.PathLike[str]) -> None:
    """Write `network` to `path`; the file appears complete or not at all. See `IntegerNetwork.save`."""
    header = {**network.record(), "hash": network.content_hash, "meta": network.meta}
    arrays = {_HEADER: np.frombuffer(json.dumps(header, indent=1).encode(), np.uint8)}
    for layer in network.layers:
        for key, rule in layer.rules().items():
            if isinstance(rule, ArrayRule):
                array = getattr(layer, key)
                arrays[f"{layer.name}.{key}"] = pack_bytes(array) if isinstance(layer, ConvXnor) else array
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, array in arrays.items():
                    archive.writestr(zipfile.ZipInfo(f"{name}.npy"), _npy(array))  # dated 1980: same bytes
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> IntegerNetwork:
    """Read and verify the network in `path`; see `IntegerNetwork.load`."""
    try:
        return _parse(_read(path))
    except ModelError as error:
        raise ModelError(f"{os.fspath(path)}: {_brief(error)}") from None


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, little_endian(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _brief(error: Exception) -> str:
    """Return the error as one line of bounded length: its text may quote the damaged file."""
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:300]}..."


def _read(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """Return the members of the archive by name, their checksums verified."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ModelError(f"is larger than {MAX_FILE_BYTES >> 20} MiB, which no network of bitmend is")
    if not data.startswith(b"PK\x03\x04"):
        raise ModelError("is not an .npz file")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            stored = all(info.compress_type == zipfile.ZIP_STORED for info in infos)
            overlap = sum(info.file_size for info in infos) > len(data)
            members = {info.filename: archive.read(info) for info in infos} if stored and not overlap else {}
    except Exception as error:  # zipfile raises a dozen types on damaged bytes
        raise ModelError(f"is a truncated or damaged .npz file ({_brief(error)})") from None
    if f"{_HEADER}.npy" not in members:
        raise ModelError("is an .npz file but not one that bitmend wrote (no uncompressed array 'header')")
    if len(members) != len(infos):
        raise ModelError("is a damaged .npz file (an array is in it twice)")
    return members


def _parse(members: dict[str, bytes]) -> IntegerNetwork:
    header = _parse_header(members.pop(f"{_HEADER}.npy"))
    layers = [_parse_layer(record, members) for record in header["layers"]]
    if members:
        raise ModelError(f"holds {min(members)!r}, which belongs to no layer")
    network = IntegerNetwork(header["task"], header["scale"], header["channels"], layers, header["meta"])
    if network.format != header["format"]:
        raise ModelError(
            f"is format version {header['format']}, but its layers are of version {network.format}: the file "
            "was changed after it was written; export the network again"
        )
    if network.content_hash != header["hash"]:
        raise ModelError(
            f"field 'hash' is {header['hash']!r}, but the content has {network.content_hash}: the file was "
            "changed after it was written; export the network again"
        )
    return network


def _parse_header(data: bytes) -> dict[str, Any]:
    """Return the header, of the right version, with all its fields, its layers a list of objects."""
    try:
        header = json.loads(_parse_npy(data, np.dtype(np.uint8), None).tobytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"array 'header' is not readable ({_brief(error)})") from None
    version = header.get("format") if isinstance(header, dict) else None
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise ModelError(
            f"is format version {version}, this bitmend reads versions 1 to {FORMAT_VERSION}: export the "
            "network again with this bitmend, or use the one that wrote it"
        )
    _expect_keys("header", header, _HEADER_KEYS)
    records = header["layers"]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ModelError("header: field 'layers' is not a list of objects")
    return header


def _parse_layer(record: dict[str, Any], members: dict[str, bytes]) -> Layer:
    """Build the layer of one record; takes its arrays out of `members`."""
    label = f"layer '{record.get('name')}'"
    kind = record.get("type")
    if not isinstance(kind, str) or kind not in LAYER_TYPES:
        raise ModelError(f"{label}: type {kind!r} is unknown, expected one of {', '.join(LAYER_TYPES)}")
    cls = LAYER_TYPES[kind]
    _expect_keys(label, record, {"type", "name", "inputs", *cls.rules()})
    constants = {key: record[key] for key in cls.rules()}
    for key, rule in cls.rules().items():
        if isinstance(rule, ArrayRule):
            try:
                data = members.pop(f"{record['name']}.{key}.npy")
                constants[key] = _parse_array(data, rule, record[key], packed=cls is ConvXnor)
            except KeyError:
                raise ModelError(f"{label}: the array of field '{key}' is missing") from None
            except ValueError as error:
                raise ModelError(f"{label}: field '{key}' {error}") from None
    return cls(record["name"], record["inputs"], **constants)


def _expect_keys(label: str, record: dict[str, Any], expected: set[str]) -> None:
    if record.keys() != expected:
        missing, unknown = sorted(expected - record.keys()), sorted(record.keys() - expected)
        field = f"field '{missing[0]}' is missing" if missing else f"field {unknown[0]!r} is unknown"
        raise ModelError(f"{label}: {field}")


def _parse_array(data: bytes, rule: ArrayRule, shape: Any, packed: bool) -> np.ndarray:
    """Return an array constant of the shape that the header states; raise ValueError with what is wrong."""
    if not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape) or not shape:
        raise ValueError(f"has shape {shape!r} in the header, expected a list of positive integers")
    if not packed:
        return _parse_npy(data, np.dtype(rule.dtype), tuple(shape))
    bits = _parse_npy(data, np.dtype(np.uint8), (*shape[:-1], -(-shape[-1] // 8)))
    return unpack_bytes(bits, shape[-1])


def _parse_npy(data: bytes, dtype: np.dtype, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return the array in .npy bytes, which must have this dtype and shape (None: any length of 1-D)."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        found_shape, fortran, found_dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # the header is Python source text: its parser can raise anything
        raise ValueError(f"is not a NumPy array ({_brief(error)})") from None
    size = len(data) - stream.tell()
    if shape is None:
        shape = (size,)
    if version != (1, 0) or fortran or found_dtype != dtype.newbyteorder("<") or found_shape != shape:
        raise ValueError(f"is stored as {found_dtype} {found_shape}, expected {dtype} {shape}")
    if size != dtype.itemsize * math.prod(shape):
        raise ValueError(f"is stored in {size} bytes, expected {dtype.itemsize * math.prod(shape)}")
    return np.frombuffer(data, dtype.newbyteorder("<"), offset=stream.tell()).reshape(shape)
