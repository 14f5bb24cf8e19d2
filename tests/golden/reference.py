"""Independent PyTorch implementation of the method: networks, transforms, Grad-CAM and one training step.

It shares no code with camcl. Dtype follows the network, so that the same step runs in float64 and float32.
Images are NCHW here; bytes, transforms and CAMs have camcl's layouts (see README.md).
"""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

EPS, BN_MOMENTUM = 1e-5, 0.1


def conv(cin, cout, size, stride=1):
    return nn.Conv2d(cin, cout, size, stride, size // 2, bias=False)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=EPS, momentum=BN_MOMENTUM)


class Activation(nn.Module):
    """ReLU or leaky ReLU; a module of its own so that hooks can watch its input."""

    def __init__(self, slope=0.0):
        super().__init__()
        self.slope = slope

    def forward(self, x):
        return F.leaky_relu(x, self.slope) if self.slope else F.relu(x)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, cin, mid, stride):
        super().__init__()
        self.conv1, self.bn1, self.act1 = conv(cin, mid, 3, stride), norm(mid), Activation()
        self.conv2, self.bn2, self.act2 = conv(mid, mid, 3), norm(mid), Activation()
        self.downsample = shortcut(cin, mid, stride)

    def forward(self, x):
        y = self.act1(self.bn1(self.conv1(x)))
        return self.act2(self.bn2(self.conv2(y)) + (self.downsample(x) if self.downsample else x))


class Bottleneck(nn.Module):
    """torchvision's v1.5: the stride sits in the 3x3 convolution."""
    expansion = 4

    def __init__(self, cin, mid, stride):
        super().__init__()
        self.conv1, self.bn1, self.act1 = conv(cin, mid, 1), norm(mid), Activation()
        self.conv2, self.bn2, self.act2 = conv(mid, mid, 3, stride), norm(mid), Activation()
        self.conv3, self.bn3, self.act3 = conv(mid, 4 * mid, 1), norm(4 * mid), Activation()
        self.downsample = shortcut(cin, 4 * mid, stride)

    def forward(self, x):
        y = self.act1(self.bn1(self.conv1(x)))
        y = self.act2(self.bn2(self.conv2(y)))
        return self.act3(self.bn3(self.conv3(y)) + (self.downsample(x) if self.downsample else x))


def shortcut(cin, cout, stride):
    return nn.Sequential(conv(cin, cout, 1, stride), norm(cout)) if stride != 1 or cin != cout else None


class Network(nn.Module):
    """trunk(x, l) gives the activation at the end of stage l, tail(a, l) the logits from there."""

    def forward(self, x):
        return self.tail(self.trunk(x, self.stages), self.stages)


class ResNet(Network):
    """torchvision's ResNet: parameter names and structure, first stage of `width` channels, either stem."""
    stages = 4
    plans = {"resnet18": (BasicBlock, (2, 2, 2, 2)), "resnet34": (BasicBlock, (3, 4, 6, 3)), "resnet50": (Bottleneck, (3, 4, 6, 3))}

    def __init__(self, arch, stem, width, classes, channels=3):
        super().__init__()
        block, depths = self.plans[arch]
        self.conv1 = nn.Conv2d(channels, width, 7, 2, 3, bias=False) if stem == "imagenet" else conv(channels, width, 3)
        self.bn1, self.act = norm(width), Activation()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if stem == "imagenet" else nn.Identity()
        cin = width
        for i, depth in enumerate(depths):
            mid, blocks = width << i, []
            for j in range(depth):
                blocks.append(block(cin, mid, 2 if i and j == 0 else 1))
                cin = mid * block.expansion
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(cin, classes)

    def trunk(self, x, layer):
        x = self.maxpool(self.act(self.bn1(self.conv1(x))))
        for i in range(layer):
            x = getattr(self, f"layer{i + 1}")(x)
        return x

    def tail(self, a, layer):
        for i in range(layer, 4):
            a = getattr(self, f"layer{i + 1}")(a)
        return self.fc(a.mean((2, 3)))


class WideBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1, self.act1, self.conv1 = norm(cin), Activation(0.1), conv(cin, cout, 3, stride)
        self.bn2, self.act2, self.conv2 = norm(cout), Activation(0.1), conv(cout, cout, 3)
        self.shortcut = conv(cin, cout, 1, stride) if cin != cout or stride != 1 else None

    def forward(self, x):
        h = self.act1(self.bn1(x))
        y = self.conv2(self.act2(self.bn2(self.conv1(h))))
        return y + (self.shortcut(h) if self.shortcut else x)


class WideResNet(Network):
    """Pre-activation WRN-28 with a 16-channel stem; a stage's activation is the raw sum at its end."""
    stages = 3

    def __init__(self, width, classes, channels=3):
        super().__init__()
        self.conv1, cin = conv(channels, 16, 3), 16
        for i in range(3):
            cout = width << i
            blocks = [WideBlock(cin if j == 0 else cout, cout, 2 if i and j == 0 else 1) for j in range(4)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            cin = cout
        self.bn, self.act, self.fc = norm(cin), Activation(0.1), nn.Linear(cin, classes)

    def trunk(self, x, layer):
        x = self.conv1(x)
        for i in range(layer):
            x = getattr(self, f"layer{i + 1}")(x)
        return x

    def tail(self, a, layer):
        for i in range(layer, 3):
            a = getattr(self, f"layer{i + 1}")(a)
        return self.fc(self.act(self.bn(a)).mean((2, 3)))


def build(arch, stem, width, classes, channels=3):
    """width 0: the architecture's own."""
    if arch.startswith("wrn28-"):
        return WideResNet(width or 16 * int(arch[6:]), classes, channels)
    return ResNet(arch, stem, width or 64, classes, channels)


@dataclass(frozen=True)
class Options:
    mode: str = "gradcam"                # supervised | pseudo-label | gradcam
    confidence: str = "softmax"          # softmax | logit
    batch_norm: str = "joint"            # joint | separate
    cam_class: str = "shared"            # shared | own
    cam_target: str = "detached"         # detached | attached
    cam_gradient: str = "first-order"    # first-order | exact
    reduction: str = "confident"         # confident | batch
    cam_relu: bool = False
    cam_layer: int = 3
    alpha: float = 1.0
    beta: float = 1.0


def load(pixels, transforms, mean, std, size, dtype):
    """pixels u8 [*,H,W,3] -> flip(resize(normalise)) [n,3,size,size]; transforms: rows {source, flip_h, flip_v, ...}."""
    x = pixels[transforms[:, 0].long()].to(dtype) / 255
    x = ((x - mean.to(dtype)) / std.to(dtype)).permute(0, 3, 1, 2).contiguous()
    if x.shape[-1] != size:
        x = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=True)
    out = []
    for image, (_, flip_h, flip_v, *_) in zip(x, transforms.tolist()):
        image = image.flip(2) if flip_h else image
        out.append(image.flip(1) if flip_v else image)
    return torch.stack(out)


def warp(x, transforms):
    """T of [n,C,S,S]: crop, resize back, rotate counter-clockwise; differentiable."""
    size, out = x.shape[-1], []
    for image, (_, _, _, y0, x0, y1, x1, turns) in zip(x, transforms.tolist()):
        crop = image[None, :, y0:y1, x0:x1]
        whole = F.interpolate(crop, size=(size, size), mode="bilinear", align_corners=False)
        out.append(torch.rot90(whole[0], turns, (1, 2)))
    return torch.stack(out)


class CropRotate:
    """Strong views that are T of the weak ones, all of whose pixels count. transforms [n,8]; images: the sources."""

    def __init__(self, transforms):
        self.transforms, self.images = transforms, transforms[:, 0]

    def strong(self, xw):
        return warp(xw, self.transforms)

    def target(self, maps):
        return warp(maps[:, None], self.transforms)[:, 0]

    def error(self, strong, target):
        return ((strong - target) ** 2).mean((1, 2))


