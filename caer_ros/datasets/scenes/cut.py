"""Scenes as CAER-Net's inputs, cut by the very functions that cut the robot's frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.scenes.clip import Clip
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.perception.preprocess import crop_face, make_context

FACE, CONTEXT, MARGIN = 96, 224, 0.1


@dataclass(frozen=True)
class SceneBatch:
    """Some scenes, one person (the subject) each.

    Attributes:
        faces: uint8 [N, size, size, 3], RGB.
        contexts: uint8 [N, size, size, 3], RGB.
        labels: int64 [N], places in CAER7.
        ambiguity: float32 [N], in [0, 1].
        certainty: float32 [N]: P(label | face) in [0, 1], see SceneSpec.face_certainty.
        object_boxes: float32 [N, 4], x1 y1 x2 y2 in pixels of the contexts; NaN without an object.
        right: bool [N]: whether an object is there and is of the label's class.
    """

    faces: np.ndarray
    contexts: np.ndarray
    labels: np.ndarray
    ambiguity: np.ndarray
    certainty: np.ndarray
    object_boxes: np.ndarray
    right: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def cut_scene(
    scene: Scene,
    face_size: int = FACE,
    context_size: int = CONTEXT,
    margin: float = MARGIN,
    hide: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The subject's face and the context: two uint8 [size, size, 3], RGB.

    With `hide` every face is black in the context, companions' too; without (Fig. 8 of the paper)
    the context shows them.
    """
    face = np.empty((face_size, face_size, 3), np.uint8)
    context = np.empty((context_size, context_size, 3), np.uint8)
    crop_face(scene.image, scene.faces[0], "bgr8", margin, face)
    make_context(scene.image, scene.faces if hide else (), "bgr8", context)
    return face, context


def cut_clip(
    clip: Clip,
    face_size: int = FACE,
    context_size: int = CONTEXT,
    margin: float = MARGIN,
    hide: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """`cut_scene` of every frame: two uint8 [frames, size, size, 3], RGB."""
    pairs = [cut_scene(scene, face_size, context_size, margin, hide) for scene in clip.scenes]
    return np.stack([face for face, _ in pairs]), np.stack([context for _, context in pairs])


def cut_batch(
    scenes: Iterable[Scene],
    face_size: int = FACE,
    context_size: int = CONTEXT,
    margin: float = MARGIN,
    hide: bool = True,
) -> SceneBatch:
    """Scenes cut and stacked; see SceneBatch.

    Raises:
        ValueError: no scenes.
    """
    faces, contexts, specs, boxes = [], [], [], []
    for scene in scenes:
        face, context = cut_scene(scene, face_size, context_size, margin, hide)
        faces.append(face)
        contexts.append(context)
        specs.append(scene.spec)
        boxes.append(box_in_context(scene, context_size))
    if not specs:
        raise ValueError("a batch needs at least one scene")
    return SceneBatch(
        np.stack(faces),
        np.stack(contexts),
        np.array([spec.label_index for spec in specs], np.int64),
        np.array([spec.ambiguity for spec in specs], np.float32),
        np.array([spec.face_certainty for spec in specs], np.float32),
        np.array(boxes, np.float32),
        np.array([spec.outcome == "right" for spec in specs], bool),
    )


def box_in_context(scene: Scene, context_size: int) -> tuple[float, float, float, float]:
    """The planted object's box in pixels of a context of that size; NaN where there is none."""
    box = scene.object_box
    if box is None:
        return (float("nan"),) * 4
    height, width = scene.image.shape[:2]
    sx, sy = context_size / width, context_size / height
    return box.x1 * sx, box.y1 * sy, box.x2 * sx, box.y2 * sy


def coverage(box: Box, width: float, height: float, rows: int, columns: int) -> np.ndarray:
    """Share of each cell of a grid over a width x height picture that `box` covers.

    Returns:
        float64 [rows, columns] in [0, 1]. Attention mass inside the box is the sum of the attention
        map times this; what even attention would give is its mean.
    """
    x = np.linspace(0, width, columns + 1)
    y = np.linspace(0, height, rows + 1)
    across = np.clip(np.minimum(x[1:], box.x2) - np.maximum(x[:-1], box.x1), 0, None)
    down = np.clip(np.minimum(y[1:], box.y2) - np.maximum(y[:-1], box.y1), 0, None)
    return np.outer(down / (height / rows), across / (width / columns))
