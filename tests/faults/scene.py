"""What the scripts of tests/faults share: a small scene of pictures and finished runs, commands to break in copies of it, and comparing what
they leave with what they should."""
import csv
import hashlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import zlib

CONFIG = """[device]
cache_dir = cache
[data]
dataset = folder
root = {root}/pictures
labeled = 12
balanced = yes
validation = 6
image_size = 16
[model]
width = 4
[ssl]
threshold = 0.2
threshold_end = 0.3
[optim]
schedule = constant
[train]
epochs = 2
epoch_steps = 2
batch_labeled = 4
batch_unlabeled = 4
"""
PATIENCE = 300  # seconds; nothing takes longer than that, but for compiling on a busy machine
KEPT = "old"  # the folder in which copies of the products of earlier commands lie


def write_png(path, side, pixel):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(v % 256 for x in range(side) for v in pixel(x, y)) for y in range(side))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def draw_pictures(folder):
    dice = random.Random(1)
    for part, classes, count in (("train", 3, 7), ("test", 3, 1), ("unlabeled", 0, 6)):
        for c in range(max(classes, 1)):
            place = folder / part / (f"class{c}" if classes else "")
            place.mkdir(parents=True)
            for i in range(count):
                a, b, tone = (c + i) % 3 if not classes else c, dice.randrange(256), dice.randrange(256)
                write_png(place / f"{i}.png", 16, lambda x, y: (b + 9 * a * x, tone + 7 * a * y, b))


class Outcome:
    """What one command left: exit status (negative: the signal), both outputs, and the files of tests/faults/inject.h."""

    def __init__(self, status, out, err, reports):
        self.status, self.out, self.err = status, out, err
        self.places, self.held, self.failed, self.calls = [], [], [], []
        self.whole = False
        for path in sorted(reports.iterdir()) if reports else []:
            lines = path.read_text().splitlines()
            if path.suffix == ".calls":
                self.calls.append(lines)
                continue
            self.whole = self.whole or (bool(lines) and lines[-1] == "end")
            for line in lines:
                words = line.split()
                if words[0] in ("place", "held", "failed"):
                    getattr(self, {"place": "places", "held": "held", "failed": "failed"}[words[0]]).append(Place(words))


class Place:
    def __init__(self, words):
        self.number, self.kind, self.function, self.held, self.count = words[1], words[2], words[3], words[4], int(words[5])
        self.frames = tuple(frame for frame in words[6:] if frame != "0")


class Program:
    """camcl_faults, and names for its places."""

    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())
        self.names = {}

    def run(self, folder, arguments, faults=None, limit=None, patience=PATIENCE):
        reports = folder / "reports"
        shutil.rmtree(reports, ignore_errors=True)
        reports.mkdir()
        environment = dict(os.environ, FAULTS_FOLDER=str(reports), **(faults or {}))
        process = subprocess.Popen([self.path] + arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="replace", env=environment, preexec_fn=limit)
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += "\n(hangs)"
        outcome = Outcome(process.returncode, out, err, reports)
        shutil.rmtree(reports, ignore_errors=True)
        return outcome

    def must(self, folder, *arguments):
        outcome = self.run(folder, list(arguments), patience=10 * PATIENCE)
        if outcome.status != 0:
            raise SystemExit(f"camcl {' '.join(arguments)}: exit status {outcome.status}\n{outcome.err}")
        return outcome

    def resolve(self, places):
        missing = sorted({frame for place in places for frame in place.frames if frame not in self.names})
        if missing:
            text = subprocess.run(["addr2line", "-f", "-s", "-e", self.path] + [hex(int(f, 16) - 1) for f in missing],
                                  capture_output=True, text=True).stdout.splitlines()
            for i, frame in enumerate(missing):
                line = text[2 * i + 1].split(" ")[0]
                self.names[frame] = text[2 * i] + ("" if line.startswith("?") else f" ({line})")

    def describe(self, place):
        """malloc < cc_text_add (text.c:20) < cc_run_say (say.c:30): lines where the program has debugging information."""
        self.resolve([place])
        return " < ".join([place.function] + [self.names[frame] for frame in place.frames])

    def name(self, place):
        """The same without lines, so that it stays when other code changes."""
        self.resolve([place])
        return " < ".join([place.function] + [self.names[frame].split(" ")[0] for frame in place.frames])


# ---- what a folder holds, but for times and for where it lies

def tensors(path, text):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    metadata = {k: text(v) for k, v in header.pop("__metadata__", {}).items() if k != "config"}
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(header):
        begin, end = header[name]["data_offsets"]
        data = raw[8 + size + begin:8 + size + end]
        if name == "numbers":
            data = data[:8]  # the second is the training's time
        if name == "interval":
            data = b""  # its sums of times; the others are in metrics.csv
        digest.update(f"{name} {header[name]['dtype']} {header[name]['shape']}\n".encode() + data)
    return digest.hexdigest()


