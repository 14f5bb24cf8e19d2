#!/usr/bin/env python3
"""Fingerprints of short training runs: whether a change of structure left every bit where it was.

Usage: tests/bench/unchanged.py [--program build/camcl] [--only PART] [--out FILE.json] [--compare FILE.json]

Each of 3 modes, 2 presets and 2 choices of convolution kernels trains 60 steps on `shapes` with `device.tune = off`: 12 runs of about 15
seconds on two cores. A run's fingerprint is two sums, each a sha256. The first is of the tensors of best.safetensors: their names, types,
shapes and bytes, in the order of the names; metadata does not count. The second is of metrics.csv without the columns images_per_s and
seconds. --out stores the fingerprints; --compare exits with 1 when one of them differs from the stored one. Equal bits are to be expected
only on one machine with one driver, so store the fingerprints of the old program there first.
"""
import argparse, csv, hashlib, io, json, pathlib, struct, subprocess, sys, tempfile

MODES = ["supervised", "pseudo-label", "gradcam"]
PRESETS = ["corrected", "paper-code"]
CONVS = ["direct", "auto"]
KEYS = ["data.dataset=shapes", "data.labeled=500", "data.validation=1000", "model.arch=resnet18", "model.width=16", "train.epochs=3",
        "train.epoch_steps=20", "train.batch_labeled=16", "train.batch_unlabeled=16", "optim.lr=0.01", "optim.ema=0.9", "ssl.threshold=0.3",
        "ssl.threshold_end=0.4", "device.tune=off", "output.cams_every=0"]


def tensors_hash(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    digest = hashlib.sha256()
    for name in sorted(k for k in header if k != "__metadata__"):
        entry = header[name]
        begin, end = entry["data_offsets"]
        digest.update(f"{name} {entry['dtype']} {entry['shape']}\n".encode())
        digest.update(raw[8 + size + begin:8 + size + end])
    return digest.hexdigest()


def metrics_hash(path):
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    kept = [[v for k, v in row.items() if k not in ("images_per_s", "seconds")] for row in rows]
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/camcl", help="the camcl to run")
    parser.add_argument("--out", help="file to store the fingerprints in")
    parser.add_argument("--compare", help="file of stored fingerprints to compare with")
    parser.add_argument("--only", help="run only cases whose name contains this, for example gradcam/corrected")
    args = parser.parse_args()
    program = str(pathlib.Path(args.program).resolve())
    result = {}
    with tempfile.TemporaryDirectory() as scratch:
        for mode in MODES:
            for preset in PRESETS:
                for conv in CONVS:
                    case = f"{mode}/{preset}/{conv}"
                    if args.only and args.only not in case:
                        continue
                    run = pathlib.Path(scratch) / case.replace("/", "-")
                    config = pathlib.Path(scratch) / "empty.ini"
                    config.write_text("")
                    # Both presets get the same threshold: paper-code compares it with a logit, corrected with a probability.
                    command = [program, "train", str(config), "--quiet", *KEYS, f"ssl.mode={mode}", f"ssl.preset={preset}",
                               f"device.conv={conv}", f"output.dir={run}"]
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                    result[case] = {"tensors": tensors_hash(run / "best.safetensors"), "metrics": metrics_hash(run / "metrics.csv")}
                    print(case, result[case]["tensors"][:12], result[case]["metrics"][:12], flush=True)
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(result, indent=1) + "\n")
    if args.compare:
        before = json.loads(pathlib.Path(args.compare).read_text())
        changed = [case for case in result if result[case] != before.get(case)]
        print("changed: " + ", ".join(changed) if changed else f"unchanged: {len(result)} runs")
        return 1 if changed else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
