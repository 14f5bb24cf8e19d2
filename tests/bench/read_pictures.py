#!/usr/bin/env python3
"""camcl beside torchvision: seconds to read and scale a folder of photographs, with as many workers as there are processors.

Usage: read_pictures.py [--camcl PROGRAM] [--python PYTHON] [--folder FOLDER] [--make N] [--size S] [--rounds R]

Measures alternately, R times each:
  camcl         what `camcl data inspect` says of reading every picture with an empty cache folder, in which it keeps the scaled pixels; then
                the same again, which finds them there. The processor seconds are those of the whole program, which draws a contact sheet too
  torchvision   ImageFolder with Resize((S, S)) through a DataLoader, without the time that Python takes to start and to import it; Pillow in
                a pool of processes where PYTHON lacks torchvision
The files are read once before, so that neither side waits for the disk. --make N draws N JPEG files of 500 x 375 pixels in ten classes into
FOLDER, which must not exist: smooth random colours with grain, about 100 KB each (PYTHON needs numpy and Pillow). Processor seconds are
shown beside the elapsed ones, because other programs disturb them less.
Exit status: 0 a table was printed; 1 a program failed.
"""
import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

MAKE = """
import os, sys
from multiprocessing import Pool
import numpy as np
from PIL import Image

def make(job):
    index, folder = job
    random = np.random.default_rng(index)
    small = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((500, 375), Image.BICUBIC)).astype(np.float32)
    grain = random.normal(0, 12, (375, 500, 1))
    picture = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
    name = os.path.join(folder, "train", "class%d" % (index % 10), "%05d.jpg" % index)
    picture.save(name, quality=90)

if __name__ == "__main__":
    count, folder = int(sys.argv[1]), sys.argv[2]
    for k in range(10):
        os.makedirs(os.path.join(folder, "train", "class%d" % k))
    with Pool() as pool:
        pool.map(make, [(i, folder) for i in range(count)], chunksize=20)
"""

READ = """
import os, resource, sys, time

def load(path):
    from PIL import Image
    import numpy as np
    size = int(sys.argv[2])
    return np.asarray(Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR))

def with_torchvision(folder, size, workers):
    import torch
    from torchvision import datasets, transforms
    torch.set_num_threads(1)
    steps = transforms.Compose([transforms.Resize((size, size)), transforms.PILToTensor()])
    yield "torchvision"
    pictures = datasets.ImageFolder(folder, steps)
    yield sum(len(batch) for batch, _ in torch.utils.data.DataLoader(pictures, batch_size=64, num_workers=workers))

def with_pillow(folder, size, workers):
    from multiprocessing import Pool
    from PIL import Image
    import numpy
    yield "Pillow"
    paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    with Pool(workers) as pool:
        yield sum(1 for _ in pool.imap_unordered(load, paths, chunksize=64))

def used():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

if __name__ == "__main__":
    folder, size, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    try:
        reader = with_torchvision(folder, size, workers)
        name = next(reader)
    except ImportError:
        reader = with_pillow(folder, size, workers)
        name = next(reader)
    start, before = time.monotonic(), used()
    count = next(reader)
    reader.close()
    print(name, count, time.monotonic() - start, used() - before)
"""


def fail(text):
    print("read_pictures.py: " + text, file=sys.stderr)
    sys.exit(1)


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if done.returncode != 0:
        fail("%s failed:\n%s" % (" ".join(command[:4]), done.stderr.strip()))
    return done.stdout


def children_seconds():
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def read_with_camcl(args, work, folder, cache):
    config = os.path.join(work, "config.ini")
    with open(config, "w") as file:
        file.write("[data]\ndataset = folder\nroot = %s\nimage_size = %d\n[device]\ncache_dir = %s\n" % (folder, args.size, cache))
    before = children_seconds()
    said = run([args.camcl, "data", "inspect", config, "--json", "-o", os.path.join(work, "sheet.png")])
    summary = json.loads(said)["summary"]
    return summary, float(re.search(r"; took ([0-9.]+) s", summary).group(1)), children_seconds() - before


def read_with_python(args, folder):
    name, count, seconds, processor = run([args.python, "-c", READ, folder, str(args.size), str(os.cpu_count())]).split()
    return name, int(count), float(seconds), float(processor)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:].strip())
    parser.add_argument("--camcl", default="build/camcl")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--folder", default="photographs")
    parser.add_argument("--make", type=int)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    folder = os.path.abspath(args.folder)
    if args.make:
        if os.path.exists(folder):
            fail("%s: exists (remove it, or leave --make out)" % folder)
        run([args.python, "-c", MAKE, str(args.make), folder])
    paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    if not paths:
        fail("%s: no files (draw some with --make 2000)" % folder)
    size = 0
    for path in paths:
        with open(path, "rb") as file:
            size += len(file.read())
    train = os.path.join(folder, "train")
    times = {"camcl": [], "again": [], "other": []}
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as work:
            cache = os.path.join(work, "cache")
            for row in ("camcl", "again"):
                summary, *figures = read_with_camcl(args, work, folder, cache)
                times[row].append(figures)
        name, count, *figures = read_with_python(args, train if os.path.isdir(train) else folder)
        times["other"].append(figures)
    print("%d files of %.0f KB, %d processors, %d rounds; load %.1f; camcl: %s\n" %
          (len(paths), size / len(paths) / 1000, os.cpu_count(), args.rounds, os.getloadavg()[0], summary.split(";")[0]))
    print("| reader | pictures | seconds, best | seconds, median | processor seconds, median | pictures per second, best |")
    print("|---|---|---|---|---|---|")
    for row, text in (("camcl", "camcl"), ("again", "camcl, second start"), ("other", name)):
        wall = [seconds for seconds, _ in times[row]]
        number = count if row == "other" else len(paths)
        print("| %s | %d | %.2f | %.2f | %.2f | %.0f |" % (text, number, min(wall), statistics.median(wall),
              statistics.median(processor for _, processor in times[row]), number / max(min(wall), 0.005)))


if __name__ == "__main__":
    main()
