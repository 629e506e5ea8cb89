#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a Softshard cache (format softshard-cache 1.x, see docs/cache-format.md).

Needs Python >= 3.8 and `msgpack` from PyPI; uses numpy for decoding when it is installed.

As a library:

    cache = Cache("runs/coco.cache")
    target = cache.read(sample=5, view=0)           # every kind of answer; or kinds=["heads"]
    target.blobs["head.0"].shape, target.blobs["head.0"].values()

As a program, it prints each blob's statistics and the sha256 of its decoded little-endian bytes:

    python softshard_reader.py CACHE [--json] [--verify] [--allow-unsealed]
"""

import argparse
import array
import hashlib
import json
import math
import os
import struct
import sys
import zlib

import msgpack

try:
    import numpy
except ImportError:
    numpy = None

BYTES_PER_VALUE = {"fp16": 2, "fp32": 4, "raw": 1}
DTYPE = {"fp16": "float32", "fp32": "float32", "raw": "uint8"}
BLOCK_BYTES = 4 << 20


class CacheError(Exception):
    """A cache that is malformed, damaged or not complete; the message names the file."""


class Blob:
    """One decoded array: `shape`, `dtype` ('float32' or 'uint8') and `data`, little-endian bytes in C order."""

    def __init__(self, shape, dtype, data):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.data = data

    def values(self):
        """The values: a numpy array of `shape` when numpy is installed, else a flat array.array."""
        if numpy is not None:
            kind = "<f4" if self.dtype == "float32" else "u1"
            return numpy.frombuffer(self.data, dtype=kind).reshape(self.shape)
        values = array.array("f" if self.dtype == "float32" else "B")
        values.frombytes(self.data)
        if sys.byteorder == "big" and self.dtype == "float32":
            values.byteswap()
        return values


class Target:
    """The answers to one view: who is answered, the realised view (`record`), and `blobs` by name."""

    def __init__(self, sample, view, input_digest, record, blobs):
        self.sample = sample
        self.view = view
        self.input_digest = input_digest
        self.record = record
        self.blobs = blobs


def decode_blob(codec, data, shape, where):
    """Decodes a blob's bytes. `sparse` and `int8` need numpy."""
    name, _, params = codec.partition(":")
    if name in ("int8", "sparse"):
        return Blob(shape, "float32", _decode_lossy(name, params, data, shape, where))
    if codec == "rows":
        return Blob(shape, "float32", _decode_rows(data, shape, where))
    if codec not in BYTES_PER_VALUE:
        raise CacheError(f"{where}: unknown codec {codec}")
    count = 1
    for length in shape:
        count *= length
    if len(data) != count * BYTES_PER_VALUE[codec]:
        raise CacheError(f"{where}: {len(data)} bytes for shape {shape} in {codec}")
    if codec != "fp16":
        return Blob(shape, DTYPE[codec], bytes(data))
    if numpy is not None:
        return Blob(shape, "float32", numpy.frombuffer(data, dtype="<f2").astype("<f4").tobytes())
    values = struct.unpack(f"<{count}e", data)
    return Blob(shape, "float32", struct.pack(f"<{count}f", *values))


def _decode_rows(data, shape, where):
    """Detections, [R, 5 + classes]: the class, the box in 65535ths, and logits in half precision."""
    if len(shape) != 2 or shape[1] < 5 or len(data) != 2 * shape[0] * shape[1]:
        raise CacheError(f"{where}: {len(data)} bytes for shape {shape} in rows")
    rows, width = shape
    values = []
    for row in struct.iter_unpack(f"<5H{width - 5}e", data) if rows else ():
        values += [row[0], *(side / 65535 for side in row[1:5]), *row[5:]]
    return struct.pack(f"<{rows * width}f", *values)


def _decode_lossy(name, params, data, shape, where):
    if numpy is None:
        raise CacheError(f"{where}: the codec {name} needs numpy (pip install numpy)")
    if name == "sparse":
        import softshard_sparse

        try:
            values = softshard_sparse.decode(data, shape, dict(pair.split("=") for pair in params.split(",")))
        except softshard_sparse.SparseError as error:
            raise CacheError(f"{where}: {error}") from error
        return values.tobytes()
    channels = shape[-1] if len(shape) else 1
    least, largest = numpy.frombuffer(data[: 8 * channels], dtype="<f4").reshape(-1, 2).T.astype("<f8")
    levels = numpy.frombuffer(data[8 * channels :], dtype="u1").reshape(-1, channels)
    values = least + (largest - least) * (levels / 255)
    return numpy.where(levels == 255, largest, values).astype("<f4").tobytes()


