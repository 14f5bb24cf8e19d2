#!/usr/bin/env python3
"""Says which class a picture is of, with a model that camcl export wrote.

usage: classify_with_onnx.py MODEL.onnx PICTURE...    needs onnxruntime, NumPy and Pillow
"""
import json
import sys

import numpy
import onnxruntime
from PIL import Image, ImageOps


def read(path, channels, size, fit):
    """Bytes divided by 255, [C,S,S]: the model normalises them itself. The scaling is camcl's to within a pixel."""
    square, bilinear = (size, size), Image.Resampling.BILINEAR
    picture = ImageOps.exif_transpose(Image.open(path)).convert("L" if channels == 1 else "RGB")
    if fit == "crop":
        picture = ImageOps.fit(picture, square, bilinear)
    elif fit == "pad":
        picture = ImageOps.pad(picture, square, bilinear)
    else:
        picture = picture.resize(square, bilinear)
    return numpy.asarray(picture, numpy.float32).reshape(size, size, channels).transpose(2, 0, 1) / 255


if len(sys.argv) < 3:
    sys.exit(__doc__)
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
about = session.get_modelmeta().custom_metadata_map
names = json.loads(about["class_names"])
channels, size = session.get_inputs()[0].shape[1:3]
images = numpy.stack([read(path, channels, size, about.get("fit", "stretch")) for path in sys.argv[2:]])
logits, = session.run(["logits"], {"images": images})
for path, row in zip(sys.argv[2:], logits):
    odds = numpy.exp(row - row.max())
    print(f"{path}: {names[row.argmax()]} ({100 * odds.max() / odds.sum():.1f} %)")
