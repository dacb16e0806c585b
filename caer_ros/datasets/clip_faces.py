"""Faces of a harvested clip, beside it as CLIP.json, until they become a data set's face cache.

The person in the annotators' green box comes first in each frame, so that readers, which take the
first face for the subject, train on the person who was judged, also where others are in the shot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from caer_ros.bundles import write_atomically
from caer_ros.core import Box, InputError
from caer_ros.datasets.face_boxes import cache_header
from caer_ros.datasets.journal import Journal
from caer_ros.datasets.media import read_facts
from caer_ros.datasets.shots import Span
from caer_ros.datasets.tracks import Track

_SUFFIX = ".json"


def write_clip_faces(
    clip: Path, span: Span, frames: Mapping[int, Sequence[Box]], subject: Track, scale: float
) -> None:
    """Write the faces of the clip `clip` (a path without suffix).

    Args:
        span: the clip's frames of its source.
        frames: the source's frame -> faces, in the source's pixels.
        subject: the person to come first.
        scale: the clip's pixels a pixel of the source.
    """
    rows = [
        [index - span.start, [_scaled(box, scale) for box in _subject_first(faces, subject, index)]]
        for index, faces in sorted(frames.items())
    ]
    write_atomically(clip.with_name(clip.name + _SUFFIX), json.dumps(rows).encode())


def write_face_cache(
    cache: Path, clips: Sequence[tuple[str, Path, Path]], settings: Mapping[str, Any]
) -> None:
    """Write a data set's cache of face boxes from those of its clips.

    Args:
        clips: name in the data set, its file there, and the clip's path in the harvest without
            suffix.
        settings: what the boxes depend on.

    Raises:
        InputError: a clip's faces are missing or damaged.
    """
    with Journal(cache, cache_header("video", settings)) as journal:
        for name, file, clip in clips:
            facts = read_facts(file)
            journal.append(
                {
                    "file": name,
                    "bytes": file.stat().st_size,
                    "width": facts.width,
                    "height": facts.height,
                    "frames": _read(clip.with_name(clip.name + _SUFFIX)),
                }
            )


def _read(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} can not be read: {error}.", "Run `caer data build` again."
        ) from error
    return list(rows)


def _subject_first(faces: Sequence[Box], subject: Track, frame: int) -> list[Box]:
    """The subject, then the others; all empty where the detector saw nobody.

    Where it missed the subject among others, their box of the nearest look comes first, score 0.
    """
    if not faces:
        return []
    known = subject.boxes.get(frame)
    if known is None:
        nearest = min(subject.boxes, key=lambda look: abs(look - frame))
        known = replace(subject.boxes[nearest], score=0.0)
    return [known, *(box for box in faces if box != known)]


def _scaled(box: Box, scale: float) -> list[float]:
    return [*(round(v * scale, 2) for v in (box.x1, box.y1, box.x2, box.y2)), box.score]
