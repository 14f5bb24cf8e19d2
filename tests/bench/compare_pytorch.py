#!/usr/bin/env python3
"""camcl beside PyTorch: images per second of whole training steps, on the same processor cores, measured alternately.

Usage: compare_pytorch.py [--camcl PROGRAM] [--script PYTORCH_STEP] [--python PYTHON] [--rounds R] [--threads T]
                          [--arch resnet18|wrn28-2] [--width W] [--batch B] [--unlabeled U] [--layer L] [--modes M,...]
                          [--repeat R] [--loop-rounds R] [--no-compile] [--json FILE] [key=value ...]

Run it in the project's root. Each round runs `camcl bench step --json` and then PyTorch (both memory formats, eager and, for supervised
and infer, torch.compile); a round's ratio is camcl over the fastest PyTorch variant of that same round, because absolute speeds
drift and ratios taken together do not. Both sides are bound to the same T cores. `gradcam` is compared with PyTorch's batched CAMs and with
the one-image-at-a-time loop; the loop is slow, so it is timed in the first --loop-rounds rounds only.
key=value goes to camcl: device.select=cpu for the comparison on the processor. Variants that cannot run are reported and left out.
Exit status: 0 a table was printed; 1 camcl or every PyTorch variant failed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

# camcl's mode, PyTorch's mode
PAIRS = [("supervised", "supervised"), ("pseudo-label", "pseudo"), ("gradcam", "batched"), ("gradcam", "loop"), ("infer", "infer")]
COMPILED = ("supervised", "infer")


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--camcl", default="build/camcl")
    ap.add_argument("--script", default="../shared/bench/pytorch_step.py")
    ap.add_argument("--python", default=sys.executable, help="an interpreter that has torch")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--arch", default="resnet18", choices=("resnet18", "wrn28-2"))
    ap.add_argument("--width", type=int, default=64, help="channels of ResNet-18's first stage")
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--unlabeled", type=int, default=32)
    ap.add_argument("--layer", type=int, default=3)
    ap.add_argument("--modes", default="supervised,pseudo,batched,loop,infer", help="PyTorch's names")
    ap.add_argument("--repeat", type=int, default=3, help="timed steps of each PyTorch figure; the best counts")
    ap.add_argument("--loop-rounds", type=int, default=1)
    ap.add_argument("--no-compile", action="store_true")
    ap.add_argument("--json", metavar="FILE", help="write every figure here")
    ap.add_argument("--camcl-result", metavar="FILE", help="read camcl's JSON from FILE instead of running it")
    ap.add_argument("keys", nargs="*", metavar="key=value")
    return ap.parse_args()


def bind(threads):
    """Binds this process and its children to `threads` cores and tells the OpenCL CPU runtimes."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < threads:
        sys.exit(f"compare_pytorch.py: {threads} threads asked for, {len(cores)} cores here")
    os.sched_setaffinity(0, cores[:threads])
    for name in ("POCL_MAX_PTHREAD_COUNT", "OMP_NUM_THREADS", "CL_CONFIG_CPU_TBB_NUM_WORKERS"):
        os.environ[name] = str(threads)


def run_json(command, what):
    """The command's JSON, or None after a line on stderr that says why not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as e:
        print(f"{what}: {e}", file=sys.stderr)
        return None
    if done.returncode == 0:
        try:
            return json.loads(done.stdout)
        except ValueError:
            pass
    lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
    line = lines[0] if lines[0].startswith("camcl:") else lines[-1]      # of a Python traceback the last line tells
    print(f"{what} left out, exit {done.returncode}: {line}", file=sys.stderr)
    return None


def torch_round(a, modes):
    """{mode: (images per second, variant)}: the fastest variant of each mode; all figures; PyTorch's version."""
    best, every, version = {}, {}, ""
    numbers = {"width": a.width, "batch": a.batch, "unlabeled": a.unlabeled, "threads": a.threads, "layer": a.layer, "repeat": a.repeat}
    options = ["--arch", a.arch, *(text for k, v in numbers.items() for text in ("--" + k, str(v)))]
    for compiled in (False, True):
        wanted = [m for m in modes if not compiled or m in COMPILED]
        if not wanted or (compiled and a.no_compile):
            continue
        for last in (False, True):
            variant = ("compile" if compiled else "eager") + (", channels last" if last else "")
            switches = ["--json"] + ["--channels-last"] * last + ["--compile"] * compiled
            got = run_json([a.python, a.script, *options, "--modes", ",".join(wanted), *switches], "PyTorch, " + variant)
            version = got["torch"] if got else version
            for mode in wanted if got else ():
                speed = got[mode]["images_per_s"]
                every[f"{mode}, {variant}"] = speed
                if speed > best.get(mode, (0, ""))[0]:
                    best[mode] = (speed, variant)
    return best, every, version


def camcl_round(a):
    if a.camcl_result:
        with open(a.camcl_result) as f:
            return json.load(f)
    keys = {"model.arch": a.arch, "train.batch_labeled": a.batch, "train.batch_unlabeled": a.unlabeled, "ssl.cam_layer": a.layer}
    if a.arch == "resnet18":
        keys["model.width"] = a.width
    return run_json([a.camcl, "bench", "step", "--json", *(f"{k}={v}" for k, v in keys.items()), *a.keys], "camcl")


def table(rounds, device, version):
    """Best speeds over the rounds; the ratio is the median over rounds, with its range."""
    print(f"\ncamcl on {device}, PyTorch {version}\n")
    print(f"{'step':24s} {'camcl':>9s} {'PyTorch':>9s} {'ratio':>6s}  {'range':13s} fastest PyTorch")
    for ours, theirs in PAIRS:
        both = [(c[ours]["images_per_s"], *t[theirs]) for c, t in rounds if theirs in t and ours in c]
        if not both:
            continue
        ratios = [c / t for c, t, _ in both]
        fastest = max(both, key=lambda x: x[1])
        name = ours if theirs not in ("batched", "loop") else f"gradcam, against {theirs}"
        print(f"{name:24s} {max(x[0] for x in both):9.1f} {fastest[1]:9.1f} {statistics.median(ratios):6.2f}  "
              f"{min(ratios):5.2f} - {max(ratios):5.2f} {fastest[2]}")
    print("\nimages/s (labelled + unlabelled; supervised: labelled only), best of all rounds; ratio: median of the rounds")


def main():
    a = arguments()
    bind(a.threads)
    rounds, record, device = [], [], ""
    for i in range(a.rounds):
        modes = [m for m in a.modes.split(",") if m != "loop" or i < a.loop_rounds]
        print(f"round {i + 1} of {a.rounds}", file=sys.stderr)
        camcl = camcl_round(a)
        best, every, version = torch_round(a, modes) if camcl else ({}, {}, "")
        if not best:
            return 1
        device = camcl["device"]
        rounds.append((camcl, best))
        record.append({"torch": version, "pytorch": every, "camcl": camcl})
    table(rounds, device if isinstance(device, str) else json.dumps(device), version)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(record, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
