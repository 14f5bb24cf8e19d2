"""Run directories to report on, written here, so that nothing needs to be trained."""
import json
import math
import os
import struct
import subprocess
import zlib

CLASSES = ["cat", "dog", "frog", "<b>bird</b>", "</script><script>window.broken=1</script>", "a class with quite a long name"]
HOSTILE = "</script><img src=x onerror=window.broken=1>\u2028\u0007"


def png(side, colour):
    rows = b"".join(b"\0" + bytes(colour) * side for _ in range(side))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def add_pseudo_labels(folder, rows):
    """Class c gets more of them the smaller c is; three in four are right; the last class has none until the last evaluation."""
    lines = ["step,epoch,class,seen,confident,known,right\n"]
    for i in range(1, rows + 1):
        for c, name in enumerate(CLASSES):
            confident = 4 * i * (len(CLASSES) - c) if c < len(CLASSES) - 1 or i == rows else 0
            lines.append(f"{40 * i},{i},{quote(name)},1000,{confident},{confident - confident // 8},{3 * confident // 4}\n")
    write(folder + "/pseudo_labels.csv", "".join(lines))


def reliability(top1):
    """All images in the upper bins, each as right as top1 says."""
    bins = [{"from": 100 * b / 15, "to": 100 * (b + 1) / 15, "n": 0, "confidence": None, "accuracy": None} for b in range(15)]
    for b in range(9, 15):
        bins[b].update(n=100, confidence=100 * (b + .5) / 15, accuracy=top1)
    return bins


def add_pictures(folder, seed, old):
    """Four images of the gallery, two of them with their views, and two mistakes, of which one is in the gallery, too."""
    entries = []
    for i, why in ((0, "spread"), (1, "spread"), (2, "spread"), (3, "spread"), (3, "mistake"), (700 + seed, "mistake")):
        parts = {"image": (40 * (i % 7), 90, 200), "mask": (255, 255, 255), "overlay": (200, 10 * seed + i % 200, 40)}
        entry = {"file": f"{i:05}", "index": i, "class": CLASSES[i % 4], "predicted": CLASSES[(i + seed) % 4],
                 "confidence": 0.25 + 0.1 * (i % 7)}
        if not old:
            parts["before"] = (120, 20 * seed, 120 + i % 100)
            if i < 2:
                parts.update(weak=(10, 200, i), seen=(90, 90, i), strong=(90, 200, seed), target=(90, 180, seed))
                entry.update(explained=CLASSES[i], distance=0.0123)
            entry.update(why=why, pictures=list(parts))
        elif why == "mistake":
            continue
        for part, colour in parts.items():
            write(f"{folder}/cams/{i:05}_{part}.png", png(32, colour))
        entries.append(entry)
    write(folder + "/cams/index.json", json.dumps({"images": entries}))


def make_run(program, folder, mode, seed, top1, rows=12, old=False):
    """old: a run of a version that did not count pseudo-labels, knew no calibration and drew fewer pictures."""
    write(folder + "/start.ini", "")
    config = subprocess.run([program, "config", folder + "/start.ini", "ssl.mode=" + mode, f"train.seed={seed}", "model.width=16"],
                            capture_output=True, text=True, check=True).stdout
    os.remove(folder + "/start.ini")
    write(folder + "/config.ini", config)
    head = ("step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,val_loss,val_top1,val_top3,val_top5,"
            "images_per_s,seconds,further\n")
    lines = []
    for i in range(1, rows + 1):
        semi = mode != "supervised" and i > 2
        grown = top1 * (1 - math.exp(-0.3 * i))
        lines.append(f"{40 * i},{i},0.03,0.9,{2 / i},{2 / i},{'0.5' if semi else ''},{'0.01' if semi else ''},{3 * i if semi else ''},"
                     f"{'88' if semi else ''},{grown + 5},{2.3 / i},{grown},{grown + 5},,{200 + i},{7.5 * i},{seed / i}\n")
    write(folder + "/metrics.csv", head + "".join(lines))
    result = {"best": {"epoch": rows, "val_top1": top1 + 1}, "test": {"loss": 1.25, "top1": top1, "top3": 90, "top5": 99}, "seconds": 95,
              "device": HOSTILE, "mode": mode, "arch": "resnet18", "width": 16, "labeled": 200,
              "unlabeled": 0 if mode == "supervised" else 9000}
    if not old:
        result["test"].update(n=600, ece=100 * abs(top1 - 80) / 100)
        result["reliability"] = reliability(top1)
        if mode != "supervised":
            add_pseudo_labels(folder, rows)
    write(folder + "/result.json", json.dumps(result))
    n = len(CLASSES)
    counts = [[top1 if t == p else (100 - top1) // 2 if p == (t + 1) % n else 0 for p in range(n)] for t in range(n)]
    for row in counts:
        row[0] += 100 - sum(row)
    write(folder + "/confusion.csv", "true\\predicted," + ",".join(map(quote, CLASSES)) + "\n" +
          "".join(quote(CLASSES[t]) + "," + ",".join(map(str, counts[t])) + "\n" for t in range(n)))
    add_pictures(folder, seed, old)
