"""Recipes for BENet: YAML files with every choice that a run depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.source import SampleChoice
from caer_ros.networks.benet.benet import ARCHITECTURE
from caer_ros.networks.benet.config import TABLE_1, BenetConfig
from caer_ros.perception.benet_decode import BenetDecode
from caer_ros.training.benet.data_choice import (
    REMEDY,
    Augmentation,
    EmoticData,
    Views,
    sample_choice,
)
from caer_ros.training.benet.losses import LossWeights
from caer_ros.training.schedule import Schedule
from caer_ros.training.strict_yaml import build, check_keys, override, read_mapping

# Of Table 1, with HECO as "extra data" in the last one.
EXTRA = "BU+Det+PC+BG+ED"
ROWS = (*TABLE_1, EXTRA)
_HEADS = ("detection", "person", "background")


@dataclass(frozen=True)
class BenetOptimizer:
    """How weights are moved.

    Attributes:
        name: `adam` as in the paper, or `adamw`, whose decay spares biases and normalisations.
        weight_decay: see there.
        detection_rate: learning rate of the detection heads' last layers, in shares of all others';
            1 in the paper, see start.py.
        memory: Adam's second beta; below its own 0.999 the size of the first steps' gradients is
            forgotten sooner.
        hold_backbone: steps at the start in which the heads learn and the backbone keeps its
            weights. For one that starts trained: the first gradients of fresh heads, of the
            detection above all, undo what it has learnt.
    """

    name: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    detection_rate: float = 1.0
    memory: float = 0.999
    hold_backbone: int = 0

    def __post_init__(self) -> None:
        if self.weight_decay < 0 or not 0 < self.detection_rate <= 1000:
            raise InputError(
                "optimizer: weight_decay or detection_rate is out of its range.",
                "Use a weight decay of at least 0, a detection rate above 0 up to 1000.",
            )
        if not 0 < self.memory < 1:
            raise InputError(f"optimizer.memory is {self.memory}.", "Use a number in (0, 1).")
        if self.hold_backbone < 0:
            raise InputError(
                f"optimizer.hold_backbone is {self.hold_backbone}.", "Use a number of steps, or 0."
            )


@dataclass(frozen=True)
class FusionTraining:
    """How the learned fusion is fitted when all else is trained, see fuse.py.

    Attributes:
        steps, learning_rate: of Adam, over all people at once.
        weight_decay: pulls its MLP to nothing, and the fusion to the mean of the heads.
    """

    steps: int = 300
    learning_rate: float = 3e-3
    weight_decay: float = 0.1

    def __post_init__(self) -> None:
        if self.steps < 1 or self.learning_rate <= 0 or self.weight_decay < 0:
            raise InputError("fusion_training has a value out of its range.", REMEDY)


@dataclass(frozen=True)
class BenetRecipe:
    """One run. What is not told here is as in SupervisedRecipe.

    Attributes:
        network: `name: benet` and switches of BenetConfig.
        data: pictures.
        epochs: most passes over the training samples.
        row: of Table 1, which decides on the heads; the last one wants data.heco. None: `network`
            decides.
        batch: samples an optimiser step, over all devices.
        views, augment, optimizer, loss, decode, fusion_training: see there. `decode` is how people
            are found in the validation pictures.
        select: which validation score picks the best epoch: the total `loss` (as in the paper),
            `map` of emotions with true boxes, `person_ap` of the detection, or `joint`, the mAP
            with found boxes, strict form.
        initial: published weights of an HRNet to start the backbone from, or none.
        size_start: what the size maps answer at first: `zero`, as published, the `mean` size of the
            training people, or that from weights that point apart (`spread`), see start.py.
        emotion_start: what the emotion heads answer at first: `half` (a probability), or by the
            `shares` of the training people who have each category, see start.py.
    """

    network: dict[str, Any]
    data: EmoticData
    epochs: int
    row: str | None = None
    batch: int = 24
    views: Views = field(default_factory=Views)
    augment: Augmentation = field(default_factory=Augmentation)
    schedule: Schedule = field(default_factory=Schedule)
    optimizer: BenetOptimizer = field(default_factory=BenetOptimizer)
    loss: LossWeights = field(default_factory=LossWeights)
    decode: BenetDecode = field(default_factory=BenetDecode)
    fusion_training: FusionTraining = field(default_factory=FusionTraining)
    average: float = 0.0
    clip_gradient: float = 0.0
    select: Literal["loss", "map", "person_ap", "joint"] = "loss"
    patience: int = 0
    precision: Literal["32-true", "bf16-mixed", "auto"] = "auto"
    seed: int = 0
    devices: int | Literal["auto"] = 1
    nodes: int = 1
    strategy: str = "auto"
    accelerator: str = "auto"
    save_every: float = 60.0
    initial: Path | None = None
    size_start: Literal["zero", "mean", "spread"] = "zero"
    emotion_start: Literal["half", "shares"] = "half"

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch", 2), ("patience", 0), ("seed", 0), ("nodes", 1)):
            if getattr(self, name) < low:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use at least {low}.")
        if not 0 <= self.average < 1:
            raise InputError(f"average is {self.average}.", "Use a number in [0, 1).")
        self._check_row()
        config = self.config
        if config.num_classes != len(EMOTIC26):
            raise InputError("network.num_classes is not EMOTIC's 26.", "Leave it out.")
        if self.select in ("person_ap", "joint") and not config.detection:
            raise InputError(
                f"select is '{self.select}', and the network has no detection head.",
                "Use 'loss' or 'map'.",
            )
        # Complains of views without a head.
        self.views.mix(config)

    @property
    def config(self) -> BenetConfig:
        """The network's switches."""
        switches = {name: value for name, value in self.network.items() if name != "name"}
        if self.row is not None:
            switches |= TABLE_1[self.row.removesuffix("+ED")]
        return BenetConfig(**switches)

    @property
    def samples(self) -> SampleChoice:
        """How training samples are made of pictures."""
        return sample_choice(self.config, self.data, self.views, self.augment)

    def _check_row(self) -> None:
        if self.row is None:
            return
        if self.row not in ROWS:
            raise InputError(f"'{self.row}' is no row.", f"Use {', '.join(ROWS)}.")
        doubled = [name for name in _HEADS if name in self.network]
        if doubled:
            raise InputError(
                f"row is '{self.row}', and network.{doubled[0]} is given too.", "Leave one out."
            )
        if (self.row == EXTRA) != (self.data.heco is not None):
            raise InputError(
                f"row is '{self.row}', and data.heco is {self.data.heco}.",
                f"HECO is trained on in the row {EXTRA} alone.",
            )


