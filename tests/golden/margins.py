"""How far a float64 step is from every decision that rounding could turn: the sign before each (leaky) ReLU, the winner of each
max-pool window, each map's extreme pixels, the confidence threshold, the arg-max class."""
import torch

import reference


class Watch:
    """Least distance over all passes while active, relative to the tensor's root mean square."""

    def __init__(self, net):
        self.least, self.handles = float("inf"), []
        for module in net.modules():
            if isinstance(module, reference.Activation):
                self.handles.append(module.register_forward_hook(self.activation))
            elif isinstance(module, torch.nn.MaxPool2d):
                self.handles.append(module.register_forward_hook(self.pool))

    def note(self, distances, x):
        if distances.numel():
            self.least = min(self.least, float(distances.min() / x.square().mean().sqrt()))

    def activation(self, module, args, output):
        x = args[0].detach()
        self.note(x.abs(), x)

    def pool(self, module, args, output):
        x = args[0].detach()
        padded = torch.nn.functional.pad(x, [module.padding] * 4, value=-1.0)    # inputs are past a ReLU
        windows = padded.unfold(2, module.kernel_size, module.stride).unfold(3, module.kernel_size, module.stride)
        top = windows.flatten(4).topk(2, -1).values
        self.note((top[..., 0] - top[..., 1])[top[..., 0] > 0], x)

    def remove(self):
        for handle in self.handles:
            handle.remove()


def extremes(raw, mask):
    """Least gap between a map's extreme and the next distinct value, as a part of its span; confident images only."""
    least = float("inf")
    for image in raw.detach()[mask > 0]:
        values = image.flatten().unique()
        if len(values) > 2:
            gap = torch.minimum(values[1] - values[0], values[-1] - values[-2])
            least = min(least, float(gap / (values[-1] - values[0])))
    return least


def top2(logits):
    top = logits.detach().topk(2, 1).values
    return float((top[:, 0] - top[:, 1]).min())


def pick_threshold(conf, confident):
    """The middle of the widest gap that leaves three images on either side; out of reach if not `confident`."""
    if not confident:
        return float((conf.max() + 1) / 2)
    ordered = conf.sort().values
    gaps = ordered[3:-2] - ordered[2:-3]
    i = int(gaps.argmax())
    middle = (ordered[i + 2] + ordered[i + 3]) / 2
    return float(middle.float())


def variety(r, own):
    """How many classes the confident images have; with each view's own class, 0 where none differs from the pseudo-label."""
    chosen = r["mask"] > 0
    classes = len(r["pseudo"][chosen].unique())
    if own and not any(bool((r["view_" + v]["classes"] != r["pseudo"])[chosen].any()) for v in ("weak", "strong")):
        return 0
    return classes
