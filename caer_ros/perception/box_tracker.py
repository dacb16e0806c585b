"""Boxes of one kind (all faces, or all bodies) followed through time by norfair.

norfair owns the tracks, the matching and the Kalman filter. It counts in frames; what is added here
makes it count in seconds, through the extension points it documents: a filter factory, a distance,
and its list of tracked objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from caer_ros.core import Box
from caer_ros.perception.box_motion import area_of, box_distances, motion
from caer_ros.perception.light_norfair import (
    Detection,
    Distance,
    FilterPyKalmanFilterFactory,
    Tracker,
)
from caer_ros.perception.tracker_config import TrackerConfig

_JITTER = 0.05  # standard deviation of a detector's corners, in sides of the box
_START = 2.0  # standard deviation of the speed of somebody new, in sides a second
# A count that norfair never gets down to: tracks end by seconds, not by frames.
_FOR_EVER = 1 << 30


class _Sight(NamedTuple):
    """What rides on a detection: in which update, at which place of the list, when (seconds)."""

    serial: int
    place: int
    stamp: float


class BoxTracker:
    """Numbers boxes so that one person's box keeps one number, which nobody else gets."""

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._distance = _BoxDistance(config)
        self._serial = 0
        self._stamp = 0.0
        self._tracker = self._new_tracker()

    def update(self, boxes: Sequence[Box], stamp: float) -> list[int | None]:
        """The number of each box; None while it was seen fewer than `min_hits` times.

        `stamp` is in seconds; PeopleTracker describes what repeated and falling stamps do.
        """
        self._advance(stamp)
        if not boxes and not self._tracker.tracked_objects:
            return []  # nobody has a body where only faces are looked for
        self._serial += 1
        detections = [
            Detection(_corners(box), data=_Sight(self._serial, place, stamp))
            for place, box in enumerate(boxes)
        ]
        numbers: list[int | None] = [None] * len(boxes)
        for track in self._tracker.update(detections):
            sight: _Sight = track.last_detection.data
            if sight.serial == self._serial:
                track.hit_counter = _FOR_EVER
                numbers[sight.place] = track.id
        self._bound()
        return numbers

    def reset(self) -> None:
        """Forget everybody; numbers begin again."""
        self._tracker = self._new_tracker()

    def numbers(self) -> set[int]:
        """Of everybody who has one and is not forgotten."""
        tracks = self._tracker.tracked_objects
        return {track.id for track in tracks if not track.is_initializing}

    def __len__(self) -> int:
        """Tracks that are kept, seen or not, confirmed or not."""
        return len(self._tracker.tracked_objects)

    def _new_tracker(self) -> Any:
        tracker = Tracker(
            distance_function="iou",
            distance_threshold=np.inf,
            hit_counter_max=_FOR_EVER,
            initialization_delay=self._config.min_hits - 1,
            filter_factory=_FilterFactory(),
            past_detections_length=0,
        )
        # The constructor takes names and slow pairwise functions only.
        tracker.distance_function = self._distance
        return tracker

    def _advance(self, stamp: float) -> None:
        """Forget who is away for too long, and have the others' filters step to `stamp`."""
        step = max(stamp - self._stamp, 0.0)
        self._stamp = self._distance.now = stamp
        kept = []
        for track in self._tracker.tracked_objects:
            sight: _Sight = track.last_detection.data
            if stamp - sight.stamp <= self._config.max_gap:
                kept.append(track)
            if sight.stamp > stamp:
                track.last_detection.data = sight._replace(stamp=stamp)
        self._tracker.tracked_objects = kept
        if not kept:
            return
        transition, noise = motion(step)
        for track in kept:
            track.filter.F = transition
            track.filter.Q = noise * area_of(track.estimate)

    def _bound(self) -> None:
        """Keep the `max_tracks` that were seen last: stamps that stand still age nobody."""
        tracks = self._tracker.tracked_objects
        if len(tracks) > self._config.max_tracks:
            tracks.sort(key=lambda track: track.last_detection.data.serial)
            del tracks[: -self._config.max_tracks]


class _FilterFactory(FilterPyKalmanFilterFactory):
    """A Kalman filter on x1, y1, x2, y2 and their speeds, its noise in proportion to the box."""

    def create_filter(self, initial_detection: np.ndarray) -> Any:
        made = super().create_filter(initial_detection)
        area = area_of(initial_detection)
        made.R = np.eye(4) * _JITTER**2 * area
        made.P = np.diag([_JITTER**2] * 4 + [_START**2] * 4) * area
        return made


class _BoxDistance(Distance):
    """box_distances between detections and tracks; `now` is in seconds, as their stamps are."""

    def __init__(self, config: TrackerConfig) -> None:
        self.now = 0.0
        self._config = config

    def get_distances(self, objects: Sequence[Any], candidates: Any) -> np.ndarray:
        """float64 [candidates, objects], at least 0, infinite where they can not be one person."""
        if not objects or not candidates:
            return np.full((len(candidates or ()), len(objects)), np.inf)
        seen = np.stack([candidate.points.ravel() for candidate in candidates])
        expected = np.stack([track.estimate.ravel() for track in objects])
        gaps = self.now - np.array([track.last_detection.data.stamp for track in objects])
        return box_distances(seen, expected, gaps, self._config.min_iou, self._config.max_speed)


def _corners(box: Box) -> np.ndarray:
    return np.array([[box.x1, box.y1], [box.x2, box.y2]])
