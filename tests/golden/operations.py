"""RandAugment's operations as Pillow has them."""
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps


def affine(*data):
    return lambda image: image.transform(image.size, Image.AFFINE, data)


# name: (least and greatest magnitude, what Pillow does with it)
OPERATIONS = {
    "autocontrast": (0, 0, lambda v: ImageOps.autocontrast),
    "brightness": (0.05, 0.95, lambda v: lambda image: ImageEnhance.Brightness(image).enhance(v)),
    "colour": (0.05, 0.95, lambda v: lambda image: ImageEnhance.Color(image).enhance(v)),
    "contrast": (0.05, 0.95, lambda v: lambda image: ImageEnhance.Contrast(image).enhance(v)),
    "equalize": (0, 0, lambda v: ImageOps.equalize),
    "identity": (0, 0, lambda v: lambda image: image),
    "posterize": (4, 8, lambda v: lambda image: ImageOps.posterize(image, int(v))),
    "rotate": (-30, 30, lambda v: lambda image: image.rotate(v)),
    "sharpness": (0.05, 0.95, lambda v: lambda image: ImageEnhance.Sharpness(image).enhance(v)),
    "shear x": (-0.3, 0.3, lambda v: affine(1, v, 0, 0, 1, 0)),
    "shear y": (-0.3, 0.3, lambda v: affine(1, 0, 0, v, 1, 0)),
    "solarize": (0, 256, lambda v: lambda image: ImageOps.solarize(image, v)),
    "translate x": (-0.3, 0.3, lambda v: lambda image: affine(1, 0, v * image.size[0], 0, 1, 0)(image)),
    "translate y": (-0.3, 0.3, lambda v: lambda image: affine(1, 0, 0, 0, 1, v * image.size[1])(image)),
}


def image_of(picture):
    return Image.fromarray(picture if picture.shape[2] == 3 else picture[:, :, 0])


def cut_out(image, side, y, x):
    """A square of this side around (y,x), clipped, as Pillow draws it: both ends belong to it."""
    image, size = image.copy(), image.size[0]
    corners = (max(0, x - side / 2), max(0, y - side / 2), min(size, x + side / 2), min(size, y + side / 2))
    ImageDraw.Draw(image).rectangle(tuple(int(c) for c in corners), (125, 123, 114) if image.mode == "RGB" else 123)
    return image


def bytes_of(image):
    out = np.asarray(image)
    return out if out.ndim == 3 else out[:, :, None]


def magnitudes(rng, name):
    low, high, _ = OPERATIONS[name]
    if low == high:
        return [0.0]
    between = [float(np.float32(v)) for v in rng.uniform(low, high, 2)]
    return between + ([0.0] if low <= 0 <= high else []) + ([float(low)] if name == "posterize" else [])
