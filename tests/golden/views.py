"""Views as the method has them, drawn from the picture itself: weak ones in torch, strong ones in Pillow, and T between them.

It shares no code with camcl. Points are (x, y) in pixels, a pixel's centre half a pixel from its corner.
"""
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import reference
from operations import OPERATIONS, bytes_of, cut_out, image_of, magnitudes

NAMES = list(OPERATIONS)


def draw_window(rng, kind, size):
    """y0, x0, y1, x1"""
    if kind == "flip-shift":
        y, x = rng.integers(-(size // 8), size // 8 + 1, 2)
        return y, x, y + size, x + size
    if kind == "resized-crop":
        h, w = rng.integers(size // 2, size + 1, 2)
        y, x = rng.integers(0, size - h + 1), rng.integers(0, size - w + 1)
        return y, x, y + h, x + w
    return 0, 0, size, size


def draw(rng, sources, kind, size):
    """i32 [n,8]: source, flips, window of the flipped picture."""
    t = np.zeros((len(sources), 8), np.int32)
    t[:, 0], t[:, 1:3] = sources, rng.integers(0, 2, (len(sources), 2))
    for row in t:
        row[3:7] = draw_window(rng, kind, size)
    return t


def draw_operations(rng, n, count, size):
    """Numbers of operations and their magnitudes [n,count], cutouts [n,3]: side, y, x."""
    which = rng.integers(0, len(NAMES), (n, count)).astype(np.int32)
    magnitude = np.array([[magnitudes(rng, NAMES[k])[0] for k in row] for row in which], np.float32).reshape(n, count)
    cutout = rng.uniform(0, 1, (n, 3)) * (size / 2, size, size)
    return which, magnitude, cutout.astype(np.float32)


def flipped(x, t):
    """Of [H,W,C], numpy."""
    x = x[:, ::-1] if t[1] else x
    return x[::-1] if t[2] else x


def shifted(x, t):
    size, most = len(x), len(x) - 1
    padded = np.pad(x, ((most, most), (most, most), (0, 0)), mode="reflect") if most else x
    return padded[most + t[3]:most + t[3] + size, most + t[4]:most + t[4] + size]


def normalised(pictures, data, dtype):
    mean, std = torch.from_numpy(data["mean"]).to(dtype), torch.from_numpy(data["std"]).to(dtype)
    x = torch.from_numpy(np.ascontiguousarray(pictures)).to(dtype) / 255
    return ((x - mean) / std).permute(0, 3, 1, 2).contiguous()


def load(data, transforms, kind, dtype):
    """[n,3,S,S]"""
    pictures = [flipped(data["pixels"][t[0]], t) for t in transforms]
    if kind == "flip-shift":
        pictures = [shifted(x, t) for x, t in zip(pictures, transforms)]
    x = normalised(np.stack(pictures), data, dtype)
    if kind != "resized-crop":
        return x
    size = x.shape[-1:] * 2
    return torch.cat([F.interpolate(i[None, :, t[3]:t[5], t[4]:t[6]], size=size, mode="bilinear", align_corners=False)
                      for i, t in zip(x, transforms)])


def load_operated(data, transforms, operations, dtype):
    pictures = []
    for t, which, magnitude, cutout in zip(transforms, *operations):
        image = image_of(np.ascontiguousarray(shifted(flipped(data["pixels"][t[0]], t), t)))
        for k, m in zip(which, magnitude):
            image = OPERATIONS[NAMES[k]][2](float(m))(image)
        pictures.append(bytes_of(cut_out(image, *(float(v) for v in cutout))))
    return normalised(np.stack(pictures), data, dtype)


# ---- geometry: 3 x 3 matrices of points (x, y, 1)

def matrix(a, b, c, d, e, f):
    return np.array([[a, b, c], [d, e, f], [0, 0, 1]], np.float64)


def taken_from(name, m, size):
    """The matrix from a moved picture's points to those of the picture before, as Pillow computes them: whole shifts, else numbers of 16 bits
    of fraction. None: nothing is moved."""
    if name in ("translate x", "translate y"):
        shift = np.floor(m * size + 0.5)
        return matrix(1, 0, shift, 0, 1, 0) if name[-1] == "x" else matrix(1, 0, 0, 0, 1, shift)
    if name == "rotate":
        c, s, h = np.cos(-np.deg2rad(m)), np.sin(-np.deg2rad(m)), size / 2
        exact = matrix(c, s, h - c * h - s * h, -s, c, h + s * h - c * h)
    elif name in ("shear x", "shear y"):
        exact = matrix(1, m, 0, 0, 1, 0) if name[-1] == "x" else matrix(1, 0, 0, m, 1, 0)
    else:
        return None
    centre = exact @ (0.5, 0.5, 1)     # what Pillow rounds is where the first pixel's centre comes from
    rounded = np.floor(exact * 65536 + 0.5) / 65536
    first = np.floor(centre * 65536 + 0.5) / 65536
    rounded[:2, 2] = first[:2] - rounded[:2, :2] @ (0.5, 0.5)
    rounded[2] = (0, 0, 1)
    return rounded


def flip_of(t, size):
    return matrix(-1 if t[1] else 1, 0, size if t[1] else 0, 0, -1 if t[2] else 1, size if t[2] else 0)


def window_of(t, size):
    """From the flipped picture into its window."""
    sx, sy = size / (t[6] - t[4]), size / (t[5] - t[3])
    return matrix(sx, 0, -t[4] * sx, 0, sy, -t[3] * sy)


def crop_turn_of(t, size):
    """From the strong view to the weak one it is made of."""
    quarter = matrix(0, -1, size, 1, 0, 0)     # what a turn put at (x, y) was at (S - y, x)
    return np.linalg.inv(window_of(t, size)) @ np.linalg.matrix_power(quarter, int(t[7]))


def inside(p, size):
    return ((p[:2] >= 0) & (p[:2] < size)).all(0)


def between(weak, strong, operations, size, rotated):
    """(points [2,S,S] of w, counts [S,S]) of one image."""
    y, x = np.mgrid[0:size, 0:size] + 0.5
    p = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    counts = np.ones(size * size, bool)
    if rotated:
        p = crop_turn_of(strong, size) @ p
        counts &= inside(np.linalg.inv(window_of(weak, size)) @ p, size)
        return p[:2].reshape(2, size, size), counts.reshape(size, size)
    if operations:
        which, magnitude, cutout = operations
        black = image_of(np.zeros((size, size, 1), np.uint8))
        counts &= np.asarray(cut_out(black, *(float(v) for v in cutout))).reshape(-1) == 0
        for k, m in reversed(list(zip(which, magnitude))):
            before = taken_from(NAMES[k], float(m), size)
            if before is not None:
                p = before @ p
                counts &= inside(p, size)
    p = np.linalg.inv(window_of(strong, size)) @ p
    counts &= inside(p, size)
    p = window_of(weak, size) @ flip_of(weak, size) @ np.linalg.inv(flip_of(strong, size)) @ p
    counts &= inside(p, size)
    return p[:2].reshape(2, size, size), counts.reshape(size, size)


class Drawn:
    """The unlabelled views of one step, in the place of reference.CropRotate."""

    def __init__(self, case, data, weak, strong, operations, size, dtype):
        self.images, self.rotated = torch.from_numpy(weak[:, 0]), case.strong == "crop-rotate"
        self.turns = reference.CropRotate(torch.from_numpy(strong)) if self.rotated else None
        if not self.rotated:
            self.x = load_operated(data, strong, operations, dtype) if operations else load(data, strong, case.weak, dtype)
        found = [between(w, s, [o[i] for o in operations] if operations else None, size, self.rotated)
                 for i, (w, s) in enumerate(zip(weak, strong))]
        points, counts = (np.stack(v) for v in zip(*found))
        low, high = np.zeros((len(weak), 2, 1, 1)), np.full((len(weak), 2, 1, 1), size)
        if self.rotated:
            low[:, :, 0, 0], high[:, :, 0, 0] = strong[:, [4, 3]], strong[:, [6, 5]]
        points = np.clip(points, low + 0.5, high - 0.5)
        self.grid = torch.from_numpy(np.moveaxis(2 * points / size - 1, 1, -1).copy()).to(dtype)
        self.counts = torch.from_numpy(counts).to(dtype)

    def strong(self, xw):
        return self.turns.strong(xw) if self.rotated else self.x

    def target(self, maps):
        """At the pixels that count, else 0."""
        return self.counts * F.grid_sample(maps[:, None], self.grid, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]

    def error(self, strong, target):
        return (self.counts * (strong - target) ** 2).sum((1, 2)) / self.counts.sum((1, 2)).clamp_min(1)
