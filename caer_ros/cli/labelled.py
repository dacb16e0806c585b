"""The labelled people that a bundle is asked about, with what their data set says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from caer_ros.bundles import Bundle
from caer_ros.core import InputError
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.face_boxes import read_boxes
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.picture_source import PictureSource
from caer_ros.evaluation.answers import Pictures
from caer_ros.evaluation.clip_answers import Videos
from caer_ros.evaluation.sample_facts import Facts, names_of, people_of, read_sample_facts
from caer_ros.perception.caer_clip import TASK as CLIPS
from caer_ros.training.recipe_data import data_of, open_pictures
from caer_ros.training.supervised_recipe import DataChoice


@dataclass(frozen=True, eq=False)
class Labelled:
    """N labelled samples.

    Attributes:
        samples: pictures, or videos for a bundle that reads clips.
        names: N, relative to the data set's folder; those of drawn scenes are their numbers.
        facts: by name, see `read_sample_facts`.
        people: N, whom each shows; known_by: see `people_of`.
    """

    samples: Pictures | Videos
    names: Sequence[str]
    facts: Facts
    people: Sequence[str]
    known_by: str


def open_labelled(bundle: Bundle, data: Path, split: str) -> Labelled:
    """Open what `--data` and `--split` name, as the bundle's task reads it.

    Args:
        data: folder laid out like CAER-S (CAER for clips), or a recipe whose data are meant.

    Raises:
        InputError: it is missing, malformed, or of the other kind.
    """
    choice = data_of(data, None)
    samples: Pictures | Videos
    if bundle.task == CLIPS:
        if choice.folder is None:
            raise InputError(
                f"{data} names no folder of videos.", "Give a folder laid out like CAER."
            )
        root, samples = choice.folder, _open_videos(choice, choice.folder, split)
    else:
        samples = open_pictures(choice, split)
        if not isinstance(samples, PictureSource):
            numbers = [str(place) for place in range(len(samples))]
            return Labelled(samples, numbers, {}, numbers, "scene")
        assert choice.folder is not None
        root = choice.folder
    facts = read_sample_facts(root)
    people, known_by = people_of(facts, root, samples.samples)
    return Labelled(samples, names_of(root, samples.samples), facts, people, known_by)


def _open_videos(choice: DataChoice, root: Path, split: str) -> Videos:
    data = read_dataset(root, choice.lists)
    if data.kind != "video":
        raise InputError(
            f"{root} holds pictures, and CAER-Net reads videos.",
            "Give a folder laid out like CAER.",
        )
    cache = choice.faces or root / FACES
    if not cache.is_file():
        raise InputError(
            f"{cache} does not exist.", f"Detect the faces once: caer data boxes {root}"
        )
    return Videos(root, data.split(split), read_boxes(cache))
