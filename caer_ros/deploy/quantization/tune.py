"""Fine-tuning with INT8's rounding in place, where calibration alone loses too much.

The network with rounding learns to answer as the one without (distillation); no label is needed.
Weights and the activations' scales both learn; gradients pass the rounding as if it were not there
(learned step size, Esser et al., ICLR 2020; their scaling of a scale's gradient is left out, for
Adam undoes it).
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from onnx import ModelProto
from torch import Tensor, nn
from tqdm import tqdm

from caer_ros.core import CaerError, InputError
from caer_ros.deploy.quantization.folded import Convolution, fold_batch_norm, match_layers
from caer_ros.deploy.quantization.graph import Graph, constant
from caer_ros.deploy.quantization.layers import Layer, find_layers
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.runner import Arrays
from caer_ros.deploy.quantization.scales import LARGEST, Scales, weight_scales

Answer = Callable[[nn.Module, Arrays], Any]


@dataclass(frozen=True)
class Tuning:
    """How to tune.

    Attributes:
        epochs: times over all batches.
        learning_rate: of the weights, as a share of each layer's largest; it falls to 0.
        scale_rate: of the logarithms of the scales.

    Raises:
        InputError: a value that is not possible.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    scale_rate: float = 1e-2

    def __post_init__(self) -> None:
        if self.epochs < 1 or min(self.learning_rate, self.scale_rate) <= 0:
            raise InputError("Tuning needs epochs and rates above 0.", "Use 1 or more epochs.")


def tune(
    network: nn.Module,
    answer: Answer,
    plan: Plan,
    scales: Scales,
    kept: Collection[str],
    feeds: Sequence[Callable[[], Arrays]],
    tuning: Tuning | None = None,
) -> tuple[Plan, Scales]:
    """The network with other weights, and its table of scales; with progress on stderr.

    Args:
        network: torch's, with the weights of `plan`; it is not changed.
        answer: runs it on a batch; its float tensors, however nested, are what is to be kept.
        scales: where to start.
        kept: layers without rounding.
        feeds: each makes a batch of inputs.

    Raises:
        InputError: the network has other weights than the plan.
        CaerError: it diverged.
    """
    tuning = tuning or Tuning()
    torch.manual_seed(0)
    teacher = copy.deepcopy(network).eval()
    fold_batch_norm(teacher, lambda: answer(teacher, feeds[0]()))
    student = copy.deepcopy(teacher)
    layers = [layer for layer in plan.layers if layer.name not in kept]
    modules = match_layers(student, plan.graph, layers)
    for parameter in student.parameters():
        parameter.requires_grad_(False)
    roundings = _put_in(modules, layers, plan, scales)
    optimizer = _optimizer(modules, roundings, tuning)
    steps = tuning.epochs * len(feeds)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    bar = tqdm(range(steps), "tuning", unit="batch", file=sys.stderr, disable=None)
    for step in bar:
        feed = feeds[step % len(feeds)]()
        with torch.no_grad():
            wanted = list(_floats(answer(teacher, feed)))
        loss = _loss(wanted, list(_floats(answer(student, feed))))
        if not math.isfinite(loss.item()):
            raise CaerError("Tuning diverged.", "Use a smaller learning rate.")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return _written(plan, scales, modules, roundings)


class _Rounding(nn.Module):
    """Rounds one tensor to signed bytes; the scale learns, in logarithms."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(scale)))

    @property
    def scale(self) -> Tensor:
        return self.log.exp()

    def forward(self, values: Tensor) -> Tensor:
        steps = (values / self.scale).clamp(-LARGEST - 1, LARGEST)
        return (steps + (steps.round() - steps).detach()) * self.scale


class _RoundedWeight(nn.Module):
    """Rounds weights by output channel, the largest to 127."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, weights: Tensor) -> Tensor:
        others = [a for a in range(weights.ndim) if a != self.axis]
        scale = weights.detach().abs().amax(dim=others, keepdim=True) / LARGEST
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        return weights + ((weights / scale).round() * scale - weights).detach()


def _put_in(
    modules: dict[str, Convolution], layers: Sequence[Layer], plan: Plan, scales: Scales
) -> dict[tuple[str, ...], _Rounding]:
    """Rounding of what the layers read and of their weights; by the tensors that share a scale."""
    group_of = {name: members for members in plan.groups for name in members}
    found: dict[tuple[str, ...], _Rounding] = {}
    for layer in layers:
        module = modules[layer.name]
        members = group_of[layer.input]
        rounding = found.setdefault(members, _Rounding(scales.activation[layer.input]))
        module.weight.requires_grad_(True)
        if module.bias is not None:
            module.bias.requires_grad_(True)
        nn.utils.parametrize.register_parametrization(
            module, "weight", _RoundedWeight(layer.axis), unsafe=True
        )
        module.register_forward_pre_hook(
            lambda _, inputs, rounding=rounding: (rounding(inputs[0]), *inputs[1:])
        )
    return found


def _optimizer(
    modules: dict[str, Convolution],
    roundings: dict[tuple[str, ...], _Rounding],
    tuning: Tuning,
) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [
        {"params": [rounding.log for rounding in roundings.values()], "lr": tuning.scale_rate}
    ]
    for module in modules.values():
        weight = module.parametrizations.weight.original  # type: ignore[union-attr, attr-defined]
        largest = float(weight.detach().abs().max()) or 1.0
        own = [weight] if module.bias is None else [weight, module.bias]
        groups.append({"params": own, "lr": tuning.learning_rate * largest})
    return torch.optim.Adam(groups)


def _floats(answer: Any) -> Iterator[Tensor]:
    if isinstance(answer, Tensor):
        if answer.is_floating_point():
            yield answer
    elif answer is not None:
        for part in answer:
            yield from _floats(part)


def _loss(wanted: Sequence[Tensor], got: Sequence[Tensor]) -> Tensor:
    """Mean squared differences, each output measured by its own spread."""
    parts = [
        ((have - want) ** 2).mean() / (want.var(unbiased=False) + 1e-12)
        for want, have in zip(wanted, got, strict=True)
    ]
    return torch.stack(parts).sum()


def _written(
    plan: Plan,
    scales: Scales,
    modules: dict[str, Convolution],
    roundings: dict[tuple[str, ...], _Rounding],
) -> tuple[Plan, Scales]:
    """Weights and scales as learnt, in the ONNX graph; layers' names and tensors stay."""
    model = ModelProto()
    model.CopyFrom(plan.graph.model)
    nodes = {node.name: node for node in model.graph.node}
    for name, module in modules.items():
        weight = module.parametrizations.weight.original  # type: ignore[union-attr, attr-defined]
        learnt: list[tuple[int, np.ndarray]] = [(1, weight.detach().numpy())]
        if len(nodes[name].input) > 2 and module.bias is not None:
            learnt.append((2, module.bias.detach().numpy()))
        for place, values in learnt:
            # By layer: a constant may have been another layer's too.
            model.graph.initializer.append(constant(f"{name}_tuned_{place}", values))
            nodes[name].input[place] = f"{name}_tuned_{place}"
    graph = Graph(model)
    layers = find_layers(graph)
    changed = {name: r.scale.item() for members, r in roundings.items() for name in members}
    activation = {**scales.activation, **changed}
    tuned = replace(scales, activation=activation, weight=weight_scales(graph, layers, activation))
    return replace(plan, graph=graph, layers=layers), tuned
