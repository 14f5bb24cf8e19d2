#!/usr/bin/env python3
"""The study of docs/study.md: runs what is missing of it, goes on where it was interrupted, and makes the tables and the plot.

Usage: configs/study/study.py [--program FILE] [--root DIR] [--runs DIR] [--devices LIST] [--only PATTERN] [--list] [--table] [--svg FILE]
                              [KEY=VALUE ...]
  --program FILE  camcl (default: build/camcl)
  --root DIR      where CIFAR-10 is (default: data)
  --runs DIR      run directories (default: runs/study)
  --devices LIST  device.select of runs at the same time, one on each: 0:0/0/2,0:0/1/2 are the halves of one processor (default: one run
                  at a time, on the device that camcl chooses); each run's output then goes to NAME.log in the folder of runs
  --only PATTERN  only runs whose name matches this regular expression, such as '4000-.*-seed1'
  --list          the names of all runs, and which are done
  --table         the tables alone, of what is done
  --svg FILE      also writes the plot of the validation accuracy in the course of the trainings
  KEY=VALUE       passed to every run; figures of such runs are not kept

A finished run leaves its lines in configs/study/results.csv, curves.csv and, of the drawn images, localisation.csv, so that other machines
need not repeat it. All of it takes about five and a half hours on two cores with AVX-512 (estimated from timed steps). Ctrl-C saves the runs in progress; the next call goes on with them.
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
# What finished runs leave, with the columns that say which line it is.
FILES = {
    "results": (("name",), ("labels", "objective", "seed", "test_top1", "test_loss", "best_val_top1", "best_epoch", "device", "version")),
    "curves": (("name", "step"), ("val_top1", "mask_rate", "pseudo_acc")),
    "localisation": (("name", "layer"), ("pointing", "mass")),
}
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
# Drawn images, of which it is known where the objects are. lr 0: the network as it is drawn, with the statistics of its batch norms.
LOCALISATION = {
    "untrained": {"ssl.mode": "supervised", "optim.lr": "0", "train.epochs": "1"},
    "supervised": {"ssl.mode": "supervised"},
    "pseudo-label": {"ssl.mode": "pseudo-label"},
    "gradcam-3": {"ssl.mode": "gradcam", "ssl.cam_layer": "3", "ssl.beta": "1"},
    "gradcam-3-beta10": {"ssl.mode": "gradcam", "ssl.cam_layer": "3", "ssl.beta": "10"},
}
GROUPS = {
    "4000": {name: keys for name, (keys, _) in OBJECTIVES.items()},
    "250": {name: keys for name, (keys, few) in OBJECTIVES.items() if few},
    "shapes": LOCALISATION,
}
LABELS = {"4000": 4000, "250": 250, "shapes": 500}
# What the CAM term adds: with it, without it.
PAIRS = (("gradcam-1", "pseudo-label"), ("gradcam-2", "pseudo-label"), ("gradcam-3", "pseudo-label"), ("gradcam-4", "pseudo-label"),
         ("gradcam-3-exact", "pseudo-label"), ("gradcam-3-confident", "pseudo-label-confident"), ("fixmatch-cam", "fixmatch"),
         ("freematch-cam", "freematch"), ("gradcam-3-beta10", "pseudo-label"))


def say(line):
    """One write for line and line end, so that the lines of several threads do not mix."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def plan():
    """(name, group, objective, seed) of every run: one seed of everything before the next."""
    for seed in SEEDS:
        for group, objectives in GROUPS.items():
            for objective in objectives:
                yield f"{group}-{objective}-seed{seed}", group, objective, seed


def path_of(what):
    return os.path.join(HERE, what + ".csv")


