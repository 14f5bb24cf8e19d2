#!/usr/bin/env python3
"""Checks of reference.py itself, in float64: its gradients against finite differences, its transforms against the formulas.

Usage: self_check.py      exit status 0 when every check holds
"""
import sys

import numpy as np
import torch

import cases
import reference

FAILED = []


def check(name, ok, detail=""):
    print(("ok    " if ok else "FAIL  ") + name, detail)
    if not ok:
        FAILED.append(name)


def setting(options, base_name="resnet18_side12", seed=3):
    base = next(b for b in cases.BASES if b.name == base_name)
    state, data = cases.draw_base(base)
    case = cases.Step("check", base_name, labeled=5, unlabeled=5)
    labeled, unlabeled = cases.draw_transforms(np.random.default_rng(seed), case, base.pool, base.side)
    xl, xw = (cases.images(data, t, base.side, torch.float64) for t in (labeled, unlabeled))
    y = torch.from_numpy(data["labels"][labeled[:, 0]]).long()
    t = reference.CropRotate(torch.from_numpy(unlabeled))

    def evaluate(weights=None, frozen=None, o=options):
        net = reference.build(base.arch, base.stem, base.width, cases.CLASSES).double()
        net.load_state_dict(state)
        if weights:
            net.load_state_dict(weights, strict=False)
        return net, reference.losses(net, o, xl, y, xw, t, 0.05, frozen)
    return evaluate


def gradient(evaluate, o, of="loss"):
    net, r = evaluate(o=o)
    net.zero_grad()
    r[of].backward()
    return net, r, {n: p.grad if p.grad is not None else torch.zeros_like(p) for n, p in net.named_parameters()}


def finite_differences(name, o, of="loss_c", base="resnet18_side12", expect=True, gradient_of=None):
    """Central differences of the loss whose constants are frozen, along one random direction per tensor; nine tenths of
    the tensors must agree, because a ReLU may flip within a single difference."""
    evaluate = setting(o, base)
    net, r, g = gradient(evaluate, gradient_of or o, of)
    frozen = {k: r[k].detach() if torch.is_tensor(r[k]) else r[k] for k in r}
    for view in ("view_weak", "view_strong"):
        frozen[view] = {k: v.detach() for k, v in r[view].items()}
    rng, worst = np.random.default_rng(0), []
    params = dict(net.named_parameters())
    total = sum(float(v.square().sum()) for v in g.values()) ** 0.5
    for key, p in params.items():
        d = torch.from_numpy(rng.normal(size=p.shape))
        d = d / d.norm()
        h, value = 1e-6, []
        for sign in (1, -1):
            _, moved = evaluate({key: p.detach() + sign * h * d}, frozen, o)
            value.append(float(moved[of].detach()))
        numeric, exact = (value[0] - value[1]) / (2 * h), float((g[key] * d).sum())
        worst.append(abs(numeric - exact) / (abs(numeric) + abs(exact) + 1e-4 * total))
    median, tail = float(np.median(worst)), float(np.quantile(worst, 0.9))
    near = median < 1e-6 and tail < 1e-4
    check(name, near if expect else tail > 1e-3, f"median {median:.1e}, nine tenths within {tail:.1e}, worst {max(worst):.1e}")


def options(**given):
    return cases.Step("check", "", overrides=given).options


def distance(a, b):
    return (sum(float((a[k] - b[k]).square().sum()) for k in a) / sum(float(b[k].square().sum()) for k in b)) ** 0.5


def differences_between_options():
    evaluate = setting(options())
    _, _, plain = gradient(evaluate, options(), "loss_c")
    above = [k for k in plain if k.startswith(("layer4", "fc"))]
    check("first-order: nothing above the stage moves", all(float(plain[k].abs().max()) == 0 for k in above))
    check("first-order: the stage and below move", all(float(plain[k].abs().max()) > 0 for k in plain if k not in above))
    for name, other in {"exact": options(cam_gradient="exact"), "attached": options(cam_target="attached"), "own": options(cam_class="own"),
                        "separate": options(batch_norm="separate"), "relu": options(cam_relu=True)}.items():
        d = distance(gradient(evaluate, other, "loss_c")[2], plain)
        check(f"{name} changes the gradient of L_c", d > 0.01, f"by {d:.3f}")
    _, _, exact4 = gradient(evaluate, options(cam_gradient="exact", cam_layer=4), "loss_c")
    _, _, first4 = gradient(evaluate, options(cam_layer=4), "loss_c")
    changed = {k for k in exact4 if float((exact4[k] - first4[k]).abs().max()) > 1e-12}
    check("exact at stage 4 adds only fc.weight's gradient", changed == {"fc.weight"}, sorted(changed))


