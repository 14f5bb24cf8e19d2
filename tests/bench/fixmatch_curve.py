#!/usr/bin/env python3
"""What FixMatch in PyTorch reaches in the time that a run of camcl had: the same network, labels, batches and settings, on the same cores.

Usage: fixmatch_curve.py RUN [--seconds S] [--threads T] [-o FILE.csv]      trains in PyTorch; needs PyTorch, Pillow and CIFAR-10's binary files
       fixmatch_curve.py RUN --with FILE.csv --svg FILE.svg                 draws both curves

RUN is the folder of a finished run of ssl.mode = fixmatch on CIFAR-10: its config.ini says how to train, its splits.json which images have
labels and which validate, its result.json for how many seconds (--seconds: others). Since nobody knows beforehand how many steps PyTorch
will do, the learning rate and the threshold go by the time that has passed. PyTorch's time is that of its steps alone; camcl's contains its
evaluations.
Augmentation is that of fixmatch_step.py with shifts reflected at the edge: Pillow, in T threads. Eager; the faster of both memory formats.
The last line gives the validation and the test images that the averaged weights get right, with the weights of the best validation.
"""
import argparse
import configparser
import csv
import json
import math
import os
import random
import sys
import time

from compare_pytorch import bind
from fixmatch_step import SHIFT, SIZE, Views

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "device"))
sys.path.append(os.path.join(HERE, "..", "..", "configs", "study"))
import study  # noqa: E402

MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)
EVALUATIONS = 60


def read_part(folder, names):
    """uint8 [N,32,32,3] and labels of CIFAR-10's binary files."""
    import numpy
    data = numpy.concatenate([numpy.fromfile(os.path.join(folder, name), numpy.uint8).reshape(-1, 3073) for name in names])
    return numpy.ascontiguousarray(data[:, 1:].reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)), data[:, 0].astype(numpy.int64)


class ReflectedViews(Views):
    """Of pictures that have a reflected border of SHIFT pixels."""

    def weak_picture(self, image):
        from PIL import ImageOps
        x, y = random.randint(0, 2 * SHIFT), random.randint(0, 2 * SHIFT)
        image = image.crop((x, y, x + SIZE, y + SIZE))
        return ImageOps.mirror(image) if random.random() < 0.5 else image


class Pool:
    """Batches of indices; the pool is shuffled again whenever it is used up."""

    def __init__(self, indices, batch):
        self.indices, self.batch, self.left = list(indices), batch, []

    def draw(self):
        out = []
        while len(out) < self.batch:
            if not self.left:
                self.left = random.sample(self.indices, len(self.indices))
            out.append(self.left.pop())
        return out


