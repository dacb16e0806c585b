"""What is in a recorded clip, frame by frame: the .json beside it, of the same name.

schema, label, camera, rate [frames a second], width, height [pixels]
stamps    the camera's time of the picture that each frame of the file shows, in seconds
frames    [[index, [[x1, y1, x2, y2, score], ...]], ...]: faces in pixels, as in face caches
ids       [[track id, ...], ...]: of the same faces in the same order
dropped   pictures that were due but came while the writer was behind
cuts      frames before which pictures are missing for longer than a second, or time jumped
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from caer_ros.core import PersonEmotion

SCHEMA = 1


class ClipFacts:
    """Collects the facts of a clip.

    Args:
        about: label and camera.
        rate: frames a second.

    Attributes:
        size: width and height in pixels; (0, 0) before the first picture.
    """

    def __init__(self, about: dict[str, Any], rate: float) -> None:
        self._about = about
        self._rate = rate
        self._rows: list[tuple[float, list[list[float]], list[str]]] = []
        self._cuts: list[int] = []
        self.size = (0, 0)

    @property
    def frames(self) -> int:
        """Frames so far."""
        return len(self._rows)

    def add(self, stamp: float, people: Sequence[PersonEmotion]) -> None:
        """A frame with a picture of its own, of time `stamp` (s)."""
        faces, ids = _faces(people, *self.size)
        self._rows.append((stamp, faces, ids))

    def repeat(self, times: int) -> None:
        """So many frames that show the last picture again."""
        self._rows += times * self._rows[-1:]

    def cut(self) -> None:
        """The next frame does not follow the last."""
        if self._rows:
            self._cuts.append(len(self._rows))

    def to_json(self, dropped: int) -> bytes:
        """The file's content."""
        facts = {
            "schema": SCHEMA,
            **self._about,
            "rate": self._rate,
            "width": self.size[0],
            "height": self.size[1],
            "stamps": [round(stamp, 6) for stamp, _, _ in self._rows],
            "frames": [[index, faces] for index, (_, faces, _) in enumerate(self._rows)],
            "ids": [ids for _, _, ids in self._rows],
            "dropped": dropped,
            "cuts": self._cuts,
        }
        return json.dumps(facts).encode()


def _faces(
    people: Sequence[PersonEmotion], width: int, height: int
) -> tuple[list[list[float]], list[str]]:
    boxes, ids = [], []
    for person in people:
        box = person.face.clipped(width, height) if person.face is not None else None
        if box is not None:
            corners = [round(v, 2) for v in (box.x1, box.y1, box.x2, box.y2)]
            boxes.append([*corners, round(box.score, 4)])
            ids.append(person.track_id)
    return boxes, ids