def parse_document(content, expected_format, where):
    """Reads one of the JSON files: checks its own digest, its format and its major version."""
    head = b'{\n "digest": "'
    stated = content[14:78].decode("latin1")
    found = hashlib.sha256(content[:14] + b"0" * 64 + content[78:]).hexdigest()
    if not content.startswith(head) or stated != found:
        raise CacheError(f"{where}: its text disagrees with its digest")
    document = json.loads(content.decode("utf8"))
    if document.get("format") != expected_format:
        raise CacheError(f"{where}: format {document.get('format')}, expected {expected_format}")
    if document.get("major") != 1:
        raise CacheError(f"{where}: unknown major version {document.get('major')}")
    return document


def parse_record(content, codec, where):
    """Reads one record of a shard, without checking its crc32."""
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=True, max_buffer_size=len(content) + 1)
    unpacker.feed(content)
    entry = unpacker.unpack()
    blobs = {}
    for blob in entry["blobs"]:
        place = f"{where}, {blob['name']}"
        offset, length = blob["offset"], blob["bytes"]
        if offset % 64 or content[offset - 5 : offset] != b"\xc6" + struct.pack(">I", length):
            raise CacheError(f"{place}: no blob of {length} bytes at offset {offset}")
        if blob["codec"] != codec:
            raise CacheError(f"{place}: codec {blob['codec']}, expected {codec}")
        blobs[blob["name"]] = decode_blob(codec, content[offset : offset + length], blob["shape"], place)
    return Target(entry["sample"], entry["view"], entry["input"], entry["record"], blobs)


