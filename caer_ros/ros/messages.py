"""Between ROS messages and the plain types of perception."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

import caer_msgs.msg
from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.image import view_image


def image_view(message: Image) -> np.ndarray:
    """The pixels of an image message as a read-only view; nothing is copied.

    Raises:
        InputError: the message is not an image that the pipeline can read.
    """
    return view_image(message.data, message.height, message.width, message.step, message.encoding)


def image_message(header: Header, bgr: np.ndarray) -> Image:
    """A BGR picture (uint8 [height, width, 3]) as a message."""
    height, width = bgr.shape[:2]
    # Any other type is copied element by element in Python: 50 ms and more for one VGA image.
    data = array("B")
    data.frombytes(np.ascontiguousarray(bgr).data.cast("B"))
    message = Image(header=header, height=height, width=width, encoding="bgr8", step=3 * width)
    message.data = data
    return message


def people_message(
    header: Header, people: Sequence[PersonEmotion]
) -> caer_msgs.msg.PersonEmotionArray:
    """Everybody in one frame; `header` is the source image's and goes out untouched."""
    return caer_msgs.msg.PersonEmotionArray(header=header, people=[_person(p) for p in people])


def _person(person: PersonEmotion) -> caer_msgs.msg.PersonEmotion:
    message = caer_msgs.msg.PersonEmotion(track_id=person.track_id)
    if person.body is not None:
        message.has_person_box = True
        message.person_box = _box(person.body)
    if person.face is not None:
        message.has_face_box = True
        message.face_box = _box(person.face)
    message.estimates = [_estimate(estimate) for estimate in person.estimates]
    return message


def _box(box: Box) -> caer_msgs.msg.BoundingBox:
    return caer_msgs.msg.BoundingBox(
        x_min=float(box.x1),
        y_min=float(box.y1),
        x_max=float(box.x2),
        y_max=float(box.y2),
        score=float(box.score),
    )


def _estimate(estimate: EmotionEstimate) -> caer_msgs.msg.EmotionEstimate:
    return caer_msgs.msg.EmotionEstimate(
        model=estimate.model,
        multi_label=estimate.multi_label,
        labels=list(estimate.labels),
        probabilities=array("f", estimate.probabilities.tolist()),
        thresholds=array("f", [] if estimate.thresholds is None else estimate.thresholds.tolist()),
        top_label=estimate.top_label,
        confidence=estimate.confidence,
        lambda_face=float(estimate.lambda_face),
        lambda_context=float(estimate.lambda_context),
        valence=float(estimate.valence),
        arousal=float(estimate.arousal),
        dominance=float(estimate.dominance),
        lag=float(estimate.lag),
    )