def read_lines(what):
    """The lines of a file by the name of their run."""
    lines = {}
    if os.path.exists(path_of(what)):
        with open(path_of(what), newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                lines.setdefault(line["name"], []).append(line)
    return lines


def keep_lines(what, name, lines):
    """Replaces the lines of a run in a file."""
    kept = read_lines(what)
    kept[name] = [{"name": name, **line} for line in lines]
    with open(path_of(what) + ".new", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, sum(FILES[what], ()), lineterminator="\n")
        writer.writeheader()
        for run, *_ in plan():
            writer.writerows(kept.get(run, []))
    os.replace(path_of(what) + ".new", path_of(what))


def train(args, name, group, objective, seed, device):
    """Trains, or goes on. The exit status of camcl."""
    folder = os.path.join(args.runs, name)
    keys = {"data.labeled": LABELS[group], "data.seed": seed, "train.seed": seed, "output.dir": folder, **GROUPS[group][objective]}
    if group != "shapes":
        keys["data.root"] = args.root
    if device:
        keys["device.select"] = device
    settings = os.path.join(HERE, "shapes.ini" if group == "shapes" else "study.ini")
    command = [args.program, "train", settings, "--resume", *(f"{k}={v}" for k, v in keys.items()), *args.keys]
    say(f"== {name}" + (f" on {device}" if device else ""))
    if not device:
        return subprocess.call(command)
    os.makedirs(args.runs, exist_ok=True)
    with open(folder + ".log", "a", encoding="utf-8") as log:
        return subprocess.call(command, stdout=log, stderr=subprocess.STDOUT)


def keep(args, name, group, objective, seed, device):
    """Takes a finished run's figures into the files. The share of the test images that it classified right."""
    folder = os.path.join(args.runs, name)
    with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
        result = json.load(file)
    version = subprocess.run([args.program, "version"], capture_output=True, text=True, check=True).stdout.split("\n", 1)[0].split(" (")[0]
    with open(os.path.join(folder, "metrics.csv"), newline="", encoding="utf-8") as file:
        keep_lines("curves", name, [{k: row.get(k, "") for k in ("step", *FILES["curves"][1])} for row in csv.DictReader(file)])
    if group == "shapes":
        where = subprocess.run([args.program, "eval", os.path.join(folder, "best.safetensors"), "--cam", "--json",
                                *([f"device.select={device}"] if device else [])], capture_output=True, text=True, check=True)
        keep_lines("localisation", name, json.loads(where.stdout)["cam"])
    values = (LABELS[group], objective, seed, result["test"]["top1"], result["test"]["loss"], result["best"]["val_top1"],
              result["best"]["epoch"], result["device"], version)
    keep_lines("results", name, [dict(zip(FILES["results"][1], values))])
    return result["test"]["top1"]


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
                    top1 = keep(args, *run, device)
                    say(f"== {run[0]}: {top1} % of the test images, {len(read_lines('results'))} of {len(list(plan()))} runs done")

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


def by_objective(group, results, value):
    """{objective: {seed: value}} of the runs that are done."""
    found = {}
    for name, of, objective, seed in plan():
        if of == group and name in results:
            found.setdefault(objective, {})[seed] = value(name)
    return found


def seeds_table(title, rows, digits=2):
    print(f"\n{title}\n\n| objective | {' | '.join(f'seed {s}' for s in SEEDS)} | mean ± sd |")
    print("|---|" + "---|" * (len(SEEDS) + 1))
    for objective, seen in rows.items():
        cells = " | ".join(f"{seen[s]:.{digits}f}" if s in seen else "" for s in SEEDS)
        print(f"| {objective} | {cells} | {mean_sd(list(seen.values()))} |")


def pairs_table(title, rows):
    pairs = [(a, b, [rows[a][s] - rows[b][s] for s in SEEDS if s in rows[a] and s in rows[b]]) for a, b in PAIRS if a in rows and b in rows]
    if any(d for _, _, d in pairs):
        print(f"\n{title}\n\n| with | without | differences | mean ± sd |\n|---|---|---|---|")
        for a, b, differences in pairs:
            if differences:
                print(f"| {a} | {b} | {', '.join(f'{d:+.2f}' for d in differences)} | {mean_sd(differences, '+')} |")


def tables():
    results, places = read_lines("results"), read_lines("localisation")
    for group in GROUPS:
        rows = by_objective(group, results, lambda name: float(results[name][0]["test_top1"]))
        if not rows:
            continue
        images = "drawn images" if group == "shapes" else "CIFAR-10"
        seeds_table(f"{images}, {LABELS[group]} labels: test top-1, percent", rows)
        pairs_table("With the CAM term less without it, seed by seed:", rows)
    for figure, meaning in (("pointing", "highest point on the object"), ("mass", "share of the map inside the object")):
        for layer in range(1, 5):
            rows = by_objective("shapes", places, lambda name: float(places[name][layer - 1][figure]))
            if rows:
                seeds_table(f"Drawn images, stage {layer}: {meaning}, percent", rows, 1)


# ---- the plot

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 300, 46, 140, 26, 36
SHOWN = {"supervised": "#555", "pseudo-label": "#1b6ca8", "gradcam-3": "#c0392b", "fixmatch": "#1e8449", "fixmatch-cam": "#b9770e",
         "freematch": "#7d3c98"}


def chart(x0, title, lines, colours, unit):
    """Percentages over something that has the unit: {name: [(x, percent), ...]}, each with its name and last value beside its end."""
    most = max(point[0] for line in lines.values() for point in line)
    low = 10 * int(min(line[min(2, len(line) - 1)][1] for line in lines.values()) / 10)
    high = 10 * int(max(point[1] for line in lines.values() for point in line) / 10 + 1)
    across = lambda x: x0 + LEFT + (WIDTH - LEFT - RIGHT) * x / most
    up = lambda value: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (max(value, low) - low) / (high - low)
    out = [f'<text x="{x0 + LEFT}" y="16">{title}</text>']
    for value in range(low, high + 1, 10):
        out.append(f'<path d="M{x0 + LEFT} {up(value):.1f} H{x0 + WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{x0 + LEFT - 6}" y="{up(value) + 4:.1f}" text-anchor="end">{value} %</text>')
    for x in (0, most / 2, most):
        out.append(f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:.0f}</text>')
    out.append(f'<text x="{(across(0) + across(most)) / 2:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{unit}</text>')
    place = 0
    for name, line in sorted(lines.items(), key=lambda item: -item[1][-1][1]):
        points = " ".join(f"{across(x):.1f},{up(value):.1f}" for x, value in line)
        place = max(up(line[-1][1]), place + 15)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="1.6"/>'
                   f'<text x="{across(most) + 6:.1f}" y="{place + 4:.1f}" fill="{colours[name]}">{name} {line[-1][1]:.1f}</text>')
    return out


