#!/usr/bin/env python3
"""The same training on several OpenCL implementations gives the same losses.

Usage: same_losses.py CAMCL FOLDER [MODE ...]

Ten steps of each mode (of some, if named) on drawn pictures, at a learning rate so small that rounding does not grow, with direct
convolutions and with thresholds that every image passes, once on each implementation that implementations.sh finds (FOLDER is its folder).
Losses may differ by 1e-5 of their size in the first step and by 1e-3 in the tenth, in between by as much as the line through both in
logarithms says. A loss below a thousandth of the total is measured by that instead: CAM losses are differences of maps that hardly differ.

Without MODE and without CAMCL_TEST_ALL in the environment: the three modes of the paper. Exit status 77: there is only one implementation.
"""
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
STEPS = 10
FIRST, TENTH = 1e-5, 1e-3
IMPLEMENTATIONS = ("pocl", "intel", "rusticl")
FEW = ("supervised", "pseudo-label", "gradcam")
MODES = FEW + ("pi-model", "mean-teacher", "uda", "fixmatch", "flexmatch", "freematch", "softmatch")
# The CAM term goes with any mode that has unlabelled images.
KEYS = ["data.dataset=shapes", "data.labeled=100", "data.unlabeled=200", "data.validation=0", "data.image_size=16", "model.width=4",
        "ssl.threshold=0", "ssl.threshold_end=0", "ssl.ramp=0", "ssl.cam_layer=2", "train.epochs=1000", "train.epoch_steps=1",
        "train.batch_labeled=8", "train.batch_unlabeled=8", "optim.lr=1e-4", "optim.schedule=constant", "optim.ema=0", "device.conv=direct", "device.tune=off",
        "output.save_every=1000"]


def there():
    """The implementations at hand; says what the others lack."""
    lines = subprocess.run(["sh", os.path.join(HERE, "implementations.sh"), sys.argv[2]], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    found = [line for line in lines if line in IMPLEMENTATIONS]
    for line in lines:
        if line.split(":")[0] in IMPLEMENTATIONS and line not in found:
            print(line)
    return found


def rows_of(path):
    """Of a metrics.csv that is still being written: its whole rows."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")[:-1]
    return list(csv.DictReader(lines))


def train(name, mode, folder):
    """Starts a long training and stops it after its first steps, since its end, an evaluation, takes longer than they do."""
    run, log = os.path.join(folder, name + "-" + mode), os.path.join(folder, "log")
    cam = [] if mode == "supervised" else ["ssl.beta=1"]
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(["sh", os.path.join(HERE, "implementations.sh"), sys.argv[2], name, sys.argv[1], "train", *KEYS, *cam,
                                    "ssl.mode=" + mode, "output.dir=" + run], stdout=file, stderr=subprocess.STDOUT)
    rows = []
    while len(rows) < STEPS and process.poll() is None:
        time.sleep(0.1)
        rows = rows_of(os.path.join(run, "metrics.csv"))
    process.terminate()
    process.wait()
    rows = rows[:STEPS]
    if len(rows) < STEPS:
        with open(log, encoding="utf-8", errors="replace") as file:
            sys.exit("%s, %s: exit status %d\n%s" % (name, mode, process.returncode, file.read()[-2000:]))
    shutil.rmtree(run)
    if mode not in ("supervised", "freematch", "softmatch") and any(float(row["mask_rate"]) != 100 for row in rows):
        sys.exit("%s, %s: an image is masked" % (name, mode))
    return [{loss: float(row[loss]) for loss in ("loss", "loss_s", "loss_u", "loss_c") if row[loss]} for row in rows]


def allowed(step):
    return FIRST * (TENTH / FIRST) ** (step / (STEPS - 1))


def compare(mode, first, losses, other, theirs):
    """Prints the largest difference of the first and of the tenth step; returns whether all steps agree."""
    same, shown = True, []
    for step, (ours, their) in enumerate(zip(losses, theirs)):
        if ours.keys() != their.keys():
            sys.exit("%s: %s and %s have other losses" % (mode, first, other))
        worst = 0
        for loss, value in ours.items():
            difference = abs(their[loss] - value) / max(abs(value), 1e-3 * abs(ours["loss"]))
            worst = max(worst, difference)
            if not difference <= allowed(step):
                print("error: %s, step %d: %s is %.9g on %s, %.9g on %s" % (mode, step + 1, loss, value, first, their[loss], other))
                same = False
        shown.append(worst)
    print("%-12s  %-7s  %-7s  %.1e  %.1e" % (mode, first, other, shown[0], shown[-1]), flush=True)
    return same


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    names = there()
    if len(names) < 2:
        print("skipped: only one implementation of OpenCL is here (./run test --all installs others)")
        return SKIPPED
    modes = sys.argv[3:] or (MODES if os.environ.get("CAMCL_TEST_ALL") else FEW)
    same = True
    print("mode          on       and      step 1   step %d" % STEPS)
    with tempfile.TemporaryDirectory(prefix="camcl-test-") as folder:
        for mode in modes:
            losses = {name: train(name, mode, folder) for name in names}
            for other in names[1:]:
                same &= compare(mode, names[0], losses[names[0]], other, losses[other])
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
