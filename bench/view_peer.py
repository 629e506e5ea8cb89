"""The same views with OpenCV and NumPy, one thread: decode, resize, letterbox or mosaic, warp, colour, flips.

Written for this comparison from the records of views, which say all that was drawn. Answers one JSON command a line on
standard input: `open` names records and files, `run` makes views in turn.
"""

import json
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(1)
LEVELS = np.arange(256)


def compose(composition, width, height, files):
    canvas = np.full((composition["canvasHeight"], composition["canvasWidth"], 3), 114, np.uint8)
    for image in composition["images"]:
        pixels = cv2.imread(files[str(image["sample"])])
        for size in ((image["w"], image["h"]), tuple(image.get("fit", (image["w"], image["h"])))):
            if (pixels.shape[1], pixels.shape[0]) != size:
                pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
        (x1, y1, x2, y2), (x, y) = image["canvas"], image["source"]
        canvas[y1:y2, x1:x2] = pixels[y : y + y2 - y1, x : x + x2 - x1]
    if "matrix" not in composition:
        return canvas
    matrix = np.array(composition["matrix"]).reshape(3, 3)
    if matrix[2, 0] or matrix[2, 1]:
        return cv2.warpPerspective(canvas, matrix, (width, height), borderValue=(114, 114, 114))
    return cv2.warpAffine(canvas, matrix[:2], (width, height), borderValue=(114, 114, 114))


def view(record, files):
    width, height = record["width"], record["height"]
    pixels = compose(record["composition"], width, height, files)
    if "mixup" in record:
        weight = record["mixup"]["lambda"]
        second = compose(record["mixup"]["composition"], width, height, files)
        pixels = (pixels * weight + second * (1 - weight)).astype(np.uint8)
    if "hsv" in record:
        hue, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV))
        r = record["hsv"]
        tables = ((LEVELS * r[0]) % 180, np.clip(LEVELS * r[1], 0, 255), np.clip(LEVELS * r[2], 0, 255))
        gained = [cv2.LUT(c, t.astype(np.uint8)) for c, t in zip((hue, saturation, value), tables)]
        pixels = cv2.cvtColor(cv2.merge(gained), cv2.COLOR_HSV2BGR)
    if record["flipVertical"]:
        pixels = np.flipud(pixels)
    if record["flipHorizontal"]:
        pixels = np.fliplr(pixels)
    return np.ascontiguousarray(pixels[:, :, ::-1])


def main():
    command, at = None, 0
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["op"] == "open":
            command, at = asked, 0
            answer = {"library": f"OpenCV {cv2.__version__}", "threads": 1, "parameters": 0, "baseMb": None}
        else:
            times, values, cpu = [], [], 0.0
            for _ in range(asked["iterations"]):
                if sum(times) > asked["budgetMs"]:
                    break
                before = time.process_time()
                begin = time.perf_counter()
                pixels = view(command["records"][at % len(command["records"])], command["files"])
                times.append((time.perf_counter() - begin) * 1000)
                cpu += (time.process_time() - before) * 1000
                values.append(float(pixels.mean()))
                at += 1
            answer = {"ms": times, "values": values, "cpuMs": cpu, "peakMb": None}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
