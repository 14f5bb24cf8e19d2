#!/usr/bin/env python3
"""The study of docs/study.md: runs what is missing of it, goes on where it was interrupted, and makes the tables.

Usage: configs/study/study.py [--program FILE] [--root DIR] [--runs DIR] [--devices LIST] [--only PATTERN] [--list] [--table] [KEY=VALUE ...]
  --program FILE  camcl (default: build/camcl)
  --root DIR      where CIFAR-10 is (default: data)
  --runs DIR      run directories (default: runs/study)
  --devices LIST  device.select of runs at the same time, one on each: 0:0/0/2,0:0/1/2 are the halves of one processor (default: one run
                  at a time, on the device that camcl chooses); each run's output then goes to NAME.log in the folder of runs
  --only PATTERN  only runs whose name matches this regular expression, such as '4000-.*-seed1'
  --list          the names of all runs, and which are done
  --table         the tables alone, of what is done
  KEY=VALUE       passed to every run; figures of such runs are not kept

A finished run leaves its line in configs/study/results.csv, so that other machines need not repeat it. All of it takes about five and a half
hours on two cores with AVX-512 (estimated from timed steps). Ctrl-C saves the runs in progress; the next call goes on with them.
"""
import argparse
import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "results.csv")
FIELDS = ("name", "labels", "objective", "seed", "test_top1", "test_loss", "best_val_top1", "best_epoch", "device", "version")
SEEDS = (1, 2, 3)

FIXED = {"ssl.threshold": "0.95", "ssl.threshold_end": "0.95"}
# Objectives with 4,000 labels; those marked True with 250 labels, too.
OBJECTIVES = {
    "supervised": ({"ssl.mode": "supervised"}, True),
    "pseudo-label": ({"ssl.mode": "pseudo-label"}, True),
    "gradcam-3": ({"ssl.mode": "gradcam", "ssl.cam_layer": "3"}, True),
    "fixmatch": ({"ssl.mode": "fixmatch", **FIXED}, True),
    "fixmatch-cam": ({"ssl.mode": "fixmatch", "ssl.beta": "1", **FIXED}, True),
    "freematch": ({"ssl.mode": "freematch"}, False),
    "freematch-cam": ({"ssl.mode": "freematch", "ssl.beta": "1"}, False),
    "gradcam-1": ({"ssl.mode": "gradcam", "ssl.cam_layer": "1"}, False),
    "gradcam-2": ({"ssl.mode": "gradcam", "ssl.cam_layer": "2"}, False),
    "gradcam-4": ({"ssl.mode": "gradcam", "ssl.cam_layer": "4"}, False),
    "gradcam-3-exact": ({"ssl.mode": "gradcam", "ssl.cam_layer": "3", "ssl.cam_gradient": "exact"}, False),
    # The paper divides by the number of confident images; study.ini divides by the batch, as all later objectives do.
    "pseudo-label-confident": ({"ssl.mode": "pseudo-label", "ssl.reduction": "confident"}, False),
    "gradcam-3-confident": ({"ssl.mode": "gradcam", "ssl.cam_layer": "3", "ssl.reduction": "confident"}, False),
}
# What the CAM term adds: with it, without it.
PAIRS = (("gradcam-1", "pseudo-label"), ("gradcam-2", "pseudo-label"), ("gradcam-3", "pseudo-label"), ("gradcam-4", "pseudo-label"),
         ("gradcam-3-exact", "pseudo-label"), ("gradcam-3-confident", "pseudo-label-confident"), ("fixmatch-cam", "fixmatch"), ("freematch-cam", "freematch"))


