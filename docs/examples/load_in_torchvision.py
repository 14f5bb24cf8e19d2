#!/usr/bin/env python3
"""Loads a checkpoint of camcl into PyTorch, strictly, and says which class a picture is of.

usage: load_in_torchvision.py CHECKPOINT.safetensors PICTURE...    needs torch, torchvision, safetensors and Pillow
"""
import json
import sys

import numpy
import torch
import torchvision
from PIL import Image, ImageOps
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import leaky_relu


def resnet(about):
    """torchvision's ResNet, its first stage `width` channels wide instead of 64, with the stem for small or for large images."""
    width, cifar = int(about["width"]), about["stem"] == "cifar"
    make_stage = torchvision.models.ResNet._make_layer

    class ResNet(torchvision.models.ResNet):
        def _make_layer(self, block, planes, *rest, **more):
            if planes == 64:
                self.inplanes = width
            return make_stage(self, block, planes * width // 64, *rest, **more)

    bottleneck = about["arch"] == "resnet50"
    block = torchvision.models.resnet.Bottleneck if bottleneck else torchvision.models.resnet.BasicBlock
    model = ResNet(block, [2, 2, 2, 2] if about["arch"] == "resnet18" else [3, 4, 6, 3])
    model.conv1 = nn.Conv2d(int(about["channels"]), width, *((3, 1, 1) if cifar else (7, 2, 3)), bias=False)
    model.bn1 = nn.BatchNorm2d(width)
    if cifar:
        model.maxpool = nn.Identity()
    model.fc = nn.Linear(8 * width * block.expansion, int(about["classes"]))
    return model


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs or stride > 1 else None

    def forward(self, x):
        h = leaky_relu(self.bn1(x), 0.1)
        y = self.conv2(leaky_relu(self.bn2(self.conv1(h)), 0.1))
        return y + (self.shortcut(h) if self.shortcut else x)


class WideResNet(nn.Module):
    """WRN-28, which torchvision does not have."""

    def __init__(self, about):
        super().__init__()
        width = int(about["width"])
        self.conv1 = nn.Conv2d(int(about["channels"]), 16, 3, 1, 1, bias=False)
        stage = lambda i, o, stride: nn.Sequential(WideBlock(i, o, stride), *[WideBlock(o, o, 1) for _ in range(3)])
        self.layer1, self.layer2, self.layer3 = stage(16, width, 1), stage(width, 2 * width, 2), stage(2 * width, 4 * width, 2)
        self.bn, self.fc = nn.BatchNorm2d(4 * width), nn.Linear(4 * width, int(about["classes"]))

    def forward(self, x):
        x = leaky_relu(self.bn(self.layer3(self.layer2(self.layer1(self.conv1(x))))), 0.1)
        return self.fc(x.mean((2, 3)))


def load(checkpoint):
    """The model in evaluation mode, and what the checkpoint says of it."""
    with safe_open(checkpoint, "pt") as file:
        about = file.metadata()
    model = resnet(about) if about["arch"].startswith("resnet") else WideResNet(about)
    model.load_state_dict(load_file(checkpoint), strict=True)
    return model.eval(), about


def read(path, about):
    """A picture as the network's input [1,C,S,S]: upright, in its channels, made square as the checkpoint says, normalised."""
    size, fit, channels = int(about["image_size"]), about.get("fit", "stretch"), int(about["channels"])
    picture = ImageOps.exif_transpose(Image.open(path)).convert("L" if channels == 1 else "RGB")
    if fit == "stretch":
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    else:
        scale = size / (min if fit == "crop" else max)(picture.size)
        width, height = (max(1, int(side * scale + 0.5)) for side in picture.size)
        left, top = ((width - size) // 2, (height - size) // 2) if fit == "crop" else (-((size - width) // 2), -((size - height) // 2))
        picture = picture.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
    pixels = torch.from_numpy(numpy.array(picture)).reshape(size, size, channels).permute(2, 0, 1) / 255
    column = lambda key: torch.tensor([float(value) for value in about[key].split(",")])[:, None, None]
    return ((pixels - column("mean")) / column("std"))[None]


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    network, card = load(sys.argv[1])
    names = json.loads(card["class_names"])
    for name in sys.argv[2:]:
        with torch.no_grad():
            probabilities = network(read(name, card)).softmax(1)[0]
        best = int(probabilities.argmax())
        print(f"{name}: {names[best]} ({100 * probabilities[best]:.1f} %)")
