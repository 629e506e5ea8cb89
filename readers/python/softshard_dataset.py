"""A PyTorch data set over a Softshard cache: a student in PyTorch learns from a teacher that has already answered.

    softshard decode --data DATA --imgsz 320 --views 4 --out pixels
    softshard teach --from pixels --weights teacher.pt ... --cache targets

    from softshard_dataset import TargetDataset, collate
    data = TargetDataset("targets", pixels="pixels")
    loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, collate_fn=collate, num_workers=2)
    for epoch in range(epochs):
        data.set_epoch(epoch)
        for batch in loader:
            batch["image"], batch["heads"], batch["labels"], batch["labelled"]

Needs torch, numpy and msgpack.
"""

import hashlib

import torch
from torch.utils.data import Dataset

from softshard_reader import Cache, CacheError


def _tensor(blob):
    # The bytes of a record are read-only; a tensor owns its own.
    return torch.from_numpy(blob.values().copy())


class TargetDataset(Dataset):
    """The views of one epoch: item i is sample i, seen in view `epoch mod views`.

    An item is a dict:
        sample, view   ints
        image          uint8 tensor [3, height, width], RGB; only with `pixels` or `render`
        heads          list of float32 tensors, one a level, raw logits [ny, nx, na, no]
        features       dict of layer index -> float32 tensor [channels, h, w]
        labels         float32 tensor [n, 5]: class, cx, cy, w, h normalised to the view; only with `pixels`
        labelled       bool; False where nobody annotated the image, so that no label means nothing

    cache   folder of the cache
    pixels  folder of the pixel shards of the same views (`softshard decode`)
    render  function of a view's record that returns uint8 RGB pixels [height, width, 3], in place of `pixels`
    kinds   names of the answers to read (`heads`, `feature.4`); None for all

    Whatever the pixels come from, their digest is compared with that of the pixels the teacher saw: CacheError when
    they differ. The folders are opened anew in each worker process.
    """

    def __init__(self, cache, pixels=None, render=None, kinds=None):
        if pixels is not None and render is not None:
            raise ValueError("give pixels or render, not both")
        self._folders = (cache, pixels)
        self._render = render
        self._kinds = kinds
        self._opened = None
        self._view = 0
        extent = Cache(cache).extent
        self.samples, self.views = extent["samples"], extent["views"]
        if pixels is not None:
            shown = Cache(pixels).extent
            if (shown["samples"], shown["views"]) != (self.samples, self.views):
                raise CacheError(
                    f"{pixels}: {shown['samples']} samples in {shown['views']} views,"
                    f" and {cache} has {self.samples} in {self.views}"
                )

    def set_epoch(self, epoch):
        """Shows view `epoch mod views` from now on. Call it before the workers of an epoch start."""
        self._view = epoch % self.views

    def __len__(self):
        return self.samples

    def __getitem__(self, sample):
        # Negative indices count from the end, as everywhere; one past the end ends an iteration.
        index = sample + self.samples if sample < 0 else sample
        if not 0 <= index < self.samples:
            raise IndexError(f"no sample {sample} of {self.samples}")
        return self.item(index, self._view)

    def item(self, sample, view):
        """The item of any sample and view."""
        cache, pixels = self._open()
        target = cache.read(sample, view, self._kinds)
        item = {"sample": sample, "view": view, "heads": [], "features": {}}
        for name, blob in target.blobs.items():
            kind, _, number = name.partition(".")
            if kind == "head":
                item["heads"].append(_tensor(blob))
            elif kind == "feature":
                item["features"][int(number)] = _tensor(blob).permute(2, 0, 1).contiguous()
        if pixels is not None:
            shown = pixels.read(sample, view)
            image = shown.blobs["pixels"].values()
            if "labels" in shown.blobs:
                item["labels"] = _tensor(shown.blobs["labels"])
                item["labelled"] = bool(shown.blobs["labelled"].values()[0] != 0)
        elif self._render is not None:
            image = self._render(target.record)
        else:
            return item
        digest = hashlib.sha256(image.tobytes()).hexdigest()[:16]
        if digest != target.input_digest:
            raise CacheError(
                f"sample {sample}, view {view}: these pixels have the digest {digest},"
                f" the teacher saw {target.input_digest}"
            )
        item["image"] = torch.from_numpy(image.copy()).permute(2, 0, 1).contiguous()
        return item

    def __getstate__(self):
        return {**self.__dict__, "_opened": None}

    def _open(self):
        if self._opened is None:
            cache, pixels = self._folders
            self._opened = (Cache(cache), None if pixels is None else Cache(pixels))
        return self._opened


def collate(items):
    """A batch of items: images, heads and features stacked; labels as rows (image index, class, cx, cy, w, h)."""
    batch = {
        "sample": torch.tensor([item["sample"] for item in items]),
        "view": torch.tensor([item["view"] for item in items]),
        "heads": [torch.stack(level) for level in zip(*(item["heads"] for item in items))],
        "features": {
            layer: torch.stack([item["features"][layer] for item in items]) for layer in items[0]["features"]
        },
    }
    if "image" in items[0]:
        batch["image"] = torch.stack([item["image"] for item in items])
    if "labels" in items[0]:
        rows = [
            torch.cat([torch.full((len(item["labels"]), 1), float(i)), item["labels"]], 1)
            for i, item in enumerate(items)
        ]
        batch["labels"] = torch.cat(rows)
        batch["labelled"] = torch.tensor([item["labelled"] for item in items])
    return batch
