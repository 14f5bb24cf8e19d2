#!/usr/bin/env python3
"""Images per second of PyTorch's training steps, for the kit's page of results beside camcl's.

Usage: pytorch_step.py --on gpu|cpu [--check] [--arch resnet18|wrn28-2|resnet50] [--width W] [--stem cifar|imagenet] [--size PIXELS]
                       [--batch B] [--unlabeled U] [--layer L] [--repeat R] [--seconds S] [--quick]

The steps are those that `camcl bench step ssl.preset=paper-code` times, on random images of 10 classes:
  supervised    forward, cross-entropy, backward and SGD with momentum on B labelled images
  pseudo-label  also a weak forward without gradients and a strong forward of U unlabelled images, cross-entropy on the pseudo-labels
  gradcam       also the CAMs of stage L of both views, each from one eval-mode forward and one backward of the batch, and their mean
                squared error
  infer         eval-mode forward of 256 images
Every line of output is a figure: torch MODE fp32|tf32 nchw|nhwc eager|compile MS IMAGES/S BYTES. The best of R steps after two counts;
B + U images (supervised: B). Variants come in this order: float32 in both memory formats, TF32 in both (GPUs only), then torch.compile
of supervised and infer. A variant that cannot run says why on stderr. After S seconds no further variant begins. --check only says
whether PyTorch and the device are there.
Exit status: 0; 77 there is no PyTorch or it has no such device: the last line says why; 1 no variant ran.
Needs nothing but PyTorch; shares no code with camcl.
"""
import argparse
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except Exception as e:  # noqa: BLE001: a broken installation is as good as none
    print(f"no PyTorch in {sys.executable}: {e}")
    sys.exit(77)


