"""Loads a .pt state dict with the standard library alone and prints what it holds, as JSON.

Fails on anything that PyTorch's restricted loader would not accept: opcodes, globals, wrong checksums.
"""

import collections
import io
import json
import pickle
import pickletools
import struct
import sys
import zipfile

OPCODES = set(
    """GLOBAL REDUCE BUILD APPEND APPENDS SETITEM SETITEMS MARK TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWFALSE NEWTRUE
    EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET BINPERSID BINGET LONG_BINGET BINPUT LONG_BINPUT BININT BININT1
    BININT2 BINFLOAT BINUNICODE LONG1 PROTO STOP""".split()
)
FORMATS = {
    "DoubleStorage": "d",
    "FloatStorage": "f",
    "HalfStorage": "e",
    "BFloat16Storage": "H",
    "LongStorage": "q",
    "IntStorage": "i",
    "ShortStorage": "h",
    "CharStorage": "b",
    "ByteStorage": "B",
    "BoolStorage": "?",
}


def rebuild(storage, offset, size, stride, requires_grad, hooks):
    assert requires_grad is False and hooks == collections.OrderedDict()
    kind, values = storage
    count, expected = 1, []
    for n in reversed(size):
        expected.append(count)
        count *= n
    assert tuple(reversed(expected)) == stride and offset == 0 and count == len(values)
    return kind, list(size), values


class Loader(pickle.Unpickler):
    def __init__(self, data, archive):
        super().__init__(io.BytesIO(data))
        self.archive = archive

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild
        if module == "torch" and name in FORMATS:
            return name
        raise AssertionError(f"global {module} {name}")

    def persistent_load(self, pid):
        assert type(pid) is tuple and len(pid) == 5
        tag, kind, key, location, count = pid
        assert tag == "storage" and location == "cpu"
        data = self.archive.read(f"archive/data/{key}")
        return kind, struct.unpack(f"<{count}{FORMATS[kind]}", data)


with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    names = [info.filename for info in archive.infolist()]
    assert len(names) == len(set(names))
    assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    assert archive.read("archive/version") == b"3\n"
    assert archive.read("archive/byteorder") == b"little"
    data = archive.read("archive/data.pkl")
    pickletools.dis(data, out=io.StringIO())
    used = {op.name for op, _, _ in pickletools.genops(data)}
    assert used <= OPCODES, used - OPCODES
    state = Loader(data, archive).load()
    assert type(state) is collections.OrderedDict
    print(json.dumps([[key, kind, size, [float(v) for v in values]] for key, (kind, size, values) in state.items()]))
