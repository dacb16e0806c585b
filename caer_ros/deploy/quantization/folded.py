"""A torch network with its batch norm folded, and which of its layers is which of the ONNX file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.layers import Layer

Convolution = nn.Conv2d | nn.ConvTranspose2d
# Of the largest weight: exporter, ONNX Runtime and this file round in different orders.
_NEAR = 1e-4


def fold_batch_norm(network: nn.Module, run: Callable[[], Any]) -> None:
    """Fold every batch norm that follows a convolution into it, in place.

    Args:
        network: in evaluation mode.
        run: runs the network once, on anything: who follows whom is seen, not guessed.
    """
    made: dict[int, tuple[Tensor, Convolution]] = {}
    pairs: list[tuple[Convolution, nn.BatchNorm2d]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, Convolution):
            # The tensor is kept, or its number could be given to another one.
            made[id(output)] = output, module
        elif id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])][1], module))

    wanted = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)
    hooks = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, wanted)]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    for convolution, norm in pairs:
        _fold(convolution, norm)
    folded = {id(norm) for _, norm in pairs}
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if id(child) in folded:
                setattr(parent, name, nn.Identity())


def match_layers(
    network: nn.Module, graph: Graph, layers: Sequence[Layer]
) -> dict[str, Convolution]:
    """The module of each layer: the one with the same weights.

    Args:
        network: folded.

    Raises:
        InputError: a layer's weights are nowhere in the network.
    """
    modules = [m for m in network.modules() if isinstance(m, Convolution)]
    found: dict[str, Convolution] = {}
    for layer in layers:
        module = next((m for m in modules if _same(m, graph, layer)), None)
        if module is None:
            raise InputError(
                f"The checkpoint has no layer with the weights of '{layer.name}'.",
                "Give the checkpoint that the bundle was exported from.",
            )
        modules.remove(module)
        found[layer.name] = module
    return found


@torch.no_grad()
def _fold(convolution: Convolution, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    axis = 0 if isinstance(convolution, nn.Conv2d) else 1
    shape = [1] * convolution.weight.ndim
    shape[axis] = -1
    bias = torch.zeros_like(gain) if convolution.bias is None else convolution.bias
    convolution.weight.mul_(gain.view(shape))
    convolution.bias = nn.Parameter((bias - norm.running_mean) * gain + norm.bias)


def _same(module: Convolution, graph: Graph, layer: Layer) -> bool:
    pairs = [(module.weight, layer.weight)]
    if layer.bias in graph.weights and module.bias is not None:
        pairs.append((module.bias, layer.bias))
    for own, name in pairs:
        a, b = own.detach().numpy(), graph.weights[name]
        if a.shape != b.shape or np.abs(a - b).max() > _NEAR * max(np.abs(b).max(), _NEAR):
            return False
    return True