def content(path, text):
    """Something that is equal for equal files."""
    name = path.name
    if name in ("train.log", "report.html", "page.html"):
        return "there"
    if name.endswith(".safetensors"):
        return tensors(path, text)
    if name == "metrics.csv":
        rows = csv.DictReader(io.StringIO(path.read_text()))
        return json.dumps([{k: v for k, v in row.items() if k not in ("images_per_s", "seconds")} for row in rows])
    if name in ("metrics.jsonl", "result.json"):
        return re.sub(r'"(images_per_s|seconds)": [0-9.e+-]+', "", path.read_text())
    if name.endswith((".json", ".ini", ".csv", ".html", ".txt")):
        return text(path.read_text())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def normal(folder):
    """A function that takes times, and the folder's name, out of a text."""
    def text(value):
        return re.sub(r"took [0-9.]+ s", "", value.replace(str(folder), "HERE"))

    return text


def snapshot(folder, names):
    """{path: content} of these files and folders of a scene."""
    text, found = normal(folder), {}
    for name in names:
        top = folder / name
        for path in [top] if not top.is_dir() else sorted(top.rglob("*")):
            if path.is_file():
                try:
                    found[str(path.relative_to(folder))] = content(path, text)
                except (ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
                    found[str(path.relative_to(folder))] = f"damaged: {error}"
    return found


def differences(expected, found):
    lines = [f"{name} is missing" for name in expected if name not in found]
    lines += [f"{name} is there" for name in found if name not in expected]
    lines += [f"{name} differs" for name in found if name in expected and found[name] != expected[name]]
    return lines


# ---- the scene

class Scene:
    """A folder with pictures, and beside it `base`: a configuration, warm caches, a run of one epoch (half), a finished one (done), and what
    earlier commands made of it. Commands run in copies of `base`."""

    def __init__(self, program, top):
        self.program, self.top = program, pathlib.Path(top).resolve()
        self.base = self.top / "base"
        os.environ["POCL_CACHE_DIR"] = str(self.top / "pocl")
        os.environ.pop("CAMCL_DEVICE", None) if not os.environ.get("CAMCL_DEVICE") else None
        if (self.base / "complete").exists():
            return
        shutil.rmtree(self.top, ignore_errors=True)
        (self.top / "pocl").mkdir(parents=True)
        self.base.mkdir()
        draw_pictures(self.top / "pictures")
        (self.base / "small.ini").write_text(CONFIG.format(root=self.top))
        must = lambda *arguments: program.must(self.base, *arguments)
        must("train", "small.ini", "output.dir=done", "--quiet")
        must("train", "small.ini", "output.dir=half", "train.epochs=1", "--quiet")
        # Products of the same commands with other options, so that an old file and a new one differ.
        test = f"{self.top}/pictures/test"
        must("eval", "done/last.safetensors", "--split", "train", "--logits", "logits.npy")
        must("predict", "done/best.safetensors", f"{test}/class0", "--pseudo", "pseudo.csv", "ssl.threshold=0.1")
        must("cam", "done/best.safetensors", test, "--layer", "2", "-o", "maps", "--npy")
        must("report", "half", "-o", "page.html")
        must("export", "done/best.safetensors", "-o", "model.onnx")
        must("data", "inspect", "small.ini", "data.labeled=6", "-o", "sheet.png")
        for command in COMMANDS.values():  # the first start of each compiles kernels
            self.copy("warm")
            command.prepare(self.top / "warm")
            if command.caches:
                program.must(self.top / "warm", *command.arguments(self))
                shutil.rmtree(self.base / "cache")
                shutil.copytree(self.top / "warm" / "cache", self.base / "cache")
        (self.base / "complete").write_text("")

    def copy(self, name):
        folder = self.top / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.base, folder)
        return folder


class Command:
    """products: files and folders that it writes. once: as text, what must be the same of its stdout."""

    def __init__(self, arguments, products, stdout=False, run=False, start=None, caches=True):
        self.words, self.products, self.stdout, self.run, self.start, self.caches = arguments, products, stdout, run, start, caches

    def arguments(self, scene):
        return [word.replace("PICTURES", f"{scene.top}/pictures") for word in self.words.split()]

    def prepare(self, folder):
        if self.start == "half":
            shutil.copytree(folder / "half", folder / "run")
        if self.start == "cold":
            shutil.rmtree(folder / "cache")


COMMANDS = {
    "train": Command("train small.ini output.dir=run", ["run"], run=True),
    "resume": Command("train small.ini output.dir=run --resume", ["run"], run=True, start="half"),
    "eval": Command("eval done/best.safetensors --json --logits logits.npy", ["logits.npy"], stdout=True),
    "predict": Command("predict done/best.safetensors PICTURES/test --json --pseudo pseudo.csv ssl.threshold=0.2", ["pseudo.csv"],
                       stdout=True),
    "cam": Command("cam done/best.safetensors PICTURES/test -o maps --npy", ["maps"], stdout=True),
    "report": Command("report done half -o page.html", ["page.html"]),
    "export": Command("export done/best.safetensors -o model.onnx", ["model.onnx"]),
    "inspect": Command("data inspect small.ini -o sheet.png --json", ["sheet.png"], stdout=True),
    "train-cold": Command("train small.ini output.dir=run", ["run"], run=True, start="cold", caches=False),
    "tune": Command("tune model.width=4 data.image_size=16 train.batch_labeled=4 train.batch_unlabeled=4 device.cache_dir=cache "
                    "device.conv=gemm ssl.mode=supervised", [], caches=False),
}
