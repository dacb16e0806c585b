"""Start BENet's backbone from weights that others published: HRNet's, of ImageNet or of poses."""

from __future__ import annotations

from pathlib import Path

import torch

from caer_ros.core import InputError
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.published import read_weights


@torch.no_grad()
def load_backbone(network: BENet, path: Path) -> int:
    """Put in whatever fits by name and shape; heads and attention stay as they are.

    BENet's own backbone has other numbers of modules and blocks than the published HRNets, so that
    a part of it always keeps its start.

    Args:
        network: its backbone is changed in place.
        path: a .safetensors file, one of BENet too, or a .pth of tensors only (nothing in it is
            executed).

    Returns:
        how many tensors were put in.

    Raises:
        InputError: the file is missing or unreadable, or hardly anything in it fits.
    """
    read = read_weights(path)
    found = {k.removeprefix("module.").removeprefix("backbone."): v for k, v in read.items()}
    own = network.backbone.state_dict()
    fits = {k: found[k] for k, v in own.items() if k in found and found[k].shape == v.shape}
    trained = [name for name, value in own.items() if value.ndim == 4 and "attention" not in name]
    if sum(name in fits for name in trained) < len(trained) / 2:
        raise InputError(
            f"{path} does not hold the weights of this HRNet: of {len(trained)} convolutions, "
            f"{sum(name in fits for name in trained)} fit.",
            "Give published weights of an HRNet of the same width (HRNet-W32 for width 32).",
        )
    network.backbone.load_state_dict(fits, strict=False)
    return len(fits)
