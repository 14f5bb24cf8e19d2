"""Parity cases: passes, Grad-CAM consistency and training steps of whole networks in float64, beside PyTorch's own float32 error.

Five seeds each. Weights and images are drawn by a hash that the C tests compute too, so that files hold results only; of a tensor
with more than SUMS numbers they hold SUMS sums with random signs, whose differences have the tensor's error as their root mean square.
README.md has the layout and the rule; make_golden.py writes the narrow networks, check_parity.py makes any width and runs the C tests.
"""
import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

import reference

CLASSES, SEEDS, SUMS, STEPS = 10, 5, 16, 10
MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
PRESETS = {
    "paper-code": {"confidence": "logit", "batch_norm": "separate", "cam_class": "own", "cam_target": "attached"},
    "corrected": {"confidence": "softmax", "batch_norm": "joint", "cam_class": "shared", "cam_target": "detached"},
}


# ---- inputs that need no file

def mix(x):
    """A finaliser of 32 bits: every bit of the result depends on every bit of x (uint32 array)."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x85EBCA6B)
    x = x ^ (x >> np.uint32(13))
    x = x * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def fnv(name):
    """FNV-1a, 32 bits."""
    x = 0x811C9DC5
    for byte in name.encode():
        x = (x ^ byte) * 0x01000193 & 0xFFFFFFFF
    return x


def draw(seed, name, count):
    """uint32 [count], a function of seed and name."""
    with np.errstate(over="ignore"):
        start = mix(np.array([fnv(name)], np.uint32) + np.uint32(seed) * np.uint32(0x9E3779B1))
        return mix(start + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1))


def uniform(seed, name, count):
    """float64 in -1 .. 1, steps of 2^-23."""
    return (draw(seed, name, count) >> np.uint32(8)).astype(np.float64) * 2.0 ** -23 - 1.0


def weight(seed, name, shape):
    """float32 of a trained parameter."""
    t, fan_in = uniform(seed, name, math.prod(shape)), math.prod(shape[1:])
    if len(shape) == 4:
        value = t * math.sqrt(6.0 / fan_in)
    elif len(shape) == 2:
        value = t * math.sqrt(27.0 / fan_in)
    else:
        value = t * 0.25 + (1.0 if name.endswith(".weight") else 0.0)
    return value.astype(np.float32).reshape(shape)


def pixels(seed, count, side):
    """u8 [count,side,side,3]: a random grid of 5 x 5, enlarged with whole numbers, and some noise."""
    grid = (draw(seed, "grid", count * 75).astype(np.int64) & 255).reshape(count, 5, 5, 3)
    noise = (draw(seed, "noise", count * side * side * 3).astype(np.int64) & 31).reshape(count, side, side, 3)
    at = np.arange(side) * 1024 // side
    cell, part = at >> 8, at & 255
    rows = grid[:, cell] * (256 - part)[:, None, None] + grid[:, cell + 1] * part[:, None, None]
    both = rows[:, :, cell] * (256 - part)[:, None] + rows[:, :, cell + 1] * part[:, None]
    return np.clip((both >> 16) + noise - 16, 0, 255).astype(np.uint8)


def views(preset, count, side):
    """i32 [count,8]: transforms of the Grad-CAM cases; paper-code has one T for all images."""
    t = np.zeros((count, 8), np.int32)
    t[:, 0] = np.arange(count)
    i = np.zeros(count, np.int32) if preset == "paper-code" else t[:, 0]
    t[:, 3], t[:, 4], t[:, 5], t[:, 6], t[:, 7] = 1 + i % 3, i % 2, side - i % 2, side - 1 - i % 3, (i + 1) % 4
    return t


def pinned(first, count, pool, side, turns):
    """i32 [count,8]: images in order, whole, no flips, one rotation."""
    t = np.zeros((count, 8), np.int32)
    t[:, 0], t[:, 5], t[:, 6], t[:, 7] = (first + np.arange(count)) % pool, side, side, turns
    return t


# ---- networks and cases

@dataclass(frozen=True)
class Net:
    name: str
    arch: str
    stem: str
    width: int
    side: int
    pool: int           # images; also the batch of passes and of Grad-CAM
    kinds: tuple = ("pass", "cam", "steps")
    layers: tuple = (1, 2, 3, 4)
    batch: int = 6      # labelled, and unlabelled, of the training steps


@dataclass(frozen=True)
class Trajectory:
    """Training steps with `optim` keys other than momentum's."""
    name: str
    mode: str = "gradcam"
    preset: str = "corrected"
    lr: float = 1e-4
    weight_decay: float = 0.0
    nesterov: bool = False
    schedule: str = "constant"
    warmup: int = 0
    ema: float = 0.0
    momentum: float = 0.9
    first: bool = False     # look at the first step, too

    @property
    def options(self):
        return reference.Options(mode=self.mode, **PRESETS[self.preset])

    def rate(self, k):
        lr = self.lr * (0.5 * (1 + math.cos(math.pi * k / STEPS)) if self.schedule == "cosine" else 1)
        return lr * (k + 1) / self.warmup if k < self.warmup else lr


