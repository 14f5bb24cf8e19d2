#!/usr/bin/env python3
"""Writes views.safetensors: what Pillow's operations make of pictures, and what PyTorch makes of maps under affine T, in float64.
README.md has its layout. Needs torch, numpy and Pillow.

Usage: make_views.py
"""
import zlib

import numpy as np
import PIL
import torch
from PIL import Image

from make_golden import save
from operations import OPERATIONS, bytes_of, cut_out, image_of, magnitudes


def hashed(count, seed):
    """u32 [count], which tests/ops/views_golden.h computes, too."""
    i = np.arange(count, dtype=np.uint64) + np.uint64(seed * 1000003)
    h = (i * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    return ((h * np.uint64(0x85EBCA6B)) & np.uint64(0xFFFFFFFF)) ^ (h >> np.uint64(15))


def hashed_picture(size, channels, seed):
    return (hashed(size * size * channels, seed) >> np.uint64(24)).astype(np.uint8).reshape(size, size, channels)


def smooth_picture(rng, size, channels, low, high):
    rough = rng.integers(low, high, (5, 5, channels), dtype=np.uint8)
    planes = [np.asarray(Image.fromarray(rough[:, :, k]).resize((size, size), Image.BICUBIC)) for k in range(channels)]
    return np.stack(planes, -1)


def pictures(out):
    rng = np.random.default_rng(16)
    inputs = [smooth_picture(rng, 28, 1, 0, 256), smooth_picture(rng, 32, 3, 0, 256), smooth_picture(rng, 17, 3, 90, 140),
              np.full((9, 9, 3), 77, np.uint8)]
    names, cases, results = list(OPERATIONS), [], []
    for i, picture in enumerate(inputs):
        out[f"picture{i}"] = picture
        for k, name in enumerate(names):
            for magnitude in magnitudes(rng, name):
                cases.append((i, k, magnitude))
                results.append(bytes_of(OPERATIONS[name][2](magnitude)(image_of(picture))))
    out["cases"] = np.array(cases, np.float32)
    for i in range(len(inputs)):
        out[f"results{i}"] = np.stack([r for r, c in zip(results, cases) if c[0] == i])
    # Larger ones are drawn by the hash, and their results are checksums.
    sums, large = [], []
    for size, channels in ((32, 3), (64, 3), (96, 1), (224, 3)):
        picture = hashed_picture(size, channels, size)
        for k, name in enumerate(names):
            magnitude = magnitudes(rng, name)[0]
            large.append((size, channels, k, magnitude))
            sums.append(zlib.crc32(bytes_of(OPERATIONS[name][2](magnitude)(image_of(picture))).tobytes()))
    out["large.cases"], out["large.crc32"] = np.array(large, np.float32), np.array(sums, np.uint32).view(np.int32)
    # Cutouts of a black picture, of one and of three channels.
    cuts = np.array([(rng.uniform(0, 16), *rng.uniform(0, 32, 2)) for _ in range(10)] + [(16, 0, 0), (16, 31.9, 15), (0, 3, 31.5)], np.float32)
    out["cutout"] = cuts
    for channels in (1, 3):
        black = image_of(np.zeros((32, 32, channels), np.uint8))
        out[f"cutout.results{channels}"] = np.stack([bytes_of(cut_out(black, *(float(v) for v in c))) for c in cuts])


def maps(rng, size):
    """Rows of y = m0 a + m1 b + m2, x = m3 a + m4 b + m5."""
    turn, c = np.deg2rad(23), (size - 1) / 2
    rows = [(1, 0, 3, 0, -1, size - 3), (np.cos(turn), np.sin(turn), c - c * (np.cos(turn) + np.sin(turn)), -np.sin(turn), np.cos(turn),
                                         c + c * (np.sin(turn) - np.cos(turn)))]
    rows += [(0.31, 0, 0.2 * size, 0, 0.44, 0.15 * size), (2.3, 0.1, -0.4 * size, -0.2, 1.9, -0.2 * size), (0, -1, size - 1.25, 1, 0, 0.25)]
    return np.array(rows, np.float32)


def affine_maps(out):
    """grid_sample of hashed maps and its gradient, of the pixels whose points lie in the map: every 59th of them."""
    rng = np.random.default_rng(17)
    for size in (28, 32, 64, 96, 224):
        m = maps(rng, size)
        x = torch.from_numpy((hashed(len(m) * size * size, size) >> np.uint64(8)).astype(np.float64) / (1 << 24)).reshape(-1, 1, size, size)
        weight = (hashed(len(m) * size * size, size + 1) >> np.uint64(8)).astype(np.float64).reshape(-1, size, size) / (1 << 24)
        a, b = np.mgrid[0:size, 0:size].astype(np.float64)
        p = m.astype(np.float64)[:, :, None, None]
        y, c = (p[:, k] * a + p[:, k + 1] * b + p[:, k + 2] for k in (0, 3))
        inside = (y >= -0.5) & (y < size - 0.5) & (c >= -0.5) & (c < size - 0.5)
        grid = torch.from_numpy(np.stack([(2 * c + 1) / size - 1, (2 * y + 1) / size - 1], -1))
        x.requires_grad_()
        t = torch.nn.functional.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]
        (t * torch.from_numpy(weight * inside)).sum().backward()
        key = f"affine{size}."
        out[key + "maps"] = m
        out[key + "target"] = (t.detach().numpy() * inside).reshape(-1)[::59]
        out[key + "gradient"] = x.grad.numpy().reshape(-1)[::59]


def main():
    out = {}
    pictures(out)
    affine_maps(out)
    save("views", out, {"pillow": PIL.__version__, "operations": ",".join(OPERATIONS)})


if __name__ == "__main__":
    main()
