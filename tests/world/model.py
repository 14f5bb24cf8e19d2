#!/usr/bin/env python3
"""What a training step of many devices takes: a model, fitted to measured steps of two and four ranks, and what it predicts for more.

Usage: model.py [--svg FILE] [STEPS.csv]      (default: steps.csv beside this file, as steps.sh writes it)

    T(N) = C + M m(N) + max(0, e 2 (N - 1)/N S/b + G 2 (N - 1) o - f C)
    m(N) = L + (N - 1) (o + s/b)                up to 31 ranks: each sends to all
           2 k L + (k/2 + 1) s/b                above: k = log2(N), rounded up, rounds to deal, and as many to collect

C: the time that a device needs for its share of the batch; M: blocking all-reduces of a step, of s bytes each on average; S: bytes of gradients in G
sums, of which each is a message to and from every other rank, twice; b: bytes a second that a link carries each way. Fitted are e, how much
longer than S/b the gradients take on a link that carries nothing else, and f, the part of C beside which they are sent. L: the latency of an
exchange, and o: what each further rank adds to it. What is predicted is also given for f = 0, gradients that are sent while nothing is
computed. Prints tables; --svg writes the plot.
"""
import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Of the network that steps.sh trains: ResNet-18 of width 16, ten classes, supervised.
SMALL_BYTES = 4 * 701466
# Seconds: the latency of an exchange between two ranks, as tests/bench/world.c has it between namespaces, and what each further rank adds,
# which is assumed: with more ranks than processors it cannot be measured.
LATENCY, EACH = 16e-6, 5e-6
RANKS = [2 ** k for k in range(1, 11)]
# Ranks from which small exchanges go in rounds: CC_ROUNDS_FROM of host/exchange/mpi/ranks.h.
ROUNDS_FROM = 32
# Supervised: bytes of gradients, their sums, blocking all-reduces, bytes of one: two numbers for each of the 26,560 channels of 53 batch norms.
RESNET50 = {"gradients": 94.5e6, "sums": 11, "blocking": 107, "bytes_each": 8 * 26560 / 53}
# What a device alone needs for 32 images.
DEVICES = (("0.03 s a step", 0.03), ("0.2 s a step", 0.2), ("0.5 s a step", 0.5), ("2 s a step", 2.0), ("10 s a step", 10.0))
LINK = 10e9 / 8


def gradients(ranks, size, rate):
    return 2 * (ranks - 1) / ranks * size / rate


def blocking(ranks, size, rate):
    if ranks < ROUNDS_FROM:
        return LATENCY + (ranks - 1) * (EACH + size / rate)
    rounds = (ranks - 1).bit_length()
    return 2 * rounds * LATENCY + (rounds / 2 + 1) * size / rate


def predict(ranks, compute, net, rate, excess, beside):
    sums = excess * gradients(ranks, net["gradients"], rate) + net["sums"] * 2 * (ranks - 1) * EACH
    return compute + net["blocking"] * blocking(ranks, net["bytes_each"], rate) + max(0, sums - beside * compute)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = [(int(row["ranks"]), float(row["mbit"]) * 1e6 / 8, float(row["ms_per_step"]) / 1e3) for row in csv.DictReader(file)]
    free = {ranks: seconds for ranks, rate, seconds in rows if rate == 0}
    return free, [(ranks, rate, seconds) for ranks, rate, seconds in rows if rate and ranks in free]


def step(free, ranks, rate, excess, beside):
    """Of the measured network; what it takes on links without a limit, blocking all-reduces included, is measured, too."""
    return free[ranks] + max(0, excess * gradients(ranks, SMALL_BYTES, rate) - beside * free[ranks])


def fit(free, points):
    """The e and f of the least sum of squared relative errors, by looking at all of a grid."""
    def badness(pair):
        return sum((step(free, ranks, rate, *pair) / seconds - 1) ** 2 for ranks, rate, seconds in points)
    return min(((0.8 + 0.01 * i, 0.01 * k) for i in range(120) for k in range(101)), key=badness)


def table(free, points, pair):
    print("ranks  Mbit/s  measured ms  model ms   error")
    worst = 0
    for ranks, rate, seconds in points:
        model = step(free, ranks, rate, *pair)
        worst = max(worst, abs(model / seconds - 1))
        print("%5d  %6.0f  %11.0f  %8.0f  %+5.0f %%" % (ranks, rate * 8e-6, seconds * 1e3, model * 1e3, 100 * (model / seconds - 1)))
    print("largest error: %.0f %%" % (100 * worst))


# ---- the plot

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 400, 60, 30, 150, 50
COLOURS = ("#1b6ca8", "#c8553d", "#3c8d5a", "#8a5fb0", "#a07c00")


def place(ranks, share):
    x = LEFT + (WIDTH - LEFT - RIGHT) * (ranks.bit_length() - 1) / 10
    return x, TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def svg(curves, title):
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">' % (WIDTH, HEIGHT),
           '<rect width="100%" height="100%" fill="#fff"/>', '<text x="%d" y="18">%s</text>' % (LEFT, title)]
    for percent in range(0, 101, 20):
        y = place(1, percent / 100)[1]
        out.append('<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%d %%</text>'
                   % (LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4, percent))
    for ranks in [1] + RANKS:
        x, y = place(ranks, 0)
        out.append('<text x="%.1f" y="%.1f" text-anchor="middle">%d</text>' % (x, y + 20, ranks))
    out.append('<text x="%d" y="%d" text-anchor="middle">devices</text>' % ((LEFT + WIDTH - RIGHT) // 2, HEIGHT - 8))
    last = HEIGHT
    for colour, (name, *both) in zip(COLOURS, curves):
        for shares, dashes in zip(both, ("", ' stroke-dasharray="5 4"')):
            points = " ".join("%.1f,%.1f" % place(ranks, share) for ranks, share in zip([1] + RANKS, [1] + shares))
            out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>' % (points, colour, dashes))
        x, y = place(1024, both[0][-1])
        last = min(y, last - 16)
        out.append('<text x="%.1f" y="%.1f" fill="%s">%s</text>' % (x + 8, last + 4, colour, name))
    return "\n".join(out + ["</svg>", ""])


def main():
    arguments = sys.argv[1:]
    plot = None
    if arguments[:1] == ["--svg"]:
        plot, arguments = arguments[1], arguments[2:]
    free, points = read(arguments[0] if arguments else os.path.join(HERE, "steps.csv"))
    two = fit(free, [point for point in points if point[0] == 2])
    print("fitted to two ranks alone: e %.2f, f %.2f" % two)
    table(free, points, two)
    both = fit(free, points)
    print("\nfitted to all: e %.2f, f %.2f" % both)
    table(free, points, both)
    print("\nResNet-50, 224x224, 32 images for each device, 10 Gbit/s: predicted share of linear, %%\n%-16s" % "devices" + "".join(
        "%7d" % ranks for ranks in RANKS))
    curves = []
    for name, compute in DEVICES:
        shares, least = ([compute / predict(ranks, compute, RESNET50, LINK, both[0], beside) for ranks in RANKS]
                         for beside in (both[1], 0))
        curves.append((name, shares, least))
        print("%-16s" % name + "".join("%7.1f" % (100 * share) for share in shares))
        print("%-16s" % "   f = 0" + "".join("%7.1f" % (100 * share) for share in least))
    if plot:
        with open(plot, "w", encoding="utf-8") as file:
            file.write(svg(curves, "ResNet-50, 224x224, 32 images per device, 10 Gbit/s: share of linear, predicted (dashed: f = 0)"))


if __name__ == "__main__":
    main()
