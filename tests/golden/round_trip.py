#!/usr/bin/env python3
"""Weights from PyTorch into camcl and back, on real CIFAR-10 images.

Usage: round_trip.py DATA [--arch A,...] [--rows N] [--steps N] [--program camcl] [--threads T]

    python tests/golden/round_trip.py data/cifar-10-binary.tar.gz

DATA       cifar-10-binary.tar.gz, or the folder with its *.bin files
--arch     of resnet18, wrn28-2, resnet50 (default: all three), at their own width
--rows     images of each of the six files (default 100)
--steps    training steps of camcl (default 2)
For each network: PyTorch draws it, trains it for three steps and saves its state dict; then
  1. camcl eval's logits of the test images against PyTorch's, of the same file with camcl's metadata;
  2. camcl train with model.init and a learning rate of 0: every weight comes back to the bit;
  3. camcl train with model.init, --steps steps: last.safetensors goes through a strict load_state_dict, with PyTorch's names, shapes and
     dtypes, and PyTorch's logits are camcl eval's.
PyTorch computes in float64. Exit status: 0 all hold (logits within 1e-4 of their deviation), 1 not so, 2 usage.
"""
import argparse
import os
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import check_state_dict
import reference

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
RECORD = 3073


def first_records(data, count):
    """file name -> the first `count` records, u8 [count,3073]"""
    if os.path.isdir(data):
        return {name: np.fromfile(os.path.join(data, name), np.uint8, count * RECORD).reshape(-1, RECORD) for name in FILES}
    with tarfile.open(data) as tar:
        members = {os.path.basename(m.name): m for m in tar.getmembers()}
        return {name: np.frombuffer(tar.extractfile(members[name]).read(count * RECORD), np.uint8).reshape(-1, RECORD) for name in FILES}


def pixels_of(records):
    """u8 [n,32,32,3]"""
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy()


def metadata(arch, width, classes=CLASSES):
    """What camcl writes beside its own weights."""
    names = "[" + ",".join(f'"{c}"' for c in classes) + "]"
    return {"format": "pt", "arch": arch, "stem": "cifar", "width": str(width), "classes": str(len(classes)), "channels": "3",
            "class_names": names, "mean": ",".join(map(str, MEAN)), "std": ",".join(map(str, STD)), "image_size": "32", "step": "3"}


def trained(arch, width, pixels, labels, steps=3, batch=16):
    """A network that a few steps have moved, in eval mode."""
    torch.manual_seed(1)
    net = reference.build(arch, "cifar", width, len(CLASSES)).train()
    optimizer = torch.optim.SGD(net.parameters(), 0.05, 0.9)
    x = check_state_dict.network_input(pixels[:steps * batch], metadata(arch, width)).float()
    for i in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(net(x[i * batch:][:batch]), labels[i * batch:][:batch]).backward()
        optimizer.step()
    return net.eval()


def camcl(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"camcl {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout + done.stderr


def train(program, data, init, arch, run, steps, rate):
    config = os.path.join(ROOT, "configs", "cifar10-supervised.ini")
    return camcl(program, "train", config, "--quiet", f"output.dir={run}", "data.dataset=cifar10", f"data.root={data}", "data.labeled=20",
                 "data.validation=20", "data.unlabeled=0", f"model.arch={arch}", "model.width=0", f"model.init={init}", "train.epochs=1",
                 f"train.epoch_steps={steps}", "train.batch_labeled=8", f"optim.lr={rate}", "optim.weight_decay=0")


def eval_logits(program, checkpoint, data, folder):
    path = os.path.join(folder, "logits.npy")
    camcl(program, "eval", checkpoint, "--split", "test", "--logits", path, "data.dataset=cifar10", f"data.root={data}")
    return np.load(path)


def same_bits(arch, start, back):
    """Trained weights as they were; names, shapes and dtypes of everything."""
    good = {k: (tuple(v.shape), v.dtype) for k, v in start.items()} == {k: (tuple(v.shape), v.dtype) for k, v in back.items()}
    moved = [k for k in start if "running_" not in k and "tracked" not in k and not torch.equal(start[k], back[k])]
    print(f"{arch}: {len(back)} tensors with PyTorch's names, shapes and dtypes: {good}; weights that changed at rate 0: {len(moved)}")
    return good and not moved


def round_trip(program, arch, data, records, steps, folder):
    width = 32 if arch == "wrn28-2" else 64
    images, labels = pixels_of(records["data_batch_1.bin"]), torch.from_numpy(records["data_batch_1.bin"][:, 0].astype(np.int64))
    test, good = pixels_of(records["test_batch.bin"]), True
    net = trained(arch, width, images, labels)
    init, whole = os.path.join(folder, arch + "-init.safetensors"), os.path.join(folder, arch + ".safetensors")
    save_file(net.state_dict(), init)
    save_file(net.state_dict(), whole, metadata=metadata(arch, width))
    print(f"{arch}: PyTorch to camcl eval: ", end="")
    good &= check(program, whole, data, test, folder)
    still, moved = os.path.join(folder, arch + "-still"), os.path.join(folder, arch + "-moved")
    train(program, data, init, arch, still, 1, 0)
    good &= same_bits(arch, load_file(init), load_file(os.path.join(still, "last.safetensors")))
    with open(os.path.join(still, "train.log"), encoding="utf-8") as log:
        print(next(line for line in log if "weights from" in line).strip())
    train(program, data, init, arch, moved, steps, 0.01)
    print(f"{arch}: {steps} steps of camcl, back to PyTorch: ", end="")
    return check(program, os.path.join(moved, "last.safetensors"), data, test, folder) and good


def check(program, checkpoint, data, test, folder):
    net, meta = check_state_dict.load_checkpoint(checkpoint)
    want = check_state_dict.logits_of(net, test, meta)
    return check_state_dict.compare(eval_logits(program, checkpoint, data, folder), want, 1e-4) == 0


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("data")
    ap.add_argument("--arch", default="resnet18,wrn28-2,resnet50")
    ap.add_argument("--rows", type=int, default=100)
    ap.add_argument("--steps", type=int, default=2)
    ap.add_argument("--program", default=os.path.join(ROOT, "build", "camcl"))
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    records, good = first_records(a.data, a.rows), True
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "cifar")
        os.mkdir(data)
        for name, content in records.items():
            content.tofile(os.path.join(data, name))
        for arch in a.arch.split(","):
            good &= round_trip(os.path.abspath(a.program), arch, data, records, a.steps, folder)
    print("all hold" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
