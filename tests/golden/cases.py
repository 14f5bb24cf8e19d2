"""What the goldens cover: networks with their images, training steps, plain passes; and how their inputs are drawn."""
from dataclasses import dataclass, field

import numpy as np
import torch

import objectives
import reference

CLASSES = 10
PRESETS = {
    "paper-code": {"confidence": "logit", "batch_norm": "separate", "cam_class": "own", "cam_target": "attached",
                   "cam_gradient": "first-order", "reduction": "confident"},
    "corrected": {"confidence": "softmax", "batch_norm": "joint", "cam_class": "shared", "cam_target": "detached",
                  "cam_gradient": "first-order", "reduction": "confident"},
}
AUGMENT = {"paper-code": ((0, 1, 2, 0), False), "corrected": ((0, 1, 2, 3), True)}     # quarter turns, one T per image


@dataclass(frozen=True)
class Base:
    """A network's weights and a pool of images."""
    name: str
    arch: str
    stem: str
    width: int
    side: int           # of the stored images
    pool: int           # images
    seed: int = 1       # searched, as the steps' seeds are


@dataclass(frozen=True)
class Step:
    """Consecutive training steps; `overrides` are Options fields on top of the preset."""
    name: str
    base: str
    preset: str = "corrected"
    overrides: dict = field(default_factory=dict)
    steps: int = 1
    nesterov: bool = False
    labeled: int = 8
    unlabeled: int = 8
    size: int = 0               # 0: as stored
    confident: bool = True      # False: the threshold is out of reach
    lr: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 5e-4
    crop_min: float = 0.75
    weak: str = "flip"              # flip | flip-shift | resized-crop
    strong: str = "crop-rotate"     # crop-rotate | randaugment | weak
    operations: int = 2             # drawn by randaugment
    ema: float = 0.0            # decay of the teacher
    again: bool = False         # an unlabelled image may come twice in a batch, and in each batch again
    least_margin: float = 0.004     # of a confidence from its threshold
    least_top2: float = 0.01        # of a class's logit from the next

    @property
    def options(self):
        mode = self.overrides.get("mode", "gradcam")
        if mode in objectives.MODES:
            return objectives.Options(**{**PRESETS[self.preset], "reduction": "batch", **self.overrides})
        return reference.Options(**{**PRESETS[self.preset], "beta": float(mode == "gradcam"), **self.overrides})

    def ramp(self, k):
        return min((k + 1) / 4, 1.0)


BASES = [
    Base("resnet18", "resnet18", "cifar", 4, 16, 32),
    Base("resnet18_side12", "resnet18", "cifar", 2, 12, 24),
    Base("resnet34_cifar", "resnet34", "cifar", 2, 16, 8, seed=79),
    Base("resnet34_imagenet", "resnet34", "imagenet", 2, 33, 8, seed=11),
    Base("resnet50_cifar", "resnet50", "cifar", 2, 16, 8, seed=51),
    Base("resnet50_imagenet", "resnet50", "imagenet", 2, 33, 16, seed=148),
    Base("wrn28-2", "wrn28-2", "cifar", 4, 16, 24, seed=58),
]
FORWARD = ["resnet34_cifar", "resnet34_imagenet", "resnet50_cifar", "resnet50_imagenet", "wrn28-2"]


def gradcam(name, **overrides):
    """A departure from the corrected preset."""
    return Step("gradcam_" + name, "resnet18_side12", overrides=overrides)


def later(mode, **overrides):
    """Ten steps of one of the later objectives."""
    return Step(mode, "resnet18_side12", overrides={"mode": mode, **overrides}, steps=10, nesterov=True, labeled=4, unlabeled=7, lr=1e-4,
                least_top2=0.002, ema=0.8 if mode == "mean-teacher" else 0.0, again=mode == "flexmatch",
                least_margin=2e-5 if mode in ("flexmatch", "freematch") else 0.004)


