"""The same detector, loss and training step in plain PyTorch: what the engines are compared with.

Written for this comparison from the published architecture (YOLOv5 v7.0 convention) and from nothing else. Alone:

    python bench/peer.py --width 0.125 --steps 20
    python bench/peer.py --width 0.25 --mode forward --steps 40 --layout nchw

prints one JSON object. With --serve it answers one JSON command a line on standard input, so that its blocks of steps
can alternate with another program's.
"""

import argparse
import json
import math
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

ANCHORS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
STRIDES = (8, 16, 32)
# (inputs, repeats, kind, arguments): the P3-P5 detector; -1 is the layer before.
LAYERS = (
    (-1, 1, "conv", 64, 6, 2, 2),
    (-1, 1, "conv", 128, 3, 2, 1),
    (-1, 3, "c3", 128, True),
    (-1, 1, "conv", 256, 3, 2, 1),
    (-1, 6, "c3", 256, True),
    (-1, 1, "conv", 512, 3, 2, 1),
    (-1, 9, "c3", 512, True),
    (-1, 1, "conv", 1024, 3, 2, 1),
    (-1, 3, "c3", 1024, True),
    (-1, 1, "sppf", 1024, 5),
    (-1, 1, "conv", 512, 1, 1, 0),
    (-1, 1, "up"),
    ((-1, 6), 1, "concat"),
    (-1, 3, "c3", 512, False),
    (-1, 1, "conv", 256, 1, 1, 0),
    (-1, 1, "up"),
    ((-1, 4), 1, "concat"),
    (-1, 3, "c3", 256, False),
    (-1, 1, "conv", 256, 3, 2, 1),
    ((-1, 14), 1, "concat"),
    (-1, 3, "c3", 512, False),
    (-1, 1, "conv", 512, 3, 2, 1),
    ((-1, 10), 1, "concat"),
    (-1, 3, "c3", 1024, False),
)
HEAD_INPUTS = (17, 20, 23)