NARROW = [
    Net("resnet18", "resnet18", "cifar", 8, 16, 12, kinds=("pass", "cam")),
    Net("steps", "resnet18", "cifar", 8, 8, 12, kinds=("steps",)),
    Net("resnet34", "resnet34", "imagenet", 4, 33, 8, kinds=("pass",)),
    Net("resnet50", "resnet50", "cifar", 4, 12, 6, kinds=("pass",)),
    Net("wrn28-2", "wrn28-2", "cifar", 8, 16, 12, kinds=("pass", "cam"), layers=(1, 2, 3)),
    Net("tiny", "resnet18", "cifar", 2, 12, 4, kinds=("pass", "cam"), layers=(2,)),       # for emulated devices
]
TRAJECTORIES = [
    Trajectory("supervised", mode="supervised", first=True),
    Trajectory("pseudo-label-corrected", mode="pseudo-label", first=True),
    Trajectory("pseudo-label-paper-code", mode="pseudo-label", preset="paper-code", first=True),
    Trajectory("gradcam-corrected", first=True),
    Trajectory("gradcam-paper-code", preset="paper-code", first=True),
    Trajectory("nesterov", nesterov=True),
    Trajectory("weight-decay", weight_decay=0.02),
    Trajectory("cosine", schedule="cosine"),
    Trajectory("warm-up", warmup=8),
    Trajectory("ema", ema=0.9),
]


def start(net, seed):
    """state dict of float32. Statistics and the last bias suit the images: eval mode behaves, and no class wins always."""
    model = reference.build(net.arch, net.stem, net.width, CLASSES)
    state = model.state_dict()
    for name, w in model.named_parameters():
        state[name] = torch.from_numpy(weight(seed, name, tuple(w.shape)))
    model.load_state_dict(state)
    model.double()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        logits = model.train()(images(net, seed, pinned(0, net.pool, net.pool, net.side, 0), torch.float64))
    state = model.state_dict()
    state["fc.bias"] = state["fc.bias"] - logits.mean(0)
    for name, value in state.items():
        if name.endswith("running_mean"):
            t = torch.from_numpy(uniform(seed, name, len(value)))
            state[name] = value + 0.25 * t * state[name.replace("mean", "var")].sqrt()
    for name, value in state.items():
        if name.endswith("running_var"):
            state[name] = value * (1 + 0.25 * torch.from_numpy(uniform(seed, name, len(value))))
    return {k: v.float() if v.is_floating_point() else torch.tensor(0) for k, v in state.items()}


def stored(name):
    """What of the start is in the file: all else is drawn."""
    return name == "fc.bias" or "running_" in name


def images(net, seed, transforms, dtype):
    mean, std = (torch.tensor(v, dtype=torch.float32) for v in (MEAN, STD))
    return reference.load(torch.from_numpy(pixels(seed, net.pool, net.side)), torch.from_numpy(transforms), mean, std, net.side, dtype)


def labels(transforms):
    return torch.from_numpy(transforms[:, 0] % CLASSES).long()


# ---- what is computed: quantity -> list of float64 arrays ("tensors")

