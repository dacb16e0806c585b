"""BENet's loss: equations 3, 4, 6 and 7 over a batch whose images train different heads.

Each part is the mean over the people of an image, then over the images that have a say in it, as
in the published code. Which images these are, the caller says: as published, raw images train the
detection, images with some people masked (RandomMaskSubjects) train the emotion maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from caer_ros.core import InputError
from caer_ros.networks.benet.maps import BenetMaps, BenetOutput
from caer_ros.training.benet.loss_terms import (
    centre_loss,
    emotion_loss,
    mean_of,
    size_loss,
    vad_loss,
)
from caer_ros.training.benet.targets import MapTargets, VectorTargets


@dataclass(frozen=True)
class LossWeights:
    """How much the parts count: equation 3's two lambdas, and the share of the affect loss."""

    centre: float = 1.0
    size: float = 0.1
    vad: float = 1.0


class BenetTargets(NamedTuple):
    """What a batch should give, row by row as BenetOutput.

    maps: at 1/4 and 1/2 of the input, n images.
    trains_detection: bool [n], whose heat and size maps are trained.
    trains_emotion: bool [n], whose emotion (and vad) maps are trained.
    person: P rows. background: G rows.
    """

    maps: tuple[MapTargets, MapTargets]
    trains_detection: Tensor
    trains_emotion: Tensor
    person: VectorTargets
    background: VectorTargets

    def to(self, device: torch.device | str) -> BenetTargets:
        quarter, half = self.maps
        return BenetTargets(
            (quarter.to(device), half.to(device)), *(field.to(device) for field in self[1:])
        )


class LossParts(NamedTuple):
    """All parts, scalars, before weighting; 0 where nothing was there to learn from.

    centre_quarter, centre_half: equation 1 at 1/4 and 1/2.
    size_quarter, size_half: equation 2, in cells.
    emotion_quarter, emotion_half, person, background: equation 5 of the four sources of equation 6.
    vad: valence, arousal and dominance, all four sources together.
    detection: L_DET, equation 4. categories: L_CAT, equation 6.
    total: L_TOT, equation 7, plus the weighted `vad`.
    """

    centre_quarter: Tensor
    centre_half: Tensor
    size_quarter: Tensor
    size_half: Tensor
    emotion_quarter: Tensor
    emotion_half: Tensor
    person: Tensor
    background: Tensor
    vad: Tensor
    detection: Tensor
    categories: Tensor
    total: Tensor


def benet_loss(
    output: BenetOutput, targets: BenetTargets, weights: LossWeights | None = None
) -> LossParts:
    """All losses of one batch.

    Raises:
        InputError: outputs and targets have different shapes.
    """
    weights = weights or LossWeights()
    quarter, half = (
        _map_losses(maps, wanted, targets)
        for maps, wanted in zip(output.maps, targets.maps, strict=True)
    )
    person = vector_emotion_loss(output.person, targets.person)
    background = vector_emotion_loss(output.background, targets.background)
    vad = (
        quarter.vad
        + half.vad
        + _vector_vad_loss(output.person_vad, targets.person, person)
        + _vector_vad_loss(output.background_vad, targets.background, background)
    )
    centre, size = quarter.centre + half.centre, quarter.size + half.size
    detection = weights.centre * centre + weights.size * size
    categories = person + background + quarter.emotion + half.emotion
    return LossParts(
        *(quarter.centre, half.centre, quarter.size, half.size, quarter.emotion, half.emotion),
        *(person, background, vad, detection, categories),
        total=detection + categories + weights.vad * vad,
    )


def vector_emotion_loss(logits: Tensor, targets: VectorTargets) -> Tensor:
    """Equation 5 of a head that puts out one vector an image (N = 1), mean over images: scalar.

    Raises:
        InputError: different shapes.
    """
    if logits.shape != targets.categories.shape:
        raise InputError(
            f"BENet put out emotions of shape {tuple(logits.shape)}, the targets have "
            f"{tuple(targets.categories.shape)}.",
            "Cut images and targets from the same batch.",
        )
    loss = emotion_loss(logits, targets.categories, targets.known)
    return mean_of(loss, targets.known.any(dim=1))


class _MapLosses(NamedTuple):
    """Parts of one resolution, scalars; 0 where the network lacks the head."""

    centre: Tensor
    size: Tensor
    emotion: Tensor
    vad: Tensor


def _map_losses(maps: BenetMaps, wanted: MapTargets, targets: BenetTargets) -> _MapLosses:
    _check_shapes(maps, wanted, targets)
    people, labels = _People(wanted, targets.trains_emotion), wanted.people
    emotion = emotion_loss(people.read(maps.emotion), labels.categories, labels.known)
    emotion = people.mean(emotion, labels.known.any(dim=1))
    centre = size = vad = torch.zeros_like(emotion)
    if maps.vad is not None:
        vad = people.mean(*vad_loss(people.read(maps.vad), labels.vad))
    if maps.heat is not None and maps.size is not None:
        people = _People(wanted, targets.trains_detection)
        centre = centre_loss(maps.heat, wanted.heat, targets.trains_detection)
        size = people.mean(size_loss(people.read(maps.size), wanted.sizes))
    return _MapLosses(centre, size, emotion, vad)


def _vector_vad_loss(vad: Tensor | None, wanted: VectorTargets, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if vad is None else mean_of(*vad_loss(vad, wanted.vad))


class _People:
    """The people of a batch whose images train something, and their means."""

    def __init__(self, targets: MapTargets, trains: Tensor) -> None:
        self.image, self.y, self.x = targets.centres.unbind(dim=1)
        self.trains = trains.bool()

    def read(self, maps: Tensor) -> Tensor:
        """Maps [n, C, h, w] at the centres: [N, C]."""
        return maps[self.image, :, self.y, self.x]

    def mean(self, values: Tensor, counted: Tensor | None = None) -> Tensor:
        """Values [N] -> mean over the counted people of each image, then over images: scalar."""
        weight = values.new_ones(len(values)) if counted is None else counted.to(values)
        sums = values.new_zeros(len(self.trains))
        people = sums.index_add(0, self.image, weight)
        sums = sums.index_add(0, self.image, weight * values)
        return mean_of(sums / people.clamp(min=1), self.trains & (people > 0))


def _check_shapes(maps: BenetMaps, wanted: MapTargets, targets: BenetTargets) -> None:
    rows, _, height, width = wanted.heat.shape
    emotions = wanted.people.categories.shape[1]
    if maps.emotion.shape != (rows, emotions, height, width):
        raise InputError(
            f"BENet put out emotion maps of shape {tuple(maps.emotion.shape)}, the targets are of "
            f"{rows} images, {emotions} emotions and {height}x{width} cells.",
            "Cut images and targets from the same batch.",
        )
    for trains in (targets.trains_detection, targets.trains_emotion):
        if trains.shape != (rows,):
            raise InputError(
                f"trains_detection or trains_emotion has shape {tuple(trains.shape)}.",
                f"Give one bool for each of the {rows} images.",
            )
