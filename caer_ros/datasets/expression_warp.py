"""Give a photographed face another expression by the morphable model's motion.

The mean ICT-FaceKit face is posed onto five landmarks; what its vertices would move by under new
shape weights becomes a smooth flow that bends the picture, and where the mouth opens the model's
teeth and throat are drawn in. The result is a picture with a changed expression and no label: the
teacher is asked what it sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.datasets.face_paint import vertex_normals
from caer_ros.datasets.ict_face import PARTS, FaceModel, part
from caer_ros.datasets.raster import rasterize

# Far enough that five landmarks do not have to tell perspective from shape.
_FOCAL_SIDES = 6.0
_MOUTH_PARTS = ("mouth_socket", "gums", "teeth")
_MOUTH_RGB = {
    "mouth_socket": (38, 14, 14),
    "gums": (120, 50, 50),
    "teeth": (180, 172, 155),
}


def model_landmarks(model: FaceModel) -> np.ndarray:
    """Eyes, nose tip and mouth corners of the mean face, float64 [5, 3] in cm.

    Order as YuNet's: the eye and mouth corner on the picture's left come first in each pair.
    """
    eyes = []
    for name in ("eye_right", "eye_left"):
        ball = model.neutral[part(name)]
        middle = (ball.max(axis=0) + ball.min(axis=0)) / 2
        eyes.append([middle[0], middle[1], ball[:, 2].max()])
    face = model.neutral[part("face")]
    nose = face[np.argmax(face[:, 2])]
    smile = model.expressions["mouthSmile_L"][part("face")]
    left = face[np.argmax(np.linalg.norm(smile, axis=1))]
    right = left * [-1, 1, 1]
    return np.array([*eyes, nose, right, left], np.float64)


@dataclass(frozen=True)
class FacePose:
    """Where the mean face lies: `camera` [3, 4] to pixels, then `correction` [2, 3] of those."""

    camera: np.ndarray
    correction: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """[V, 3] cm -> [V, 3]: pixels, and nearness (minus depth)."""
        homogeneous = points @ self.camera[:, :3].T + self.camera[:, 3]
        depth = homogeneous[:, 2:]
        pixels = homogeneous[:, :2] / depth
        return np.hstack([pixels @ self.correction[:, :2].T + self.correction[:, 2], -depth])


def fit_pose(model: FaceModel, landmarks: np.ndarray, side: int) -> FacePose | None:
    """The pose that puts the mean face onto `landmarks` [5, 2] in a side x side picture.

    A rigid pose first; since nobody has the mean face, an affine correction then takes up what is
    left. None where the rigid pose misses by more than a fifth of the eye to mouth distance.
    """
    camera = np.array([[_FOCAL_SIDES * side, 0, side / 2], [0, _FOCAL_SIDES * side, side / 2]])
    camera = np.vstack([camera, [0, 0, 1]])
    points = model_landmarks(model)
    target = landmarks.astype(np.float64)
    found, turn, shift = cv2.solvePnP(points, target, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return None
    matrix = camera @ np.hstack([cv2.Rodrigues(turn)[0], shift])
    rigid = FacePose(matrix, np.eye(2, 3)).project(points)[:, :2]
    error = np.linalg.norm(rigid - target, axis=1).mean()
    scale = np.linalg.norm(target[:2].mean(axis=0) - target[3:].mean(axis=0))
    if error > 0.2 * scale:
        return None
    affine = np.linalg.lstsq(np.hstack([rigid, np.ones((5, 1))]), target, rcond=None)[0]
    return FacePose(matrix, affine.T)


def warp_expression(
    picture: np.ndarray, pose: FacePose, model: FaceModel, weights: Mapping[str, float]
) -> np.ndarray:
    """`picture` (uint8 RGB [S, S, 3]) with its face moved by shape `weights`; a new array."""
    side = picture.shape[0]
    nobody = np.zeros(len(model.identities))
    before = pose.project(model.neutral)
    after = pose.project(model.shape(nobody, weights))
    flow = _flow(before, after, vertex_normals(after, model.quads)[:, 2], side)
    grid = np.mgrid[0:side, 0:side][::-1].transpose(1, 2, 0).astype(np.float32)
    source = grid + flow
    bent = cv2.remap(
        picture, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return _draw_mouth(bent, after, model)


def _flow(before: np.ndarray, after: np.ndarray, facing: np.ndarray, side: int) -> np.ndarray:
    """Where each pixel comes from, relative to itself: float32 [side, side, 2]."""
    face = part("face")
    # Pixels have y down, so the camera sees normals whose z is negative.
    seen = facing[face] < -0.1
    target, move = after[face, :2][seen], (before - after)[face, :2][seen]
    cell = np.round(target).astype(int)
    inside = ((cell >= 0) & (cell < side)).all(axis=1)
    index = cell[inside, 1] * side + cell[inside, 0]
    planes = [
        np.bincount(index, weights=value, minlength=side * side).reshape(side, side)
        for value in (np.ones(len(index)), *move[inside].T)
    ]
    blur = side / 64
    count, x, y = (cv2.GaussianBlur(plane, (0, 0), blur) for plane in planes)
    # The constant lets the flow fade out beyond the face instead of ending in a step.
    return np.stack([x, y], axis=-1).astype(np.float32) / (count[..., None] + 0.02).astype(
        np.float32
    )


def _draw_mouth(picture: np.ndarray, after: np.ndarray, model: FaceModel) -> np.ndarray:
    side = picture.shape[0]
    values = np.zeros((len(after), 4), np.float32)
    for name in _MOUTH_PARTS:
        values[part(name), :3] = _MOUTH_RGB[name]
        values[part(name), 3] = 1
    low, high = PARTS["face"][0], PARTS["teeth"][1]
    quads = model.quads[((model.quads >= low) & (model.quads < high)).all(axis=1)]
    image, _ = rasterize(after, values, quads, side, side)
    inside = cv2.GaussianBlur((image[..., 3] > 0.5).astype(np.float32), (0, 0), 1.0)[..., None]
    # Keep the mouth as bright as the face round it.
    light = picture[side // 3 : -side // 3, side // 3 : -side // 3].mean() / 150
    return (picture * (1 - inside) + np.clip(image[..., :3] * light, 0, 255) * inside).astype(
        np.uint8
    )
