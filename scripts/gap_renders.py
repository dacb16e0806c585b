"""Renders of people with and without each means, as a detector and the teacher see them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from gap_measures import Faces, Rendered
from gap_switches import MEANS, Means, switched_off
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, Box
from caer_ros.datasets import patches as patches_module
from caer_ros.datasets.patches import cut_face
from caer_ros.datasets.photoreal.person import Studio
from caer_ros.datasets.photoreal.picture import Picture, person_of, take
from caer_ros.datasets.real_faces import YuNet
from caer_ros.datasets.synthetic import Scene, render_scene
from caer_ros.training import teacher as teacher_module
from caer_ros.training.teacher import Teacher, steady_features

# Least IoU of a detection and the face.
_SAME = 0.4


@dataclass(frozen=True)
class Variant:
    """Renders of one kind; `without` says what they lack. `means` None: the drawn generator."""

    name: str
    without: str
    means: tuple[Means, ...] | None


VARIANTS = (
    Variant("full", "nothing: as `caer data synth --photoreal` makes them", ()),
    *(Variant(f"no {one.name}", one.without, (one,)) for one in MEANS),
    Variant("none of these", "all of the above", MEANS),
    Variant("drawn", "all: `caer data synth` without `--photoreal`", None),
)


def shoot(
    variant: Variant, studio: Studio, seed: int, number: int, labels: Sequence[str] = CAER7
) -> list[Scene | Picture]:
    """A person's pictures (with `image` and `box`), posing `labels`."""
    if variant.means is None:
        return [render_scene(studio.model, seed, number, label) for label in labels]
    with switched_off(variant.means):
        person = person_of(studio, seed, number)
        return [take(studio, person, seed, number, label) for label in labels]


class Kept:
    """Faces that were measured before, below `folder`; those of another seed, generator, table of
    switches, detector or way to ask the teacher are left alone."""

    def __init__(self, folder: Path, studio: Studio, seed: int, detector: Path | None) -> None:
        stamp = hashlib.sha256(Path(__file__).with_name("gap_switches.py").read_bytes())
        for used in (teacher_module.__file__, patches_module.__file__, detector):
            stamp.update(Path(used).read_bytes() if used else b"none")
        # The first person is the same to the byte as long as the generator is.
        for variant in VARIANTS[0], *VARIANTS[-2:]:
            for picture in shoot(variant, studio, seed, 0):
                stamp.update(picture.image)
        self._folder = folder / f"{seed}-{stamp.hexdigest()[:12]}"

    def get(self, name: str, measure: Callable[[], tuple[np.ndarray, ...]]) -> list[np.ndarray]:
        """What was kept under a name, else what `measure` gives, which is kept."""
        path = self._folder / f"{name}.npz"
        if not path.is_file():
            stream = io.BytesIO()
            np.savez(stream, *measure())
            write_atomically(path, stream.getvalue())
        with np.load(path) as arrays:
            return [arrays[key] for key in arrays.files]


def photograph(
    studio: Studio,
    seed: int,
    people: int,
    teacher: Teacher,
    find: YuNet | None,
    kept: Kept | None = None,
) -> list[Rendered]:
    """Render `people` in all seven poses as every variant and have them looked at."""
    looks: list[list[Sequence[np.ndarray]]] = [[] for _ in VARIANTS]
    for number in tqdm(range(people), "render", unit="person"):
        for variant, seen in zip(VARIANTS, looks, strict=True):
            measure = partial(measure_person, variant, studio, seed, number, teacher, find)
            name = f"{variant.name} {number}{' found' if find else ''}"
            seen.append(kept.get(name, measure) if kept else measure())
    pose, who = np.tile(np.arange(len(CAER7)), people), np.repeat(np.arange(people), len(CAER7))
    rendered = []
    for variant, seen in zip(VARIANTS, looks, strict=True):
        features, said, found = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        faces = Faces(features, pose, who)
        rendered.append(
            Rendered(variant.name, variant.without, faces, said, found if find else None)
        )
    return rendered


def measure_person(
    variant: Variant, studio: Studio, seed: int, number: int, teacher: Teacher, find: YuNet | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A person: features float64 [7, 256] of his pictures, what the teacher names int [7], and
    whether the detector finds the face bool [7]."""
    crops, found = [], []
    for picture in shoot(variant, studio, seed, number):
        seen = None if find is None else detect(find, picture.image, picture.box)
        crops.append(cut_face(picture.image, seen or picture.box, "rgb8"))
        found.append(seen is not None)
    return (*look(teacher, np.stack(crops)), np.array(found))


def detect(find: YuNet, image: np.ndarray, box: Box) -> Box | None:
    """The detection that is the face in `box` of an RGB picture."""
    boxes = [face.box for face in find(np.ascontiguousarray(image[..., ::-1]))]
    best = max(boxes, key=box.iou, default=None)
    return best if best is not None and box.iou(best) >= _SAME else None


def look(teacher: Teacher, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The teacher's features float64 [N, 256] of crops, and the emotions int [N] that it names."""
    features = steady_features(teacher, crops)
    said = teacher.classify(features).argmax(dim=1)
    return features.numpy().astype(np.float64), said.numpy()
