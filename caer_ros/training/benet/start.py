"""Where the size maps start, and how fast the detection may learn: what few steps need.

Sizes are numbers of up to hundreds of cells, and a centre's logit has to rise by some 5. Adam moves
a weight or bias by about the learning rate a step, whatever the gradient is: at 1e-3 both take
thousands of steps. The published network has them, in 250 epochs of EMOTIC.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.labels import Labels
from caer_ros.networks.benet.benet import BENet
from caer_ros.perception.fit_frame import fit_letterbox
from caer_ros.training.benet.recipe import BenetOptimizer


@torch.no_grad()
def start_sizes(network: BENet, images: Images, size: int) -> None:
    """Let the size maps answer the mean height and width of the people of whole pictures.

    Args:
        network: changed in place; nothing happens where it has no detection head.
        images: the training pictures; none is read.
        size: of the input, in pixels.
    """
    head = network.maps.size
    if head is None:
        return
    sides = []
    for record in images.records:
        boxes = fit_letterbox(record.width, record.height, size).to_input(Labels.of(record).boxes)
        sides.append(boxes[:, [3, 2]] - boxes[:, [1, 0]])
    mean = torch.from_numpy(np.concatenate(sides).mean(axis=0)).float()
    for answer, stride in ((head.quarter_answer, 4), (head.half_answer, 2)):
        _bias(answer[-1]).copy_(mean / stride)


def make_optimizer(network: BENet, choice: BenetOptimizer, rate: float) -> torch.optim.Optimizer:
    """The optimiser that a recipe names.

    Each group's "scale" is what the loop multiplies the learning rate with.
    """
    heads = [head for head in (network.maps.heat, network.maps.size) if head is not None]
    last = [answer[-1] for head in heads for answer in (head.quarter_answer, head.half_answer)]
    fast = {id(parameter) for layer in last for parameter in layer.parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        scale = choice.detection_rate if id(parameter) in fast else 1.0
        # Shrinking a bias or the scale of a normalisation regularises nothing.
        spared = choice.name == "adamw" and parameter.ndim <= 1
        groups.setdefault((scale, 0.0 if spared else choice.weight_decay), []).append(parameter)
    listed = [
        {"params": parameters, "scale": scale, "weight_decay": decay}
        for (scale, decay), parameters in groups.items()
    ]
    kind = torch.optim.AdamW if choice.name == "adamw" else torch.optim.Adam
    return kind(listed, rate)


def _bias(layer: nn.Module) -> torch.Tensor:
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    return layer.bias
