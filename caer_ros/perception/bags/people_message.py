"""People as a serialised caer_msgs/PersonEmotionArray, without ROS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.bags.definitions import PACKAGE, PEOPLE
from caer_ros.perception.frames import Origin

_NONE = np.zeros(0, np.float32)


def people_bytes(store: Any, origin: Origin, people: Sequence[PersonEmotion]) -> bytes:
    """Everybody in one frame as CDR; what the node publishes of the same people.

    Args:
        store: emotion_types().
        origin: of the frame, whose stamp and frame_id go into the header.
    """
    types = store.types
    message = types[PEOPLE](
        header=types["std_msgs/msg/Header"](
            stamp=types["builtin_interfaces/msg/Time"](sec=origin.sec, nanosec=origin.nanosec),
            frame_id=origin.frame_id,
        ),
        people=[_person(types, person) for person in people],
    )
    # Always little-endian: the bytes must not depend on the machine.
    return bytes(store.serialize_cdr(message, PEOPLE, little_endian=True))


def _person(types: Any, person: PersonEmotion) -> Any:
    return types[f"{PACKAGE}/msg/PersonEmotion"](
        track_id=person.track_id,
        has_person_box=person.body is not None,
        person_box=_box(types, person.body),
        has_face_box=person.face is not None,
        face_box=_box(types, person.face),
        estimates=[_estimate(types, estimate) for estimate in person.estimates],
    )


def _box(types: Any, box: Box | None) -> Any:
    corners = (box.x1, box.y1, box.x2, box.y2, box.score) if box else (0.0,) * 5
    names = ("x_min", "y_min", "x_max", "y_max", "score")
    fields = {name: float(value) for name, value in zip(names, corners, strict=True)}
    return types[f"{PACKAGE}/msg/BoundingBox"](**fields)


def _estimate(types: Any, estimate: EmotionEstimate) -> Any:
    return types[f"{PACKAGE}/msg/EmotionEstimate"](
        model=estimate.model,
        multi_label=estimate.multi_label,
        labels=list(estimate.labels),
        probabilities=np.asarray(estimate.probabilities, np.float32),
        thresholds=_NONE if estimate.thresholds is None else estimate.thresholds,
        top_label=estimate.top_label,
        confidence=estimate.confidence,
        lambda_face=float(estimate.lambda_face),
        lambda_context=float(estimate.lambda_context),
        valence=float(estimate.valence),
        arousal=float(estimate.arousal),
        dominance=float(estimate.dominance),
        lag=float(estimate.lag),
    )
