"""Whole pictures for networks that find people themselves (BENet), annotated or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError, InputError
from caer_ros.datasets.emotic.annotation_file import annotation_files
from caer_ros.deploy.pictures.frames import split_frames
from caer_ros.deploy.pictures.samples import PictureSamples
from caer_ros.evaluation.benet.predictions import GroundTruth
from caer_ros.perception.fit_frame import Fit, fit_short_side

if TYPE_CHECKING:
    from caer_ros.deploy.pictures.open_data import DataOptions

_RECIPES = (".yaml", ".yml")
_Row = tuple[np.ndarray, Fit, "GroundTruth | None"]


class Fitter:
    """Puts pictures into a bundle's input as the robot does.

    Raises:
        BundleError: model.yaml does not describe one picture input.
    """

    def __init__(self, bundle: Bundle) -> None:
        try:
            ((self.name, described),) = bundle.inputs.items()
            self._short, self._multiple = (int(described[k]) for k in ("short_side", "multiple_of"))
            self._bgr = described.get("color") == "bgr"
            if described["dtype"] != "uint8" or len(described["shape"]) != 4:
                raise ValueError("a uint8 picture")
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"{bundle.folder}/model.yaml: inputs lack {error}.", "Re-export the bundle."
            ) from error

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, Fit]:
        """The input of a uint8 RGB picture [H, W, 3], and where the picture lies in it."""
        height, width = image.shape[:2]
        fit = fit_short_side(width, height, self._short, self._multiple)
        made = fit.apply(image)
        return (np.ascontiguousarray(made[..., ::-1]) if self._bgr else made), fit


def pictures_of(
    bundle: Bundle, options: DataOptions, most: int, judged: int
) -> tuple[PictureSamples, PictureSamples, int]:
    """Pictures to choose calibration samples from, pictures to measure on, and those left out.

    Args:
        most, judged: pictures of either, shared evenly among the targets.

    Raises:
        InputError: a target does not exist, can not be read, or has no pictures.
        BundleError: model.yaml does not describe one picture input.
    """
    fitter = Fitter(bundle)
    seen: list[_Row] = []
    unseen: list[_Row] = []
    bad = 0
    share = len(options.targets)
    for target in options.targets:
        if _is_annotated(target):
            seen += _annotated(target, ("train",), max(most // share, 1), fitter)
            unseen += _annotated(target, ("test", "validation"), max(judged // share, 1), fitter)
            continue

        def fitted(image: np.ndarray) -> _Row:
            return (*fitter(image), None)

        count = max((most + judged) // share, 2)
        split = split_frames(target, fitted, options.held_out, count, options.topic)
        seen += split.seen
        unseen += split.held_out
        bad += split.bad
    parts = (_spread(seen, most), _spread(unseen, judged))
    return _samples(fitter.name, parts[0]), _samples(fitter.name, parts[1]), bad


def _is_annotated(target: Path) -> bool:
    if target.suffix.lower() in _RECIPES:
        return True
    return target.is_dir() and bool(annotation_files(target))


def _annotated(target: Path, splits: Sequence[str], most: int, fitter: Fitter) -> list[_Row]:
    # Recipes bring torch, which unlabelled pictures need not.
    from caer_ros.training.benet.data import data_of, open_images

    data = data_of(target, None)
    for split in splits:
        try:
            images = open_images(data, split)
            break
        except InputError:
            if split == splits[-1]:
                raise
    rows = []
    count = len(images.records)
    for index in np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)):
        truth = GroundTruth.of(images.records[index])
        rows.append((*fitter(images.pixels(int(index))), truth))
    return rows


def _spread(rows: list[_Row], most: int) -> list[_Row]:
    if len(rows) <= most:
        return rows
    return [rows[int(i)] for i in np.linspace(0, len(rows) - 1, most).astype(int)]


def _samples(name: str, rows: list[_Row]) -> PictureSamples:
    truths = [truth for _, _, truth in rows]
    known = [truth for truth in truths if truth is not None]
    return PictureSamples(
        name,
        [array for array, _, _ in rows],
        [fit for _, fit, _ in rows],
        # Half annotated is not annotated: a score needs all of them.
        known if rows and len(known) == len(truths) else None,
    )