def say(line):
    """One write for line and line end, so that the lines of several threads do not mix."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def plan():
    """(name, labels, objective, seed) of every run: one seed of everything before the next."""
    for seed in SEEDS:
        for labels in (4000, 250):
            for objective, (_, few) in OBJECTIVES.items():
                if labels == 4000 or few:
                    yield f"{labels}-{objective}-seed{seed}", labels, objective, seed


def read_results():
    if not os.path.exists(RESULTS):
        return {}
    with open(RESULTS, newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def write_results(results):
    order = [name for name, *_ in plan()]
    with open(RESULTS + ".new", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(results[name] for name in order if name in results)
    os.replace(RESULTS + ".new", RESULTS)


def train(args, name, labels, objective, seed, device):
    """Trains, or goes on. The exit status of camcl."""
    folder = os.path.join(args.runs, name)
    keys = {"data.labeled": labels, "data.root": args.root, "data.seed": seed, "train.seed": seed, "output.dir": folder,
            **OBJECTIVES[objective][0]}
    if device:
        keys["device.select"] = device
    command = [args.program, "train", os.path.join(HERE, "study.ini"), "--resume", *(f"{k}={v}" for k, v in keys.items()), *args.keys]
    say(f"== {name}" + (f" on {device}" if device else ""))
    if not device:
        return subprocess.call(command)
    os.makedirs(args.runs, exist_ok=True)
    with open(folder + ".log", "a", encoding="utf-8") as log:
        return subprocess.call(command, stdout=log, stderr=subprocess.STDOUT)


def figures(args, name, labels, objective, seed):
    with open(os.path.join(args.runs, name, "result.json"), encoding="utf-8") as file:
        result = json.load(file)
    version = subprocess.run([args.program, "version"], capture_output=True, text=True, check=True).stdout.split("\n", 1)[0].split(" (")[0]
    return dict(zip(FIELDS, (name, labels, objective, seed, result["test"]["top1"], result["test"]["loss"], result["best"]["val_top1"],
                             result["best"]["epoch"], result["device"], version)))


def run_all(args, runs):
    """Takes runs one after the other, at the same time on each of the devices. The first exit status that is not 0, or 0."""
    waiting, lock, failed = list(runs), threading.Lock(), []

    def work(device):
        while True:
            with lock:
                if failed or not waiting:
                    return
                run = waiting.pop(0)
            status = train(args, *run, device)
            with lock:
                if status != 0:
                    say(f"== {run[0]}: exit status {status}" + (f", see {os.path.join(args.runs, run[0])}.log" if device else ""))
                    failed.append(status)
                elif not args.keys:
                    results = read_results()
                    results[run[0]] = figures(args, *run)
                    write_results(results)
                    say(f"== {run[0]}: {results[run[0]]['test_top1']} % of the test images, {len(results)} of {len(list(plan()))} runs done")

    workers = [threading.Thread(target=work, args=(device,)) for device in args.devices.split(",")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return failed[0] if failed else 0


def mean_sd(values, sign=""):
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:{sign}.2f}"
    return f"{mean:{sign}.2f} ± {math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)):.2f}"


def table(results):
    top1 = {(int(r["labels"]), r["objective"], int(r["seed"])): float(r["test_top1"]) for r in results.values()}
    for labels in (4000, 250):
        rows = [(objective, {s: top1[labels, objective, s] for s in SEEDS if (labels, objective, s) in top1}) for objective in OBJECTIVES]
        if not any(seen for _, seen in rows):
            continue
        print(f"\n{labels} labels: test top-1, percent\n\n| objective | {' | '.join(f'seed {s}' for s in SEEDS)} | mean ± sd |")
        print("|---|" + "---|" * (len(SEEDS) + 1))
        for objective, seen in rows:
            if not seen:
                continue
            cells = " | ".join(f"{seen[s]:.2f}" if s in seen else "" for s in SEEDS)
            print(f"| {objective} | {cells} | {mean_sd(list(seen.values()))} |")
        pairs = [(a, b, [top1[labels, a, s] - top1[labels, b, s] for s in SEEDS if (labels, a, s) in top1 and (labels, b, s) in top1])
                 for a, b in PAIRS]
        if any(d for _, _, d in pairs):
            print("\nWith the CAM term less without it, seed by seed:\n\n| with | without | differences | mean ± sd |\n|---|---|---|---|")
            for a, b, differences in pairs:
                if differences:
                    print(f"| {a} | {b} | {', '.join(f'{d:+.2f}' for d in differences)} | {mean_sd(differences, '+')} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/camcl")
    parser.add_argument("--root", default="data")
    parser.add_argument("--runs", default="runs/study")
    parser.add_argument("--devices", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("keys", nargs="*", metavar="KEY=VALUE")
    args = parser.parse_args()
    results = read_results()
    wanted = [run for run in plan() if re.fullmatch(args.only or ".*", run[0])]
    if args.list:
        for name, *_ in wanted:
            print(name, "done" if name in results else "")
        return 0
    status = 0
    if not args.table:
        # A terminal's Ctrl-C reaches the runs themselves, which save and end: this program waits for that.
        signal.signal(signal.SIGINT, lambda *_: None)
        status = run_all(args, [run for run in wanted if args.keys or run[0] not in results])
    table(read_results())
    return status


if __name__ == "__main__":
    sys.exit(main())
