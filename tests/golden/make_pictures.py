#!/usr/bin/env python3
"""Writes pictures.safetensors: what Pillow makes of pictures. README.md has its layout. Needs numpy and Pillow.

Usage: make_pictures.py
"""
import io
import json
import os
import struct
import zlib

import numpy as np
from PIL import Image

FOLDER = os.path.dirname(os.path.abspath(__file__))
DRAW = np.random.default_rng(1)


def scene(width, height, channels=3):
    """Soft colours with a rising ramp: most of it survives lossy compression."""
    rough = DRAW.integers(0, 256, (4, 5, channels), dtype=np.uint8)
    planes = [np.asarray(Image.fromarray(rough[:, :, c]).resize((width, height), Image.BICUBIC)) for c in range(channels)]
    ramp = np.linspace(0, 255, width)[None, :, None]
    return (0.5 * np.stack(planes, -1) + 0.5 * ramp + 0.5).astype(np.uint8)


def encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def over_white(rgba):
    rgba = rgba.astype(np.int64)
    alpha = rgba[:, :, 3:]
    return ((rgba[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def read(data):
    image = Image.open(io.BytesIO(data))
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        return over_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def segments(jpeg):
    """[marker, bytes with the marker]: for a scan, with its entropy-coded data. Without SOI and EOI."""
    out, at = [], 2
    while jpeg[at + 1] != 0xD9:
        end = at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if jpeg[at + 1] == 0xDA:
            while jpeg[end] != 0xFF or jpeg[end + 1] == 0:
                end += 1
        out.append((jpeg[at + 1], jpeg[at:end]))
        at = end
    return out


def one_scan_per_colour(image):
    """A baseline JPEG whose colours follow each other, put together from three grey ones."""
    parts = [segments(encoded(plane, "JPEG", quality=85)) for plane in image.convert("YCbCr").split()]
    out, frame = b"\xff\xd8", dict(parts[0])[0xC0]
    for marker, data in parts[0]:
        if marker in (0xE0, 0xDB, 0xC4):
            out += data
    components = b"".join(bytes([i + 1, 0x11, 0]) for i in range(3))
    out += b"\xff\xc0" + struct.pack(">H", 17) + frame[4:9] + b"\x03" + components
    for i, part in enumerate(parts):
        scan = dict(part)[0xDA]
        out += scan[:5] + bytes([i + 1]) + scan[6:]
    return out + b"\xff\xd9"


def as_ycck(jpeg):
    """Adobe's marker says whether the four colours are CMYK (0) or YCCK (2)."""
    at = jpeg.index(b"Adobe") + 11
    assert jpeg[at] == 0
    return jpeg[:at] + b"\2" + jpeg[at + 1:]


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def three_bytes(value):
    return struct.pack("<I", value)[:3]


def first_frame_in_a_corner(frame):
    """An animation on a canvas of 23 x 17, whose first frame covers a part from (4, 6) on."""
    picture = encoded(frame, "WEBP", lossless=True)[12:]
    if picture[:4] == b"VP8X":
        picture = picture[18:]
    size = three_bytes(frame.width - 1) + three_bytes(frame.height - 1)
    body = b"WEBP" + chunk(b"VP8X", b"\x12\0\0\0" + three_bytes(22) + three_bytes(16)) + chunk(b"ANIM", bytes(6))
    body += chunk(b"ANMF", three_bytes(4 // 2) + three_bytes(6 // 2) + size + three_bytes(100) + b"\0" + picture)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def files():
    color, grey, inks = Image.fromarray(scene(23, 17)), Image.fromarray(scene(23, 17, 1)[:, :, 0]), Image.fromarray(scene(23, 17, 4), "CMYK")
    clear = Image.fromarray(scene(23, 17, 4), "RGBA")
    indexed = color.quantize(7)
    cmyk = encoded(inks, "JPEG", quality=85)
    animation = [Image.fromarray(scene(23, 17)) for _ in range(2)]
    return {
        "420.jpg": encoded(color, "JPEG", quality=85, subsampling=2),
        "422.jpg": encoded(color, "JPEG", quality=85, subsampling=1),
        "444.jpg": encoded(color, "JPEG", quality=85, subsampling=0),
        "progressive.jpg": encoded(color, "JPEG", quality=85, progressive=True),
        "restarts.jpg": encoded(color, "JPEG", quality=85, restart_marker_blocks=1),
        "rgb.jpg": encoded(color, "JPEG", quality=85, keep_rgb=True),
        "separate.jpg": one_scan_per_colour(color),
        "grey.jpg": encoded(grey, "JPEG", quality=85),
        "cmyk.jpg": cmyk,
        "ycck.jpg": as_ycck(cmyk),
        "large.jpg": encoded(Image.fromarray(scene(203, 131)), "JPEG", quality=90),
        "rgb.png": encoded(color, "PNG"),
        "grey.png": encoded(grey, "PNG"),
        "bilevel.png": encoded(grey.convert("1"), "PNG"),
        "grey_alpha.png": encoded(clear.convert("LA"), "PNG"),
        "rgba.png": encoded(clear, "PNG"),
        "palette.png": encoded(indexed, "PNG"),
        "palette_alpha.png": encoded(indexed, "PNG", transparency=bytes([255, 0, 128])),
        "lossy.webp": encoded(color, "WEBP", quality=80),
        "lossless.webp": encoded(color, "WEBP", lossless=True),
        "lossy_alpha.webp": encoded(clear, "WEBP", quality=80),
        "lossless_alpha.webp": encoded(clear, "WEBP", lossless=True),
        "animated_lossless.webp": encoded(animation[0], "WEBP", save_all=True, append_images=animation[1:], duration=100, lossless=True),
        "animated_part_lossless.webp": first_frame_in_a_corner(Image.fromarray(scene(8, 7, 4), "RGBA")),
    }


def scalings():
    for i, (width, height, to_width, to_height) in enumerate([(37, 23, 16, 16), (16, 16, 37, 23), (64, 9, 7, 30), (9, 64, 30, 7), (1, 40, 5, 3),
                                                              (40, 1, 3, 5), (60, 45, 17, 17), (20, 20, 1, 1), (1, 1, 4, 4), (12, 12, 12, 12)]):
        channels = 3 if i % 2 == 0 else 1
        image = DRAW.integers(0, 256, (height, width, channels), dtype=np.uint8)
        if i == 2:
            image = np.where(image < 128, 0, 255).astype(np.uint8)
        plain = Image.fromarray(image if channels == 3 else image[:, :, 0])
        yield image, np.asarray(plain.resize((to_width, to_height), Image.BILINEAR)).reshape(to_height, to_width, channels)


def main():
    tensors = {}
    for name, data in files().items():
        tensors["file." + name] = np.frombuffer(data, np.uint8)
        if name != "large.jpg":
            tensors["rgb." + name] = read(data)
    tensors["chunk.zTXt"] = np.frombuffer(b"Comment\0\0" + zlib.compress(b" " * (4 << 20), 9), np.uint8)
    for i, (image, scaled) in enumerate(scalings()):
        tensors[f"scale{i}.from"], tensors[f"scale{i}.to"] = image, scaled
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "U8", "shape": list(value.shape), "data_offsets": [offset, offset + value.size]}
        offset += value.size
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(os.path.join(FOLDER, "pictures.safetensors"), "wb") as out:
        out.write(struct.pack("<Q", len(head)) + head + b"".join(value.tobytes() for value in tensors.values()))


main()
