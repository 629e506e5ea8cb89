"""Prints what TensorBoard reads of a folder of event files: [wall time, step, value] by tag."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
tags = events.Tags()["scalars"]
json.dump({tag: [[e.wall_time, e.step, e.value] for e in events.Scalars(tag)] for tag in tags}, sys.stdout)