@dataclass
class Run:
    net: Net
    seed: int
    state: dict
    dtype: torch.dtype
    channels_last: bool

    def model(self):
        net = reference.build(self.net.arch, self.net.stem, self.net.width, CLASSES)
        net.load_state_dict(self.state)
        return net.to(self.dtype).to(memory_format=torch.channels_last if self.channels_last else torch.contiguous_format)

    def images(self, transforms):
        x = images(self.net, self.seed, transforms, self.dtype)
        return x.contiguous(memory_format=torch.channels_last) if self.channels_last else x


def numbers(x):
    return x.detach().double().contiguous().numpy()


def gradients(model):
    return [np.zeros(tuple(p.shape)) if p.grad is None else numbers(p.grad) for p in model.parameters()]


def rows(x):
    return list(numbers(x))


def run_pass(run, train):
    model, t = run.model().train(train), pinned(0, run.net.pool, run.net.pool, run.net.side, 0)
    logits = model(run.images(t))
    loss = F.cross_entropy(logits, labels(t))
    loss.backward()
    return {"logits": rows(logits), "loss": [numbers(loss)], "grad": gradients(model)}


def run_cam(run, preset, layer, exact):
    """L_c by itself, batch norm in eval mode; shared: both views explain the labels."""
    model, o = run.model().eval(), PRESETS[preset]
    t = torch.from_numpy(views(preset, run.net.pool, run.net.side))
    plain = pinned(0, run.net.pool, run.net.pool, run.net.side, 0)
    classes = labels(plain) if o["cam_class"] == "shared" else None
    xw = run.images(plain)
    weak = reference.grad_cam(model, xw, layer, classes, exact)["cam"]
    strong = reference.grad_cam(model, reference.warp(xw, t), layer, classes, exact)["cam"]
    target = reference.warp(weak[:, None], t)[:, 0]
    if o["cam_target"] == "detached":
        target = target.detach()
    loss = ((strong - target) ** 2).mean()
    loss.backward()
    return {"cam_weak": rows(weak), "cam_target": rows(target), "cam_strong": rows(strong), "loss": [numbers(loss)],
            "grad": gradients(model)}


def moved(model, origin, names):
    return [numbers(model[name]) - numbers(origin[name]) for name in names]