def tangent_formula():
    """METHOD section 3's manual term against create_graph, at stage 4 where the tail is the average and fc:
    dL/dW_fc[c] = sum_n [c(n) = c] v_n, v_n = (dL/dm_n) / (h w)."""
    o = options(cam_gradient="exact", cam_layer=4)
    net, r = setting(o)()
    v = torch.autograd.grad(r["loss_c"], r["view_strong"]["m"], retain_graph=True)[0]
    r["loss_c"].backward()
    want = torch.zeros_like(net.fc.weight)
    for n, c in enumerate(r["view_strong"]["classes"]):
        want[c] += v[n] / 4          # m = W_fc[c] / (h w), and this stage is 2x2
    check("exact: stage 4 agrees with the closed form", float((want - net.fc.weight.grad).abs().max()) < 1e-13)


def warp_formulas():
    rng, size = np.random.default_rng(1), 7
    image = rng.normal(size=(2, 1, size, size))
    t = np.array([[0, 0, 0, 1, 0, 7, 6, 1], [0, 1, 1, 0, 2, 6, 7, 3]], np.int32)
    got = reference.warp(torch.from_numpy(image), torch.from_numpy(t)).numpy()[:, 0]
    for i, (_, _, _, y0, x0, y1, x1, turns) in enumerate(t):
        want = np.zeros((size, size))
        for a in range(size):
            for b in range(size):
                p, q = ((a, b), (b, size - 1 - a), (size - 1 - a, size - 1 - b), (size - 1 - b, a))[turns]
                v = min(max(y0 + (p + 0.5) * (y1 - y0) / size - 0.5, y0), y1 - 1)
                u = min(max(x0 + (q + 0.5) * (x1 - x0) / size - 0.5, x0), x1 - 1)
                i0, j0 = int(v), int(u)
                i1, j1, fv, fu = min(i0 + 1, y1 - 1), min(j0 + 1, x1 - 1), v - i0, u - j0
                src = image[i, 0]
                want[a, b] = (1 - fv) * ((1 - fu) * src[i0, j0] + fu * src[i0, j1]) + fv * ((1 - fu) * src[i1, j0] + fu * src[i1, j1])
        check(f"warp, {turns} turns", float(np.abs(want - got[i]).max()) < 1e-13)
    pixels = torch.from_numpy(rng.integers(0, 256, (1, 4, 4, 3)).astype(np.uint8))
    mean, std = torch.full((3,), 0.5), torch.full((3,), 0.25)
    flip = torch.tensor([[0, 1, 0, 0, 0, 4, 4, 0], [0, 0, 1, 0, 0, 4, 4, 0]], dtype=torch.int32)
    x = reference.load(pixels, flip, mean, std, 4, torch.float64)
    plain = ((pixels[0].double() / 255 - 0.5) / 0.25).numpy()
    check("flip_h mirrors columns", np.allclose(x[0].permute(1, 2, 0).numpy(), plain[:, ::-1], atol=1e-12))
    check("flip_v mirrors rows", np.allclose(x[1].permute(1, 2, 0).numpy(), plain[::-1], atol=1e-12))


def main():
    torch.set_num_threads(1)
    warp_formulas()
    finite_differences("L_s + L_u, joint", options(beta=0.0), "loss")
    finite_differences("L_s + L_u, separate", options(beta=0.0, batch_norm="separate"), "loss")
    for layer in (1, 2, 3, 4):
        finite_differences(f"first-order, stage {layer}, m frozen", options(cam_layer=layer))
        finite_differences(f"exact, stage {layer}", options(cam_layer=layer, cam_gradient="exact"))
    finite_differences("first-order, attached, m frozen", options(cam_target="attached"))
    finite_differences("exact, attached, own class", options(cam_target="attached", cam_class="own", cam_gradient="exact"))
    finite_differences("exact, ReLU after the map", options(cam_relu=True, cam_gradient="exact"))
    finite_differences("exact, wrn", options(cam_layer=2, cam_gradient="exact"), base="wrn28-2")
    finite_differences("first-order's gradient is not the derivative with m free", options(cam_gradient="exact"), expect=False,
                       gradient_of=options())
    differences_between_options()
    tangent_formula()
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
