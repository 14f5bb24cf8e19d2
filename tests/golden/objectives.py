"""The objectives of later papers, each with or without the CAM term: one training step as losses() of reference.py, with what an objective
keeps from step to step.

It shares no code with camcl. Every formula is written as its paper has it.
"""
import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

import reference

MODES = ("pi-model", "mean-teacher", "uda", "fixmatch", "flexmatch", "freematch", "softmatch")
DECAY = 0.999       # of the averages of freematch and softmatch


@dataclass(frozen=True)
class Options(reference.Options):
    mode: str = "fixmatch"
    reduction: str = "batch"
    beta: float = 0.0
    temperature: float = 0.4
    fairness: float = 0.001


class Kept:
    """What an objective keeps: averages in the network's dtype, the teacher, every image's last class. It begins as after some training,
    drawn by rng (float32 numbers), so that some images count and others do not."""

    def __init__(self, o, net, classes, images, rng):
        dtype = next(net.parameters()).dtype

        def drawn(values):
            return torch.from_numpy(np.asarray(values, np.float32)).to(dtype)
        self.t, self.mean, self.variance = drawn(0.45), drawn(0.5), drawn(0.02)
        self.p, self.h = (drawn(rng.uniform(0.6, 1.4, classes) / classes) for _ in range(2))
        self.last = torch.from_numpy(np.where(rng.uniform(size=images) < 0.4, -1, rng.integers(0, classes, images)))
        self.teacher = copy.deepcopy(net) if o.mode == "mean-teacher" else None

    def counts(self):
        """How many images have each class as their last, and how many have none."""
        return torch.bincount(self.last + 1, minlength=len(self.p) + 1)

    def follow(self, net, decay):
        """The teacher after an update of the weights."""
        with torch.no_grad():
            for kept, now in zip(self.teacher.parameters(), net.parameters()):
                kept.mul_(decay).add_(now, alpha=1 - decay)

    def tensors(self, o):
        """Named as camcl's state."""
        if o.mode == "flexmatch":
            counts = self.counts()
            return {"last": self.last.clone(), "counts": torch.cat([counts[1:], counts[:1]])}
        if o.mode == "freematch":
            return {"threshold": self.t[None], "probability": self.p, "histogram": self.h}
        if o.mode == "softmatch":
            return {"probability": self.p, "mean": self.mean[None], "variance": self.variance[None]}
        return {}


def average(old, new):
    return DECAY * old + (1 - DECAY) * new


def normalised(x):
    return x / x.sum()


def over(above, below):
    """above / below, 0 where below is 0"""
    return torch.where(below > 0, above / torch.where(below > 0, below, torch.ones_like(below)), torch.zeros_like(above))


def weigh(o, kept, p, threshold, images):
    """(weight [n], margin: the least distance of a confidence from what it is held against)"""
    conf, pseudo = p.max(1)
    if o.mode in ("pi-model", "mean-teacher"):
        return torch.ones_like(conf), math.inf
    if o.mode in ("uda", "fixmatch"):
        limit = torch.full_like(conf, threshold)
    elif o.mode == "flexmatch":
        counts = kept.counts()
        share = counts[1:].to(p.dtype) / counts.max()
        limit = (threshold * share / (2 - share))[pseudo]
        for image, c, confidence in zip(images.tolist(), pseudo.tolist(), conf.tolist()):
            if confidence >= threshold:
                kept.last[image] = c
    elif o.mode == "freematch":
        kept.t, kept.p = average(kept.t, conf.mean()), average(kept.p, p.mean(0))
        kept.h = average(kept.h, torch.bincount(pseudo, minlength=p.shape[1]).to(p.dtype) / len(p))
        limit = kept.t * kept.p[pseudo] / kept.p.max()
    else:
        kept.p = average(kept.p, p.mean(0))
        aligned = (p / p.shape[1] / kept.p)
        c = (aligned / aligned.sum(1, keepdim=True)).amax(1)
        kept.mean = average(kept.mean, c.mean())
        if len(p) > 1:
            kept.variance = average(kept.variance, c.var(unbiased=True))
        return torch.exp(-2 * torch.clamp(c - kept.mean, max=0) ** 2 / kept.variance), math.inf
    margin = (conf - limit).abs().min()
    if o.mode == "flexmatch":
        margin = torch.minimum(margin, (conf - threshold).abs().min())
    return (conf >= limit).to(p.dtype), float(margin)


