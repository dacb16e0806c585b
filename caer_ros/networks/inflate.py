"""From a trained CAER-Net-S to a CAER-Net to start from: 2D kernels inflated into 3D ones."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal

import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.networks.blocks import FEATURES, AdaptiveFusion
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import CaerNetConfig, check_choice
from caer_ros.networks.caer_net_s import CaerNetS

Kernel = Literal["central", "average"]
_TAPS = 3
# Nothing that was learnt depends on these.
_FREE = ("dropout",)
_SAME = "Give both networks the same switches, below 'network:' in the recipes."


def inflate(static: CaerNetS, kernel: Kernel = "central") -> CaerNet:
    """A CAER-Net with the switches and weights of `static`, in `static`'s mode, for fine-tuning.

    - "central" puts each 2D kernel into the middle of three time steps and zeros round it. The
      network then sees frames one by one: on a clip of one frame repeated, each time step of its
      features is what `static` makes of that frame, and the logits are the same. Training grows
      the outer steps, whose gradients are not zero.
    - "average" is I3D's way (Carreira and Zisserman 2017, section 2.4): a third of the kernel in
      every step. On such a clip a convolution answers alike only away from the clip's two ends;
      at them the zeros of the padding take a third away. Of 16 frames, no time step of the last
      features is free of that: hence the default.

    Static contexts have 224 pixels a side and clips 112; the weights fit both. See `inflate_into`
    for what else the size changes.

    Raises:
        InputError: `kernel` is neither.
    """
    dynamic = CaerNet(static.config)
    inflate_into(dynamic, static, kernel=kernel)
    return dynamic.train(static.training)


def inflate_into(
    dynamic: CaerNet,
    static: CaerNetS,
    cells: float = 1.0,
    kernel: Kernel = "central",
) -> None:
    """Put the weights and batch statistics of `static` into `dynamic`, tensor by tensor.

    Args:
        dynamic: changed in place; its dropout may differ.
        cells: cells of a static context over cells of a clip's: 4 for contexts of 224 and 112.
            With `pooling: mean` the context's vector is a sum over cells divided by their number,
            so that fewer cells make it as much longer: what reads it is made as much smaller.
            With "sum" nothing depends on the number of cells.
        kernel: see `inflate`.

    Raises:
        InputError: `kernel` is neither, the two networks' switches differ in what was learnt, or a
            tensor has no counterpart of its shape.
    """
    check_choice("kernel", kernel, ("central", "average"))
    check_same_form(dynamic.config, static.config)
    given, wanted = static.state_dict(), dynamic.state_dict()
    lonely = sorted(given.keys() ^ wanted.keys())
    if lonely:
        raise InputError(f"{lonely[0]} is in one of the two networks only.", _SAME)
    state = {
        name: _fitted(name, tensor, wanted[name].shape, kernel) for name, tensor in given.items()
    }
    dynamic.load_state_dict(state)
    config = static.config
    if config.reads_context and config.context_attention and config.pooling == "mean":
        _shrink_context(dynamic.fusion, cells)


def check_same_form(network: CaerNetConfig, start: CaerNetConfig) -> None:
    """Raises InputError where two networks differ in a switch that learnt weights depend on."""
    for field in fields(CaerNetConfig):
        mine, theirs = getattr(network, field.name), getattr(start, field.name)
        if field.name not in _FREE and mine != theirs:
            raise InputError(
                f"The network has {field.name} {mine}, and the one to start from {theirs}.", _SAME
            )


def _fitted(name: str, tensor: Tensor, wanted: torch.Size, kernel: Kernel) -> Tensor:
    """The tensor in the shape [O, I, 3, 3, 3] that a convolution of clips wants, or as it is."""
    if tensor.ndim == 4 and len(wanted) == 5:
        tensor = _inflated(tensor, kernel)
    if tensor.shape != wanted:
        shapes = f"{list(tensor.shape)} there and {list(wanted)} here"
        raise InputError(f"{name} has the shape {shapes}.", _SAME)
    return tensor


def _inflated(weight: Tensor, kernel: Kernel) -> Tensor:
    """[O, I, 3, 3] -> [O, I, 3, 3, 3]; the sum over time is the 2D kernel in both forms."""
    if kernel == "average":
        return (weight / _TAPS).unsqueeze(2).repeat(1, 1, _TAPS, 1, 1)
    nothing = torch.zeros_like(weight)
    return torch.stack([nothing, weight, nothing], dim=2)


@torch.no_grad()
def _shrink_context(fusion: nn.Module, cells: float) -> None:
    """Divide by `cells` what the fusion's first layers multiply the context's vector with."""
    readers = [layer.weight for layer in fusion.classifier if isinstance(layer, nn.Linear)][:1]
    if isinstance(fusion, AdaptiveFusion):
        readers.append(fusion.context_gate[0].weight)
    for weight in readers:
        # The context's vector comes last wherever there are two.
        weight[:, -FEATURES:] /= cells
