"""The expression teacher: face-api's FaceExpressionNet (MIT), read from its own weight files.

It comes in the registry package `@vladmandic/face-api` (`npm pack @vladmandic/face-api@1.7.15`,
then unpack): this module reads model/face_expression_model.bin and its manifest and rebuilds the
network that src/faceFeatureExtractor and src/faceExpressionNet describe. On photographs it is often
wrong, so it teaches what such a network sees, not the truth.
"""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from caer_ros.core import CAER7, InputError

WEIGHTS_SHA256 = "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d"
_NAMES = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
_AS_CAER7 = ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
_ORDER = [_NAMES.index(name) for name in _AS_CAER7]
_SIZE = 112
_MEAN = (122.782, 117.001, 104.298)
_BATCH = 64
# Shares of the crop's side. Of 1,400 rendered faces it knows 60 % so, 57 % where one view is the
# whole crop and two are near it.
_MIDDLES = (0.9, 0.81, 0.73)
_REMEDY = "Get it with `npm pack @vladmandic/face-api@1.7.15` and name the unpacked package folder."
assert len(_ORDER) == len(CAER7)


class _Separable(nn.Module):
    """3x3 depthwise, then 1x1 with bias; "same" padding as TensorFlow does it."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(_pad_same(x, self.stride)))


def _pad_same(x: Tensor, stride: int) -> Tensor:
    # On an even side a stride of 2 needs one pixel in all, and TensorFlow puts it last.
    return functional.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))


class _DenseBlock(nn.Module):
    """Four convolutions, each reading the sum of all before it; the first halves the picture."""

    def __init__(self, inputs: int, outputs: int, plain_first: bool) -> None:
        super().__init__()
        self.plain = nn.Conv2d(inputs, outputs, 3, 2) if plain_first else None
        first = [] if plain_first else [_Separable(inputs, outputs, stride=2)]
        self.convs = nn.ModuleList(first + [_Separable(outputs, outputs) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        convs = list(self.convs)
        first = convs.pop(0)(x) if self.plain is None else self.plain(_pad_same(x, 2))
        total = out = torch.relu(first)
        for conv in convs:
            total = total + conv(out)
            out = torch.relu(total)
        return out


class Teacher(nn.Module):
    """uint8 or float RGB crops [N, H, W, 3] in 0..255 -> logits float32 [N, 7] in CAER7 order."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 256)
        self.blocks = nn.ModuleList(
            _DenseBlock(a, b, plain_first=a == 3) for a, b in pairwise(widths)
        )
        self.classifier = nn.Linear(256, len(_NAMES))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)

    @torch.no_grad()
    def features(self, crops: Tensor) -> Tensor:
        """What the classifier reads: float32 [N, 256], >= 0."""
        x = crops.permute(0, 3, 1, 2).float()
        x = functional.interpolate(x, size=(_SIZE, _SIZE), mode="bilinear", align_corners=False)
        x = (x - self.mean) / 255
        for block in self.blocks:
            x = block(x)
        return x.mean(dim=(2, 3)).float()

    def forward(self, crops: Tensor) -> Tensor:
        return self.classify(self.features(crops))

    @torch.no_grad()
    def classify(self, features: Tensor) -> Tensor:
        """Features [N, 256] -> logits float32 [N, 7] in CAER7 order."""
        return self.classifier(features)[:, _ORDER].float()


def ask_teacher(teacher: Teacher, crops: np.ndarray) -> Tensor:
    """The teacher's logits float32 [N, 7] (CAER7 order) from `steady_features` of crops."""
    return teacher.classify(steady_features(teacher, crops))


@torch.no_grad()
def steady_features(teacher: Teacher, crops: np.ndarray) -> Tensor:
    """The teacher's features float32 [N, 256] for crops uint8 RGB [N, S, S, 3].

    The mean over the crop's middle at three sizes, one of them mirrored: the teacher was trained on
    tighter cuts and wavers by several tenths when a crop moves by a few pixels.
    """
    wide, mid, tight = (round(crops.shape[1] * (1 - share) / 2) for share in _MIDDLES)
    answers = []
    for whole in torch.from_numpy(crops).split(_BATCH):
        views = (_middle(whole, wide), _middle(whole, mid).flip(2), _middle(whole, tight))
        answers.append(torch.stack([teacher.features(view) for view in views]).mean(dim=0))
    return torch.cat(answers)


def _middle(crops: Tensor, trim: int) -> Tensor:
    side = crops.shape[1]
    return crops[:, trim : side - trim, trim : side - trim]


def load_teacher(package: Path) -> Teacher:
    """The teacher from an unpacked `@vladmandic/face-api` package folder, in evaluation mode.

    Raises:
        InputError: the files are missing or are not the pinned ones.
    """
    blob_path = package / "model" / "face_expression_model.bin"
    manifest_path = package / "model" / "face_expression_model-weights_manifest.json"
    if not blob_path.is_file() or not manifest_path.is_file():
        raise InputError(f"No teacher in {package}: {blob_path.name} is missing.", _REMEDY)
    blob = blob_path.read_bytes()
    if hashlib.sha256(blob).hexdigest() != WEIGHTS_SHA256:
        raise InputError(f"{blob_path} is not the pinned version.", _REMEDY)
    manifest = json.loads(manifest_path.read_text())
    arrays = _unpack(blob, [entry for group in manifest for entry in group["weights"]])
    teacher = Teacher()
    _fill(teacher, arrays)
    # Half the time on CPUs: the pictures come with channels last anyway.
    teacher.to(memory_format=torch.channels_last)
    return teacher.eval().requires_grad_(False)


def _unpack(blob: bytes, entries: list[dict]) -> dict[str, np.ndarray]:
    """TensorFlow.js weights: float32, or uint8 with value = q * scale + min."""
    arrays, offset = {}, 0
    for entry in entries:
        quantization = entry.get("quantization")
        dtype = np.dtype(quantization["dtype"] if quantization else entry["dtype"])
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(blob, dtype, count, offset).reshape(entry["shape"])
        offset += count * dtype.itemsize
        if quantization:
            array = array * np.float32(quantization["scale"]) + np.float32(quantization["min"])
        arrays[entry["name"]] = array.astype(np.float32)
    if offset != len(blob):
        raise InputError(f"The manifest describes {offset} of {len(blob)} bytes.", _REMEDY)
    return arrays


def _fill(teacher: Teacher, arrays: dict[str, np.ndarray]) -> None:
    def put(parameter: Tensor, name: str, *axes: int) -> None:
        parameter.data.copy_(torch.from_numpy(arrays[name].transpose(*axes).copy()))

    for index, block in enumerate(teacher.blocks):
        convs = list(block.convs)
        if block.plain is not None:
            put(block.plain.weight, f"dense{index}/conv0/filters", 3, 2, 0, 1)
            put(block.plain.bias, f"dense{index}/conv0/bias", 0)
        for place, conv in enumerate(convs, start=4 - len(convs)):
            name = f"dense{index}/conv{place}"
            put(conv.depthwise.weight, f"{name}/depthwise_filter", 2, 3, 0, 1)
            put(conv.pointwise.weight, f"{name}/pointwise_filter", 3, 2, 0, 1)
            put(conv.pointwise.bias, f"{name}/bias", 0)
    put(teacher.classifier.weight, "fc/weights", 1, 0)
    put(teacher.classifier.bias, "fc/bias", 0)
