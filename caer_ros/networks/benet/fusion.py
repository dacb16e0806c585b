"""Learned fusion of what the three heads say of one person: the paper's future work (section 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.benet.initialise import start_at


class LearnedFusion(nn.Module):
    """`forward(bottom_up, person, background)`: logits float [N, E] each -> logits [N, E].

    Their mean, plus what an MLP 3 E -> 3 E // 2 -> E makes of all three. The MLP's last layer
    starts near zero: an untrained fusion is the mean, near the plain average that the paper tries
    in section 4.3, and training can only move it from there. 4,121 parameters at E = 26: so many
    as the MLP has that the published network carries and never calls.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        inputs = 3 * num_classes
        self.mlp = nn.Sequential(
            nn.Linear(inputs, inputs // 2),
            nn.ReLU(inplace=True),
            nn.Linear(inputs // 2, num_classes),
        )

    def forward(self, bottom_up: Tensor, person: Tensor, background: Tensor) -> Tensor:
        heads = [bottom_up, person, background]
        return torch.stack(heads).mean(dim=0) + self.mlp(torch.cat(heads, dim=1))

    def start(self) -> None:
        start_at(self.mlp[-1])