class Cache:
    """An open cache. Unit records are read as needed and kept; shards are read record by record."""

    def __init__(self, folder, allow_unsealed=False):
        self.folder = folder
        manifest = self._load("cache.json")
        self.manifest = parse_document(manifest, "softshard-cache", "cache.json")
        self.extent = self.manifest["extent"]
        self.seal = None
        self._unit_digests = None
        self._units = {}
        if os.path.exists(self._path("SEAL")):
            self.seal = parse_document(self._load("SEAL"), "softshard-seal", "SEAL")
            index = self._load("index.json")
            for name, content, key in (("cache.json", manifest, "manifest"), ("index.json", index, "index")):
                if hashlib.sha256(content).hexdigest() != self.seal[key]:
                    raise CacheError(f"{name}: its sha256 is not the one in SEAL")
            units = parse_document(index, "softshard-index", "index.json")["units"]
            self._unit_digests = {unit["unit"]: unit["sha256"] for unit in units}
        elif not allow_unsealed:
            raise CacheError(f"{folder}: the cache is not sealed")

    def units(self):
        """The indices of the committed units, ascending."""
        names = os.listdir(self._path("units"))
        return sorted(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit())

    def unit(self, index):
        """The record of a unit: `view`, `samples`, `shards`."""
        if index not in self._units:
            name = f"units/{index:06d}.json"
            content = self._load(name)
            if self._unit_digests is not None:
                if hashlib.sha256(content).hexdigest() != self._unit_digests.get(index):
                    raise CacheError(f"{name}: its sha256 is not the one in index.json")
            self._units[index] = parse_document(content, "softshard-unit", name)
        return self._units[index]

    def read(self, sample, view, kinds=None):
        """The answers to one view, of all kinds or of those named; each record's crc32 is checked."""
        extent = self.extent
        if not (0 <= sample < extent["samples"] and 0 <= view < extent["views"]):
            raise CacheError(f"{self.folder}: no sample {sample}, view {view}")
        per_view = math.ceil(extent["samples"] / extent["unitViews"])
        unit = self.unit(view * per_view + sample // extent["unitViews"])
        return self.read_at(unit, sample % extent["unitViews"], kinds)

    def read_at(self, unit, position, kinds=None):
        """The answers to the view at a position of a unit."""
        joined = None
        done = set()
        for shard in unit["shards"]:
            if (kinds is not None and shard["kind"] not in kinds) or shard["kind"] in done:
                continue
            done.add(shard["kind"])
            target = self._read_record(unit, shard, position)
            if joined is None:
                joined = target
            elif joined.input_digest != target.input_digest:
                raise CacheError(f"{shard['name']}, record {position}: an answer to another input")
            else:
                joined.blobs.update(target.blobs)
        if joined is None:
            raise CacheError(f"{self.folder}: no answers of kind {kinds}")
        return joined

    def verify(self):
        """Checks the sha256 of every file up to SEAL. Raises CacheError at the first that disagrees."""
        digests = {"cache.json": self._sha256("cache.json"), "index.json": self._sha256("index.json")}
        for index in self.units():
            unit = self.unit(index)
            digests[f"units/{index:06d}.json"] = self._sha256(f"units/{index:06d}.json")
            for shard in unit["shards"]:
                digests[shard["name"]] = self._sha256(shard["name"])
                if digests[shard["name"]] != shard["sha256"]:
                    raise CacheError(f"{shard['name']}: its sha256 is not the one in its unit's record")
        lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
        if self.seal is None or hashlib.sha256(lines.encode()).hexdigest() != self.seal["tree"]:
            raise CacheError("SEAL: the digest of the tree disagrees")

    def _read_record(self, unit, shard, position):
        offset, length, crc = shard["records"][position]
        where = f"{shard['name']}, record {position}"
        with open(self._path(shard["name"]), "rb") as file:
            file.seek(offset)
            content = file.read(length)
        if len(content) != length or content[-5:] != b"\xce" + struct.pack(">I", crc):
            raise CacheError(f"{where}: it does not end in the crc32 of its unit's record")
        if zlib.crc32(content[:-5]) != crc:
            raise CacheError(f"{where}: its crc32 disagrees")
        target = parse_record(content, shard["codec"], where)
        if target.sample != unit["samples"][position] or target.view != unit["view"]:
            raise CacheError(f"{where}: an answer to sample {target.sample}, view {target.view}")
        return target

    def _path(self, name):
        if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name:
            raise CacheError(f"a name that no file of a cache can have: {name!r}")
        return os.path.join(self.folder, *name.split("/"))

    def _load(self, name):
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except FileNotFoundError as error:
            raise CacheError(f"{self.folder}: there is no {name}") from error

    def _sha256(self, name):
        digest = hashlib.sha256()
        with open(self._path(name), "rb") as file:
            for block in iter(lambda: file.read(BLOCK_BYTES), b""):
                digest.update(block)
        return digest.hexdigest()


def summarise(blob):
    """Shape, dtype, sha256 of the decoded bytes, and minimum, maximum and mean of the finite values."""
    flat = blob.values() if numpy is None else blob.values().ravel().tolist()
    finite = [value for value in flat if math.isfinite(value)]
    return {
        "shape": list(blob.shape),
        "dtype": blob.dtype,
        "sha256": hashlib.sha256(blob.data).hexdigest(),
        "min": min(finite) if finite else None,
        "max": max(finite) if finite else None,
        "mean": math.fsum(finite) / len(finite) if finite else None,
    }


def main():
    parser = argparse.ArgumentParser(description="Prints what a Softshard cache holds.")
    parser.add_argument("cache", help="the cache's folder")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--verify", action="store_true", help="check the sha256 of every file first")
    parser.add_argument("--allow-unsealed", action="store_true", help="read a cache that still grows")
    options = parser.parse_args()
    cache = Cache(options.cache, allow_unsealed=options.allow_unsealed)
    if options.verify:
        cache.verify()
    views = []
    for index in cache.units():
        unit = cache.unit(index)
        for position in range(len(unit["samples"])):
            target = cache.read_at(unit, position)
            view = {
                "sample": target.sample,
                "view": target.view,
                "input": target.input_digest,
                "record": target.record,
                "blobs": {name: summarise(blob) for name, blob in target.blobs.items()},
            }
            if options.json:
                views.append(view)
                continue
            print(f"sample {target.sample}, view {target.view}, input {target.input_digest}")
            for name, blob in view["blobs"].items():
                print(f"  {name} {blob['dtype']}{blob['shape']} min {blob['min']} max {blob['max']}", end=" ")
                print(f"mean {blob['mean']} sha256 {blob['sha256']}")
    if options.json:
        json.dump({"manifest": cache.manifest, "views": views}, sys.stdout)
        print()


if __name__ == "__main__":
    try:
        main()
    except CacheError as error:
        sys.exit(f"softshard_reader: {error}")
