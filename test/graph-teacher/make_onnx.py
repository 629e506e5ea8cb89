"""Writes the ONNX files of fixtures/onnx: the tiny teacher of the tests (test/tiny-teacher.ts, seed 5) in PyTorch,
exported with a decoded output [B, rows, 5 + nc] as detectors usually are.

    python make_onnx.py teacher-5.safetensors FOLDER
"""
import json
import struct
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

STRIDES = (8, 16)
ANCHORS = (((12, 12), (16, 16)), ((24, 24), (32, 32)))
NAMES = {0: "red", 1: "green"}
COLUMNS = 5 + len(NAMES)


class Conv(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1, padding=None):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv1 = Conv(channels, channels)
        self.cv2 = Conv(channels, channels, 3)

    def forward(self, x):
        return x + self.cv2(self.cv1(x))


class C3(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(channels, channels // 2)
        self.cv3 = Conv(channels, channels)
        self.m = nn.Sequential(Bottleneck(channels // 2))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class Pyramid(nn.Module):
    def __init__(self, channels, window):
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(2 * channels, channels)
        self.m = nn.MaxPool2d(window, 1, window // 2)

    def forward(self, x):
        levels = [self.cv1(x)]
        for _ in range(3):
            levels.append(self.m(levels[-1]))
        return self.cv2(torch.cat(levels, 1))


class Decoded(nn.Module):
    """Raw heads of each level, decoded: rows by level, anchor, y, x."""

    def __init__(self, channels):
        super().__init__()
        self.m = nn.ModuleList(nn.Conv2d(c, 2 * COLUMNS, 1) for c in channels)
        self.register_buffer("anchors", torch.zeros(2, 2, 2))

    def forward(self, features):
        rows = []
        for conv, feature, stride, anchors in zip(self.m, features, STRIDES, ANCHORS):
            y = conv(feature)
            b, _, h, w = y.shape
            y = y.view(b, 2, COLUMNS, h, w).permute(0, 1, 3, 4, 2).sigmoid()
            gy, gx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
            corner = torch.stack((gx, gy), 2).float() - 0.5
            size = torch.tensor(anchors).float().view(1, 2, 1, 1, 2)
            centre = (y[..., 0:2] * 2 + corner) * stride
            rows.append(torch.cat((centre, (y[..., 2:4] * 2) ** 2 * size, y[..., 4:]), 4).view(b, -1, COLUMNS))
        return torch.cat(rows, 1)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.ModuleList(
            [Conv(3, 8, 6, 2, 2), Conv(8, 8, 3, 2), C3(8), Conv(8, 16, 3, 2), Pyramid(16, 5), Conv(16, 16, 3, 2)]
            + [Decoded((16, 16))]
        )

    def forward(self, x):
        for module in self.model[:5]:
            x = module(x)
        return self.model[6]((x, self.model[5](x)))


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    kinds = {"F32": torch.float32, "I64": torch.int64}
    return {
        name: torch.frombuffer(bytearray(data[slice(*entry["data_offsets"])]), dtype=kinds[entry["dtype"]])
        .reshape(entry["shape"])
        for name, entry in header.items()
    }


def main():
    weights, folder = sys.argv[1:]
    model = Detector()
    model.load_state_dict(read_safetensors(weights))
    model.eval()
    for name, axes in (("fixed", None), ("dynamic", {"images": {0: "batch", 2: "height", 3: "width"}})):
        path = f"{folder}/tiny-{name}.onnx"
        torch.onnx.export(
            model, torch.zeros(1, 3, 64, 64), path, dynamo=False, opset_version=17,
            input_names=["images"], output_names=["output0"], dynamic_axes=axes,
        )  # fmt: skip
        import onnx

        loaded = onnx.load(path)
        for key, value in (("stride", "16"), ("names", str(NAMES))):
            entry = loaded.metadata_props.add()
            entry.key, entry.value = key, value
        for node in loaded.graph.node:
            node.ClearField("doc_string")
        onnx.save(loaded, path)


main()
