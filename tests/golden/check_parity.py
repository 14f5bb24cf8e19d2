#!/usr/bin/env python3
"""Parity at any width: computes PyTorch's results of a network in a temporary folder and runs camcl's test program on them.

Usage: check_parity.py [--arch A] [--stem S] [--width W] [--side S] [--pool N] [--batch N] [--kinds K,...] [--layers L,...]
                       [--trajectories T,...] [--lr RATE] [--seeds N] [--conv C] [--threads T] [--program FILE] [--folder DIR]

    python tests/golden/check_parity.py                                            # ResNet-18, width 64, 16x16
    python tests/golden/check_parity.py --arch resnet50 --kinds pass
    python tests/golden/check_parity.py --arch wrn28-2 --layers 2,3 --conv gemm

--width 0     the architecture's own (default)
--pool        images of a pass and of a Grad-CAM batch; --batch: labelled, and unlabelled, images of a training step
--kinds       pass, cam, steps (default: all)
--lr          learning rate of the training steps (default 1e-4, which suits narrow networks)
--seeds       how many, at most 16 (default 5): the more, the less a median depends on which of them turned a ReLU
--conv        this value of device.conv only (default: every one, each against its own bound)
--folder      keeps the file there
Prints for every quantity: camcl's and PyTorch float32's median error over the seeds, their ratio, the largest ratio of a single tensor
and which one that is. Takes minutes: float64 and two float32 runs of PyTorch per seed and case. CAMCL_DEVICE picks the device.
Exit status: 0 all within the bounds of README.md, 1 not so, 2 usage.
"""
import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile

import torch

import make_golden
import parity

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def network(a):
    stages = 3 if a.arch.startswith("wrn") else 4
    width = a.width or (16 * int(a.arch[6:]) if a.arch.startswith("wrn") else 64)
    layers = tuple(int(x) for x in a.layers.split(",")) if a.layers else tuple(range(1, stages + 1))
    return parity.Net(a.arch, a.arch, a.stem, width, a.side, a.pool, tuple(a.kinds.split(",")), layers, a.batch)


def run(program, folder, conv):
    env = {**os.environ, "CAMCL_PARITY_FOLDER": folder, "CAMCL_PARITY_TABLE": "1"}
    if conv:
        env["CAMCL_PARITY_CONV"] = conv
    print(f"{'case':42} {'quantity':13} {'camcl':>9} {'PyTorch':>9} {'ratio':>6} {'tensor':>7}", flush=True)
    return subprocess.run([os.path.abspath(program)], cwd=ROOT, env=env, check=False).returncode


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--arch", default="resnet18", choices=["resnet18", "resnet34", "resnet50", "wrn28-2", "wrn28-8"])
    ap.add_argument("--stem", default="cifar", choices=["cifar", "imagenet"])
    ap.add_argument("--width", type=int, default=0)
    ap.add_argument("--side", type=int, default=16)
    ap.add_argument("--pool", type=int, default=2)
    ap.add_argument("--batch", type=int, default=2)
    ap.add_argument("--kinds", default="pass,cam,steps")
    ap.add_argument("--layers")
    ap.add_argument("--trajectories")
    ap.add_argument("--lr", type=float)
    ap.add_argument("--seeds", type=int, default=parity.SEEDS, choices=range(1, 17), metavar="N")
    ap.add_argument("--conv")
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    ap.add_argument("--program", default=os.path.join(ROOT, "build", "tests", "test_parity"))
    ap.add_argument("--folder")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    if a.trajectories:
        parity.TRAJECTORIES[:] = [t for t in parity.TRAJECTORIES if t.name in a.trajectories.split(",")]
    if a.lr:
        parity.TRAJECTORIES[:] = [dataclasses.replace(t, lr=a.lr) for t in parity.TRAJECTORIES]
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.folder or temporary
        os.makedirs(folder, exist_ok=True)
        make_golden.save("parity_" + a.arch, *parity.make(network(a), a.seeds, lambda line: print(line, flush=True)), folder)
        return 1 if run(a.program, folder, a.conv) else 0


if __name__ == "__main__":
    sys.exit(main())
