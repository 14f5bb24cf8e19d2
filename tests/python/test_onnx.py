"""camcl export: ONNX's own checker takes the models, and onnxruntime computes what camcl computes, for each kind of block and
stem; docs/examples/classify_with_onnx.py answers by it.

usage: test_onnx.py CAMCL    exit status 77: no onnx, onnxruntime, NumPy or Pillow here"""
import json
import os
import sys

from support import TOP, Scratch, check, need, read_header, run, with_metadata, write_png

need("numpy", "onnx", "onnxruntime", "PIL")
import numpy
import onnx
import onnxruntime

CAMCL = os.path.abspath(sys.argv[1])
EXAMPLE = TOP + "/docs/examples/classify_with_onnx.py"
CLASSES = ["ant", "bee", "cat", "dog", "elk", "fox", 'gnu "G"', "hen", "ibis", "jay"]
# Narrow networks with weights from PyTorch, whose statistics are not those of a start.
NETWORKS = [("resnet18", 32), ("resnet34_imagenet", 64), ("resnet50_imagenet", 64), ("wrn28-2", 32)]


def draw(folder, size):
    """Two noisy pictures of each class for the test, in the order of the split: [N,H,W,3] bytes."""
    random = numpy.random.default_rng(size)
    pictures = []
    for name in CLASSES:
        for i in range(2):
            low = random.integers(0, 256, 3)
            noise = (low + random.integers(0, 80, (size, size, 3))).clip(0, 255).astype(numpy.uint8)
            write_png(f"{folder}/test/{name}/{i}.png", noise)
            pictures.append(noise)
        write_png(f"{folder}/train/{name}/0.png", pictures[-1])
    return numpy.stack(pictures)


def rounding(name):
    """What PyTorch's own float32 differs by from its float64 for this network: ResNet-50's statistics make it sensitive."""
    path = f"{TOP}/tests/golden/forward_{name}.safetensors"
    kept = read_header(open(path, "rb").read())[0]["__metadata__"] if os.path.exists(path) else {}
    return max(1e-5, float(kept.get("torch32.logits", 0)))


def compare(name, size):
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    text = lambda values: ",".join(map(str, values))
    pictures = draw(f"pictures{size}", size)
    with_metadata(f"{TOP}/tests/golden/{name}_weights.safetensors", "net.safetensors", version="camcl test", class_names=json.dumps(CLASSES),
                  mean=text(mean), std=text(std), image_size=str(size), step="7", dataset="folder", fit="stretch")
    said = run(CAMCL, "export", "net.safetensors", "-o", "net.onnx")
    check(said == "net.onnx\n", f"export said {said!r}")
    run(CAMCL, "eval", "net.safetensors", "data.dataset=folder", f"data.root=pictures{size}", f"data.image_size={size}", "data.labeled=all",
        "data.validation=0", "device.conv=direct", "--logits", "logits.npy")
    model = onnx.load("net.onnx")
    onnx.checker.check_model(model, full_check=True)
    kept = {pair.key: pair.value for pair in model.metadata_props}
    check(json.loads(kept["class_names"]) == CLASSES and kept["dataset"] == "folder" and kept["mean"] == text(mean)
          and kept["std"] == text(std) and kept["image_size"] == str(size) and kept["step"] == "7", f"{name}: metadata {kept}")
    check(model.opset_import[0].version == 13 and model.producer_name == "camcl", f"{name}: opset or producer")
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    (given,), (made,) = session.get_inputs(), session.get_outputs()
    check((given.name, given.shape, given.type) == ("images", ["N", 3, size, size], "tensor(float)"), f"{name}: input {given}")
    check((made.name, made.shape, made.type) == ("logits", ["N", len(CLASSES)], "tensor(float)"), f"{name}: output {made}")
    images = (pictures.transpose(0, 3, 1, 2) / 255).astype(numpy.float32)
    ours = numpy.load("logits.npy")
    theirs = session.run(None, {"images": images})[0]
    error = numpy.linalg.norm(ours - theirs) / numpy.linalg.norm(ours)
    spread = numpy.linalg.norm(ours - ours.mean(0)) / numpy.linalg.norm(ours)
    print(f"{name}: logits differ by {error:.2g} of their size, images by {spread:.2g}")
    check(ours.shape == theirs.shape and error < rounding(name) and spread > 0.1, f"{name}: logits")
    one = session.run(None, {"images": images[3:4]})[0]  # any number of images
    answers = run(sys.executable, EXAMPLE, "net.onnx", *(f"pictures{size}/test/{label}/0.png" for label in CLASSES)).splitlines()
    expected = [f"pictures{size}/test/{label}/0.png: {CLASSES[ours[2 * i].argmax()]} (" for i, label in enumerate(CLASSES)]
    check(all(a.startswith(e) for a, e in zip(answers, expected)) and len(answers) == len(CLASSES), f"{name}: {answers}, not {expected}")
    check(abs(one - theirs[3:4]).max() <= rounding(name) * abs(theirs).max(), f"{name}: one image")


with Scratch():
    for network in NETWORKS:
        compare(*network)