class Conv(nn.Module):
    """Convolution without bias, batch norm, SiLU."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)

    def forward(self, x):
        return F.silu(self.bn(self.conv(x)), inplace=True)


class FoldedConv(nn.Module):
    """A Conv whose batch norm has moved into the filter and a bias."""

    def __init__(self, source):
        super().__init__()
        conv, bn = source.conv, source.bn
        scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
        self.weight = nn.Parameter(conv.weight * scale[:, None, None, None])
        self.bias = nn.Parameter(bn.bias - bn.running_mean * scale)
        self.stride, self.padding = conv.stride, conv.padding

    def forward(self, x):
        return F.silu(F.conv2d(x, self.weight, self.bias, self.stride, self.padding), inplace=True)


class Bottleneck(nn.Module):
    def __init__(self, channels, shortcut):
        super().__init__()
        self.cv1 = Conv(channels, channels)
        self.cv2 = Conv(channels, channels, 3, 1, 1)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    def __init__(self, inputs, outputs, repeats, shortcut):
        super().__init__()
        hidden = outputs // 2
        self.cv1 = Conv(inputs, hidden)
        self.cv2 = Conv(inputs, hidden)
        self.cv3 = Conv(2 * hidden, outputs)
        self.m = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(repeats)))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class Pyramid(nn.Module):
    """SPPF: one pooling three times over."""

    def __init__(self, inputs, outputs, window):
        super().__init__()
        hidden = inputs // 2
        self.cv1 = Conv(inputs, hidden)
        self.cv2 = Conv(4 * hidden, outputs)
        self.window = window

    def forward(self, x):
        levels = [self.cv1(x)]
        for _ in range(3):
            levels.append(F.max_pool2d(levels[-1], self.window, 1, self.window // 2))
        return self.cv2(torch.cat(levels, 1))


class Upsample(nn.Module):
    def forward(self, x):
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Concat(nn.Module):
    def forward(self, *parts):
        return torch.cat(parts, 1)


class Heads(nn.Module):
    """One 1x1 convolution a level; raw logits [B, ny, nx, na, 5 + nc]."""

    def __init__(self, channels, classes):
        super().__init__()
        self.outputs = 5 + classes
        self.m = nn.ModuleList(nn.Conv2d(c, 3 * self.outputs, 1) for c in channels)
        self.register_buffer("anchors", torch.tensor(ANCHORS) / torch.tensor(STRIDES)[:, None, None])

    def forward(self, *features):
        result = []
        for conv, feature in zip(self.m, features):
            y = conv(feature).permute(0, 2, 3, 1)
            result.append(y.reshape(*y.shape[:3], 3, self.outputs))
        return result


class Detector(nn.Module):
    def __init__(self, width, depth, classes):
        super().__init__()
        def scaled(channels):
            return math.ceil(channels * width / 8) * 8

        modules, channels, self.sources = [], [], []
        before = 3
        for inputs, repeats, kind, *arguments in LAYERS:
            index = len(modules)
            sources = [index + s if s < 0 else s for s in (inputs if isinstance(inputs, tuple) else (inputs,))]
            count = max(round(repeats * depth), 1) if repeats > 1 else 1
            received = sum(channels[s] if s >= 0 else 3 for s in sources)
            if kind == "conv":
                outputs, kernel, stride, padding = arguments
                modules.append(Conv(received, scaled(outputs), kernel, stride, padding))
                before = scaled(outputs)
            elif kind == "c3":
                modules.append(C3(received, scaled(arguments[0]), count, arguments[1]))
                before = scaled(arguments[0])
            elif kind == "sppf":
                modules.append(Pyramid(received, scaled(arguments[0]), arguments[1]))
                before = scaled(arguments[0])
            else:
                modules.append(Upsample() if kind == "up" else Concat())
                before = received
            channels.append(before)
            self.sources.append(sources)
        modules.append(Heads([channels[i] for i in HEAD_INPUTS], classes))
        self.sources.append(list(HEAD_INPUTS))
        self.model = nn.ModuleList(modules)
        self.kept = {s for i, sources in enumerate(self.sources) for s in sources if s != i - 1}

    def forward(self, x):
        kept = {}
        for index, (module, sources) in enumerate(zip(self.model, self.sources)):
            x = module(*(x if s == index - 1 else kept[s] for s in sources))
            if index in self.kept:
                kept[index] = x
        return x


def fold(module):
    """Replaces every Conv below `module` by its folded form."""
    for name, child in module.named_children():
        if isinstance(child, Conv):
            setattr(module, name, FoldedConv(child))
        else:
            fold(child)


def ciou(boxes, targets, eps=1e-7):
    """Complete IoU of rows (x, y, w, h) (Zheng et al. 2020); the trade-off alpha takes no gradient."""
    x1, y1, w1, h1 = boxes.unbind(1)
    x2, y2, w2, h2 = targets.unbind(1)
    left1, right1, top1, bottom1 = x1 - w1 / 2, x1 + w1 / 2, y1 - h1 / 2, y1 + h1 / 2
    left2, right2, top2, bottom2 = x2 - w2 / 2, x2 + w2 / 2, y2 - h2 / 2, y2 + h2 / 2
    across = (torch.minimum(right1, right2) - torch.maximum(left1, left2)).clamp(min=0)
    down = (torch.minimum(bottom1, bottom2) - torch.maximum(top1, top2)).clamp(min=0)
    shared = across * down
    iou = shared / (w1 * h1 + w2 * h2 - shared + eps)
    width = torch.maximum(right1, right2) - torch.minimum(left1, left2)
    height = torch.maximum(bottom1, bottom2) - torch.minimum(top1, top2)
    distance = ((x1 - x2) ** 2 + (y1 - y2) ** 2) / (width**2 + height**2 + eps)
    v = (4 / math.pi**2) * (torch.atan(w2 / h2) - torch.atan(w1 / h1)) ** 2
    alpha = (v / (v - iou + 1 + eps)).detach()
    return iou - distance - alpha * v


# Which cells beside its own learn a label: left, above, right, below.
NEIGHBOURS = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [-0.5, 0.0], [0.0, -0.5]])


def assign(labels, anchors, nx, ny, threshold=4.0):
    """Rows (image, class, anchor, cell x, cell y, box) that one level learns; labels [T,6], anchors in cells."""
    scale = torch.tensor([nx, ny, nx, ny], dtype=labels.dtype)
    boxes = labels[:, 2:] * scale
    ratio = boxes[None, :, 2:] / anchors[:, None]
    anchor, row = torch.nonzero(torch.maximum(ratio, 1 / ratio).amax(2) < threshold, as_tuple=True)
    boxes, labels = boxes[row], labels[row]
    centre = boxes[:, :2]
    inverse = scale[:2] - centre
    low = (centre % 1 < 0.5) & (centre > 1)
    high = (inverse % 1 < 0.5) & (inverse > 1)
    near = torch.cat((torch.ones(1, len(row), dtype=torch.bool), low.T, high.T))
    side, row = torch.nonzero(near, as_tuple=True)
    boxes, labels, anchor = boxes[row], labels[row], anchor[row]
    cell = torch.trunc(boxes[:, :2] - NEIGHBOURS[side])
    target = torch.cat((boxes[:, :2] - cell, boxes[:, 2:]), 1)
    cell = cell.long()
    image, kind = labels[:, 0].long(), labels[:, 1].long()
    return image, kind, anchor, cell[:, 0].clamp(0, nx - 1), cell[:, 1].clamp(0, ny - 1), target


def hard_loss(heads, labels, anchors, gains):
    """Boxes by CIoU and classes by cross entropy where assigned, objectness by cross entropy everywhere; times B."""
    box = obj = cls = torch.zeros(())
    for level, (head, sizes, balance) in enumerate(zip(heads, anchors, (4.0, 1.0, 0.4))):
        batch, ny, nx, _, outputs = head.shape
        image, kind, anchor, gx, gy, target = assign(labels, sizes, nx, ny)
        wanted = torch.zeros(head.shape[:4])
        if len(image) > 0:
            rows = head[image, gy, gx, anchor]
            xy = 2 * torch.sigmoid(rows[:, 0:2]) - 0.5
            wh = (2 * torch.sigmoid(rows[:, 2:4])) ** 2 * sizes[anchor]
            overlap = ciou(torch.cat((xy, wh), 1), target)
            box = box + (1 - overlap).mean()
            wanted[image, gy, gx, anchor] = overlap.detach().clamp(min=0)
            if outputs > 6:
                classes = F.one_hot(kind, outputs - 5).float()
                cls = cls + F.binary_cross_entropy_with_logits(rows[:, 5:], classes)
        obj = obj + balance * F.binary_cross_entropy_with_logits(head[..., 4], wanted)
    return batch * (gains["box"] * box + gains["obj"] * obj + gains["cls"] * cls)


def read_safetensors(path):
    """Float32 entries of a safetensors file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    result = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = entry["data_offsets"]
            result[name] = torch.frombuffer(bytearray(data[start:end]), dtype=torch.float32).reshape(entry["shape"])
    return result


