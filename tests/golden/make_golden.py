#!/usr/bin/env python3
"""Writes the golden files of this folder; README.md has their layout. Needs torch and numpy; camcl does not.

Usage: make_golden.py [--only NAME] [--search N] [--cifar DATA]

--search   tries N seeds per case and prints the best instead of writing
--cifar    cifar-10-binary.tar.gz or its folder: writes the round_trip files, too

All results are computed in float64 and rounded to float32. Every case's seed was searched so that no decision (ReLU sign, pooling winner,
map extreme, threshold, arg-max) is near a tie; float32 then follows the same branches, and its error is rounding alone. PyTorch's own
float32 error, the worse of its two memory formats, is recorded with each quantity.
"""
import argparse
import json
import os
import struct

import numpy as np
import safetensors.torch
import torch

import cases
import margins
import objectives
import parity
import reference
import round_trip
import views

FOLDER = os.path.dirname(os.path.abspath(__file__))
SEEDS = {       # by --search
    "supervised_corrected": 155,
    "supervised_paper-code": 217,
    "pseudo-label_corrected": 3,
    "pseudo-label_paper-code": 78,
    "gradcam_corrected": 368,
    "gradcam_paper-code": 279,
    "gradcam_attached": 109,
    "gradcam_own": 109,
    "gradcam_separate": 141,
    "gradcam_batch": 109,
    "gradcam_relu": 109,
    "gradcam_layer1": 372,
    "gradcam_layer2": 109,
    "gradcam_layer4": 109,
    "gradcam_exact": 109,
    "gradcam_exact-layer1": 372,
    "gradcam_exact-layer4": 109,
    "gradcam_exact-attached-own": 109,
    "gradcam_nobody-confident": 109,
    "gradcam_resized": 368,
    "gradcam_resnet50": 395,
    "gradcam_wrn": 95,
    "views_flip-shift_crop-rotate": 4,
    "views_flip-shift_randaugment": 34,
    "views_resized-crop_randaugment": 55,
    "views_resized-crop_weak": 95,
    "pi-model": 22,
    "pi-model_cam": 11,
    "mean-teacher": 17,
    "mean-teacher_cam": 46,
    "uda": 7,
    "uda_cam": 11,
    "fixmatch": 21,
    "fixmatch_cam": 11,
    "flexmatch": 0,
    "freematch": 24,
    "freematch_cam": 11,
    "softmatch": 3,
    "softmatch_cam": 0,
}
DTYPES = {"float32": "F32", "int32": "I32", "int64": "I64", "uint8": "U8"}


