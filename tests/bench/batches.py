#!/usr/bin/env python3
"""Speed and memory beside PyTorch by number of threads and of images: compare_pytorch.py for each, one line of a table for each.

Usage: batches.py [--threads T,...] [--batch B,...] [options of compare_pytorch.py ...]

A batch of B is B labelled and as many unlabelled images; ResNet-18, steps of supervised and gradcam (paper-code, against batched CAMs). PyTorch is
eager, the faster of both memory formats. Memory, in MiB of one step, is measured with the first number of threads. A line is printed as soon
as its figures are there. Exit status: 0; 1 some comparison failed.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare_pytorch.py")
# PyTorch's name of a mode, camcl's
MODES = (("supervised", "supervised"), ("batched", "gradcam"))


def compare(threads, batch, options):
    """(camcl's figures, PyTorch's speeds, PyTorch's bytes), each by mode, or None."""
    with tempfile.TemporaryDirectory() as folder:
        record = os.path.join(folder, "figures.json")
        command = [sys.executable, COMPARE, "--threads", str(threads), "--batch", str(batch), "--arch", "resnet18", "--rounds", "1",
                   "--loop-rounds", "0", "--no-compile", "--presets", "paper-code", "--modes", ",".join(m for m, _ in MODES), "--json", record]
        if subprocess.run(command + options, stdout=subprocess.DEVNULL).returncode != 0:
            return None
        with open(record, encoding="utf-8") as file:
            figures, memory = json.load(file)["resnet18"]
    speeds = {mode: max(v for k, v in figures["pytorch"].items() if k.split(",")[0] == mode) for mode, _ in MODES}
    return figures["camcl"]["paper-code"], speeds, memory["pytorch_memory"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--batch", default="8,32,128,256")
    a, options = parser.parse_known_args()
    print("| threads | batch | " + " | ".join(f"{ours}: camcl | PyTorch | ratio | memory" for _, ours in MODES) + " |")
    print("|---" * (2 + 4 * len(MODES)) + "|", flush=True)
    status = 0
    for i, threads in enumerate(a.threads.split(",")):
        for batch in a.batch.split(","):
            got = compare(threads, batch, options + ["--no-memory"] * (i > 0))
            if got is None:
                status = 1
                continue
            camcl, speeds, memory = got
            cells = []
            for theirs, ours in MODES:
                speed, bytes_ = camcl[ours]["images_per_s"], camcl[ours]["peak_bytes"]
                cells += [f"{speed:.1f}", f"{speeds[theirs]:.1f}", f"{speed / speeds[theirs]:.2f}",
                          f"{bytes_ / 2**20:.0f} / {memory[theirs] / 2**20:.0f} = {bytes_ / memory[theirs]:.2f}" if theirs in memory else ""]
            print(f"| {threads} | {batch} | " + " | ".join(cells) + " |", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
