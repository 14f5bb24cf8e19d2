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


def make_run(program, folder, mode, seed, top1, rows=12):
    config = subprocess.run([program, "config"], capture_output=True, text=True, check=True).stdout
    write(folder + "/start.ini", config)
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
    write(folder + "/result.json", json.dumps(result))
    n = len(CLASSES)
    counts = [[top1 if t == p else (100 - top1) // 2 if p == (t + 1) % n else 0 for p in range(n)] for t in range(n)]
    for row in counts:
        row[0] += 100 - sum(row)
    quote = lambda name: '"' + name.replace('"', '""') + '"'
    write(folder + "/confusion.csv", "true\\predicted," + ",".join(map(quote, CLASSES)) + "\n" +
          "".join(quote(CLASSES[t]) + "," + ",".join(map(str, counts[t])) + "\n" for t in range(n)))
    for i in range(4):
        for part, colour in (("image", (40 * i, 90, 200)), ("mask", (255, 255, 255)), ("overlay", (200, 10 * seed + i, 40))):
            write(f"{folder}/cams/{i:05}_{part}.png", png(32, colour))
    images = [{"file": f"{i:05}", "index": i, "class": CLASSES[i], "predicted": CLASSES[(i + seed) % 4], "confidence": 0.25 + 0.1 * i}
              for i in range(4)]
    write(folder + "/cams/index.json", json.dumps({"images": images}))