class Training:
    def __init__(self, run, threads):
        import numpy
        import torch
        from PIL import Image
        from pytorch_step import Network
        self.config = configparser.ConfigParser()
        self.config.read(os.path.join(run, "config.ini"))
        get = self.config.get
        if get("ssl", "mode") != "fixmatch" or get("data", "dataset") != "cifar10" or get("optim", "schedule") not in ("cosine", "fixmatch"):
            sys.exit(f"fixmatch_curve.py: {run}: it is not a run of ssl.mode = fixmatch on cifar10 with a cosine of the learning rate")
        with open(os.path.join(run, "splits.json"), encoding="utf-8") as file:
            split = json.load(file)
        folder = os.path.join(get("data", "root"), "cifar-10-batches-bin")
        pixels, self.labels = read_part(folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
        self.test = read_part(folder, ["test_batch.bin"])
        self.validation = pixels[split["validation"]], self.labels[split["validation"]]
        bordered = numpy.pad(pixels, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
        self.images = [Image.fromarray(p) for p in bordered]
        self.labelled = Pool(split["labeled"], int(get("train", "batch_labeled")))
        self.unlabelled = Pool(split["unlabeled"], int(get("train", "batch_unlabeled")))
        self.views = ReflectedViews(threads)
        self.mean, self.std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
        torch.manual_seed(1)
        width = int(get("model", "width"))
        self.model = Network(get("model", "arch"), width or 64, get("model", "stem")).train()
        self.average = Network(get("model", "arch"), width or 64, get("model", "stem")).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.ema = float(get("optim", "ema"))
        self.lr = float(get("optim", "lr"))
        self.thresholds = float(get("ssl", "threshold")), float(get("ssl", "threshold_end"))
        self.optimizer = torch.optim.SGD(self.model.parameters(), self.lr, momentum=float(get("optim", "momentum")),
                                         nesterov=get("optim", "nesterov") == "yes", weight_decay=float(get("optim", "weight_decay")))
        self.layout = torch.contiguous_format

    def use(self, layout):
        self.layout = layout
        self.model.to(memory_format=layout)
        self.average.to(memory_format=layout)

    def view(self, indices, picture):
        return self.views.batch([self.images[i] for i in indices], picture, self.layout, self.mean, self.std)

    def rate(self, share):
        """Of the learning rate, at this share of the training."""
        return 0.5 * (1 + math.cos(math.pi * share)) if self.config.get("optim", "schedule") == "cosine" else math.cos(7 * math.pi * share / 16)

    def step(self, share):
        import torch
        import torch.nn.functional as F
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * self.rate(share)
        threshold = self.thresholds[0] + (self.thresholds[1] - self.thresholds[0]) * share
        labelled, unlabelled = self.labelled.draw(), self.unlabelled.draw()
        x = self.view(labelled, self.views.weak_picture)
        weak, strong = self.view(unlabelled, self.views.weak_picture), self.view(unlabelled, self.views.strong_picture)
        # As in fixmatch_step.py, the weak views pass by themselves: nothing goes backward through them.
        with torch.no_grad():
            confidence, target = self.model(weak).softmax(1).max(1)
        logits = self.model(torch.cat([x, strong]).contiguous(memory_format=self.layout))
        loss = F.cross_entropy(logits[:len(x)], torch.from_numpy(self.labels[labelled]))
        loss = loss + (F.cross_entropy(logits[len(x):], target, reduction="none") * (confidence >= threshold)).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - self.ema)
            for a, b in zip(self.average.buffers(), self.model.buffers()):
                a.copy_(b)
        return loss.item()

    def accuracy(self, part):
        """Percent of images that the averaged weights get right."""
        import torch
        right = 0
        with torch.no_grad():
            for i in range(0, len(part[1]), 500):
                x = torch.from_numpy(part[0][i:i + 500]).permute(0, 3, 1, 2).to(torch.float32, memory_format=self.layout)
                right += (self.average(x.sub_(self.mean).div_(self.std)).argmax(1) == torch.from_numpy(part[1][i:i + 500])).sum().item()
        return 100 * right / len(part[1])


def faster_layout(training):
    """Of a few steps that do not count; the learning rate is 0 in them."""
    import torch
    times = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        training.use(layout)
        training.lr, lr = 0, training.lr
        for _ in range(4):
            start = time.perf_counter()
            training.step(0)
            times[layout] = min(times.get(layout, math.inf), time.perf_counter() - start)
        training.lr = lr
    return min(times, key=times.get)


def train(a, seconds):
    import torch
    torch.set_num_threads(a.threads)
    training = Training(a.run, a.threads)
    initial = {name: value.clone() for name, value in training.model.state_dict().items()}
    layout = faster_layout(training)
    training.model.load_state_dict(initial)
    training.average.load_state_dict(initial)
    training.use(layout)
    training.optimizer.state.clear()
    print(f"PyTorch {torch.__version__}, {a.threads} threads, {'channels last' if layout == torch.channels_last else 'contiguous'}, "
          f"{seconds:.0f} s", flush=True)
    passed, step, losses, best = 0.0, 0, [], (-1.0, None)
    with open(a.o, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["step", "seconds", "loss", "val_top1"])
        while passed < seconds:
            until = passed + seconds / EVALUATIONS
            while passed < min(until, seconds):
                start = time.perf_counter()
                losses.append(training.step(passed / seconds))
                passed += time.perf_counter() - start
                step += 1
            score = training.accuracy(training.validation)
            rows.writerow([step, f"{passed:.1f}", f"{sum(losses) / len(losses):.4f}", f"{score:.2f}"])
            file.flush()
            print(f"step {step}  {passed:.0f} of {seconds:.0f} s  loss {sum(losses) / len(losses):.3f}  val {score:.1f} %", flush=True)
            losses = []
            if score > best[0]:
                best = score, {name: value.clone() for name, value in training.average.state_dict().items()}
    training.average.load_state_dict(best[1])
    print(f"best validation {best[0]:.2f} %, test {training.accuracy(training.test):.2f} %, {step} steps")


def read_curve(path):
    """(minutes, validation accuracy) of each evaluation."""
    with open(path, encoding="utf-8", newline="") as file:
        return [(float(row["seconds"]) / 60, float(row["val_top1"])) for row in csv.DictReader(file)]


def draw(a):
    """Validation accuracy over time, of both."""
    lines = {"camcl": read_curve(os.path.join(a.run, "metrics.csv")), "PyTorch": read_curve(a.other)}
    colours = {"camcl": "#1b6ca8", "PyTorch": "#c0392b"}
    with open(a.svg, "w", encoding="utf-8") as file:
        file.write(study.svg(study.chart(0, "", lines, colours, "minutes"), 1))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("run", metavar="RUN")
    ap.add_argument("--seconds", type=float)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("-o", default="pytorch.csv", metavar="FILE.csv")
    ap.add_argument("--with", dest="other", metavar="FILE.csv")
    ap.add_argument("--svg", metavar="FILE.svg")
    a = ap.parse_args()
    if a.svg:
        draw(a)
        return
    seconds = a.seconds
    if seconds is None:
        with open(os.path.join(a.run, "result.json"), encoding="utf-8") as file:
            seconds = json.load(file)["seconds"]
    bind(a.threads)
    train(a, seconds)


if __name__ == "__main__":
    main()