def grad_cam(net, x, layer, classes=None, exact=False, relu=False, m=None):
    """The maps of a batch, batch norm in eval mode. classes None: each image's own arg-max.
    exact: m stays differentiable; else it is a constant. m given: used instead (for finite differences).
    Returns dict: cam [n,S,S] after min-max, raw (before it), logits, classes, m [n,C]."""
    a = net.trunk(x, layer)
    logits = net.tail(a, layer)
    classes = logits.argmax(1) if classes is None else classes
    (g,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), a, create_graph=exact)
    if m is None:
        m = g.mean((2, 3)) if exact else g.mean((2, 3)).detach()
    cam = (m[:, :, None, None] * a).sum(1)
    cam = F.relu(cam) if relu else cam
    up = F.interpolate(cam[:, None], size=x.shape[2:], mode="bilinear", align_corners=True)[:, 0]
    low, high = up.amin((1, 2), keepdim=True), up.amax((1, 2), keepdim=True)
    span = high - low
    scaled = torch.where(span > 0, (up - low) / torch.where(span > 0, span, torch.ones_like(span)), torch.zeros_like(up))
    return {"cam": scaled, "raw": up, "logits": logits.detach(), "classes": classes, "m": m}


def running_statistics(net):
    return {k: v.clone() for k, v in net.state_dict().items() if "running_" in k}


def losses(net, o, xl, labels, xw, views, threshold, frozen=None):
    """One step's forward part: METHOD sections 1-4. Updates the running statistics; leaves the network in train mode.
    views: what the strong views are, CropRotate or views.Drawn.
    threshold: a number, or a function of the confidences [n] that returns one.
    frozen: an earlier result whose discrete and constant parts (pseudo-labels, mask, statistics, classes, m, detached
    target) are used again, which makes the loss the function that the gradient belongs to.
    Returns a dict; "loss" is differentiable."""
    net.train()
    r = {}
    if o.mode == "supervised":
        r["logits_labeled"] = net(xl)
        r["loss"] = r["loss_s"] = F.cross_entropy(r["logits_labeled"], labels)
        return r
    xs = views.strong(xw)
    images = (xl, xw, xs)
    if o.batch_norm == "joint":
        parts = net(torch.cat(images)).split([len(v) for v in images])
    else:
        parts = [net(v) for v in images]
    r["logits_labeled"], weak, r["logits_strong"] = parts
    weak = r["logits_weak"] = weak.detach()
    conf = r["conf"] = weak.amax(1) if o.confidence == "logit" else weak.softmax(1).amax(1)
    if frozen is None:
        r["threshold"] = threshold(conf) if callable(threshold) else threshold
        r["mask"], r["pseudo"] = (conf >= r["threshold"]).to(weak.dtype), weak.argmax(1)
    else:
        r["mask"], r["pseudo"] = frozen["mask"], frozen["pseudo"]
        net.load_state_dict(frozen["statistics"], strict=False)
    r["statistics"] = running_statistics(net)
    count = r["mask"].sum().clamp_min(1) if o.reduction == "confident" else float(len(xw))
    r["loss_s"] = F.cross_entropy(r["logits_labeled"], labels)
    r["loss_u"] = (r["mask"] * F.cross_entropy(r["logits_strong"], r["pseudo"], reduction="none")).sum() / count
    r["loss"] = r["loss_s"] + o.alpha * r["loss_u"]
    if o.mode != "gradcam":
        return r
    net.eval()
    for name, x in (("weak", xw), ("strong", xs)):
        keep = frozen and frozen["view_" + name]
        classes = keep["classes"] if keep else (r["pseudo"] if o.cam_class == "shared" else None)
        m = keep["m"] if keep and o.cam_gradient == "first-order" else None
        r["view_" + name] = grad_cam(net, x, o.cam_layer, classes, o.cam_gradient == "exact", o.cam_relu, m)
    net.train()
    r["cam_weak"], r["cam_strong"] = r["view_weak"]["cam"], r["view_strong"]["cam"]
    target = views.target(r["cam_weak"])
    if o.cam_target == "detached":
        target = frozen["cam_target"] if frozen else target.detach()
    r["cam_target"] = target
    r["loss_c"] = (r["mask"] * views.error(r["cam_strong"], target)).sum() / count
    r["loss"] = r["loss"] + o.beta * r["loss_c"]
    return r
