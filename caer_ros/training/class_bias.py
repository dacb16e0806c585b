"""Takes part of the teacher's habit of naming one class too often out of its pupil.

On renders of people it was not taught with, of which each class has as many, the pupil names
Neutral as often as the teacher does. The offsets of vector scaling (Guo et al., On Calibration of
Modern Neural Networks, ICML 2017, section 4.2; here with one scale for all classes) say by how
much. Only a share of them goes into the last layer: real people are not spread evenly over the
classes either.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from caer_ros.networks.caer_net_s import CaerNetS

_RIDGE = 1e-3
_STEPS = 200


def class_bias(logits: Tensor, labels: Tensor) -> Tensor:
    """What to add to logits so that classes come out as often as they are in `labels`.

    Args:
        logits: float [N, K].
        labels: int64 [N].

    Returns:
        float64 [K], in the logits' units.
    """
    raw = logits.detach().double()
    offset = raw.new_zeros(raw.shape[1]).requires_grad_()
    scale = raw.new_ones(1).requires_grad_()
    optimizer = torch.optim.LBFGS([offset, scale], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(raw * scale + offset, labels)
        loss = loss + _RIDGE * offset.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return (offset / scale).detach()


@torch.no_grad()
def add_bias(network: CaerNetS, bias: Tensor) -> None:
    """Add `bias` [K] to the logits that the network answers, for good."""
    last = network.fusion.classifier[-1]
    assert isinstance(last, nn.Linear)
    assert last.bias is not None
    last.bias += bias.to(last.bias)
