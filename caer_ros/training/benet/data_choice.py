"""Which annotated pictures BENet learns from, and what is made of them: parts of its recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from caer_ros.core import InputError
from caer_ros.datasets.emotic.geometry import Geometry
from caer_ros.datasets.emotic.photometric import Light
from caer_ros.datasets.emotic.source import SampleChoice
from caer_ros.datasets.emotic.view_mix import VIEWS, ViewMix
from caer_ros.networks.benet.benet import STRIDE
from caer_ros.networks.benet.config import BenetConfig
from caer_ros.training.supervised_recipe import SceneData

REMEDY = "See recipes/benet.yaml for a whole one."
# Whose head learns from a view; the bottom-up head always is there.
_HEADS = {"extract": "person", "mask_all": "background", "raw": "detection"}


@dataclass(frozen=True)
class EmoticData:
    """Where the pictures come from.

    Attributes:
        folder: EMOTIC; relative to where the command runs.
        scenes: synthetic scenes instead, drawn when the run starts and kept in memory.
        also: more folders that are laid out like EMOTIC, whose training pictures are added to those
            of `folder`: rendered groups (`caer data synth --layout emotic`), or real pictures
            whose people were found and whose emotions are not known (`caer data people`).
        heco: HECO's folder, whose people are added to the training split (the paper's "+ED").
        labels: `combined` or `majority`, see `open_emotic`.
        annotations: the file to read, instead of the first that is found in `folder`.
        size: side of the network's input in pixels, a multiple of 32, at least 64.
        workers: processes that load; 0 loads in the training process.
        skip_bad: read every file once before the start and leave out, by name, those that can not
            be read; without it the first such file ends the run.
    """

    folder: Path | None = None
    scenes: SceneData | None = None
    also: tuple[Path, ...] = ()
    heco: Path | None = None
    labels: Literal["combined", "majority"] = "combined"
    annotations: Path | None = None
    size: int = 512
    workers: int = 2
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.scenes is None):
            raise InputError("data needs either 'folder' or 'scenes'.", REMEDY)
        if self.also and self.folder is None:
            raise InputError("data.also adds to 'folder', and there is none.", REMEDY)
        if self.scenes is not None and not self.scenes.cached:
            raise InputError(
                "data.scenes.cached is false, and BENet's scenes are always kept.", "Leave it out."
            )
        # At 32 pixels the coarsest map is one cell, of which a batch of 1 has no variance.
        if self.size < 2 * STRIDE or self.size % STRIDE:
            raise InputError(f"data.size is {self.size}.", "Use a multiple of 32, at least 64.")
        if self.workers < 0:
            raise InputError(f"data.workers is {self.workers}.", "Use 0 or more.")


@dataclass(frozen=True)
class Views:
    """How samples are made of pictures (section 3.3, first part).

    Attributes:
        by: `person`: a sample a person, as published; `image`: a sample a picture.
        extract, mask_all, random_mask, raw: probabilities, 0 for those that are left out. Without
            any, those that have a head to train are equally likely, as in the paper.
        most_covered, most_masked: see ViewMix.
        raw_emotion, masked_detection: see SampleChoice; the paper has neither.
    """

    by: Literal["person", "image"] = "person"
    extract: float | None = None
    mask_all: float | None = None
    random_mask: float | None = None
    raw: float | None = None
    most_covered: float = 0.4
    most_masked: float = 0.4
    raw_emotion: bool = False
    masked_detection: bool = False

    def mix(self, network: BenetConfig) -> ViewMix:
        """The views of a network's heads.

        Raises:
            InputError: a view has a probability and no head to train, or they do not add to 1.
        """
        given = {name: getattr(self, name) for name in VIEWS}
        useful = [n for n in VIEWS if n not in _HEADS or getattr(network, _HEADS[n])]
        if all(value is None for value in given.values()):
            given = {name: 1 / len(useful) for name in useful}
        shares = {name: given.get(name) or 0.0 for name in VIEWS}
        for name, share in shares.items():
            trains_emotion = name == "raw" and self.raw_emotion
            if share and name not in useful and not trains_emotion:
                raise InputError(
                    f"views.{name} is {share:g}, and the network has no {_HEADS[name]} head.",
                    "Leave the probabilities out, or set this one to 0.",
                )
        return ViewMix(**shares, most_covered=self.most_covered, most_masked=self.most_masked)


@dataclass(frozen=True)
class Augmentation:
    """The random changes of section 3.3, second part; the defaults are the published ranges."""

    geometry: Geometry = field(default_factory=Geometry)
    light: Light = field(default_factory=Light)


def sample_choice(
    network: BenetConfig, data: EmoticData, views: Views, augment: Augmentation
) -> SampleChoice:
    """The parts together."""
    return SampleChoice(
        data.size,
        views.by,
        views.mix(network),
        augment.geometry,
        augment.light,
        views.raw_emotion,
        views.masked_detection,
    )
