#!/usr/bin/env python3
"""camcl beside PyTorch: images per second of whole training steps, on the same processor cores, measured alternately.

Usage: compare_pytorch.py [--camcl PROGRAM] [--script PYTORCH_STEP] [--python PYTHON] [--rounds R] [--threads T] [--arch NAME,...]
                          [--width W] [--batch B] [--unlabeled U] [--layer L] [--modes M,...] [--presets P,...] [--repeat R] [--loop-rounds R]
                          [--no-compile] [--no-memory] [--pose avx2|sse4.1] [--results FILE] [--json FILE] [key=value ...]

Run it in the project's root. Each round runs `camcl bench step --json` with either preset and then PyTorch (both memory formats, eager
and, for supervised and infer, torch.compile); a round's ratio is camcl over the fastest PyTorch variant of that same round, because
absolute speeds drift and ratios taken together do not. Both sides are bound to the same T cores. The one-image-at-a-time loop is slow, so it
is timed in the first --loop-rounds rounds only. Peak memory is camcl's device memory of a step beside what PyTorch's process grows by.
--pose: both sides leave wider instructions alone, as on a processor without them: PoCL and camcl's kernels, PyTorch's own kernels, what
torch.compile makes, oneDNN and MKL. The programs that PoCL compiles so are kept apart from the others.
--arch resnet50: images of 224 x 224, the stem for ImageNet, 16 + 16 images; PyTorch's figures come from tests/device/pytorch_step.py.
The table is Markdown, as tests/bench/RESULTS.md holds it; a ratio that is more than 10 % below the newest one there is marked.
key=value goes to camcl: device.select=cpu for the comparison on the processor. Variants that cannot run are reported and left out.
Exit status: 0 a table was printed; 1 camcl or every PyTorch variant failed.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

# row, camcl's preset and mode, PyTorch's mode
ROWS = [
    ("supervised", "paper-code", "supervised", "supervised"),
    ("pseudo-label, paper-code", "paper-code", "pseudo-label", "pseudo"),
    ("pseudo-label, corrected", "corrected", "pseudo-label", "pseudo"),
    ("gradcam, paper-code, against batched CAMs", "paper-code", "gradcam", "batched"),
    ("gradcam, paper-code, against CAMs one at a time", "paper-code", "gradcam", "loop"),
    ("gradcam, corrected, against batched CAMs", "corrected", "gradcam", "batched"),
    ("inference, 256 images", "paper-code", "infer", "infer"),
]
OURS = "gradcam, corrected, against camcl's paper-code"
# PyTorch's modes, in the order of AIMS.
MODES = ("supervised", "pseudo", "batched", "loop", "infer")
# The ratios that the project aims at with the paper-code preset, by the widest instructions in use and by network.
AIMS = {("AVX2", "resnet18"): (2.3, 2.3, 2.3, 4.5, 2.2), ("AVX2", "wrn28-2"): (2.2, 2.2, 2.2, 4.5, 2.2),
        ("AVX-512", "resnet18"): (2.59, 2.92, 2.66, 4.74, 2.8), ("AVX-512", "wrn28-2"): (2.75, 3.2, 2.8, 4.5, 2.83)}
AIMS |= {(width, "resnet50"): (1.5, 1.5, 2.0, None, None) for width in ("AVX2", "AVX-512")}
AIMS |= {("SSE", arch): (1.0,) * 5 for arch in ("resnet18", "wrn28-2")}
PRESETS = ("paper-code", "corrected")
COMPILED = ("supervised", "infer")
BATCH = {"resnet18": 32, "wrn28-2": 64, "resnet50": 16}
# Images of a user's own size, by the other script, which knows this network.
LARGE = {"resnet50": (["model.stem=imagenet", "data.image_size=224"], ["--stem", "imagenet", "--size", "224"])}
LARGE_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "device", "pytorch_step.py")
# What makes each side leave wider instructions alone.
POSES = {
    "avx2": {"POCL_KERNELLIB_NAME": "avx2", "CAMCL_VECTOR": "8x16", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
             "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "sse4.1": {"POCL_KERNELLIB_NAME": "sse41", "CAMCL_VECTOR": "4x16", "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41",
               "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
}
# Grows by what one step of one mode needs: the process's peak before and after.
MEMORY = """
import resource, runpy, sys, torch
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
torch.nn.functional.conv2d(torch.randn(1, 8, 8, 8), torch.randn(8, 8, 3, 3))
before = peak()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print(peak() - before)
"""


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--camcl", default="build/camcl")
    ap.add_argument("--script", default="../shared/bench/pytorch_step.py")
    ap.add_argument("--python", default=sys.executable, help="an interpreter that has torch")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--arch", default="resnet18,wrn28-2")
    ap.add_argument("--width", type=int, default=64, help="channels of ResNet-18's first stage")
    ap.add_argument("--batch", type=int, default=0, help="labelled images; 0: 32 for ResNet-18, 64 for WRN-28-2")
    ap.add_argument("--unlabeled", type=int, default=0, help="0: as many as labelled ones")
    ap.add_argument("--layer", type=int, default=3)
    ap.add_argument("--modes", default=",".join(MODES), help="PyTorch's names")
    ap.add_argument("--presets", default=",".join(PRESETS), help="camcl's")
    ap.add_argument("--repeat", type=int, default=3, help="timed steps of each PyTorch figure; the best counts")
    ap.add_argument("--loop-rounds", type=int, default=1)
    ap.add_argument("--no-compile", action="store_true")
    ap.add_argument("--no-memory", action="store_true")
    ap.add_argument("--pose", choices=sorted(POSES))
    ap.add_argument("--results", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "RESULTS.md"))
    ap.add_argument("--json", metavar="FILE", help="write every figure here")
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


def pose(as_what):
    """Both caches of compiled programs belong to the instructions that they were compiled for."""
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "camcl-posing-" + as_what)
    os.makedirs(os.path.join(folder, "pocl"), exist_ok=True)
    os.environ.update(POSES[as_what], XDG_CACHE_HOME=folder, POCL_CACHE_DIR=os.path.join(folder, "pocl"))


def run(command, what, parse=json.loads):
    """The command's output, or None after a line on stderr that says why not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as e:
        print(f"{what}: {e}", file=sys.stderr)
        return None
    if done.returncode == 0:
        try:
            return parse(done.stdout)
        except ValueError:
            pass
    lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
    line = lines[0] if lines[0].startswith("camcl:") else lines[-1]      # of a Python traceback the last line tells
    print(f"{what} left out, exit {done.returncode}: {line}", file=sys.stderr)
    return None