def fairness(kept, q, mask):
    """freematch's further term, of the images that count"""
    chosen = q[mask > 0]
    if len(chosen) == 0:
        return q.sum() * 0
    histogram = torch.bincount(chosen.argmax(1), minlength=q.shape[1]).to(q.dtype) / len(chosen)
    spread = normalised(over(chosen.mean(0), histogram))
    return (normalised(over(kept.p, kept.h)) * torch.log(spread + 1e-12)).sum()


def unlabeled_loss(o, logits, weak, weight, count):
    if o.mode in ("pi-model", "mean-teacher"):
        return ((logits.softmax(1) - weak.softmax(1)) ** 2).mean(1).sum() / count
    if o.mode == "uda":
        target = normalised_rows(weak.softmax(1) ** (1 / o.temperature))
        return (weight * F.cross_entropy(logits, target, reduction="none")).sum() / count
    return (weight * F.cross_entropy(logits, weak.argmax(1), reduction="none")).sum() / count


def normalised_rows(x):
    return x / x.sum(1, keepdim=True)


def train_passes(o, net, kept, xl, xw, xs):
    """(labelled, weak, strong) logits; the teacher's statistics are put back."""
    net.train()
    if o.mode == "mean-teacher":
        before = {k: v.clone() for k, v in kept.teacher.state_dict().items()}
        with torch.no_grad():
            weak = kept.teacher.train()(xw)
        kept.teacher.load_state_dict(before)
        labeled, strong = net(torch.cat([xl, xs])).split([len(xl), len(xs)]) if o.batch_norm == "joint" else (net(xl), net(xs))
        return labeled, weak, strong
    if o.batch_norm == "joint":
        labeled, weak, strong = net(torch.cat([xl, xw, xs])).split([len(xl), len(xw), len(xs)])
        return labeled, weak.detach(), strong
    return net(xl), net(xw).detach(), net(xs)


def losses(net, o, kept, xl, labels, xw, views, threshold, ramp):
    """As reference.losses; ramp: the share of alpha in force. "further" is what the loss has beside L_s, L_u, L_c, with its weight."""
    xs, r = views.strong(xw), {}
    r["logits_labeled"], weak, r["logits_strong"] = train_passes(o, net, kept, xl, xw, xs)
    r["logits_weak"], p = weak, weak.softmax(1)
    r["conf"], r["pseudo"] = p.amax(1), weak.argmax(1)
    r["threshold"] = threshold(r["conf"]) if callable(threshold) else threshold
    r["mask"], r["margin"] = weigh(o, kept, p, r["threshold"], views.images)
    count = r["mask"].sum().clamp_min(1) if o.reduction == "confident" else float(len(xw))
    r["loss_s"] = F.cross_entropy(r["logits_labeled"], labels)
    r["loss_u"] = unlabeled_loss(o, r["logits_strong"], weak, r["mask"], count)
    r["alpha"] = o.alpha * (ramp if o.mode in ("pi-model", "mean-teacher") else 1)
    r["further"] = o.fairness * fairness(kept, r["logits_strong"].softmax(1), r["mask"]) if o.mode == "freematch" else r["loss_s"] * 0
    r["loss"] = r["loss_s"] + r["alpha"] * r["loss_u"] + r["further"]
    if o.beta:
        add_cams(net, o, kept, xw, xs, views, count, r)
    return r


def add_cams(net, o, kept, xw, xs, views, count, r):
    """L_c; mean-teacher's target is the teacher's map, with the student's statistics."""
    net.eval()
    target_net = net
    if kept.teacher is not None:
        target_net = copy.deepcopy(kept.teacher)
        target_net.load_state_dict(reference.running_statistics(net), strict=False)
        target_net.eval()
    classes = r["pseudo"] if o.cam_class == "shared" else None
    for name, of, x in (("weak", target_net, xw), ("strong", net, xs)):
        r["view_" + name] = reference.grad_cam(of, x, o.cam_layer, classes, o.cam_gradient == "exact", o.cam_relu)
    net.train()
    r["cam_weak"], r["cam_strong"] = r["view_weak"]["cam"].detach(), r["view_strong"]["cam"]
    r["cam_target"] = views.target(r["cam_weak"])
    r["loss_c"] = (r["mask"] * views.error(r["cam_strong"], r["cam_target"])).sum() / count
    r["loss"] = r["loss"] + o.beta * r["loss_c"]
