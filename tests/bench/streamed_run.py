#!/usr/bin/env python3
"""A training step whose images are streamed beside one whose images stay on the device, and the host's memory meanwhile.

Usage: tests/bench/streamed_run.py [--program build/camcl] [--pairs N] [--resident MIB] [CONFIG] [key=value ...]

Trains CONFIG (default: images that the program draws) N times in pairs, once with all images on the device (data.resident large enough for
all) and once with at most MIB (default 0) of them there, in turns, because other work on the machine slows both. A run's time of a step is
that of its fastest row of metrics.csv but the first, whose steps include what a driver does once; so it needs two evaluations or more. Then
come the median of the pairs' ratios, and the most memory that a process had: RssAnon is its own, RssFile belongs to files that the system
can drop and read again. On a CPU the device's memory is part of RssAnon. Linux only.
"""
import argparse, csv, pathlib, statistics, subprocess, sys, tempfile, time

ALL = 1 << 20  # MiB, more than any data set of images that fits a device
DRAWN = ["data.dataset=shapes", "data.labeled=500", "data.unlabeled=8000", "data.validation=500", "model.width=16", "train.epochs=4",
         "train.epoch_steps=40", "ssl.threshold=0.3", "ssl.threshold_end=0.4", "output.cams_every=0"]


def watch(process):
    """The most that each kind of memory reached, in MiB."""
    peak = {"RssAnon": 0, "RssFile": 0, "VmRSS": 0}
    while process.poll() is None:
        try:
            for line in open(f"/proc/{process.pid}/status"):
                name, _, rest = line.partition(":")
                if name in peak:
                    peak[name] = max(peak[name], int(rest.split()[0]) / 1024)
        except OSError:
            pass
        time.sleep(0.02)
    return peak


def train(program, arguments, run, resident):
    log = run.with_suffix(".log")
    with open(log, "w") as out:
        process = subprocess.Popen([program, "train", *arguments, f"output.dir={run}", f"data.resident={resident}", "--quiet"], stdout=out,
                                   stderr=out)
        peak = watch(process)
    if process.returncode:
        sys.exit(f"camcl failed:\n{log.read_text()}")
    rows = list(csv.DictReader(open(run / "metrics.csv")))
    if len(rows) < 2:
        sys.exit("one row of metrics.csv is too few (set train.eval_every below train.epochs)")
    for line in open(run / "train.log"):
        if " images: " in line:
            print("  " + line[line.index("images: "):].strip())
    return max(float(row["images_per_s"]) for row in rows[1:]), peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/camcl", help="the camcl to run")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--resident", type=int, default=0, help="MiB of images that stay on the device in the streamed runs")
    parser.add_argument("arguments", nargs="*", help="CONFIG and key=value")
    args = parser.parse_args()
    program = str(pathlib.Path(args.program).resolve())
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        arguments = args.arguments
        if not arguments or "=" in arguments[0]:
            empty = pathlib.Path(scratch) / "empty.ini"
            empty.write_text("")
            arguments = [str(empty), *DRAWN, *arguments]
        for pair in range(args.pairs):
            speed = {}
            # Whoever comes first in a pair comes second in the next.
            for resident in sorted((ALL, args.resident), reverse=pair % 2 == 0):
                what = "resident" if resident == ALL else "streamed"
                speed[what], peak = train(program, arguments, pathlib.Path(scratch) / f"{what}{pair}", resident)
                print(f"{what}: {speed[what]:.1f} images/s; at most {peak['VmRSS']:.0f} MiB of memory, "
                      f"RssAnon {peak['RssAnon']:.0f}, RssFile {peak['RssFile']:.0f}", flush=True)
            ratios.append(speed["resident"] / speed["streamed"])
    print("a streamed step takes " + ", ".join(f"{r:.3f}" for r in ratios) + f" of a resident one; median {statistics.median(ratios):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
