"""Where in space a person is, in the camera's optical frame: x right, y down, z ahead, metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import CameraInfo

from caer_ros.core import Box

# Chin to hairline and a little more, as face detectors box it. People differ by a tenth either way,
# and a face that looks up or down is boxed lower: distances from it are rough, 20 % and more.
FACE_HEIGHT_M = 0.23


@dataclass(frozen=True)
class Rays:
    """A pinhole camera for an image of one size: focal lengths and principal point, pixels.

    Lens distortion is left out: a few pixels, less than what is rough anyway.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def of(cls, info: CameraInfo, width: int, height: int) -> Rays | None:
        """For images of width x height pixels; None where the camera is not calibrated.

        Where the image is smaller or larger than the calibration's, it is taken as resized.
        """
        fx, _, cx, _, fy, cy = (float(value) for value in info.k[:6])
        if not np.isfinite((fx, fy, cx, cy)).all() or fx <= 0 or fy <= 0:
            return None
        x, y = width / (info.width or width), height / (info.height or height)
        return cls(fx * x, fy * y, cx * x, cy * y)

    def point(self, u: float, v: float, z: float) -> tuple[float, float, float]:
        """The place seen at pixel (u, v) at depth z (metres along the optical axis)."""
        return (u - self.cx) / self.fx * z, (v - self.cy) / self.fy * z, z


def position(
    rays: Rays, face: Box | None, body: Box | None, depth: float | None
) -> tuple[float, float, float] | None:
    """Middle of the face, or of the body where there is no face.

    Args:
        depth: measured, in metres; None: estimated from the face's height.

    Returns:
        None where there is neither a depth nor a face.
    """
    box = face or body
    if box is None:
        return None
    if depth is None:
        if face is None:
            return None
        depth = rays.fy * FACE_HEIGHT_M / face.height
    return rays.point((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, depth)


def median_depth(depth: np.ndarray, box: Box, width: int, height: int) -> float | None:
    """The median over the middle half (each way) of a box, without what was not measured.

    Args:
        depth: float32 or uint16 [h, w], any unit; 0 and what is not finite was not measured.
        box: in pixels of an image of width x height that `depth` is registered to.

    Returns:
        In the unit of `depth`; None where nothing was measured.
    """
    rows, columns = depth.shape
    x, y = columns / width, rows / height
    x1, x2 = (box.x1 * 0.75 + box.x2 * 0.25) * x, (box.x1 * 0.25 + box.x2 * 0.75) * x
    y1, y2 = (box.y1 * 0.75 + box.y2 * 0.25) * y, (box.y1 * 0.25 + box.y2 * 0.75) * y
    left, right = max(0, int(x1)), min(columns, max(int(x1) + 1, round(x2)))
    top, bottom = max(0, int(y1)), min(rows, max(int(y1) + 1, round(y2)))
    part = depth[top:bottom, left:right].astype(np.float32)
    measured = part[np.isfinite(part) & (part > 0)]
    return float(np.median(measured)) if measured.size else None
