"""TensorBoard's own reader on the event files of a run that was finished, went on, lost its newest state, and went on again.

usage: test_tensorboard.py CAMCL    exit status 77: no tensorboard here"""
import csv
import math
import os
import shutil
import sys

from support import Scratch, check, need, run

need("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

CAMCL = os.path.abspath(sys.argv[1])
KEYS = ["data.dataset=shapes", "data.labeled=40", "data.unlabeled=60", "data.validation=50", "data.image_size=16", "model.width=4",
        "ssl.threshold=0.2", "ssl.threshold_end=0.3", "train.epoch_steps=4", "train.batch_labeled=8", "train.batch_unlabeled=8",
        "output.dir=run", "output.tensorboard=yes", "output.cams_every=1", "--quiet"]


def train(epochs, *more):
    run(CAMCL, "train", *KEYS, f"train.epochs={epochs}", *more)


def read():
    board = EventAccumulator("run", size_guidance={"scalars": 0, "images": 0})
    board.Reload()
    return board


def tag_of(column):
    for group in ("val", "train"):
        if column.startswith(group + "_"):
            return group + "/" + column[len(group) + 1:]
    return "train/" + column


def compare(epochs):
    board, rows = read(), list(csv.DictReader(open("run/metrics.csv")))
    check([int(row["step"]) for row in rows] == [4 * i for i in range(1, epochs + 1)], f"rows {rows}")
    scalars = {tag: [(event.step, event.value) for event in board.Scalars(tag)] for tag in board.Tags()["scalars"]}
    for column in rows[0]:
        cells = [(int(row["step"]), float(row[column])) for row in rows if row[column]]
        if column == "step" or not cells:
            continue
        points = scalars.pop(tag_of(column), [])
        check([step for step, _ in points] == [step for step, _ in cells], f"{column}: steps {points}")
        check(all(math.isclose(a, b, rel_tol=1e-6) for (_, a), (_, b) in zip(points, cells)), f"{column}: {points}, not {cells}")
    check(not scalars, f"more than the columns: {list(scalars)}")
    images = board.Tags()["images"]
    check(len(images) == 16 and all(tag.startswith("cams/") for tag in images), f"images {images}")
    for tag in images:
        shown = board.Images(tag)
        check([image.step for image in shown] == [4 * i for i in range(1, epochs + 1)], f"{tag}: {[image.step for image in shown]}")
        check(all(image.encoded_image_string.startswith(b"\x89PNG") and image.width == image.height > 0 for image in shown), tag)
    print(f"{epochs} epochs: {len(rows)} rows, {len(images)} images")


with Scratch():
    train(2)
    if "PNG support is not built in" in open("run/train.log").read():
        print("skipped: this build writes no PNG")
        sys.exit(77)
    compare(2)
    shutil.copy("run/state.safetensors", "state.safetensors")
    train(4, "--resume")
    compare(4)
    shutil.copy("state.safetensors", "run/state.safetensors")
    train(4, "--resume")
    compare(4)
