#!/usr/bin/env python3
"""Loads a camcl checkpoint in PyTorch with a strict load_state_dict and compares its logits with camcl's.

Usage: check_state_dict.py CHECKPOINT.safetensors --images FILE --logits FILE.npy [--rows N] [--tolerance T]
       check_state_dict.py CHECKPOINT.safetensors --images FILE --write FILE.npy

    camcl eval runs/x/best.safetensors --split test --logits logits.npy
    python tests/golden/check_state_dict.py runs/x/best.safetensors --images data/test_batch.bin --logits logits.npy

--images   the images of the split in its order: CIFAR-10 binary batches (*.bin, several are joined), or *.npy, u8 [N,H,W,C] or [N,H,W]
--logits   camcl's float32 [N, classes]
--write    writes PyTorch's logits instead of comparing
--rows     the first N images only
Architecture, classes, normalisation and size come from the checkpoint's metadata. PyTorch computes in float64, so the difference is
camcl's error.
Exit status: 0 every logit is within T (default 1e-4) times the logits' standard deviation; 1 not so; 2 usage.
"""
import argparse
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open

import reference


def read_images(paths, rows):
    """u8 [N,H,W,C]"""
    parts = []
    for path in paths:
        if path.endswith(".bin"):
            parts.append(np.fromfile(path, np.uint8).reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        else:
            array = np.load(path)
            parts.append(array[..., None] if array.ndim == 3 else array)
    return np.concatenate(parts)[:rows]


def load_checkpoint(path):
    """(network in eval mode and float64, metadata)"""
    with safe_open(path, "pt") as f:
        meta, state = f.metadata(), {k: f.get_tensor(k) for k in f.keys()}
    net = reference.build(meta["arch"], meta["stem"], int(meta["width"]), int(meta["classes"]), int(meta.get("channels", 3)))
    net.load_state_dict(state, strict=True)
    return net.double().eval(), meta


def numbers(text):
    return torch.tensor([float(x) for x in text.split(",")], dtype=torch.float64)


def network_input(pixels, meta):
    """f64 [n,C,S,S] of u8 [n,H,W,C]"""
    x = (torch.from_numpy(pixels).double() / 255 - numbers(meta["mean"])) / numbers(meta["std"])
    x, size = x.permute(0, 3, 1, 2), int(meta["image_size"])
    return x if tuple(x.shape[2:]) == (size, size) else F.interpolate(x, size=(size, size), mode="bilinear", align_corners=True)


@torch.inference_mode()
def logits_of(net, pixels, meta, batch=250):
    parts = [np.ascontiguousarray(pixels[i:i + batch]) for i in range(0, len(pixels), batch)]
    return np.concatenate([net(network_input(part, meta)).numpy() for part in parts])


def compare(ours, want, tolerance):
    if ours.shape != want.shape or ours.dtype != np.float32:
        print(f"logits: {ours.dtype} {list(ours.shape)} from camcl, float32 {list(want.shape)} expected")
        return 1
    worst = float(np.abs(ours - want).max() / want.std())
    differ = int((ours.argmax(1) != want.argmax(1)).sum())
    print(f"{len(want)} images: largest difference {worst:.2e} of the logits' deviation, {differ} predictions differ")
    return 0 if worst <= tolerance else 1      # NaN fails, too


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("checkpoint")
    ap.add_argument("--images", nargs="+", required=True)
    group = ap.add_mutually_exclusive_group(required=True)
    group.add_argument("--logits")
    group.add_argument("--write")
    ap.add_argument("--rows", type=int)
    ap.add_argument("--tolerance", type=float, default=1e-4)
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    net, meta = load_checkpoint(a.checkpoint)
    print(f"loaded {a.checkpoint}: {meta['arch']}, {sum(p.numel() for p in net.parameters())} parameters, strict")
    got = logits_of(net, read_images(a.images, a.rows), meta)
    if a.write:
        np.save(a.write, got.astype(np.float32))
        return 0
    return compare(np.load(a.logits)[:a.rows], got, a.tolerance)


if __name__ == "__main__":
    sys.exit(main())