def with_cams(mode, **overrides):
    """One step with the CAM term."""
    return Step(mode + "_cam", "resnet18_side12", overrides={"mode": mode, "beta": 4.0, **overrides}, steps=2 if mode == "mean-teacher" else 1,
                labeled=5, unlabeled=8, ema=0.8 if mode == "mean-teacher" else 0.0)


def with_views(weak, strong, mode="gradcam", **overrides):
    """One step with other views, and the CAM term."""
    return Step(f"views_{weak}_{strong}", "resnet18_side12", overrides={"mode": mode, "beta": 4.0, **overrides}, weak=weak, strong=strong,
                labeled=5, unlabeled=8)


STEPS = [
    Step("supervised_corrected", "resnet18", "corrected", {"mode": "supervised"}, steps=3),
    Step("supervised_paper-code", "resnet18", "paper-code", {"mode": "supervised"}, steps=3, nesterov=True),
    Step("pseudo-label_corrected", "resnet18", "corrected", {"mode": "pseudo-label", "alpha": 0.75}),
    Step("pseudo-label_paper-code", "resnet18", "paper-code", {"mode": "pseudo-label"}),
    Step("gradcam_corrected", "resnet18", "corrected", {"beta": 2.0}, steps=2),
    Step("gradcam_paper-code", "resnet18", "paper-code", {}, steps=2, nesterov=True),
    gradcam("attached", cam_target="attached", beta=4.0),
    gradcam("own", cam_class="own", beta=4.0),
    gradcam("separate", batch_norm="separate", beta=4.0),
    gradcam("batch", reduction="batch", alpha=0.75, beta=4.0),
    gradcam("relu", cam_relu=True, beta=4.0),
    gradcam("layer1", cam_layer=1, beta=4.0),
    gradcam("layer2", cam_layer=2, beta=4.0),
    gradcam("layer4", cam_layer=4, beta=4.0),
    gradcam("exact", cam_gradient="exact", beta=4.0),
    gradcam("exact-layer1", cam_gradient="exact", cam_layer=1, beta=4.0),
    gradcam("exact-layer4", cam_gradient="exact", cam_layer=4, beta=4.0),
    gradcam("exact-attached-own", cam_gradient="exact", cam_target="attached", cam_class="own", beta=4.0),
    Step("gradcam_nobody-confident", "resnet18_side12", confident=False),
    Step("gradcam_resized", "resnet18_side12", overrides={"beta": 4.0}, size=16, steps=2),
    Step("gradcam_resnet50", "resnet50_imagenet",
         overrides={"cam_gradient": "exact", "cam_target": "attached", "cam_layer": 2, "beta": 4.0}),
    later("pi-model", alpha=10.0),
    later("mean-teacher", alpha=50.0),
    later("uda"),
    later("fixmatch", alpha=0.75),
    later("flexmatch"),
    later("freematch", fairness=0.05),
    later("softmatch"),
    with_cams("pi-model", alpha=10.0),
    with_cams("mean-teacher", alpha=50.0),
    with_cams("uda"),
    with_cams("fixmatch"),
    with_cams("softmatch", batch_norm="separate"),
    with_cams("freematch", fairness=0.05),
    with_views("flip-shift", "crop-rotate"),
    with_views("flip-shift", "randaugment", "fixmatch", cam_gradient="exact"),
    with_views("resized-crop", "randaugment", cam_target="attached"),
    with_views("resized-crop", "weak", "pi-model", alpha=10.0),
    Step("gradcam_wrn", "wrn28-2", overrides={"cam_gradient": "exact", "cam_layer": 2, "beta": 4.0}, labeled=6, unlabeled=7),
]


def smooth_images(rng, count, side):
    """u8 [count,side,side,3]: a coarse random grid, enlarged, with some noise."""
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 5, 5)))
    x = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True).numpy()
    x = x + rng.normal(0, 12, x.shape)
    return np.clip(np.rint(x), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1).copy()


