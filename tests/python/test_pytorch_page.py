"""docs/pytorch.md: every command of the page, as it stands there and in order, with keys behind each training that make it short. What needs
a network is replaced: packages are there already, and ImageNet's weights are those of an untrained network. tensorboard is asked for what it
found, instead of being left running.

usage: test_pytorch_page.py CAMCL    exit status 77: not all of the page's packages are here"""
import os
import re
import subprocess
import sys

from support import TOP, Scratch, check, need

need("torch", "torchvision", "safetensors", "PIL", "onnxruntime", "tensorboard", "pandas", "numpy")
CAMCL = os.path.abspath(sys.argv[1])
SHORTER = "train.epochs=1 train.epoch_steps=10 data.labeled=100 data.validation=100 train.batch_labeled=8 train.batch_unlabeled=8"
REPLACED = {
    "python3 -m pip install": "true",
    "weights='DEFAULT'": "weights=None",
    "tensorboard --logdir runs": "python3 -m tensorboard.main --inspect --logdir runs/exchange",
}
# What the reader of a command sees, in part.
SEEN = {
    "load_in_torchvision.py": r"_image\.png: \w+ \(\d+\.\d %\)",
    "classify_with_onnx.py": r"_image\.png: \w+ \(\d+\.\d %\)",
    "metadata()": r"'arch': 'resnet18'",
    "pandas.read": r"epoch +loss +val_top1\n0 +1 ",
    "tensorboard --logdir": r"val/top1",
    "cams.npy": r"\(2000, 10\) \(3, 32, 32\)",
}


def script(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o755)


def run_block(block):
    for there, here in REPLACED.items():
        block = block.replace(there, here)
    done = subprocess.run(["sh", "-e", "-c", block], capture_output=True, text=True)
    check(done.returncode == 0, f"{block}{done.stdout}{done.stderr}")
    return done.stdout


with Scratch() as scratch:
    os.symlink(TOP + "/docs", "docs")
    os.symlink(TOP + "/configs", "configs")
    script("build/camcl", f"[ \"$1\" != train ] || set -- \"$@\" {SHORTER}\nexec '{CAMCL}' \"$@\"")
    script("bin/python3", f"exec '{sys.executable}' \"$@\"")
    os.environ["PATH"] = scratch.path + "/bin:" + os.environ["PATH"]
    page = open("docs/pytorch.md").read()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.S | re.M)
    check(len(blocks) == page.count("```") / 2 >= 8, "a block is of another kind")
    seen = set()
    for block in blocks:
        print(block, end="", flush=True)
        said = run_block(block)
        for part, pattern in SEEN.items():
            if part in block and "pip install" not in block:
                seen.add(part)
                check(re.search(pattern, said), f"{block}says no {pattern!r} but\n{said}")
    check(seen == set(SEEN), f"the page has not {set(SEEN) - seen}")
