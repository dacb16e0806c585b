"""Fits the learned fusion when all else is trained.

Only its MLP learns, from what the finished heads say of the validation pictures: of their own
training pictures they are surer than of any other, and a fusion would learn to trust whichever has
learnt most by heart. (Wolpert, "Stacked generalization", 1992, fits the upper level on what the
lower ones have not seen.)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from caer_ros.evaluation.benet.heads import HeadAnswers, fusion_inputs
from caer_ros.evaluation.benet.judge_benet import SplitReading
from caer_ros.evaluation.benet.predictions import gather_people
from caer_ros.networks.benet.benet import BENet
from caer_ros.training.benet.loss_terms import emotion_loss, mean_of
from caer_ros.training.benet.recipe import FusionTraining


def fit_fusion(
    network: BENet,
    found: SplitReading,
    answers: Sequence[HeadAnswers],
    choice: FusionTraining,
) -> tuple[float, float]:
    """Train the network's fusion in place, by the categories' focal loss (equation 5).

    Args:
        network: with fusion "learned".
        found: what its maps say of the validation pictures.
        answers: what its other heads say of them.
        choice: see there.

    Returns:
        the loss on them before and after.

    Raises:
        InputError: nobody is annotated.
    """
    fusion = network.fusion
    assert fusion is not None
    device = next(fusion.parameters()).device
    people = gather_people(found.truths, found.read)
    rows = [fusion_inputs(read, more) for read, more in zip(found.read, answers, strict=True)]
    inputs = [torch.cat(parts).to(device) for parts in zip(*rows, strict=True)]
    wanted = torch.from_numpy(people.positives).float().to(device)
    known = torch.from_numpy(people.known).to(device)

    def loss() -> torch.Tensor:
        return mean_of(emotion_loss(fusion(*inputs), wanted, known), known.any(dim=1))

    with torch.no_grad():
        before = float(loss())
    optimizer = torch.optim.AdamW(
        fusion.parameters(), choice.learning_rate, weight_decay=choice.weight_decay
    )
    for _ in range(choice.steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    with torch.no_grad():
        return before, float(loss())
