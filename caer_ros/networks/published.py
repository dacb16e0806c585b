"""Start a baseline from weights that others published: ImageNet's from torchvision, C3D's."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from caer_ros.core import InputError
from caer_ros.networks.baseline import Baseline
from caer_ros.networks.caer_net_config import check_choice
from caer_ros.networks.inputs import STD

Pixels = Literal["normalised", "bgr255"]
_REMEDY = (
    "Give the .pth file of torchvision's alexnet, vgg16 or resnet50, or a PyTorch conversion of "
    "C3D's Sports-1M weights with layers conv1 to fc8."
)


def load_extractor(network: Baseline, path: Path, pixels: Pixels = "normalised") -> None:
    """Put published weights into a baseline's extractor; their classifier is left out.

    Args:
        network: its extractor is changed in place.
        path: a .safetensors file, or a .pth of tensors only (nothing in it is executed).
        pixels: what the weights were trained on. "normalised" is RGB less mean over standard
            deviation, as torchvision does and as all networks here read. "bgr255" is Caffe's BGR of
            0..255 less a mean (C3D's): scale and order are worked into the first convolution, or
            its answers would be some 57 times too small. Caffe's mean is taken to be ImageNet's.

    Raises:
        InputError: the file is missing or unreadable, or holds weights of another network.
    """
    check_choice("pixels", pixels, ("normalised", "bgr255"))
    extractor = network.extractor
    prefixes = extractor.classifier_prefixes
    state = {k: v for k, v in read_weights(path).items() if not k.startswith(prefixes)}
    if pixels == "bgr255":
        first = next(name for name in extractor.state_dict() if name.endswith("weight"))
        if first in state:
            state[first] = _for_normalised_rgb(state[first])
    try:
        extractor.load_state_dict(state)
    except RuntimeError as error:
        line = str(error).splitlines()[1].strip()
        raise InputError(
            f"{path} does not hold the weights of {network.architecture} ({line}).", _REMEDY
        ) from None


def _for_normalised_rgb(weight: Tensor) -> Tensor:
    """A first convolution [O, 3, ...] on BGR 0..255 as one on normalised RGB."""
    scale = 255 * torch.tensor(STD, dtype=weight.dtype)
    return weight.flip(1) * scale.view(1, 3, *[1] * (weight.ndim - 2))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a .pth of tensors only, by name.

    Raises:
        InputError: the file is missing or unreadable.
    """
    if not path.is_file():
        raise InputError(f"Weights {path} do not exist.", _REMEDY)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        line = str(error).splitlines()[0]
        raise InputError(f"{path} is not a file of weights ({line}).", _REMEDY) from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path} is not a mapping from names to tensors.", _REMEDY)
    return state
