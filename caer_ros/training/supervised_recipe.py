"""Recipes of supervised training: YAML files with every choice that a run depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from caer_ros.core import InputError
from caer_ros.datasets.scenes import SceneControls
from caer_ros.networks.registry import NETWORKS
from caer_ros.training.schedule import Schedule
from caer_ros.training.stream_augment import Augment
from caer_ros.training.strict_yaml import build, check_keys, override, read_mapping

_REMEDY = "See recipes/caer_net_s.yaml for a whole one."


@dataclass(frozen=True)
class SceneData:
    """Synthetic scenes: samples a split (clips for a 3D network) and how they are drawn.

    `controls` are those of `SceneControls`. `cached` keeps the drawn pictures in memory, which is
    right for stills; without it workers draw them anew every epoch.
    """

    train: int
    validation: int
    test: int
    seed: int = 0
    controls: SceneControls = field(default_factory=SceneControls)
    cached: bool = True


@dataclass(frozen=True)
class DataChoice:
    """Where the samples come from and how they are cut.

    Attributes:
        folder: laid out like CAER-S or CAER; relative to where the command runs.
        scenes: instead of a folder.
        also: more such folders, whose training samples are added to those of `folder`; each has its
            own face cache and lists.
        faces: cache of `caer data boxes` (default: FOLDER/faces.jsonl where it exists).
        lists: folder with other split lists.
        validation_share: of the training samples, where the folder has no validation split: the
            last of each class in order of names, since neighbours come from the same clip.
        face_size, context_size: in pixels; by default the network's own.
        hide_faces: false shows the faces in the context (Fig. 8 of the paper); by default as the
            network wants it.
        jitter: of face boxes in training, in shares of their longer side.
        workers: processes that load; 0 loads in the training process.
        skip_bad: read every file once before the start and leave out, by name, those that can not
            be read; without it the first such file ends the run.
    """

    folder: Path | None = None
    scenes: SceneData | None = None
    also: tuple[Path, ...] = ()
    faces: Path | None = None
    lists: Path | None = None
    validation_share: float = 0.1
    face_size: int | None = None
    context_size: int | None = None
    hide_faces: bool | None = None
    jitter: float = 0.0
    workers: int = 2
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.scenes is None):
            raise InputError("data needs either 'folder' or 'scenes'.", _REMEDY)
        if self.also and self.folder is None:
            raise InputError("data.also adds to 'folder', and there is none.", _REMEDY)
        if not 0 < self.validation_share < 1:
            raise InputError("data.validation_share is not between 0 and 1.", _REMEDY)
        if not 0 <= self.jitter <= 0.5:
            raise InputError(f"data.jitter is {self.jitter}.", "Use 0 to 0.5.")
        if self.jitter and self.scenes is not None and self.scenes.cached:
            raise InputError(
                "data.jitter moves boxes anew every epoch, and cached scenes are cut once.",
                "Set data.jitter to 0 or data.scenes.cached to false.",
            )


@dataclass(frozen=True)
class Optimizer:
    """How weights are moved.

    Attributes:
        name: `sgd` with momentum, or `adamw`.
        momentum, nesterov: of sgd.
        weight_decay: spares biases and normalisations in adamw.
        gate_rate: learning rate of adaptive fusion's gates, in shares of all others'. The face is
            learnt first; without `judges` gates as fast as the rest then give it all the weight
            (λ_face = 1 for everybody within an epoch), their softmax has no gradient left, and
            the context is never heard. See docs/ablation.md.
    """

    name: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    gate_rate: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1 or self.weight_decay < 0 or not 0 <= self.gate_rate <= 1:
            raise InputError(
                "optimizer: momentum, weight_decay or gate_rate is out of its range.",
                "Use a momentum in [0, 1), a weight decay of at least 0, a gate rate in [0, 1].",
            )


@dataclass(frozen=True)
class SupervisedRecipe:
    """One run.

    Attributes:
        network: `name` (see networks/registry.py) and its switches.
        data: samples and cuts.
        epochs: most passes over the training samples.
        batch: samples an optimiser step, over all devices.
        schedule: learning rate.
        optimizer, augment: see there.
        judges: one more classifier a stream, in training only, for networks with two: both streams
            learn, and the fusion's gates learn how sure each one is (judges.py). Not in the paper.
        label_smoothing: in [0, 1).
        average: decay a step of a moving average of the weights, which is what is validated and
            kept; 0 keeps the weights as they are.
        clip_gradient: largest norm of the gradient; 0: any.
        select: which validation score picks the best epoch.
        patience: epochs without a better score after which training stops; 0: never.
        precision: `32-true`, `bf16-mixed`, or `auto` (bf16-mixed on a GPU that has it).
        seed: of the weights, the order, the augmentation and dropout.
        devices, nodes, strategy, accelerator: Lightning Fabric's.
        save_every: seconds between saves of the state that `--resume` goes on from.
        initial: weights to start from, or none: published ones of a baseline's extractor
            (`published.py`), or a checkpoint of the same network; of CAER-Net also one of
            CAER-Net-S, whose kernels are inflated (`inflate.py`).
    """

    network: dict[str, Any]
    data: DataChoice
    epochs: int
    batch: int = 32
    schedule: Schedule = field(default_factory=Schedule)
    optimizer: Optimizer = field(default_factory=Optimizer)
    augment: Augment = field(default_factory=Augment)
    judges: bool = False
    label_smoothing: float = 0.0
    average: float = 0.0
    clip_gradient: float = 0.0
    select: Literal["accuracy", "balanced_accuracy", "loss"] = "balanced_accuracy"
    patience: int = 0
    precision: Literal["32-true", "bf16-mixed", "auto"] = "auto"
    seed: int = 0
    devices: int | Literal["auto"] = 1
    nodes: int = 1
    strategy: str = "auto"
    accelerator: str = "auto"
    save_every: float = 60.0
    initial: Path | None = None

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch", 2), ("patience", 0), ("seed", 0), ("nodes", 1)):
            if getattr(self, name) < low:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use at least {low}.")
        for name in ("label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}.", "Use a number in [0, 1).")
        if "name" not in self.network:
            raise InputError("network lacks 'name'.", "Say e.g. network: {name: caer_net_s}.")


def is_supervised(path: Path) -> bool:
    """Whether a recipe is of this kind: it says how many epochs, which distillation's do not."""
    data = read_mapping(path, _REMEDY).get("data")
    return not (isinstance(data, dict) and "teacher" in data)


def load_supervised(path: Path, settings: Sequence[str] = ()) -> SupervisedRecipe:
    """Read a recipe and put `--set` settings in.

    Raises:
        InputError: the file is missing, is not YAML, or has a key or value that does not exist.
    """
    raw = override(read_mapping(path, _REMEDY), settings)
    recipe = build(SupervisedRecipe, raw, f"{path}:")
    entry = NETWORKS.get(recipe.network["name"])
    if entry is not None:
        switches = [field.name for field in fields(entry.config_type)]
        check_keys(recipe.network, ["name", *switches], f"{path}: network")
    return recipe
