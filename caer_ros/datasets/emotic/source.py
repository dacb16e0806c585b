"""Annotated pictures as BENet's training and validation see them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.emotic.examples import BACKGROUND, MAPS, PERSON, EmoticExample
from caer_ros.datasets.emotic.geometry import (
    Geometry,
    clip_boxes,
    draw_map,
    warp_boxes,
    warp_image,
)
from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.labels import Labels
from caer_ros.datasets.emotic.photometric import Light, relight
from caer_ros.datasets.emotic.view_mix import ViewMix
from caer_ros.datasets.emotic.views import (
    View,
    draw_view,
    extract_subject,
    mask_all_subjects,
    raw_view,
)
from caer_ros.perception.fit_frame import fit_letterbox

BY = ("person", "image")
# Maps are drawn again where they push everybody out of the input, at most so often.
_TRIES = 10


@dataclass(frozen=True)
class SampleChoice:
    """How samples are made of pictures.

    Attributes:
        size: side of the input, a multiple of 32.
        by: `person`: a sample a person, who is the subject, as published; pictures repeat, and
            those of many people weigh more. `image`: a sample a picture; the subject is drawn.
        mix: probabilities of the views.
        geometry, light: the random changes.
        raw_emotion: whether raw pictures train the emotion maps too. The paper: detection only.
        masked_detection: whether pictures with masked people train the detection too. Likewise.

    Raises:
        InputError: a value is out of its range.
    """

    size: int = 512
    by: str = "person"
    mix: ViewMix = field(default_factory=ViewMix)
    geometry: Geometry = field(default_factory=Geometry)
    light: Light = field(default_factory=Light)
    raw_emotion: bool = False
    masked_detection: bool = False

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise InputError(f"An input of {self.size} pixels is not possible.", "Use 32, 64, ...")
        if self.by not in BY:
            raise InputError(f"Samples by '{self.by}' do not exist.", f"Use {' or '.join(BY)}.")


class EmoticSource:
    """Samples of annotated pictures, each a pure function of its index and a generator.

    Args:
        images: the pictures.
        choice: how samples are made of them.

    Raises:
        InputError: there is no picture.
    """

    def __init__(self, images: Images, choice: SampleChoice | None = None) -> None:
        self.images, self.choice = images, choice or SampleChoice()
        if not len(images.records):
            raise InputError("There is no annotated picture.", "Name another split or folder.")
        counts = [len(record.people) for record in images.records]
        if self.choice.by == "person":
            self._entries = [(k, n) for k, count in enumerate(counts) for n in range(count)]
        else:
            self._entries = [(k, -1) for k in range(len(counts))]

    def __len__(self) -> int:
        return len(self._entries)

    def draw(self, index: int, rng: np.random.Generator) -> EmoticExample:
        """Sample `index` as training sees it: `rng` picks view, map and light.

        Raises:
            InputError: the picture can not be read.
        """
        place, subject = self._entries[index]
        labels = Labels.of(self.images.records[place])
        if subject < 0:
            subject = _any_subject(labels, rng)
        pixels = self.images.pixels(place)
        idle = self._idle_views(labels, subject)
        view = draw_view(pixels, labels.boxes, subject, self.choice.mix, rng, idle)
        matrix = self._map(view, rng)
        image = relight(warp_image(view.image, matrix, self.choice.size), self.choice.light, rng)
        return self._example(view, labels, image, warp_boxes(view.boxes, matrix))

    def views(self, index: int) -> list[EmoticExample]:
        """Sample `index` as validation sees it: the same every time, nothing drawn.

        The raw picture, for detection and emotions alike; the cut-out of the subject (of everybody
        where samples are pictures); the picture without people. Cut-outs and backgrounds only where
        training may draw them. Each lies whole in the input, with black bars.

        Raises:
            InputError: the picture can not be read.
        """
        place, subject = self._entries[index]
        labels = Labels.of(self.images.records[place])
        subjects = range(len(labels.boxes)) if subject < 0 else [subject]
        pixels, mix = self.images.pixels(place), self.choice.mix
        height, width = pixels.shape[:2]
        views = [raw_view(pixels, labels.boxes)]
        for person in subjects if mix.extract else ():
            if "extract" not in mix.excluded(labels.boxes, person, height, width):
                views.append(extract_subject(pixels, labels.boxes, person))
        if mix.mask_all and "mask_all" not in mix.excluded(labels.boxes, 0, height, width):
            views.append(mask_all_subjects(pixels, labels.boxes))
        return [self._still(view, labels) for view in views]

    def _idle_views(self, labels: Labels, subject: int) -> set[str]:
        """Views that would teach nothing, since nothing is known of whom they are for."""
        told, nobody = labels.told(), labels.background(np.zeros((1, 4))).told()
        idle = set()
        if not told[subject]:
            idle.add("extract")
        if not nobody.any():
            idle.add("mask_all")
        if not told.any() and not self.choice.masked_detection and self.choice.mix.raw:
            idle.add("random_mask")
        return idle

    def _still(self, view: View, labels: Labels) -> EmoticExample:
        fit = fit_letterbox(view.image.shape[1], view.image.shape[0], self.choice.size)
        example = self._example(view, labels, fit.apply(view.image), fit.to_input(view.boxes))
        if example.task != MAPS:
            return example
        # One picture judges whatever the mix trains: there is no dice that would make it two.
        mix, choice = self.choice.mix, self.choice
        return replace(
            example,
            trains_detection=mix.raw > 0 or choice.masked_detection,
            trains_emotion=mix.random_mask > 0 or choice.raw_emotion,
        )

    def _map(self, view: View, rng: np.random.Generator) -> np.ndarray:
        """A random map that leaves somebody in the input, where anybody is to be seen."""
        height, width = view.image.shape[:2]
        side = max(width, height) if view.kind == "extract" else min(width, height)
        size, geometry = self.choice.size, self.choice.geometry
        for _ in range(_TRIES):
            matrix = draw_map(width, height, side, size, geometry, rng)
            if view.kind not in ("raw", "random_mask"):
                return matrix
            if len(clip_boxes(warp_boxes(view.boxes, matrix), size)[1]):
                return matrix
        # A picture of people at its edges only: show it whole.
        return fit_letterbox(width, height, size).matrix

    def _example(
        self, view: View, labels: Labels, image: np.ndarray, boxes: np.ndarray
    ) -> EmoticExample:
        size, choice = self.choice.size, self.choice
        whole = np.array([[0.0, 0.0, size, size]])
        if view.kind == "mask_all":
            task, detection, emotion = BACKGROUND, False, True
            kept = labels.background(whole)
        elif view.kind == "extract":
            task, detection, emotion = PERSON, False, True
            # The subject is the whole cut-out, however much of it the map leaves in the input.
            clipped, stays = clip_boxes(boxes, size)
            kept = labels.chosen(view.people, clipped if len(stays) else whole)
        else:
            raw = view.kind == "raw"
            task, detection, emotion = MAPS, raw, not raw
            detection, emotion = detection or choice.masked_detection, emotion or choice.raw_emotion
            clipped, stays = clip_boxes(boxes, size)
            kept = labels.chosen(view.people[stays], clipped)
        return EmoticExample(
            image,
            task,
            detection,
            emotion,
            kept.boxes.astype(np.float32),
            kept.categories,
            kept.known,
            kept.vad,
        )


def _any_subject(labels: Labels, rng: np.random.Generator) -> int:
    """Somebody of whom anything is known; anybody where nothing is known of all."""
    told = np.flatnonzero(labels.told())
    people = told if len(told) else np.arange(len(labels.boxes))
    return int(people[rng.integers(len(people))])