def run_steps(run, case):
    """How far weights, running statistics (and the weights' average) moved after STEPS, and all losses on the way; of those cases whose
    first step no other case has, also its gradient and where it leads."""
    n, out, model = run.net, {}, run.model()
    optimizer = torch.optim.SGD(model.parameters(), case.lr, case.momentum, weight_decay=case.weight_decay, nesterov=case.nesterov)
    trained, statistics = [k for k, _ in model.named_parameters()], [k for k in run.state if "running_" in k]
    average = {k: p.detach().clone() for k, p in model.named_parameters()}
    for k in range(STEPS):
        tl, tu = pinned(k * n.batch, n.batch, n.pool, n.side, 0), pinned(n.pool // 2 + k * n.batch, n.batch, n.pool, n.side, 1)
        r = reference.losses(model, case.options, run.images(tl), labels(tl), run.images(tu), reference.CropRotate(torch.from_numpy(tu)), 0.0)
        optimizer.zero_grad()
        r["loss"].backward()
        if k == 0 and case.first:
            out["1.grad"] = gradients(model)
        optimizer.param_groups[0]["lr"] = case.rate(k)
        optimizer.step()
        with torch.no_grad():
            for name, p in model.named_parameters():
                average[name].mul_(case.ema).add_(p, alpha=1 - case.ema)
        losses = [r[key] if key in r else torch.zeros(()) for key in ("loss", "loss_s", "loss_u", "loss_c")]
        out["losses"] = out.get("losses", []) + [np.array([float(v.detach()) for v in losses])]
        if k == STEPS - 1 or k == 0 and case.first:
            at, state = f"{k + 1}.", model.state_dict()
            out[at + "weights"], out[at + "statistics"] = moved(state, run.state, trained), moved(state, run.state, statistics)
    if case.ema:
        out[f"{STEPS}.average"] = moved(average, run.state, trained)
    return out


def cases_of(net):
    """(name, metadata, function of a Run)"""
    if "pass" in net.kinds:
        for train in (False, True):
            yield "train" if train else "eval", {"kind": "pass", "train": "yes" if train else "no"}, lambda run, t=train: run_pass(run, t)
    for layer in net.layers if "cam" in net.kinds else ():
        for preset in PRESETS:
            for gradient in ("first-order", "exact"):
                meta = {"kind": "cam", "ssl.preset": preset, "ssl.cam_layer": layer, "ssl.cam_gradient": gradient,
                        **{"ssl." + k: v for k, v in PRESETS[preset].items()}}
                yield (f"cam{layer}-{preset}-{gradient}", meta,
                       lambda run, p=preset, l=layer, g=gradient: run_cam(run, p, l, g == "exact"))
    for case in TRAJECTORIES if "steps" in net.kinds else ():
        meta = {"kind": "steps", "ssl.mode": case.mode, "ssl.preset": case.preset, "ssl.cam_gradient": "first-order", "ssl.cam_layer": 3,
                **{"ssl." + k: v for k, v in PRESETS[case.preset].items()},
                **{"optim." + k: getattr(case, k) for k in ("lr", "momentum", "weight_decay", "schedule", "warmup", "ema")},
                "optim.nesterov": "yes" if case.nesterov else "no", "first": "yes" if case.first else "no"}
        yield case.name, meta, lambda run, c=case: run_steps(run, c)


# ---- files

@functools.lru_cache(maxsize=None)
def signs(count):
    """bool [SUMS,count]: where a sum subtracts."""
    bits = draw(0, "signs", count)
    return np.stack([(bits >> np.uint32(j)) & np.uint32(1) == 1 for j in range(SUMS)])


def sketch(x):
    """float64 [SUMS]: the numbers themselves where they are few, else sums of all of them with random signs."""
    flat = np.ascontiguousarray(x, np.float64).ravel()
    out = np.zeros(SUMS)
    if flat.size <= SUMS:
        out[:flat.size] = flat
        return out
    total = flat.sum()
    for j, minus in enumerate(signs(1 << (flat.size - 1).bit_length())):
        out[j] = total - 2 * flat[minus[:flat.size]].sum()
    return out


def results(net, seed, state, function):
    """quantity -> (sums [T,SUMS], norm [T], PyTorch's float32 errors [2,T]: channels first, channels last)"""
    want = function(Run(net, seed, state, torch.float64, False))
    both = [function(Run(net, seed, state, torch.float32, last)) for last in (False, True)]
    return {q: (np.stack([sketch(x) for x in want[q]]), np.array([np.linalg.norm(x) for x in want[q]]),
                np.array([[np.linalg.norm(a - b) for a, b in zip(got[q], want[q])] for got in both])) for q in want}


def relative(norm, error):
    return np.sqrt((error ** 2).sum(-1)) / np.sqrt((norm ** 2).sum(-1))


def make(net, seeds=SEEDS, say=lambda line: None):
    """(tensors, metadata) of one network's file."""
    states = [start(net, seed) for seed in range(seeds)]
    tensors = {"start." + k: np.stack([s[k].numpy() for s in states]) for k in states[0] if stored(k)}
    tensors.update({"mean": np.array(MEAN, np.float32), "std": np.array(STD, np.float32)})
    meta = {"arch": net.arch, "stem": net.stem, "width": net.width, "classes": CLASSES, "channels": 3, "image_size": net.side,
            "pool": net.pool, "batch": net.batch, "seeds": seeds, "sums": SUMS, "steps": STEPS, "torch": torch.__version__}
    model = reference.build(net.arch, net.stem, net.width, CLASSES)
    meta["parameters"] = " ".join(k for k, _ in model.named_parameters())
    meta["statistics"] = " ".join(k for k in model.state_dict() if "running_" in k)
    names = []
    for name, keys, function in cases_of(net):
        names.append(name)
        meta.update({f"{name}/{k}": v for k, v in keys.items()})
        found = [results(net, seed, states[seed], function) for seed in range(seeds)]
        for q in found[0]:
            for i, part in enumerate(("sums", "norm", "torch32")):
                tensors[f"{name}/{q}.{part}"] = np.stack([f[q][i] for f in found]).astype(np.float32)
        meta[name + "/quantities"] = " ".join(found[0])
        say(f"{net.name} {name}: " + ", ".join(
            f"{q} {max(np.median([relative(f[q][1], f[q][2][i]) for f in found]) for i in (0, 1)):.1e}" for q in found[0]))
    meta["cases"] = " ".join(names)
    return tensors, meta
