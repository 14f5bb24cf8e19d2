"""docs/examples/load_in_torchvision.py: every kind of checkpoint loads strictly and says of pictures what camcl predict says.

usage: test_torchvision.py CAMCL    exit status 77: no torch, torchvision, safetensors or Pillow here"""
import json
import os
import re
import sys

from support import TOP, Scratch, check, need, run, with_metadata, write_png

need("numpy", "torch", "torchvision", "safetensors", "PIL")
import numpy

CAMCL = os.path.abspath(sys.argv[1])
EXAMPLE = TOP + "/docs/examples/load_in_torchvision.py"
CLASSES = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay"]
NETWORKS = [("resnet18", 32, "stretch"), ("resnet34_imagenet", 64, "crop"), ("resnet50_imagenet", 64, "pad"), ("wrn28-2", 32, "stretch")]


def draw(folder):
    """The first two of the networks' sizes, then others, with blobs that survive scaling."""
    random = numpy.random.default_rng(5)
    for i, (height, width) in enumerate([(32, 32), (64, 64), (75, 120), (201, 90), (20, 24)]):
        cells = random.integers(0, 256, (4, 5, 3))
        rows, columns = numpy.arange(height) * 4 // height, numpy.arange(width) * 5 // width
        write_png(f"{folder}/{i}.png", cells[rows][:, columns].astype(numpy.uint8))
    return [f"{folder}/{i}.png" for i in range(5)]


def compare(name, size, fit, pictures):
    with_metadata(f"{TOP}/tests/golden/{name}_weights.safetensors", "net.safetensors", version="camcl test", class_names=json.dumps(CLASSES),
                  mean="0.45,0.5,0.4", std="0.9,0.8,1", image_size=str(size), step="7", fit=fit)
    theirs = re.findall(r"^(.+): (\w+) \((.+) %\)$", run(sys.executable, EXAMPLE, "net.safetensors", *pictures), re.M)
    ours = json.loads(run(CAMCL, "predict", "net.safetensors", *pictures, "--json"))
    check([file for file, _, _ in theirs] == [one["file"] for one in ours] == pictures, f"{name}: {theirs}")
    classes = {one["label"] for one in ours}
    for (file, label, percent), one in zip(theirs, ours):
        print(f"{name} {fit}: {file} is {one['label']} ({100 * one['probability']:.2f} %), and {label} ({percent} %)")
        # Where a picture is scaled, a pixel may differ by a level.
        most = 0.06 if file in (f"pictures/{i}.png" for i, side in enumerate((32, 64)) if side == size) else 1
        check(label == one["label"] and abs(float(percent) - 100 * one["probability"]) < most, f"{name}: {file}")
    check(len(classes) > 1, f"{name}: all pictures are the same to it, so that nothing was compared")


with Scratch():
    drawn = draw("pictures")
    for network in NETWORKS:
        compare(*network, drawn)