def memory_mb(field):
    """A field of /proc/self/status in MB, or None where the system has none."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def picture(batch, size):
    """Images [B,3,S,S] in 0...1 by a formula, the same in every program that is compared."""
    b = torch.arange(batch)[:, None, None, None]
    c = torch.arange(3)[None, :, None, None]
    y = torch.arange(size)[None, None, :, None]
    x = torch.arange(size)[None, None, None, :]
    return ((13 * b + 31 * c + 17 * y + 7 * x) % 256).float() / 255


def example_labels(batch, classes, each=6):
    """Label rows by a formula: used where the command names none."""
    return [
        [
            b,
            (7 * b + 11 * k) % classes,
            0.1 + 0.8 * ((37 * b + 53 * k + 11) % 97) / 97,
            0.1 + 0.8 * ((59 * b + 29 * k + 5) % 89) / 89,
            0.05 + 0.4 * ((17 * b + 41 * k + 3) % 31) / 31,
            0.05 + 0.4 * ((23 * b + 13 * k + 7) % 29) / 29,
        ]
        for b in range(batch)
        for k in range(each)
    ]


class Workload:
    """A model with everything that one iteration needs; `run` performs one and returns a number of its result."""

    def __init__(self, options):
        torch.set_num_threads(options["threads"])
        torch.manual_seed(0)
        batch, size, classes = options["batch"], options["size"], options["classes"]
        self.model = Detector(options["width"], options.get("depth", 0.33), classes)
        if options.get("weights"):
            state = read_safetensors(options["weights"])
            own = {k for k, v in self.model.state_dict().items() if v.is_floating_point()}
            if own != set(state):
                raise SystemExit(f"the weights are of another graph: {sorted(own ^ set(state))[:4]}")
            self.model.load_state_dict(state, strict=False)
        self.parameters = sum(p.numel() for p in self.model.parameters())
        layout = torch.channels_last if options.get("layout", "nhwc") == "nhwc" else torch.contiguous_format
        self.x = picture(batch, size).contiguous(memory_format=layout)
        if options["mode"] == "forward":
            self.model.eval()
            with torch.no_grad():
                fold(self.model)
            self.run = self.forward
        else:
            self.model.train()
            self.labels = torch.tensor(options.get("labels") or example_labels(batch, classes))
            nominal = {"box": 0.05, "obj": (size / 640) ** 2, "cls": 0.5 * classes / 80}
            self.gains = options.get("gains") or nominal
            self.prepare_step(options.get("learning_rate", 0.01), options.get("weight_decay", 5e-4))
            self.run = self.step
        self.model.to(memory_format=layout)

    def prepare_step(self, rate, decay):
        biases, weights, gammas = [], [], []
        for module in self.model.modules():
            for name, value in module.named_parameters(recurse=False):
                norm = isinstance(module, nn.BatchNorm2d)
                (biases if name == "bias" else gammas if norm else weights).append(value)
        self.trained = [*biases, *weights, *gammas]
        groups = [{"params": biases}, {"params": weights, "weight_decay": decay}, {"params": gammas}]
        self.optimizer = torch.optim.SGD(groups, lr=rate, momentum=0.937, nesterov=True, fused=True)
        self.state = [v for v in self.model.state_dict().values() if v.is_floating_point()]
        self.average = [v.detach().clone() for v in self.state]
        self.updates = 0

    def forward(self):
        with torch.inference_mode():
            return self.model(self.x)[0][0, 0, 0, 0, 0].item()

    def step(self):
        heads = self.model(self.x)
        loss = hard_loss(heads, self.labels, self.model.model[-1].anchors, self.gains)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trained, 10.0, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.updates += 1
        keep = 0.9999 * (1 - math.exp(-self.updates / 2000))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.state, 1 - keep)
        return loss.item()


def timed(workload, iterations, budget_ms=math.inf):
    """Milliseconds of each iteration, and what each returned; at least one, none begun after the budget."""
    times, values = [], []
    cpu = time.process_time()
    for _ in range(iterations):
        if sum(times) > budget_ms:
            break
        begin = time.perf_counter()
        values.append(workload.run())
        times.append((time.perf_counter() - begin) * 1000)
    cpu = (time.process_time() - cpu) * 1000
    return {"ms": times, "values": values, "cpuMs": cpu, "peakMb": memory_mb("VmHWM")}


def serve():
    workload = None
    base = memory_mb("VmRSS")
    for line in sys.stdin:
        command = json.loads(line)
        if command["op"] == "open":
            workload = Workload(command)
            answer = {
                "library": f"PyTorch {torch.__version__}",
                "threads": torch.get_num_threads(),
                "parameters": workload.parameters,
                "baseMb": base,
            }
        else:
            answer = timed(workload, command["iterations"], command["budgetMs"])
        print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="answer JSON commands on standard input")
    parser.add_argument("--mode", choices=("step", "forward"), default="step")
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--depth", type=float, default=0.33)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nhwc")
    parser.add_argument("--weights", help="safetensors file with the state to start from")
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return
    options = vars(arguments)
    base = memory_mb("VmRSS")
    workload = Workload(options)
    timed(workload, 3)
    result = timed(workload, arguments.steps)
    print(
        json.dumps(
            {
                "library": f"PyTorch {torch.__version__}",
                **{key: options[key] for key in ("mode", "width", "size", "batch", "threads", "layout")},
                "parameters": workload.parameters,
                "medianMs": sorted(result["ms"])[len(result["ms"]) // 2],
                "minMs": min(result["ms"]),
                "firstValue": result["values"][0],
                "lastValue": result["values"][-1],
                "baseMb": base,
                "peakMb": result["peakMb"],
            }
        )
    )


if __name__ == "__main__":
    main()
