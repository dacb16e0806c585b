"""Where things are before the camera: the head turns about the neck, the shoulders alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from caer_ros.datasets.head import rotation

# Height of the mean face that detectors box, hairline to chin, in cm.
FACE_TOP, FACE_BOTTOM = 8.5, -9.0
_PIVOT = np.array([0.0, -7.0, -1.0], np.float32)
_MIDDLE = np.array([0.0, 0.0, 2.0], np.float32)
# The neck: below its lower end (cm) points move with the body, above the upper with the head.
_NECK_LOW, _NECK_LENGTH = -16.5, 7.5


@dataclass(frozen=True)
class View:
    """A camera's view of a person.

    Attributes:
        yaw, pitch, roll: of the head in degrees; positive yaw turns to the image's right, positive
            pitch looks down.
        body: yaw of the shoulders in degrees.
        gaze: degrees right and up of the head's own axis.
        face: height of the face in pixels.
        centre: the face's middle in pixels.
        distance: of the camera in cm; the nearer, the more a face bulges.
    """

    yaw: float
    pitch: float
    roll: float
    body: float
    gaze: tuple[float, float]
    face: float
    centre: tuple[float, float]
    distance: float

    def moved(self, x: float, y: float) -> View:
        """The same, `x` and `y` pixels further."""
        return replace(self, centre=(self.centre[0] + x, self.centre[1] + y))

    def head(self) -> np.ndarray:
        """Rotation of the head, float32 [3, 3]."""
        return rotation(self.yaw, self.pitch, self.roll).astype(np.float32)

    def shoulders(self) -> np.ndarray:
        """Rotation of the shoulders, float32 [3, 3]."""
        return rotation(self.body, 0, 0.3 * self.roll).astype(np.float32)


def turn(points: np.ndarray, view: View, below: bool = False) -> np.ndarray:
    """Points [N, 3] of a person, placed before the camera: float32 [N, 3] in cm.

    `below`: they belong to the shoulders, however high they are.
    """
    share = 0 * points[:, :1] if below else _share(points)
    moved = points - _PIVOT
    return (moved @ view.head().T) * share + (moved @ view.shoulders().T) * (1 - share) + _PIVOT


def spin(points: np.ndarray, normals: np.ndarray, view: View, below: bool = False) -> np.ndarray:
    """Normals [N, 3] at `points` [N, 3], turned as `turn` turns those; not quite unit."""
    share = 0 * points[:, :1] if below else _share(points)
    turned = (normals @ view.head().T) * share + (normals @ view.shoulders().T) * (1 - share)
    return turned.astype(np.float32)


def project(placed: np.ndarray, view: View) -> np.ndarray:
    """Placed points [N, 3] as x, y in pixels and z in cm towards the camera: float32 [N, 3]."""
    offset = placed - ((_MIDDLE - _PIVOT) @ view.head().T + _PIVOT)
    size = view.face / (FACE_TOP - FACE_BOTTOM)
    scale = size * view.distance / np.maximum(view.distance - offset[:, 2], 5)
    x = view.centre[0] + offset[:, 0] * scale
    y = view.centre[1] - offset[:, 1] * scale
    return np.stack([x, y, offset[:, 2]], axis=1).astype(np.float32)


def _share(points: np.ndarray) -> np.ndarray:
    t = np.clip((points[:, 1:2] - _NECK_LOW) / _NECK_LENGTH, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
