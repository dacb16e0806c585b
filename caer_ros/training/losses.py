"""Learning from a teacher's probabilities and from the label of a posed render."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# A recipe's label is what the render was posed as; some poses look like two things at once.
SMOOTHING = 0.1


def distillation(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL(teacher || student) at `temperature`, times its square (Hinton et al. 2015): [N], >= 0.

    logits, teacher: float [N, K], both logits.
    """
    student = functional.log_softmax(logits.float() / temperature, dim=1)
    target = functional.log_softmax(teacher / temperature, dim=1)
    divergence = functional.kl_div(student, target, reduction="none", log_target=True)
    return divergence.sum(dim=1) * temperature**2


def posed(logits: Tensor, labels: Tensor) -> Tensor:
    """Smoothed cross-entropy: [N], 0 for faces without a label (-1).

    logits float [N, K], labels int64 [N].
    """
    return functional.cross_entropy(
        logits.float(), labels, ignore_index=-1, label_smoothing=SMOOTHING, reduction="none"
    )


def teacher_share(labels: Tensor, recipe_weight: float) -> Tensor:
    """How much the teacher counts for each face: 1, or on renders what their pose leaves: [N]."""
    return torch.where(labels >= 0, 1 - recipe_weight, 1.0)


def combined(
    logits: Tensor, teacher: Tensor, labels: Tensor, temperature: float, recipe_weight: float
) -> Tensor:
    """Mean loss, a scalar: photographs learn from the teacher, renders mostly from their pose.

    On renders the pose counts `recipe_weight` and the teacher the rest: the teacher calls most
    angry, sad and fearful renders neutral.
    """
    share = teacher_share(labels, recipe_weight)
    loss = share * distillation(logits, teacher, temperature)
    return (loss + recipe_weight * posed(logits, labels)).mean()


def hint(features: Tensor, teacher: Tensor, share: Tensor) -> Tensor:
    """How far features [N, D] are from the teacher's (FitNets, Romero et al. 2015): a scalar.

    Squared distance over the teacher's variance in this batch, 1 for a constant guess; faces count
    by `share` [N]. 256 numbers a face teach far more than seven.
    """
    variance = teacher.var(dim=0, unbiased=False).sum().clamp_min(1e-6)
    return (share * (features.float() - teacher).square().sum(dim=1)).mean() / variance
