"""Face boxes of a whole data set, detected once and kept in a journal beside it.

A row a file: `{"file": name, "bytes": size, "width": w, "height": h, "frames": [[i, faces], ...]}`;
`faces` are `[x1, y1, x2, y2, score]`, the subject first (of detected data sets the most confident,
of built ones the person whom the annotators judged), clipped to the picture; an empty list says
that the detector found no face. A picture has the one frame 0; a video has those that 10 samples a
second take, the frames that training and evaluation read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from caer_ros.core import Box, InputError
from caer_ros.datasets.clips import RATE
from caer_ros.datasets.journal import Journal, read_journal
from caer_ros.datasets.media import iterate_video, read_facts
from caer_ros.datasets.samples import Dataset, Sample
from caer_ros.perception.face_detector import FaceDetector
from caer_ros.perception.sources import read_image

SCHEMA = 1
NAME = "faces.jsonl"


@dataclass(frozen=True)
class FileFaces:
    """All faces of one file: frame index -> boxes, subject first. Sizes in pixels and bytes."""

    bytes: int
    width: int
    height: int
    frames: Mapping[int, tuple[Box, ...]]

    def subject(self, frame: int = 0) -> Box | None:
        """The person labelled: where nobody marked one, CAER's protocol takes the surest face."""
        faces = self.frames.get(frame, ())
        return faces[0] if faces else None

    @property
    def found(self) -> int:
        """Frames with a face."""
        return sum(bool(faces) for faces in self.frames.values())


def cache_header(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """First line of a cache: what its rows are and what they depend on."""
    return {"schema": SCHEMA, "kind": kind, "rate": RATE, **settings}


def detect_all(
    data: Dataset,
    detector: FaceDetector,
    settings: Mapping[str, Any],
    cache: Path,
    on_bad: Callable[[Path, InputError], None] | None = None,
) -> dict[str, FileFaces]:
    """Detect the faces of every file that the cache does not hold yet.

    Args:
        data: the data set; a file whose size changed since is detected anew.
        detector: thread-confined to the caller.
        settings: what the boxes depend on (detector, size, threshold); kept in the cache, and a
            cache of other settings is refused.
        cache: the journal to append to.
        on_bad: told of each unreadable file, which is then left out; without it, that raises.

    Returns:
        Boxes by the files' names relative to `data.root`.

    Raises:
        InputError: an unreadable file without `on_bad`, or the cache is of other settings.
    """
    with Journal(cache, cache_header(data.kind, settings)) as journal:
        known = _by_file(journal.rows)
        # A file may be in two splits' lists; its boxes are the same.
        files = {data.relative(sample): sample.path for sample in data.samples}
        missing = [
            (name, path) for name, path in files.items() if not _is_fresh(known.get(name), path)
        ]
        for name, path in tqdm(missing, desc="faces", unit="file", disable=None):
            try:
                row = _detect_file(name, path, data.kind, detector)
            except InputError as error:
                if on_bad is None:
                    raise
                on_bad(path, error)
                continue
            journal.append(row)
            known[name] = row
    return {name: _parse(known[name]) for name in files if name in known}


def read_boxes(cache: Path) -> dict[str, FileFaces]:
    """The boxes that `detect_all` kept.

    Raises:
        InputError: the cache is missing, or was not written by this version.
    """
    header, rows = read_journal(cache)
    if header.get("schema") != SCHEMA:
        raise InputError(f"{cache} is no cache of face boxes.", "Make one with `caer data boxes`.")
    return {name: _parse(row) for name, row in _by_file(rows).items()}


def with_boxes(data: Dataset, boxes: Mapping[str, FileFaces]) -> list[Sample]:
    """The pictures of `data` with their subject's box; None where no face was found.

    Raises:
        InputError: a file is not in `boxes`.
    """
    samples = []
    for sample in data.samples:
        name = data.relative(sample)
        if name not in boxes:
            raise InputError(
                f"The face cache does not hold {name}.", "Run `caer data boxes` again."
            )
        box = boxes[name].subject()
        samples.append(Sample(sample.path, sample.label, box, sample.split, sample.clip))
    return samples


def detect_frames(
    frames: Iterable[tuple[int, np.ndarray]], detector: FaceDetector
) -> list[list[Any]]:
    """`[index, faces]` of BGR frames, as JSON keeps them: coordinates to a hundredth of a pixel."""
    return [
        [
            index,
            [
                [*(round(v, 2) for v in (b.x1, b.y1, b.x2, b.y2)), round(b.score, 4)]
                for b in detector.detect(frame, "bgr8")
            ],
        ]
        for index, frame in frames
    ]


def parse_frames(frames: list[list[Any]]) -> dict[int, tuple[Box, ...]]:
    """The inverse of `detect_frames`."""
    return {int(index): tuple(Box(*face) for face in faces) for index, faces in frames}


def _detect_file(name: str, path: Path, kind: str, detector: FaceDetector) -> dict[str, Any]:
    if kind == "image":
        image = read_image(path)
        frames = detect_frames([(0, image)], detector)
        height, width = image.shape[:2]
    else:
        facts = read_facts(path)
        width, height = facts.width, facts.height
        frames = detect_frames(sampled_frames(path, facts.fps), detector)
    size = path.stat().st_size
    return {"file": name, "bytes": size, "width": width, "height": height, "frames": frames}


def sampled_frames(path: Path, fps: float, rate: float = RATE) -> Iterable[tuple[int, np.ndarray]]:
    """(index, frame) of the frames that `rate` samples a second take, each once."""
    step = max(fps / rate, 1.0)
    due = 0
    for index, frame in enumerate(iterate_video(path)):
        # The same frames as sample_frames gives, without knowing the length beforehand.
        if index == int(due * step + 1e-9):
            due += 1
            yield index, frame


def _by_file(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(row["file"]): row for row in rows}


def _is_fresh(row: dict[str, Any] | None, path: Path) -> bool:
    return row is not None and row["bytes"] == path.stat().st_size


def _parse(row: dict[str, Any]) -> FileFaces:
    return FileFaces(row["bytes"], row["width"], row["height"], parse_frames(row["frames"]))
