"""Joins the faces of one shot into tracks, one a person.

Between two looks (a tenth of a second) a face overlaps itself, so that overlap is all that is asked
for: the pairing with the most of it in sum, found by the Hungarian method, and no appearance. A
face may be missed for some looks. Two people who change places within one look are swapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from caer_ros.core import Box

LEAST_IOU = 0.2
MOST_MISSED_LOOKS = 4


@dataclass(frozen=True)
class Track:
    """One face through a shot: frame index -> box, in the order of time."""

    boxes: Mapping[int, Box]

    @property
    def score(self) -> float:
        """Mean confidence of the detector."""
        return float(np.mean([box.score for box in self.boxes.values()]))


def join_tracks(frames: Mapping[int, tuple[Box, ...]]) -> list[Track]:
    """Tracks of all faces; `frames` maps each frame that was looked at to its faces."""
    open_tracks: list[tuple[int, dict[int, Box]]] = []  # look last seen at, boxes so far
    closed: list[dict[int, Box]] = []
    for look, frame in enumerate(sorted(frames)):
        closed += [boxes for last, boxes in open_tracks if look - last > MOST_MISSED_LOOKS + 1]
        open_tracks = [t for t in open_tracks if look - t[0] <= MOST_MISSED_LOOKS + 1]
        faces = frames[frame]
        matches = _match([_last(boxes) for _, boxes in open_tracks], faces)
        for track, face in matches:
            open_tracks[track][1][frame] = faces[face]
            open_tracks[track] = (look, open_tracks[track][1])
        taken = {face for _, face in matches}
        open_tracks += [(look, {frame: box}) for i, box in enumerate(faces) if i not in taken]
    everything = closed + [boxes for _, boxes in open_tracks]
    return [Track(boxes) for boxes in sorted(everything, key=_first)]


def _last(boxes: dict[int, Box]) -> Box:
    return boxes[max(boxes)]


def _first(boxes: dict[int, Box]) -> tuple[int, float]:
    start = min(boxes)
    return start, boxes[start].x1


def _match(tracks: list[Box], faces: tuple[Box, ...]) -> list[tuple[int, int]]:
    if not tracks or not faces:
        return []
    overlap = np.array([[track.iou(face) for face in faces] for track in tracks])
    overlap[overlap < LEAST_IOU] = 0
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if overlap[r, c] > 0]
