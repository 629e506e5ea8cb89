"""Prints what pycocotools makes of a case: its twelve numbers, and AP and AP50 of each class."""
import contextlib
import json
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

case = json.load(open(sys.argv[1]))
truth = {
    "images": [{"id": i + 1} for i in range(len(case["images"]))],
    "categories": [{"id": c + 1} for c in range(case["classes"])],
    "annotations": [],
}
found = []
for i, image in enumerate(case["images"]):
    for a in image["annotations"]:
        truth["annotations"].append(
            {
                "id": len(truth["annotations"]) + 1,
                "image_id": i + 1,
                "category_id": a["classIndex"] + 1,
                "bbox": [a["left"], a["top"], a["width"], a["height"]],
                "area": a["area"],
                "iscrowd": int(a["kind"] == "crowd"),
            }
        )
    for d in image["detections"]:
        x1, y1, x2, y2, score = (np.float32(d[k]) for k in ("x1", "y1", "x2", "y2", "score"))
        found.append(
            {
                "image_id": i + 1,
                "category_id": d["classIndex"] + 1,
                "bbox": [round(float(v), 3) for v in (x1, y1, x2 - x1, y2 - y1)],
                "score": round(float(score), 5),
            }
        )
with contextlib.redirect_stdout(sys.stderr):
    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
precision = evaluation.eval["precision"]  # threshold, recall, class, area, most
mean = lambda values: float(values[values > -1].mean()) if (values > -1).any() else -1.0
json.dump(
    {
        "stats": [float(v) for v in evaluation.stats],
        "AP": [mean(precision[:, :, c, 0, 2]) for c in range(case["classes"])],
        "AP50": [mean(precision[0, :, c, 0, 2]) for c in range(case["classes"])],
    },
    sys.stdout,
)
