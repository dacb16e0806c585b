"""The terms of BENet's loss: equations 1, 2 and 5, and one for valence, arousal and dominance.

Everything is computed from logits in float32: log p and log(1 - p) by log-sigmoid, whose gradients
never vanish where the network is wrong, however sure it is. The published code adds 1e-6 inside
the logarithm, which bounds a term at 13.8 and cuts that gradient off.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

ALPHA = 2
BETA = 4
GAMMA = 2


def centre_loss(logits: Tensor, heat: Tensor, trains: Tensor) -> Tensor:
    """Equation 1: focal loss of heat maps [n, 1, h, w] over the n images that `trains` [n] picks.

    Divided by an image's centres (cells of exactly 1), or by 1 where it has nobody: an empty scene
    teaches that nobody is there.
    """
    logits = logits.float()
    centre = heat == 1
    positive = -functional.logsigmoid(logits) * torch.sigmoid(-logits) ** ALPHA
    negative = -functional.logsigmoid(-logits) * torch.sigmoid(logits) ** ALPHA
    loss = torch.where(centre, positive, (1 - heat) ** BETA * negative)
    people = centre.sum(dim=(1, 2, 3)).clamp(min=1)
    return mean_of(loss.sum(dim=(1, 2, 3)) / people, trains)


def size_loss(sizes: Tensor, wanted: Tensor) -> Tensor:
    """Equation 2 of each person: |height error| + |width error|, [N] from [N, 2] each."""
    return (sizes.float() - wanted).abs().sum(dim=1)


def emotion_loss(logits: Tensor, categories: Tensor, known: Tensor) -> Tensor:
    """Equation 5 of each row: [N] from [N, E] each. What is not known contributes 0."""
    logits = logits.float()
    present = functional.logsigmoid(logits) * torch.sigmoid(-logits) ** GAMMA
    absent = functional.logsigmoid(-logits) * torch.sigmoid(logits) ** GAMMA
    loss = -torch.where(categories > 0, present, absent)
    return torch.where(known, loss, torch.zeros_like(loss)).sum(dim=1)


def vad_loss(vad: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth L1 of each row, mean over what is annotated (not NaN): [N], and who has any, [N].

    vad, wanted: [N, 3]; beyond the paper, whose future work it is. The mean, not the sum: beside
    26 categories three numbers should not decide.
    """
    annotated = wanted.isfinite()
    # NaN must be gone before the difference: 0 times its gradient is NaN still.
    filled = torch.where(annotated, wanted, torch.zeros_like(wanted))
    loss = functional.smooth_l1_loss(vad.float(), filled, reduction="none") * annotated
    count = annotated.sum(dim=1)
    return loss.sum(dim=1) / count.clamp(min=1), count > 0


def mean_of(values: Tensor, picked: Tensor) -> Tensor:
    """Mean of the picked values [n]; 0, with its gradient's way intact, where none is picked."""
    return (values * picked).sum() / picked.sum().clamp(min=1)
