"""Who is who from frame to frame: an id for every person, from where faces and bodies are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from caer_ros.core import Box, CaerError, InputError, PersonEmotion
from caer_ros.perception.tracker_config import TrackerConfig

if TYPE_CHECKING:
    from caer_ros.perception.box_tracker import BoxTracker


class PeopleTracker:
    """Gives people ids that stay with them. Thread-confined; one tracker a camera.

    What is promised: an id is never given to two people of one frame, nor a second time in the life
    of this object. Somebody who is seen again within `max_gap` seconds, near where he was expected,
    keeps his id; frames that are missing or come irregularly change nothing in that, because the
    motion model and all limits are in seconds. What is not: only positions are looked at, so people
    who meet and turn round, or take each other's place while hidden, may swap ids, and who comes
    back later or elsewhere is somebody new.

    Faces and bodies are followed each on their own. A person with both is held by either: he keeps
    his id while one of the two is not found.

    Raises:
        CaerError: enabled, but norfair is not installed.
    """

    def __init__(self, config: TrackerConfig | None = None) -> None:
        self._config = config or TrackerConfig()
        self._trackers: tuple[BoxTracker, ...] = ()
        if self._config.enabled:
            made = _load_box_tracker()
            self._trackers = (made(self._config), made(self._config))
        # Bodies', then faces': the id that each track's number stands for.
        self._names: tuple[dict[int, str], dict[int, str]] = ({}, {})
        self._given = 0
        self._stamp = -math.inf

    def update(
        self, people: Sequence[PersonEmotion], stamp: float, bodies_sought: bool = True
    ) -> tuple[PersonEmotion, ...]:
        """The same people with ids, which are empty until a person was seen `min_hits` times.

        Call it for every processed frame, also where nobody is there.

        Args:
            people: of one frame, each with a face, a body or both.
            stamp: the camera's time, in seconds. Repeated: nothing moved since the last frame. A
                little earlier than the last, up to `max_gap`: the same, and time goes on from
                there. Earlier still: another recording; everybody is forgotten.
            bodies_sought: False where nobody looked for bodies in this frame: then nobody is missed
                for having none.

        Raises:
            InputError: the stamp is not finite.
        """
        if not self._trackers:
            return tuple(people)
        if not math.isfinite(stamp):
            raise InputError(f"stamp is {stamp}.", "Give the camera's time in seconds.")
        if stamp < self._stamp - self._config.max_gap:
            self.reset()
        self._stamp = stamp
        bodies: list[int | None] = [None] * len(people)
        if bodies_sought:
            bodies = _numbers(self._trackers[0], [person.body for person in people], stamp)
        faces = _numbers(self._trackers[1], [person.face for person in people], stamp)
        ids = self._ids(bodies, faces)
        return tuple(replace(p, track_id=i) for p, i in zip(people, ids, strict=True))

    def reset(self) -> None:
        """Forget everybody. Ids go on: none is used again."""
        for tracker, names in zip(self._trackers, self._names, strict=False):
            tracker.reset()
            names.clear()
        self._stamp = -math.inf

    def _ids(self, bodies: list[int | None], faces: list[int | None]) -> list[str]:
        """Bodies' ids come first: a face is more easily given to the wrong person."""
        ids = [""] * len(bodies)
        used: set[str] = set()
        for numbers, names in zip((bodies, faces), self._names, strict=True):
            for place, number in enumerate(numbers):
                name = "" if number is None else names.get(number, "")
                if name and not ids[place] and name not in used:
                    ids[place] = name
                    used.add(name)
        for place, pair in enumerate(zip(bodies, faces, strict=True)):
            if not ids[place] and pair != (None, None):
                self._given += 1
                ids[place] = f"{self._config.prefix}{self._given}"
            for number, names in zip(pair, self._names, strict=True):
                if number is not None:
                    names[number] = ids[place]
        for tracker, names in zip(self._trackers, self._names, strict=True):
            for number in names.keys() - tracker.numbers():
                del names[number]
        return ids


def _numbers(tracker: BoxTracker, boxes: Sequence[Box | None], stamp: float) -> list[int | None]:
    numbers = iter(tracker.update([box for box in boxes if box is not None], stamp))
    return [None if box is None else next(numbers) for box in boxes]


def _load_box_tracker() -> type[BoxTracker]:
    """Imported only where ids are wanted: it takes a second and brings scipy."""
    try:
        from caer_ros.perception.box_tracker import BoxTracker
    except ImportError as error:
        raise CaerError(
            f"People can not be followed: {error}.",
            "Install it (pip install norfair-enough), or set tracking to never.",
        ) from error
    return BoxTracker
