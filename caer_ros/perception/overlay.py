"""The picture a person looks at: boxes, ids, top emotions, probability and fusion bars, maps."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.cards import draw_card, draw_id, draw_list
from caer_ros.perception.heat import draw_attention, draw_heat
from caer_ros.perception.hide_faces import hide_faces, where_faces_may_be
from caer_ros.perception.palette import emotion_color, estimate_color
from caer_ros.perception.scene import Result

__all__ = ["draw_overlay", "emotion_color", "to_bgr"]


def draw_overlay(
    image: np.ndarray, encoding: str, result: Result, blur_faces: bool = False
) -> np.ndarray:
    """Draw `result` over its frame.

    Args:
        image: the frame that was processed, uint8, in `encoding`; not changed.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
        result: what Pipeline.process returned of it, with maps for the heat.
        blur_faces: take the faces out, see hide_faces. A face that the detector missed stays.

    Returns:
        New uint8 array [height, width, 3], BGR. Attention is drawn where it exceeds what every
        place would get if all got the same, at full strength from 2.5 times that on, and
        never on a face, because faces were hidden from the network that made it. BENet's heat map
        is drawn as it is: at full strength where the centre of a person is certain.
    """
    canvas = to_bgr(image, encoding)
    if blur_faces:
        hide_faces(canvas, where_faces_may_be(result.people, result.faces))
    if result.attention is not None:
        faces = [person.face for person in result.people if person.face is not None]
        draw_attention(canvas, result.attention, faces)
    if result.heat is not None:
        draw_heat(canvas, result.heat)
    for person in result.people:
        _draw_boxes(canvas, person)
    for person in result.people:  # after all boxes, so that none runs through a text
        _draw_texts(canvas, person)
    return canvas


def to_bgr(image: np.ndarray, encoding: str) -> np.ndarray:
    """A BGR copy of a frame, uint8 [height, width, 3]."""
    codes = {
        "rgb8": cv2.COLOR_RGB2BGR,
        "rgba8": cv2.COLOR_RGBA2BGR,
        "bgra8": cv2.COLOR_BGRA2BGR,
        "mono8": cv2.COLOR_GRAY2BGR,
    }
    return np.array(image) if encoding == "bgr8" else cv2.cvtColor(image, codes[encoding])


def _draw_boxes(canvas: np.ndarray, person: PersonEmotion) -> None:
    """Face and body, each in its estimate's colour; where both are, the body's line is thin."""
    thick = max(1, round(min(canvas.shape[:2]) / 300))
    body_thick = thick if person.face is None else max(1, thick // 2)
    for box, width in ((person.body, body_thick), (person.face, thick)):
        if box is not None:
            corner, opposite = (round(box.x1), round(box.y1)), (round(box.x2), round(box.y2))
            cv2.rectangle(canvas, corner, opposite, _color(person, box), width, cv2.LINE_AA)


def _draw_texts(canvas: np.ndarray, person: PersonEmotion) -> None:
    """One emotion of many is a card at the face, several at once are a list in the body."""
    one, several = _estimates(person)
    if one is not None:
        box = person.face or person.body
        if box is not None:
            draw_card(canvas, box, one, emotion_color(one.top_label))
    if several is not None:
        box = person.body or person.face
        if box is not None:
            draw_list(canvas, box, several)
    box = person.face or person.body
    if person.track_id and box is not None:
        draw_id(canvas, box, person.track_id, _color(person, box))


def _color(person: PersonEmotion, box: Box) -> tuple[int, int, int]:
    one, several = _estimates(person)
    return estimate_color((several or one) if box is person.body else (one or several))


def _estimates(
    person: PersonEmotion,
) -> tuple[EmotionEstimate | None, EmotionEstimate | None]:
    """The first estimate of one emotion among all, and the first of several at once."""
    one = next((e for e in person.estimates if not e.multi_label), None)
    several = next((e for e in person.estimates if e.multi_label), None)
    return one, several
