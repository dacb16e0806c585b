"""Where sizes and emotions start, and how fast the detection may learn: what few steps need.

Sizes are numbers of up to hundreds of cells, and a centre's logit has to rise by some 5. Adam moves
a weight or bias by about the learning rate a step, whatever the gradient is: at 1e-3 both take
thousands of steps. The published network has them, in 250 epochs of EMOTIC. Emotions that start
at one half teach the whole network first of all that most of them are rare.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.labels import Labels
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.initialise import start_at
from caer_ros.perception.fit_frame import fit_letterbox
from caer_ros.training.benet.loss_terms import GAMMA
from caer_ros.training.benet.recipe import BenetOptimizer

_APART = 0.5


@torch.no_grad()
def start_sizes(network: BENet, images: Images, size: int, apart: bool = False) -> None:
    """Let the size maps answer the mean height and width of the people of whole pictures.

    Heights and widths rise together. From weights near zero every unit may learn nothing but how
    large a person is, and height and width stay tied to each other: whether that happened depended
    on the seed. Where the weights point apart from the first step on, two seeds learnt alike
    (docs/benet-demo.md).

    Args:
        network: changed in place; nothing happens where it has no detection head.
        images: the training pictures; none is read.
        size: of the input, in pixels.
        apart: start the last weights from noise of a standard deviation of 0.5.
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
        if apart:
            start_at(answer[-1], noise=_APART)
        _bias(answer[-1]).copy_(mean / stride)


@torch.no_grad()
def start_emotions(network: BENet, images: Images) -> None:
    """Let all emotion heads answer at first what is best for who sees nothing.

    That is, for each category, the logit of the least focal loss (equation 5) on the training
    people's labels; unlabelled ones do not count, and a category without a label starts at 0.

    Args:
        network: changed in place.
        images: the training pictures; none is read.
    """
    labels = [Labels.of(record) for record in images.records]
    categories = np.concatenate([each.categories for each in labels]).astype(np.float64)
    known = np.concatenate([each.known for each in labels])
    share = (categories * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    logits = torch.from_numpy(np.where(known.any(axis=0), _best_logits(share), 0.0)).float()
    emotion = network.maps.emotion
    last: list[nn.Module] = [emotion.quarter_answer[-1], emotion.half_answer[-1]]
    last += [head.emotion for head in (network.person, network.background) if head is not None]
    for layer in last:
        _bias(layer).copy_(logits)


def _best_logits(share: np.ndarray) -> np.ndarray:
    """For a category that `share` [E] of the people have: its best constant logit [E]."""
    grid = np.linspace(-6, 6, 1201)[:, None]
    present = 1 / (1 + np.exp(-grid))
    absent = 1 - present
    loss = share * absent**GAMMA * -np.log(present)
    loss = loss + (1 - share) * present**GAMMA * -np.log(absent)
    return grid[loss.argmin(axis=0), 0]


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
    return kind(listed, rate, betas=(0.9, choice.memory))


def _bias(layer: nn.Module) -> torch.Tensor:
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    assert layer.bias is not None
    return layer.bias