def torch_options(a, arch, repeat):
    numbers = {"width": a.width, "batch": a.batch or BATCH[arch], "unlabeled": a.unlabeled or a.batch or BATCH[arch], "threads": a.threads,
               "layer": a.layer, "repeat": repeat}
    return ["--arch", arch, *(text for k, v in numbers.items() for text in ("--" + k, str(v)))]


def fastest(figures):
    """{mode: (images per second, variant)} of (mode, variant, images per second)"""
    best = {}
    for mode, variant, speed in figures:
        best[mode] = max(best.get(mode, (0, "")), (speed, variant))
    return best


def large_round(a, arch, modes):
    """As torch_round, of the script that prints a line per figure."""
    names = {"pseudo-label": "pseudo", "gradcam": "batched"}
    options = torch_options(a, arch, a.repeat)
    at = options.index("--threads")
    text = run([a.python, LARGE_SCRIPT, "--on", "cpu", *options[:at], *options[at + 2:], *LARGE[arch][1], *["--quick"] * a.no_compile],
               "PyTorch", str)
    rows = [line.split() for line in (text or "").splitlines()]
    figures = [(names.get(r[1], r[1]), r[4] + ", channels last" * (r[3] == "nhwc"), float(r[6])) for r in rows if r and r[0] == "torch"]
    figures = [f for f in figures if f[0] in modes]
    return fastest(figures), {f"{m}, {v}": speed for m, v, speed in figures}, rows[0][2] if rows else ""


def torch_round(a, arch, modes):
    """{mode: (images per second, variant)}: the fastest variant of each mode; all figures; PyTorch's version."""
    if arch in LARGE:
        return large_round(a, arch, modes)
    figures, version = [], ""
    for compiled in (False, True):
        wanted = [m for m in modes if not compiled or m in COMPILED]
        if not wanted or (compiled and a.no_compile):
            continue
        for last in (False, True):
            variant = ("compile" if compiled else "eager") + (", channels last" if last else "")
            switches = ["--json"] + ["--channels-last"] * last + ["--compile"] * compiled
            got = run([a.python, a.script, *torch_options(a, arch, a.repeat), "--modes", ",".join(wanted), *switches], "PyTorch, " + variant)
            version = got["torch"] if got else version
            figures += [(mode, variant, got[mode]["images_per_s"]) for mode in (wanted if got else ())]
    return fastest(figures), {f"{mode}, {variant}": speed for mode, variant, speed in figures}, version


def camcl_round(a, arch):
    """{preset: camcl's JSON}"""
    batch = a.batch or BATCH[arch]
    keys = {"model.arch": arch, "train.batch_labeled": batch, "train.batch_unlabeled": a.unlabeled or batch, "ssl.cam_layer": a.layer}
    if arch == "resnet18":
        keys["model.width"] = a.width
    large = LARGE[arch][0] if arch in LARGE else []
    got = {}
    for preset in a.presets.split(","):
        command = [a.camcl, "bench", "step", "--json", f"ssl.preset={preset}", *(f"{k}={v}" for k, v in keys.items()), *large, *a.keys]
        got[preset] = run(command, "camcl, " + preset)
        if got[preset] is None:
            return None
    return got


def torch_memory(a, arch, modes):
    """{mode: bytes}: the smaller of both memory formats."""
    got = {}
    for mode in modes if not a.no_memory and arch not in LARGE else ():
        sizes = [run([a.python, "-c", MEMORY, a.script, *torch_options(a, arch, 1), "--modes", mode, *["--channels-last"] * last],
                     "PyTorch's memory", lambda text: int(text.split()[-1])) for last in (False, True) if mode != "loop"]
        if all(sizes) and sizes:
            got[mode] = min(sizes)
    return got