def save(name, tensors, metadata, folder=FOLDER):
    """safetensors, byte for byte the same for the same content (the usual library shuffles the metadata)."""
    header, offset, blobs = {"__metadata__": {k: str(v) for k, v in metadata.items()}}, 0, []
    arrays = {k: np.asarray(v, np.float32) if np.asarray(v).dtype == np.float64 else np.asarray(v) for k, v in tensors.items()}
    for key, value in sorted(arrays.items(), key=lambda item: -item[1].itemsize):     # aligned
        blob = value.tobytes(order="C")
        header[key] = {"dtype": DTYPES[value.dtype.name], "shape": list(value.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = os.path.join(folder, name + ".safetensors")
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(f"{name}: {os.path.getsize(path)} bytes")


def network(base, state, dtype, channels_last=False):
    net = reference.build(base.arch, base.stem, base.width, cases.CLASSES)
    net.load_state_dict(state)
    return net.to(dtype).to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def in_format(x, channels_last):
    return x.contiguous(memory_format=torch.channels_last) if channels_last else x


def numpy64(x):
    x = x.detach()
    return x.double().numpy() if x.is_floating_point() else x.numpy().astype(np.int32)


def draw_views(case, base, data, rng, size, dtype, channels_last):
    """One step's inputs: (labelled, weak) images, the unlabelled ones' views, and what the file says of them."""
    labeled, unlabeled = cases.draw_transforms(rng, case, base.pool, size)
    if (case.weak, case.strong) == ("flip", "crop-rotate"):
        xl, xw = (in_format(cases.images(data, t, size, dtype), channels_last) for t in (labeled, unlabeled))
        drawn = {"labeled.transforms": labeled, "unlabeled.transforms": unlabeled}
        return xl, xw, reference.CropRotate(torch.from_numpy(unlabeled)), drawn
    u, operated = len(unlabeled), case.strong == "randaugment"
    labeled, weak = (views.draw(rng, t[:, 0], case.weak, size) for t in (labeled, unlabeled))
    own = views.draw(rng, unlabeled[:, 0], "flip-shift" if operated else case.weak, size)
    strong = unlabeled if case.strong == "crop-rotate" else own
    operations = views.draw_operations(rng, u, case.operations, size) if operated else None
    drawn = {"labeled.transforms": labeled, "weak.transforms": weak, "strong.transforms": strong}
    if operated:
        drawn.update(zip(("operations", "magnitudes", "cutout"), operations))
    xl, xw = (in_format(views.load(data, t, case.weak, dtype), channels_last) for t in (labeled, weak))
    return xl, xw, views.Drawn(case, data, weak, strong, operations, size, dtype), drawn


def step_tensors(case, r, drawn, k):
    """What the file says of one step, but for the gradients."""
    out = {"labeled.transforms": drawn["labeled.transforms"], "logits_labeled": numpy64(r["logits_labeled"])}
    parts = [r[key] if key in r else torch.zeros(()) for key in ("loss", "loss_s", "loss_u", "loss_c")]
    out["losses"] = np.array([float(p.detach()) for p in parts])
    if case.options.mode != "supervised":
        out.update({**drawn, "threshold": np.array([r["threshold"]])})
        out.update({key: numpy64(r[key]) for key in ("logits_weak", "logits_strong", "mask", "pseudo")})
    if case.options.mode in objectives.MODES:
        out.update({"ramp": np.array([case.ramp(k)]), "loss_further": np.array([float(r["further"].detach())]),
                    "weight": out.pop("mask") if case.options.mode == "softmatch" else out["mask"]})
    if case.options.beta:
        out.update({"class_" + v: numpy64(r["view_" + v]["classes"]) for v in ("weak", "strong")})
        if k == 0:
            out.update({key: numpy64(r[key]) for key in ("cam_weak", "cam_strong", "cam_target")})
    return out


def step_margins(case, r):
    """(name, value) of every margin of one step but the branches'."""
    o = case.options
    if o.mode == "supervised":
        return
    later = o.mode in objectives.MODES
    yield "threshold", r["margin"] if later else float((r["conf"] - r["threshold"]).abs().min())
    yield "top2", margins.top2(r["logits_weak"])
    yield "variety", margins.variety(r, o.beta and o.cam_class == "own") if case.confident and not later else 2
    for view in (r["view_weak"], r["view_strong"]) if o.beta else ():
        yield "extremes", margins.extremes(view["raw"], r["mask"])
        if o.cam_class == "own":
            yield "top2", margins.top2(view["logits"])


def run_steps(case, base, state, data, seed, dtype=torch.float64, channels_last=False, thresholds=None, give_up=0.0):
    """(tensors, margins) of a case; thresholds: of an earlier run, else chosen here. Stops where a branch margin falls below give_up."""
    rng, out, least = np.random.default_rng(seed), {}, {}
    net, size = network(base, state, dtype, channels_last), case.size or base.side
    optimizer = torch.optim.SGD(net.parameters(), case.lr, case.momentum, weight_decay=case.weight_decay, nesterov=case.nesterov)
    watch, later = margins.Watch(net), case.options.mode in objectives.MODES
    kept = objectives.Kept(case.options, net, cases.CLASSES, base.pool, np.random.default_rng(seed + 1)) if later else None
    out.update({"start.state." + name: numpy64(v) for name, v in (kept.tensors(case.options) if later else {}).items()})
    for k in range(case.steps):
        xl, xw, seen, drawn = draw_views(case, base, data, rng, size, dtype, channels_last)
        y = torch.from_numpy(data["labels"][drawn["labeled.transforms"][:, 0]]).long()
        threshold = thresholds[k] if thresholds else lambda conf: margins.pick_threshold(conf, case.confident)
        if later:
            r = objectives.losses(net, case.options, kept, xl, y, xw, seen, threshold, case.ramp(k))
        else:
            r = reference.losses(net, case.options, xl, y, xw, seen, threshold)
        if watch.least < give_up:
            return out, {"branch": 0.0}
        optimizer.zero_grad()
        r["loss"].backward()
        step = step_tensors(case, r, drawn, k)
        step.update({"state." + name: numpy64(v) for name, v in (kept.tensors(case.options) if later else {}).items()})
        if k == 0:
            step.update({"grad." + name: numpy64(p.grad) for name, p in net.named_parameters()})
        optimizer.step()
        if case.ema:
            kept.follow(net, case.ema)
        out.update({f"step{k}.{key}": value for key, value in step.items()})
        for key, value in (("branch", watch.least), *step_margins(case, r)):
            least[key] = min(least.get(key, float("inf")), value)
    watch.remove()
    out.update(after(net, case.steps > 1))
    return out, least


def after(net, weights):
    """Running statistics, and the weights if asked for."""
    return {"after." + k: v.numpy() if k.endswith("tracked") else numpy64(v) for k, v in net.state_dict().items()
            if weights or "running" in k or k.endswith("tracked")}


def run_forward(base, state, data, dtype=torch.float64, channels_last=False):
    """Mean cross-entropy of the whole pool: logits and gradients, first in eval mode, then in train mode."""
    net, out = network(base, state, dtype, channels_last), {}
    watch = margins.Watch(net)
    x = in_format(cases.images(data, cases.identity_transforms(np.arange(base.pool), base.side), base.side, dtype), channels_last)
    y = torch.from_numpy(data["labels"]).long()
    for mode in ("eval", "train"):
        net.train(mode == "train").zero_grad()
        logits = net(x)
        loss = torch.nn.functional.cross_entropy(logits, y)
        loss.backward()
        out.update({mode + ".logits": numpy64(logits), mode + ".loss": np.array([float(loss.detach())])})
        out.update({f"{mode}.grad.{name}": numpy64(p.grad) for name, p in net.named_parameters()})
    out.update(after(net, False))
    watch.remove()
    return out, {"branch": watch.least}


def relative(a, b, keys, origin=None):
    """|a - b| / |b - origin| over several tensors together."""
    error = sum(float(np.square(a[k] - b[k]).sum()) for k in keys)
    scale = sum(float(np.square(b[k] - (origin[k] if origin else 0)).sum()) for k in keys)
    return (error / scale) ** 0.5 if scale else error ** 0.5


def quantity(key):
    """What of the tolerance rule a tensor belongs to."""
    mode, _, rest = key.partition(".")
    if mode == "start":
        return "exact"
    if mode == "after":
        return "statistics" if "running" in key else ("count" if key.endswith("tracked") else "update")
    if rest.startswith("grad."):
        return "grad" if mode.startswith("step") else mode + ".grad"
    return next((q for q in ("logits", "loss", "cam", "weight", "state") if rest.startswith(q)), "exact")


def errors(got, want, state):
    """The errors that README.md's tolerance rule bounds: quantity -> error of `got`. Gradients, statistics and the update count as
    one vector each; of logits, losses and maps the worst tensor counts."""
    keys, found = {}, {}
    for key in want:
        keys.setdefault(quantity(key), []).append(key)
    origin = {"after." + k: v.double().numpy() for k, v in state.items()}
    for q in keys:
        if q.endswith("grad"):
            found[q] = relative(got, want, keys[q])
        elif q in ("statistics", "update"):
            found[q] = relative(got, want, keys[q], origin)
        elif q in ("logits", "loss", "cam", "weight", "state"):
            found[q] = max(relative(got, want, [k]) for k in keys[q])
        elif any((got[k] != want[k]).any() for k in keys[q]):
            found["update"] = float("inf")      # another mask or class
    return found


def worst_float32(run, want, state):
    both = [errors(run(channels_last)[0], want, state) for channels_last in (False, True)]
    return {key: max(e[key] for e in both) for key in both[0]}


def score(case, found):
    """0 when a decision is too near a tie or the case is too plain; else the branch margin, in which rounding must fit."""
    if found.get("threshold", 1) < case.least_margin or found.get("top2", 1) < case.least_top2 or found.get("extremes", 1) < 5e-4 or found.get("variety", 2) < 2:
        return 0.0
    return found["branch"]


def case_metadata(case, base, seed):
    o = case.options
    meta = {"case": case.name, "base": case.base, "seed": seed, "steps": case.steps, "image_size": case.size or base.side}
    meta.update({"ssl.preset": case.preset, "ssl.mode": o.mode, "ssl.cam_relu": "yes" if o.cam_relu else "no"})
    meta.update({"ssl." + k: getattr(o, k) for k in (*cases.PRESETS["corrected"], "cam_layer", "alpha", "beta")})
    if (case.weak, case.strong) != ("flip", "crop-rotate"):
        meta.update({"augment.weak": case.weak, "augment.strong": case.strong, "augment.randaugment": case.operations})
    if o.mode in objectives.MODES:
        meta.update({"ssl.temperature": o.temperature, "ssl.fairness": o.fairness, "optim.ema": case.ema})
    meta.update({"optim.lr": case.lr, "optim.momentum": case.momentum, "optim.nesterov": "yes" if case.nesterov else "no",
                 "optim.weight_decay": case.weight_decay, "train.batch_labeled": case.labeled, "train.batch_unlabeled": case.unlabeled})
    return meta


def with_errors(meta, least, found):
    kept = {"margin." + k: v for k, v in least.items() if k != "variety"}
    kept.update({"torch32." + k: v for k, v in found.items()})
    return {**meta, **{k: f"{v:.3g}" for k, v in kept.items()}}


def turned(found):
    """Whether float32 strayed further than rounding explains: some decision went the other way."""
    return any(v > 3e-4 for k, v in found.items() if k.endswith(("grad", "update")))


def run_case(case, base, state, data, seed, give_up=0.0):
    """(tensors, margins, PyTorch's float32 errors); the errors are None where the margins rule the seed out."""
    want, least = run_steps(case, base, state, data, seed, give_up=give_up)
    if score(case, least) <= give_up:
        return want, least, None
    thresholds = [float(want[f"step{k}.threshold"][0]) if f"step{k}.threshold" in want else 0.0 for k in range(case.steps)]
    return want, least, worst_float32(lambda fmt: run_steps(case, base, state, data, seed, torch.float32, fmt, thresholds), want, state)


def write_case(case, base, state, data):
    seed = SEEDS[case.name]
    want, least, found = run_case(case, base, state, data, seed)
    if found is None or turned(found):
        raise SystemExit(f"{case.name}: seed {seed} is too near a tie, take another: {least} {found}")
    meta = with_errors(case_metadata(case, base, seed), least, found)
    print({k: v for k, v in meta.items() if k.startswith(("margin", "torch32"))})
    save("step_" + case.name, want, meta)


def write_base(base, state, data):
    model = {"arch": base.arch, "stem": base.stem, "width": base.width, "classes": cases.CLASSES, "channels": 3}
    save(base.name + "_weights", {k: v.numpy() for k, v in state.items()}, {"format": "pt", **model})
    save(base.name + "_data", data, {"image_size": base.side})
    if base.name in cases.FORWARD:
        want, least = run_forward(base, state, data)
        found = worst_float32(lambda fmt: run_forward(base, state, data, torch.float32, fmt), want, state)
        meta = with_errors({"base": base.name}, least, found)
        print(meta)
        save("forward_" + base.name, want, meta)


def write_round_trip(data):
    """Networks that a few steps on real images have moved, written by safetensors itself, and their logits of test images."""
    records = round_trip.first_records(data, 64)
    pixels, test = round_trip.pixels_of(records["data_batch_1.bin"]), records["test_batch.bin"][:16]
    labels = torch.from_numpy(records["data_batch_1.bin"][:, 0].astype(np.int64))
    out, meta = {"pixels": round_trip.pixels_of(test), "labels": test[:, 0].astype(np.int32)}, {}
    for arch, width in (("resnet18", 2), ("wrn28-2", 4)):
        keys = round_trip.metadata(arch, width)
        net = round_trip.trained(arch, width, pixels, labels)
        safetensors.torch.save_file(net.state_dict(), os.path.join(FOLDER, f"round_trip_{arch}.safetensors"), metadata=keys)
        out["logits." + arch] = round_trip.check_state_dict.logits_of(net.double(), out["pixels"], keys)
    save("round_trip_images", out, meta)


def search(case, base, state, data, tries):
    best = (0.0, 0)
    for seed in range(tries):
        _, least, found = run_case(case, base, state, data, seed, best[0])
        if found and not turned(found):
            best = (score(case, least), seed)
    print(f'    "{case.name}": {best[1]},', f"  # {best[0]:.3g}", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", default="", help="names that contain this")
    ap.add_argument("--search", type=int, default=0)
    ap.add_argument("--cifar")
    a = ap.parse_args()
    torch.set_num_threads(1)
    bases = {b.name: (b, *cases.draw_base(b)) for b in cases.BASES}
    for base in bases.values():
        if not a.search and a.only in base[0].name:
            write_base(*base)
    for case in cases.STEPS:
        if a.only in case.name:
            if a.search:
                search(case, *bases[case.base], a.search)
            else:
                write_case(case, *bases[case.base])
    if a.cifar:
        write_round_trip(a.cifar)
    for net in parity.NARROW:
        if not a.search and a.only in "parity_" + net.name:
            save("parity_" + net.name, *parity.make(net, say=print))


if __name__ == "__main__":
    main()
