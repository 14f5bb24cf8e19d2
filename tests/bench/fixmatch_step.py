#!/usr/bin/env python3
"""FixMatch by camcl and by PyTorch: images per second of whole training steps, augmentation included, on the same cores in turn.

Usage: fixmatch_step.py [--camcl PROGRAM] [--rounds R] [--threads T] [--batch B] [--unlabeled U] [--repeat R] [key=value ...]

Run it in the project's root, by a Python that has PyTorch and Pillow. Both sides train WRN-28-2 on random pictures of 32 x 32: B labelled ones
and a weak and a strong view of U others, SGD with Nesterov's momentum, an average of the weights. Weak: a flip and a shift by up to four
pixels. Strong: that, two of the fourteen operations of RandAugment, and a cutout.
PyTorch augments as its users do, each picture by Pillow, here in T threads; the weak views pass without gradients, the others together with
them. Eager, in both memory formats; the fastest of each round counts, and the round's ratio is camcl over it.
At last: the share of augmentation in a step, camcl's by `camcl bench ops`, PyTorch's by the clock. key=value goes to camcl.
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time

from compare_pytorch import bind

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "device"))

SIZE, SHIFT = 32, 4


def enhance(name):
    from PIL import ImageEnhance
    return lambda image, m: getattr(ImageEnhance, name)(image).enhance(0.05 + 0.9 * m)


def shear(x, y):
    return lambda image, m: affine(image, (1, x * 0.3 * (2 * m - 1), 0, y * 0.3 * (2 * m - 1), 1, 0))


def translate(x, y):
    return lambda image, m: affine(image, (1, 0, x * 0.3 * SIZE * (2 * m - 1), 0, 1, y * 0.3 * SIZE * (2 * m - 1)))


def affine(image, matrix):
    from PIL import Image
    return image.transform(image.size, Image.Transform.AFFINE, matrix)


def operations():
    """The fourteen, of magnitudes from 0 to 1."""
    from PIL import ImageOps
    return [lambda image, m: image, lambda image, m: ImageOps.autocontrast(image), lambda image, m: ImageOps.equalize(image),
            enhance("Brightness"), enhance("Color"), enhance("Contrast"), enhance("Sharpness"),
            lambda image, m: ImageOps.posterize(image, 4 + int(4 * m)), lambda image, m: ImageOps.solarize(image, int(256 * m)),
            lambda image, m: image.rotate(30 * (2 * m - 1)), shear(1, 0), shear(0, 1), translate(1, 0), translate(0, 1)]


class Views:
    """Weak and strong views of pictures, as arrays of floats."""

    def __init__(self, threads):
        self.operations = operations()
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)

    def weak_picture(self, image):
        from PIL import Image, ImageOps
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        dx, dy = random.randint(-SHIFT, SHIFT), random.randint(-SHIFT, SHIFT)
        return image.transform(image.size, Image.Transform.AFFINE, (1, 0, dx, 0, 1, dy))

    def strong_picture(self, image):
        from PIL import ImageDraw
        image = self.weak_picture(image)
        for operation in random.choices(self.operations, k=2):
            image = operation(image, random.random())
        side, x, y = random.random() * SIZE / 2, random.random() * SIZE, random.random() * SIZE
        ImageDraw.Draw(image).rectangle((x - side / 2, y - side / 2, x + side / 2, y + side / 2), (127, 127, 127))
        return image

    def batch(self, images, picture, layout, mean, std):
        import numpy
        import torch
        pixels = numpy.stack([numpy.asarray(x) for x in self.pool.map(picture, images, chunksize=16)])
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).to(torch.float32, memory_format=layout).sub_(mean).div_(std)


class Step:
    def __init__(self, a, layout):
        import numpy
        import torch
        from PIL import Image
        from pytorch_step import Network
        torch.manual_seed(0)
        self.layout, self.views = layout, Views(a.threads)
        self.model = Network("wrn28-2", 0, "cifar").to(memory_format=layout).train()
        self.weights = list(self.model.parameters())
        self.average = [w.detach().clone() for w in self.weights]
        self.optimizer = torch.optim.SGD(self.weights, 0.03, momentum=0.9, nesterov=True, weight_decay=5e-4)
        pictures = numpy.random.default_rng(0).integers(0, 256, (a.batch + a.unlabeled, SIZE, SIZE, 3), numpy.uint8)
        images = [Image.fromarray(p) for p in pictures]
        self.labelled, self.unlabelled = images[:a.batch], images[a.batch:]
        self.labels = torch.randint(0, 10, (a.batch,))

    def run(self):
        """Seconds of augmentation."""
        import torch
        import torch.nn.functional as F
        start = time.perf_counter()
        x = self.views.batch(self.labelled, self.views.weak_picture, self.layout, 127, 64)
        weak = self.views.batch(self.unlabelled, self.views.weak_picture, self.layout, 127, 64)
        strong = self.views.batch(self.unlabelled, self.views.strong_picture, self.layout, 127, 64)
        augmented = time.perf_counter() - start
        with torch.no_grad():
            confidence, target = self.model(weak).softmax(1).max(1)
        logits = self.model(torch.cat([x, strong]).contiguous(memory_format=self.layout))
        loss = F.cross_entropy(logits[:len(x)], self.labels)
        # The threshold is 0, so that every picture counts, as in camcl's benchmark the time does not depend on how many do.
        loss = loss + (F.cross_entropy(logits[len(x):], target, reduction="none") * (confidence >= 0)).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 0.001)
        return augmented


def time_pytorch(a):
    """[(seconds, seconds of augmentation, variant)]"""
    import torch
    torch.set_num_threads(a.threads)
    figures = []
    for layout, name in ((torch.contiguous_format, "eager"), (torch.channels_last, "eager, channels last")):
        step, best = Step(a, layout), (float("inf"), 0, name)
        for i in range(2 + a.repeat):
            start = time.perf_counter()
            augmented = step.run()
            seconds = time.perf_counter() - start
            if i >= 2:
                best = min(best, (seconds, augmented, name))
        figures.append(best)
    return figures


def camcl(a, what, *keys):
    command = [a.camcl, "bench", what, "--json", "ssl.mode=fixmatch", "model.arch=wrn28-2", f"train.batch_labeled={a.batch}",
               f"train.batch_unlabeled={a.unlabeled}", *keys, *a.keys]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--camcl", default="build/camcl")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--unlabeled", type=int, default=128)
    ap.add_argument("--repeat", type=int, default=3)
    ap.add_argument("--pytorch", action="store_true", help=argparse.SUPPRESS)
    ap.add_argument("keys", nargs="*", metavar="key=value")
    a = ap.parse_args()
    if a.pytorch:
        print(json.dumps(time_pytorch(a)))
        return
    bind(a.threads)
    images, rounds = a.batch + a.unlabeled, []
    own = [f"--{k}={getattr(a, k)}" for k in ("threads", "batch", "unlabeled", "repeat")]
    for i in range(a.rounds):
        ours = camcl(a, "step")["fixmatch"]["ms_per_step"] / 1e3
        done = subprocess.run([sys.executable, os.path.abspath(__file__), "--pytorch", *own], stdout=subprocess.PIPE, text=True, check=True)
        theirs = min(json.loads(done.stdout))
        rounds.append(theirs[0] / ours)
        print(f"round {i + 1}: camcl {images / ours:.1f} images/s, PyTorch {images / theirs[0]:.1f} ({theirs[2]}; augmentation "
              f"{100 * theirs[1] / theirs[0]:.1f} %), ratio {rounds[-1]:.2f}", flush=True)
    print(f"ratio: median {statistics.median(rounds):.2f}, {min(rounds):.2f} to {max(rounds):.2f}")
    operations = camcl(a, "ops")["ops"]
    augmentation = [o for o in operations if re.match("load|randaugment|affine_warp|warp", o["op"])]
    share = sum(o["ms"] for o in augmentation) / sum(o["ms"] for o in operations)
    print(f"camcl's augmentation: {100 * share:.1f} % of a step ({', '.join(sorted({o['op'] for o in augmentation}))})")


if __name__ == "__main__":
    main()