def instructions(posing_as):
    """The widest vector instructions that both sides use."""
    if posing_as:
        return {"avx2": "AVX2", "sse4.1": "SSE"}[posing_as]
    try:
        with open("/proc/cpuinfo") as f:
            flags = f.read().split()
    except OSError:
        flags = []
    return "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "other"


def kind(widest, posing):
    """What results are kept apart by: the instructions; with AVX-512 also the maker, whose peaks differ by two at the same bandwidth."""
    if posing or widest != "AVX-512":
        return widest + (", posing" if posing else "")
    with open("/proc/cpuinfo") as f:
        return widest + (", Intel" if "GenuineIntel" in f.read() else "")


def last_results(path, title):
    """{row: ratio} of the newest table under this title in RESULTS.md; the newest comes first there."""
    found = {}
    try:
        with open(path) as f:
            section = re.search(rf"^### {re.escape(title)},.*?$(.*?)(?=^##|\Z)", f.read(), re.M | re.S)
    except OSError:
        section = None
    for line in section.group(1).splitlines() if section else ():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) > 3 and re.fullmatch(r"[0-9.]+", cells[3]):
            found[cells[0]] = float(cells[3])
    return found


def line(name, ours, theirs, ratios, target, note, before):
    ratio = statistics.median(ratios)
    marks = [note] if note else []
    if name in before and ratio < 0.9 * before[name]:
        marks.append(f"**REGRESSION: {before[name]:.2f} before**")
    print(f"| {name} | {ours} | {theirs} | {ratio:.2f} | {min(ratios):.2f} - {max(ratios):.2f} | {target or ''} | {'; '.join(marks)} |")


def table(aims, rounds, memory, before):
    """Best speeds over the rounds; the ratio is the median over rounds, with its range."""
    print("| step | camcl | PyTorch | ratio | range | aim | fastest PyTorch |\n|---|---|---|---|---|---|---|")
    for name, preset, mode, theirs in ROWS:
        both = [(c[preset][mode]["images_per_s"], *t[theirs]) for c, t in rounds if theirs in t and preset in c]
        if both:
            fastest = max(both, key=lambda x: x[1])
            line(name, f"{max(x[0] for x in both):.1f}", f"{fastest[1]:.1f}", [c / t for c, t, _ in both], aims.get(theirs) if preset == PRESETS[0] else None, fastest[2], before)
    pairs = [[c[p]["gradcam"]["images_per_s"] for p in PRESETS] for c, _ in rounds if len(c) == len(PRESETS)]
    if pairs:
        line(OURS, f"{max(p[1] for p in pairs):.1f}", f"{max(p[0] for p in pairs):.1f}", [p[1] / p[0] for p in pairs], 1.0,
             "camcl beside camcl", before)
    for name, preset, mode, theirs in ROWS:
        if theirs in memory and preset in rounds[0][0]:
            size = rounds[0][0][preset][mode]["peak_bytes"]
            print(f"| memory, {name} | {size / 2**20:.0f} MiB | {memory[theirs] / 2**20:.0f} MiB | {size / memory[theirs]:.2f} | | at most 1 | |")


def main():
    a = arguments()
    bind(a.threads)
    if a.pose:
        pose(a.pose)
    record, modes = {}, a.modes.split(",")
    for arch in a.arch.split(","):
        rounds, record[arch], device, version = [], [], "", ""
        for i in range(a.rounds):
            print(f"{arch}: round {i + 1} of {a.rounds}", file=sys.stderr)
            camcl = camcl_round(a, arch)
            best, every, version = torch_round(a, arch, [m for m in modes if m != "loop" or i < a.loop_rounds]) if camcl else ({}, {}, "")
            if not best:
                return 1
            device = next(iter(camcl.values()))["device"]
            rounds.append((camcl, best))
            record[arch].append({"torch": version, "pytorch": every, "camcl": camcl})
        memory = torch_memory(a, arch, modes)
        record[arch].append({"pytorch_memory": memory})
        batch = a.batch or BATCH[arch]
        size = 224 if arch in LARGE else 32
        width = f", width {a.width}" if arch == "resnet18" else ""
        widest = instructions(a.pose)
        title = f"{kind(widest, a.pose)}: {arch}"
        print(f"\n### {title}{width}, {batch} + {a.unlabeled or batch} images of {size} x {size}, CAM layer {a.layer}\n\n"
              f"{device}{', posing as ' + a.pose if a.pose else ''}; PyTorch {version}; images/s (labelled + unlabelled; supervised: labelled only), best of {a.rounds} rounds; ratio: "
              "median of the rounds\n")
        table(dict(zip(MODES, AIMS.get((widest, arch), ()))), rounds, memory, last_results(a.results, title))
        sys.stdout.flush()
        if a.json:
            with open(a.json, "w") as f:
                json.dump(record, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