class Block(nn.Module):
    """The residual block of ResNet-18, or with `bottleneck` that of ResNet-50."""

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = width * (4 if bottleneck else 1)
        # (inputs, outputs, side of the kernel, stride)
        shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)] if bottleneck else [
            (inputs, width, 3, stride), (width, width, 3, 1)]
        self.convs = nn.ModuleList(nn.Conv2d(i, o, k, s, k // 2, bias=False) for i, o, k, s in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _, _ in shapes)
        self.skip = None
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(y if i == 0 else F.relu(y)))
        return F.relu(y + (x if self.skip is None else self.skip(x)))


class WideBlock(nn.Module):
    """The pre-activation block of WRN-28."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)])
        self.convs = nn.ModuleList([nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)])
        self.skip = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs or stride != 1 else None

    def forward(self, x):
        h = F.leaky_relu(self.norms[0](x), 0.1)
        y = self.convs[1](F.leaky_relu(self.norms[1](self.convs[0](h)), 0.1))
        return y + (x if self.skip is None else self.skip(h))


class Network(nn.Module):
    """Stem, stages, head. `trunk` gives the activations of a stage, `head` the logits from them."""

    def __init__(self, arch, width, stem, classes=10):
        super().__init__()
        self.wide = arch == "wrn28-2"
        channels = 16 if self.wide else width
        imagenet = stem == "imagenet" and not self.wide
        self.stem = [nn.Conv2d(3, channels, 7, 2, 3, bias=False) if imagenet else nn.Conv2d(3, channels, 3, 1, 1, bias=False)]
        if not self.wide:
            self.stem += [nn.BatchNorm2d(channels), nn.ReLU()]
        if imagenet:
            self.stem.append(nn.MaxPool2d(3, 2, 1))
        self.stem = nn.Sequential(*self.stem)
        self.stages = nn.ModuleList()
        depths = [4, 4, 4] if self.wide else [3, 4, 6, 3] if arch == "resnet50" else [2, 2, 2, 2]
        for s, depth in enumerate(depths):
            blocks = []
            for b in range(depth):
                stride = 2 if s > 0 and b == 0 else 1
                if self.wide:
                    blocks.append(WideBlock(channels, 32 << s, stride))
                    channels = 32 << s
                else:
                    blocks.append(Block(channels, width << s, stride, arch == "resnet50"))
                    channels = (width << s) * (4 if arch == "resnet50" else 1)
            self.stages.append(nn.Sequential(*blocks))
        self.norm = nn.BatchNorm2d(channels) if self.wide else None
        self.classifier = nn.Linear(channels, classes)

    def trunk(self, x, stage):
        x = self.stem(x)
        for s in self.stages[:stage]:
            x = s(x)
        return x

    def head(self, a, stage):
        for s in self.stages[stage:]:
            a = s(a)
        if self.norm is not None:
            a = F.leaky_relu(self.norm(a), 0.1)
        return self.classifier(a.mean((2, 3)))

    def forward(self, x):
        return self.head(self.trunk(x, len(self.stages)), len(self.stages))


def cams(model, x, stage):
    """Grad-CAM of each image's likeliest class, resized to the image's side and then scaled to [0, 1]. Gradients flow through the
    activations, not through the weights of the maps."""
    model.eval()
    a = model.trunk(x, stage)
    leaf = a.detach().requires_grad_()
    (slope,) = torch.autograd.grad(model.head(leaf, stage).amax(1).sum(), leaf)
    model.train()
    maps = (slope.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True)
    maps = F.interpolate(maps, size=x.shape[-2:], mode="bilinear", align_corners=True)
    low = maps.amin((2, 3), keepdim=True)
    return (maps - low) / (maps.amax((2, 3), keepdim=True) - low).clamp_min(1e-12)


class Step:
    """Random images and one network in one memory format; `run` is a step of a mode."""

    def __init__(self, a, device, layout):
        torch.manual_seed(0)
        self.stage = a.layer
        self.model = Network(a.arch, a.width, a.stem).to(device=device, memory_format=layout)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
        images = [torch.randn(n, 3, a.size, a.size, device=device) for n in (a.batch, a.unlabeled, a.infer)]
        self.labelled, self.weak, self.many = (x.contiguous(memory_format=layout) for x in images)
        self.strong = torch.rot90(self.weak, 1, (2, 3)).contiguous(memory_format=layout)
        self.labels = torch.randint(0, 10, (a.batch,), device=device)

    def run(self, mode, model):
        if mode == "infer":
            self.model.eval()
            with torch.inference_mode():
                return model(self.many)
        self.model.train()
        self.optimizer.zero_grad()
        loss = F.cross_entropy(model(self.labelled), self.labels)
        if mode != "supervised":
            with torch.no_grad():
                pseudo = model(self.weak).argmax(1)
            loss = loss + F.cross_entropy(model(self.strong), pseudo)
        if mode == "gradcam":
            target = torch.rot90(cams(self.model, self.weak, self.stage), 1, (2, 3))
            loss = loss + F.mse_loss(cams(self.model, self.strong, self.stage), target)
        loss.backward()
        self.optimizer.step()
        return loss


def accelerator():
    """torch.cuda (NVIDIA, and AMD's ROCm), torch.xpu (Intel), or None."""
    for name in ("cuda", "xpu"):
        module = getattr(torch, name, None)
        if module is not None and module.is_available():
            return name, module
    return None


def set_precision(precision):
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True


def time_mode(step, mode, model, repeat, module):
    """Best seconds of a step and the device memory at its highest."""
    wait = module.synchronize if module else lambda: None
    if module:
        module.reset_peak_memory_stats()
    best = float("inf")
    for i in range(2 + repeat):
        wait()
        start = time.perf_counter()
        step.run(mode, model)
        wait()
        if i >= 2:
            best = min(best, time.perf_counter() - start)
    return best, module.max_memory_allocated() if module else 0


def variants(a, on_gpu):
    """(precision, layout, engine), the plainest first."""
    precisions = ("fp32", "tf32") if on_gpu else ("fp32",)
    for precision in precisions:
        for layout in ("nchw", "nhwc"):
            yield precision, layout, "eager"
    if not a.quick and hasattr(torch, "compile"):
        for precision in precisions:
            yield precision, "nhwc", "compile"


def run_variant(a, device, module, precision, layout, engine):
    set_precision(precision)
    step = Step(a, device, torch.channels_last if layout == "nhwc" else torch.contiguous_format)
    images = {"supervised": a.batch, "infer": a.infer}
    for mode in ("supervised", "infer") if engine == "compile" else ("supervised", "pseudo-label", "gradcam", "infer"):
        model = torch.compile(step.model) if engine == "compile" else step.model
        seconds, peak = time_mode(step, mode, model, a.repeat, module)
        speed = images.get(mode, a.batch + a.unlabeled) / seconds
        print(f"torch {mode} {precision} {layout} {engine} {seconds * 1e3:.2f} {speed:.1f} {peak}", flush=True)


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--on", required=True, choices=("gpu", "cpu", "accelerator", "other"), help="the OpenCL device's type")
    ap.add_argument("--check", action="store_true")
    ap.add_argument("--arch", default="resnet18", choices=("resnet18", "wrn28-2", "resnet50"))
    ap.add_argument("--width", type=int, default=64, help="channels of a ResNet's first stage")
    ap.add_argument("--stem", default="cifar", choices=("cifar", "imagenet"))
    ap.add_argument("--size", type=int, default=32)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--unlabeled", type=int, default=32)
    ap.add_argument("--layer", type=int, default=3)
    ap.add_argument("--repeat", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=1e9)
    ap.add_argument("--quick", action="store_true", help="two timed steps, no torch.compile")
    a = ap.parse_args()
    a.infer = 256
    if a.quick:
        a.repeat = 2
    return a


def main():
    start = time.monotonic()
    a = arguments()
    found = accelerator() if a.on == "gpu" else None
    if a.on not in ("gpu", "cpu") or (a.on == "gpu" and found is None):
        print(f"PyTorch {torch.__version__} has no {a.on} here")
        return 77
    device, module = found if found else ("cpu", None)
    name = module.get_device_name(0) if module else f"CPU, {torch.get_num_threads()} threads"
    print(f"# PyTorch {torch.__version__} on {name}", flush=True)
    if a.check:
        # A GPU that is listed but does not compute is none.
        F.conv2d(torch.ones(1, 3, 8, 8, device=device), torch.ones(3, 3, 3, 3, device=device)).sum().item()
        return 0
    ran = 0
    for variant in variants(a, device == "cuda"):
        if time.monotonic() - start > a.seconds:
            print(f"# no time left for {' '.join(variant)} and what follows", flush=True)
            break
        try:
            run_variant(a, device, module, *variant)
            ran += 1
        except Exception as e:  # noqa: BLE001: torch.compile fails in many ways; the others count
            lines = str(e).strip().splitlines() or [type(e).__name__]
            print(f"{' '.join(variant)}: {lines[0]}", file=sys.stderr, flush=True)
    return 0 if ran else 1


if __name__ == "__main__":
    sys.exit(main())
