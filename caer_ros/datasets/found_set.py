"""Writes pictures whose people detectors found as a folder that is laid out like EMOTIC.

OUT/emotic/found/images/NAME.png   pictures, and frames of films as NAME_NNNN.png
OUT/Annotations.json               boxes; `known_categories` says of which of the 26 categories
                                   anything is known (and Annotations.mat, with SciPy)
OUT/contact_sheet.png, README.txt  to look at, to read
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import Box, InputError
from caer_ros.datasets.found_emotions import FaceEmotions, distilled, emotions_of
from caer_ros.datasets.found_people import MISSED, Finder, missed
from caer_ros.datasets.found_sources import Sources, check_sources, named_pictures
from caer_ros.datasets.samples import SPLITS
from caer_ros.datasets.scenes.emotic import EmoticImage, write_annotations
from caer_ros.perception.contact_sheet import contact_sheet

FOLDER = "found/images"
_SHEET = 60


@dataclass
class Written:
    """What came of it.

    Attributes:
        images: entries of the annotations, by split.
        emotions: people with that distilled emotion, by split; of the rest nothing is known.
        forgotten: of the training people, whose emotion was dropped again, see `even_out`.
        left_out: pictures by key of `found_people.REASONS`.
    """

    images: dict[str, list[EmoticImage]] = field(default_factory=lambda: {s: [] for s in SPLITS})
    emotions: dict[str, Counter[str]] = field(
        default_factory=lambda: {s: Counter() for s in SPLITS}
    )
    forgotten: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def people(self, split: str) -> int:
        """How many a split has."""
        return sum(len(image["person"]) for image in self.images[split])


def write_people(
    sources: Sources,
    out: Path,
    finder: Finder,
    faces: FaceEmotions | None,
    about: str,
    on_bad: Callable[[Path, InputError], None] | None = None,
) -> Written:
    """Write the data set.

    Args:
        sources: pictures and films.
        out: new folder.
        finder: finds the people.
        faces: tells emotions, and finds faces outside everybody's box; or None.
        about: README.txt's words on whose labels these are.
        on_bad: told of each unreadable file, which is then left out; without it, that raises,
            and before anything is written where a file's beginning shows it.

    Raises:
        InputError: `out` is not empty, an unreadable file without `on_bad`, or nobody is found in
            any.
        EngineError: a network failed.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not empty.", "Name a new folder.")
    if on_bad is None:
        check_sources(sources.files)

    def stop(path: Path, error: InputError) -> None:
        raise InputError(
            str(error), f"Remove {out} if it is there, and add --skip-bad to go on without it."
        ) from error

    written = Written()
    for source, name, image in named_pictures(sources, on_bad or stop):
        boxes, reason = finder.find(image)
        seen = faces.look(image) if faces is not None and boxes else []
        if boxes and missed([face.box for face in seen], boxes):
            reason = MISSED
        if reason:
            written.left_out[reason] += 1
            continue
        emotions, split = emotions_of(boxes, seen), sources.split(source)
        write_atomically(out / "emotic" / FOLDER / name, _png(image))
        written.images[split].append(_entry(name, image, source, boxes, emotions))
        written.emotions[split].update(emotion for emotion in emotions if emotion)
    for split in SPLITS:
        written.images[split].sort(key=lambda entry: entry["filename"])
    written.forgotten = even_out(written.images["train"])
    listed = [image for split in SPLITS for image in written.images[split]]
    if not listed:
        raise InputError(
            f"Nobody is found in any of {sum(written.left_out.values())} pictures.",
            "Look at the pictures, or lower --min-score.",
        )
    write_atomically(out / "contact_sheet.png", _png(_sheet(out, listed)))
    write_atomically(out / "README.txt", about.encode())
    write_annotations(out, written.images)
    return written


def even_out(entries: Sequence[EmoticImage]) -> int:
    """Forget the commonest emotion of as many people as have it beyond all others together.

    Portraits smile: nearly all that a network would learn of large faces is that they are happy.
    Whose emotion stays is decided by the pictures' names.

    Returns:
        how many were changed, in place.
    """
    people: dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]] = {}
    for entry in entries:
        for number, person in enumerate(entry["person"]):
            has = tuple(person["annotations_categories"]["categories"])
            if has:
                key = hashlib.sha256(f"{entry['filename']}/{number}".encode()).hexdigest()
                people.setdefault(has, []).append((key, person))
    if not people:
        return 0
    commonest = max(people.values(), key=len)
    others = sum(map(len, people.values())) - len(commonest)
    surplus = sorted(commonest, key=lambda pair: pair[0])[others:]
    for _, person in surplus:
        person["annotations_categories"] = {"categories": []}
        person["known_categories"] = []
    return len(surplus)


def _entry(
    name: str, image: np.ndarray, source: Path, boxes: Sequence[Box], emotions: Sequence[str]
) -> EmoticImage:
    """A picture's entry in the annotations; every person has the same fields, as MATLAB wants."""
    people = []
    for box, emotion in zip(boxes, emotions, strict=True):
        has, known = distilled(emotion)
        people.append(
            {
                "body_bbox": [round(v, 1) for v in (box.x1, box.y1, box.x2, box.y2)],
                "annotations_categories": {"categories": has},
                "known_categories": known,
                "detector_score": round(box.score, 3),
            }
        )
    return {
        "filename": name,
        "folder": FOLDER,
        "image_size": {"n_col": image.shape[1], "n_row": image.shape[0]},
        "original_database": {"name": "found", "info": {"file": source.name}},
        "person": people,
    }


def _sheet(out: Path, images: Sequence[EmoticImage]) -> np.ndarray:
    """Some of the pictures with everybody's box and what is known of his emotion: uint8 BGR."""
    chosen = np.linspace(0, len(images) - 1, min(_SHEET, len(images))).round().astype(int)
    tiles: list[Any] = []
    for entry in (images[k] for k in chosen):
        image = cv2.imread(str(out / "emotic" / entry["folder"] / entry["filename"]))
        for person in entry["person"]:
            x1, y1, x2, y2 = (round(v) for v in person["body_bbox"])
            cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), (80, 220, 80), 2)
            says = "/".join(person["annotations_categories"]["categories"]) or "?"
            text = f"{says} {person['detector_score']:.2f}"
            for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
                at = (x1 + 4, y1 + 22)
                cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, width)
        tiles.append(image)
    return contact_sheet(tiles, columns=10, width=200)


def _png(bgr: np.ndarray) -> bytes:
    return cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 2])[1].tobytes()