def svg(shapes, charts):
    """The file's text, of so many charts side by side."""
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {charts * WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
                      '<rect width="100%" height="100%" fill="#fff"/>', *shapes, "</svg>", ""])


def mean_curves(group, curves):
    """Of each objective that is shown the mean over the seeds that are done."""
    rows = by_objective(group, curves, lambda name: {int(p["step"]): float(p["val_top1"]) for p in curves[name]})
    means = {}
    for objective in SHOWN:
        runs = list(rows.get(objective, {}).values())
        if runs:
            means[objective] = [(step, sum(run[step] for run in runs) / len(runs)) for step in sorted(runs[0]) if all(step in r for r in runs)]
    return means


def plot():
    curves, shapes, charts = read_lines("curves"), [], 0
    for group in ("4000", "250"):
        means = mean_curves(group, curves)
        if means:
            shapes += chart(charts * WIDTH, f"{LABELS[group]} labels", means, SHOWN, "steps")
            charts += 1
    return svg(shapes, charts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/camcl")
    parser.add_argument("--root", default="data")
    parser.add_argument("--runs", default="runs/study")
    parser.add_argument("--devices", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--svg", default="")
    parser.add_argument("keys", nargs="*", metavar="KEY=VALUE")
    args = parser.parse_args()
    results = read_lines("results")
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
    tables()
    if args.svg:
        with open(args.svg, "w", encoding="utf-8") as file:
            file.write(plot())
    return status


if __name__ == "__main__":
    sys.exit(main())
