#!/usr/bin/env python3
"""Writes seeds for the fuzz targets, small valid inputs out of which libFuzzer makes others: FOLDER/TARGET/NAME.

Usage: make_seeds.py FOLDER. Needs nothing but Python. What the tests keep as fixtures is used where it fits.
"""
import gzip
import io
import json
import os
import pickle
import shutil
import struct
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
FIXTURES = os.path.join(TESTS, "fixtures")
PART = b"\n==> %c\n"
LARGEST = 1 << 16


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


class Seeds:
    def __init__(self, folder):
        self.folder = folder

    def add(self, target, name, data):
        folder = os.path.join(self.folder, target)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def parts(*files):
    """Several files as one input: (place, bytes)."""
    return b"".join(PART % (ord("0") + place) + data for place, data in files)


def tensors(named, metadata=None):
    """A safetensors file: name: (dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in named.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensors_of(file):
    """{name: bytes} of a safetensors file."""
    length = struct.unpack("<Q", file[:8])[0]
    header = json.loads(file[8:8 + length])
    return {name: file[8 + length + about["data_offsets"][0]:8 + length + about["data_offsets"][1]]
            for name, about in header.items() if name != "__metadata__"}


def pictures(seeds):
    for name, data in tensors_of(read(TESTS, "golden", "pictures.safetensors")).items():
        kind = {"jpg": "jpeg"}.get(name.rsplit(".", 1)[-1], name.rsplit(".", 1)[-1])
        if name.startswith("file.") and kind in ("png", "jpeg", "webp") and len(data) < LARGEST:
            seeds.add("fuzz_" + kind, name[5:], data)
            at = data.find(b"Exif\0\0")
            if at >= 0:
                seeds.add("fuzz_exif", name[5:], data[at:at + 512])
    for order, mark in (("<", b"II"), (">", b"MM")):
        for value in (1, 6):
            entry = struct.pack(order + "HHIHH", 0x112, 3, 1, value, 0)
            seeds.add("fuzz_exif", "%s-%d" % (mark.decode(), value),
                      mark + struct.pack(order + "HIH", 42, 8, 1) + entry + struct.pack(order + "I", 0))
    return read(FIXTURES, "v0.1", "pictures", "disc.png")


def pickles(seeds):
    folder = os.path.join(FIXTURES, "pickle")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".pickle"):
            seeds.add("fuzz_pickle", name, read(folder, name))
    for protocol in range(2, 6):
        plain = {"labels": [1, -2, 300, 1 << 40], "label_names": ["a", "b"], "pair": (1, 2.5, None, True), b"x": b"y" * 300}
        seeds.add("fuzz_pickle", "plain-%d" % protocol, pickle.dumps(plain, protocol))
    # Places: fuzz_cifar_python.c.
    for name in ("numpy2-protocol2.pickle", "numpy2-protocol4.pickle", "numpy2-protocol5.pickle"):
        batch = read(folder, name)
        meta = pickle.dumps({"label_names": ["class%d" % i for i in range(10)]}, 2)
        seeds.add("fuzz_cifar_python", "ten-" + name, parts(*[(i, batch) for i in range(6)], (6, meta)))
    fine = read(folder, "fine.pickle")
    meta = pickle.dumps({"fine_label_names": ["class%d" % i for i in range(100)]}, 4)
    seeds.add("fuzz_cifar_python", "hundred", parts((7, fine), (8, fine), (9, meta)))


def published(seeds):
    ten, hundred = bytes([3]) + bytes(range(256)) * 12, bytes([1, 2]) + bytes(range(256)) * 12
    names = "\n".join("class%d" % i for i in range(10)).encode()
    seeds.add("fuzz_cifar_binary", "ten", parts(*[(i, ten) for i in range(6)], (6, names)))
    hundreds = "\n".join("class%d" % i for i in range(100)).encode()
    seeds.add("fuzz_cifar_binary", "hundred", parts((7, hundred), (8, hundred * 2), (9, hundreds)))
    images = struct.pack(">IIII", 0x803, 2, 28, 28) + bytes(2 * 784)
    labels = struct.pack(">II", 0x801, 2) + bytes([1, 2])
    seeds.add("fuzz_idx", "plain", parts((0, images), (1, labels), (2, images), (3, labels)))
    packed = [gzip.compress(file, mtime=0) for file in (images, labels)]
    seeds.add("fuzz_idx", "packed", parts((4, packed[0]), (5, packed[1]), (6, packed[0]), (7, packed[1])))


def archives(seeds):
    folder = os.path.join(FIXTURES, "archives")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".py") and name != "bomb.zst":  # half a second each time
            seeds.add("fuzz_archive", name, read(folder, name))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, target in (("a/b", tarfile.REGTYPE, ""), ("../../out", tarfile.REGTYPE, ""), ("/tmp/out", tarfile.REGTYPE, ""),
                                   ("link", tarfile.SYMTYPE, "/etc"), ("link/x", tarfile.REGTYPE, ""), ("hard", tarfile.LNKTYPE, "a/b"),
                                   ("device", tarfile.CHRTYPE, ""), ("pipe", tarfile.FIFOTYPE, "")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            entry.size = 5 if kind == tarfile.REGTYPE else 0
            tar.addfile(entry, io.BytesIO(b"hello"))
    seeds.add("fuzz_archive", "kinds.tar", out.getvalue())
    seeds.add("fuzz_archive", "zeros.gz", gzip.compress(bytes(1 << 16), mtime=0))


def safetensors(seeds):
    f32 = struct.pack("<4f", 1, 2, 3, 4)
    small = tensors({"a.weight": ("F32", [2, 2], f32), "half": ("F16", [2], b"\0\x3c\0\xbc"), "brain": ("BF16", [], b"\x80\x3f"),
                     "double": ("F64", [1], struct.pack("<d", 2)), "none": ("I64", [0, 3], b""), "u": ("U8", [3], b"abc")},
                    {"format": "pt", "text": "\u00e9\u20ac\U0001f600\""})
    seeds.add("fuzz_safetensors", "small", small)
    seeds.add("fuzz_safetensors", "empty", tensors({}))
    seeds.add("fuzz_safetensors", "zip", b"PK\3\4" + bytes(60))
    # The headers alone: the targets add the data (headers.h).
    for target, path in (("fuzz_checkpoint", ("checkpoints", "gradcam.safetensors")),
                         ("fuzz_run_state", ("runs", "corrected", "state.safetensors"))):
        file = read(FIXTURES, "v0.1", *path)
        header = json.loads(file[8:8 + struct.unpack("<Q", file[:8])[0]])
        if "plan" in header["__metadata__"]:
            header["__metadata__"].update(plan="linear forward n32 in32 out10 = direct", data='{"dataset": "shapes", "classes": ["a"]}')
        text = json.dumps(header, separators=(",", ":")).encode()
        seeds.add(target, "zeros", text)
        seeds.add(target, "ones", text + b"\0" + bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    seeds.add("fuzz_checkpoint", "prefix", text.replace(b"model.", b"module.encoder_q."))


def texts(seeds):
    configs = os.path.join(os.path.dirname(TESTS), "configs")
    for name in sorted(os.listdir(configs)):
        if name.endswith(".ini"):
            seeds.add("fuzz_ini", name, read(configs, name))
    seeds.add("fuzz_ini", "quotes", b"[data]\nroot = \"a;b\"  # comment\n; other\n[train]\nepochs=3\nlr = 1e-4\n")
    seeds.add("fuzz_override", "some", b"train.epochs=3\ndata.mean=0.5,0.5,0.5\nssl.mode=gradcam\nmodel.arch=resnet18\ndata.root=~/x\n"
              b"augment.weak=no\ndevice.select=cpu\nmodel.width=auto\n")
    seeds.add("fuzz_json", "all", b'{"a": [1, -2.5e3, true, false, null, "\\u00e9\\ud83d\\ude00\\n\\"\\\\"], "b": {"c": {}}, "": []}')
    seeds.add("fuzz_csv", "quoted", b'\xef\xbb\xbfpath,label,split\r\n"a ""b"", c.png",cat,train\nd.png,,\n"e\nf.png",dog,test\n')
    seeds.add("fuzz_text", "escapes", "\u00e9</script><!--\u2028\x1b[31m\x07'\"&<>\\\t\r\n\u0085".encode() + b"\xff\xc0\xaf")


def lists(seeds, png):
    one = b"path,label,split\na.png,cat,train\nb.png,dog,train\na.png,cat,test\n"
    seeds.add("fuzz_list", "two", parts((0, one), (1, png), (2, png)))
    seeds.add("fuzz_list", "blank", parts((0, b"label,path\n,./a.png\ndog,b.png\ncat,c/../a.png\n"), (1, png), (2, png)))


def caches(seeds):
    seeds.add("fuzz_timings", "lines", b"\1conv2d forward n32 c3 = tile = 1234567\nconv2d forward n32 c3 = point = 99\n")
    seeds.add("fuzz_timings", "raw", b"\0camcl timings 1\ndevice x | y\n")
    seeds.add("fuzz_kernel_cache", "whole", b"\1" + b"binary" * 4)
    seeds.add("fuzz_kernel_cache", "raw", b"\0camclk1\0" + struct.pack("<QQQ", 3, 4, 5) + b"keybin")
    counts = struct.pack("<IIII", 8, 8, 0, 0) + struct.pack("<IIII", 2, 0, 0, 0)
    seeds.add("fuzz_pixel_cache", "whole", b"3" + counts + b"\0")
    seeds.add("fuzz_pixel_cache", "one-failed", b"2" + struct.pack("<IIII", 8, 8, 1, 0) + counts[16:] + struct.pack("<I", 1) + b": why\0")


def runs(seeds, png):
    run = os.path.join(FIXTURES, "v0.1", "runs", "corrected-whole")
    metrics, result = read(run, "metrics.csv"), read(run, "result.json")
    config = read(FIXTURES, "v0.1", "runs", "corrected", "config.ini")
    confusion = b'true\\predicted,cat,"a ""b"", c"\ncat,3,1\n"a ""b"", c",0,4\n'
    index = json.dumps({"images": [{"file": "00012", "index": 12, "why": "mistake", "class": "cat", "predicted": "dog", "confidence": 0.75,
                                    "explained": "dog", "distance": 0.01, "pictures": ["image", "overlay"]}]}).encode()
    pseudo = (b"step,epoch,class,seen,confident,known,right\n80,1,beetle,2560,12,12,11\n80,1,fern,2560,3.5,3.5,0\n"
              b"160,2,beetle,2560,40,40,39\n160,2,fern,2560,0,0,0\n")
    detailed = json.dumps({
        "best": {"epoch": 2, "val_top1": 61.5}, "test": {"n": 8, "loss": 1.25, "top1": 75, "top3": None, "top5": None, "ece": 12.5},
        "interval": {"top1": [40.9, 92.9]}, "seconds": 3.5, "device": "a device", "mode": "gradcam", "arch": "resnet18", "labeled": 20,
        "unlabeled": 80,
        "classes": [{"class": name, "n": 4, "predicted": 4, "right": 3, "precision": 75, "recall": 75} for name in ("beetle", "fern")],
        "reliability": [{"from": b / 0.15, "to": (b + 1) / 0.15, "n": b % 2, "confidence": b / 0.15 if b % 2 else None,
                         "accuracy": 100 if b % 2 else None} for b in range(15)]}).encode()
    seeds.add("fuzz_metrics", "first", parts((0, metrics)))
    seeds.add("fuzz_metrics", "result", parts((1, result)))
    seeds.add("fuzz_metrics", "confusion", parts((2, confusion)))
    seeds.add("fuzz_report", "whole", parts((0, metrics), (1, result), (2, confusion), (3, config), (4, index), (5, png), (6, png)))
    seeds.add("fuzz_report", "detailed", parts((0, metrics), (1, detailed), (3, config), (4, index), (5, png), (6, png), (7, pseudo)))
    seeds.add("fuzz_report", "damaged", parts((0, metrics[:-3]), (1, b"{"), (3, b"[data]\nroot = </script>\n"), (4, b"[]"), (5, b"x")))
    seeds.add("fuzz_splits", "four", read(FIXTURES, "v0.1", "runs", "corrected", "splits.json"))
    seeds.add("fuzz_splits", "test", b'{"labeled": [0, 1], "unlabeled": [2], "validation": [3],\n "test": [4, 5]}\n')


def main():
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    seeds = Seeds(sys.argv[1])
    png = pictures(seeds)
    for make in (pickles, published, archives, safetensors, texts, caches):
        make(seeds)
    lists(seeds, png)
    runs(seeds, png)


main()