def is_benet(path: Path) -> bool:
    """Whether a file is a recipe of BENet, by the name of its network.

    Raises:
        InputError: the file is missing or no YAML mapping.
    """
    network = read_mapping(path, REMEDY).get("network")
    return isinstance(network, dict) and network.get("name") == ARCHITECTURE


def load_benet_recipe(path: Path, settings: Sequence[str] = ()) -> BenetRecipe:
    """Read a recipe and put `--set` settings in.

    Raises:
        InputError: the file is missing, is not YAML, or has a key or value that does not exist.
    """
    return benet_recipe(override(read_mapping(path, REMEDY), settings), f"{path}:")


def benet_recipe(raw: dict[str, Any], where: str) -> BenetRecipe:
    """A recipe from what YAML gave; `where` names the place in complaints.

    Raises:
        InputError: a key or value does not exist.
    """
    network = raw.get("network")
    if not isinstance(network, dict) or network.get("name") != ARCHITECTURE:
        raise InputError(f"{where} is no recipe of BENet.", "It says network: {name: benet, ...}.")
    switches = [each.name for each in fields(BenetConfig)]
    below = f"{where} " if where.endswith(":") else f"{where}."
    check_keys(network, ["name", *switches], f"{below}network")
    return build(BenetRecipe, raw, where)
