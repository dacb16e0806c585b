"""What a killed run goes on from: one file, no pickle, there wholly or not at all.

RUN/state.safetensors holds all tensors (network, optimiser, moving average) and, in its header, the
counters as JSON. Random generators need no saving: order, augmentation and dropout are drawn anew
for each (seed, step).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from caer_ros.bundles import write_atomically
from caer_ros.core import InputError

NAME = "state.safetensors"


@dataclass(frozen=True)
class Progress:
    """Where a run is.

    Attributes:
        epoch, step: the epoch it is in and the batches of it that are done.
        best, best_epoch: the best validation score so far and its epoch (-1: none yet).
        loss_sum: sum of the losses of this epoch's steps.
        seconds: spent in this epoch, over all starts.
        history: a row an epoch that is over.
    """

    epoch: int = 0
    step: int = 0
    best: float = float("-inf")
    best_epoch: int = -1
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: tuple[dict[str, Any], ...] = field(default_factory=tuple)


def save_state(
    out: Path, recipe: dict[str, Any], progress: Progress, parts: dict[str, dict[str, Tensor]]
) -> None:
    """Write the state of a run.

    Args:
        recipe: what the run was started with, to be compared when it goes on.
        progress: the counters.
        parts: tensors by part and name.
    """
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous()
        for part, named in parts.items()
        for name, tensor in named.items()
    }
    header = {"recipe": json.dumps(recipe), "progress": json.dumps(asdict(progress))}
    write_atomically(out / NAME, save(tensors, header))


def load_state(
    out: Path, recipe: dict[str, Any]
) -> tuple[Progress, dict[str, dict[str, Tensor]]] | None:
    """What `save_state` wrote; None where nothing was saved yet.

    Raises:
        InputError: the file is damaged, or of a run with another recipe.
    """
    path = out / NAME
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as stream:
            header = stream.metadata()
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        raw = json.loads(header["progress"])
        before = json.loads(header["recipe"])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}).", "Delete it and train anew.") from None
    check_same(path, before, json.loads(json.dumps(recipe)))
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = tensor
    progress = Progress(**raw)
    return replace(progress, history=tuple(progress.history)), parts


def has_state(out: Path) -> bool:
    """Whether a run in `out` can be gone on with."""
    return (out / NAME).is_file()


def remove_state(out: Path) -> None:
    """Forget how to go on: the run is over."""
    (out / NAME).unlink(missing_ok=True)


def check_same(path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Whether a run can be gone on with.

    Args:
        path: what holds the recipe that it was started with.
        before: that recipe, as JSON types.
        now: the recipe that it is to go on with, likewise.

    Raises:
        InputError: they differ in what the result depends on.
    """
    # These change how fast a run goes, not what it computes.
    for known in (before, now):
        known.pop("save_every", None)
        known.get("data", {}).pop("workers", None)
    changed = sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))
    if changed:
        key = changed[0]
        raise InputError(
            f"{path} is of a run with another recipe: {key} was {before.get(key)} and is now "
            f"{now.get(key)}.",
            "Resume with the same recipe and settings, or give another --out.",
        )


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Momenta and the like, by number of the parameter and name."""
    return {
        f"{index}.{name}": value
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def restore_module(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load tensors into a module, on whatever device it is."""
    module.load_state_dict(tensors)
