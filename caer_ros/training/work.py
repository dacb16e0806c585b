"""What the training loop asks of whatever it trains: a feed, a recipe, a loss and a judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from caer_ros.training.schedule import Schedule

Scores = Mapping[str, float]


class Movable(Protocol):
    """A batch: tensors that go to a device together."""

    def to(self, device: torch.device | str) -> Any:
        """The same on a device."""
        ...


AnyBatch = TypeVar("AnyBatch", bound=Movable)
Fed = TypeVar("Fed", bound=Movable, covariant=True)


class Feed(Protocol[Fed]):
    """Training batches: those of an epoch are a function of the seed and the epoch's number."""

    @property
    def source(self) -> Sized:
        """The samples."""
        ...

    @property
    def batch(self) -> int:
        """Samples a batch, over all processes."""
        ...

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        ...

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The batches of an epoch from the `start`-th on."""
        ...


class FitRecipe(Protocol):
    """What a recipe says to the loop; for the meaning see SupervisedRecipe."""

    @property
    def epochs(self) -> int: ...

    @property
    def schedule(self) -> Schedule: ...

    @property
    def average(self) -> float: ...

    @property
    def clip_gradient(self) -> float: ...

    @property
    def select(self) -> str: ...

    @property
    def patience(self) -> int: ...

    @property
    def seed(self) -> int: ...

    @property
    def save_every(self) -> float: ...


@dataclass(frozen=True)
class Work(Generic[AnyBatch]):
    """What is fitted.

    Attributes:
        model: takes what `loss` gives it.
        optimizer: over the model's parameters; each step sets every group's learning rate to the
            schedule's times the group's "scale".
        feed: training batches.
        loss: of a batch, a scalar that is a mean over the batch.
        validate: scores of the model in evaluation mode; one is called as `recipe.select`. Of a
            score called "loss" less is better, of any other more.
        keep: writes the model's checkpoint `best` or `last` of an epoch with its scores.
        prepare: called before each step with its number, counted from 0 over all epochs.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    feed: Feed[AnyBatch]
    loss: Callable[[nn.Module, AnyBatch], Tensor]
    validate: Callable[[nn.Module], Scores]
    keep: Callable[[nn.Module, str, dict[str, Any]], None]
    prepare: Callable[[int], None] = lambda step: None