def draw_base(base):
    """(state dict of float32, data dict). Affine parameters and statistics of batch norm are away from 1 and 0; the statistics are
    near what the images give, so that eval mode behaves."""
    rng = np.random.default_rng([base.seed, base.width, base.side, len(base.name)])
    net = reference.build(base.arch, base.stem, base.width, CLASSES).double()
    data = {"pixels": smooth_images(rng, base.pool, base.side), "labels": rng.integers(0, CLASSES, base.pool).astype(np.int32),
            "mean": np.array([0.49, 0.48, 0.45], np.float32), "std": np.array([0.25, 0.24, 0.26], np.float32)}
    state = net.state_dict()
    for name, w in state.items():
        if w.dim() == 4:
            value = rng.normal(0, np.sqrt(2 / (w[0].numel())), w.shape)
        elif name == "fc.weight":
            value = rng.normal(0, 1.2 / np.sqrt(w.shape[1]), w.shape)
        elif name == "fc.bias":
            value = rng.normal(0, 0.2, w.shape)
        elif name.endswith(".weight"):
            value = rng.uniform(0.7, 1.3, w.shape)
        elif name.endswith(".bias"):
            value = rng.normal(0, 0.2, w.shape)
        else:
            continue
        state[name] = torch.from_numpy(value.astype(np.float32)).double()
    net.load_state_dict(state)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    identity = identity_transforms(np.arange(base.pool), base.side)
    with torch.no_grad():
        logits = net.train()(images(data, identity, base.side, torch.float64))
    spread_classes(net.fc, logits)
    state = net.state_dict()
    for name in state:
        if name.endswith("running_mean"):
            var = state[name.replace("mean", "var")]
            state[name] += torch.from_numpy(rng.normal(0, 0.15, var.shape)) * var.sqrt()
        elif name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
    for name in state:
        if name.endswith("running_var"):
            state[name] *= torch.from_numpy(rng.uniform(0.75, 1.35, state[name].shape))
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}, data


def spread_classes(fc, logits):
    """Rescales the last layer so that the pool's logits have equal class means and a fixed spread: else one class wins always."""
    scale = 1.5 / (logits - logits.mean(0)).std()
    with torch.no_grad():
        fc.bias.copy_(((fc.bias - logits.mean(0)) * scale + 0.1 * fc.bias).float())
        fc.weight.copy_((fc.weight * scale).float())


def images(data, transforms, size, dtype):
    t = {k: torch.from_numpy(data[k]) for k in ("pixels", "mean", "std")}
    return reference.load(t["pixels"], torch.from_numpy(transforms), t["mean"], t["std"], size, dtype)


def identity_transforms(sources, size):
    t = np.zeros((len(sources), 8), np.int32)
    t[:, 0], t[:, 5], t[:, 6] = sources, size, size
    return t


def draw_transforms(rng, case, pool, size):
    """(labelled, unlabelled) int32 [n,8] of one step: disjoint sources, flips of both, T of the unlabelled by the preset's rules."""
    sources = rng.permutation(pool)[:case.labeled + case.unlabeled]
    if case.again:
        sources[case.labeled:] = rng.integers(0, pool, case.unlabeled)
    t = identity_transforms(sources, size)
    t[:, 1:3] = rng.integers(0, 2, (len(t), 2))
    labeled, unlabeled = t[:case.labeled].copy(), t[case.labeled:].copy()
    turns, per_image = AUGMENT[case.preset]
    low, high = int(np.floor((1 - case.crop_min) * size)), int(np.ceil(case.crop_min * size))
    for i, row in enumerate(unlabeled):
        if i == 0 or per_image:
            lo = rng.integers(0, low + 1, 2)
            strong = [*lo, *(rng.integers(lo[j] + high, size + 1) for j in range(2)), turns[rng.integers(0, 4)]]
        row[3:8] = strong
    return labeled, unlabeled
