"""What spoils a picture without moving anything in it: motion blur, exposure, noise."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.evaluation.motion.footage import Footage, side

# Beyond two deviations the picture would be black, white or a smear, and say nothing of models.
_MOST = 2.0


def blur(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """Every frame smeared along a line of its own direction.

    Args:
        amount: the line's mean length in shares of the person's face; from half to one and a half
            times as much from frame to frame.
    """
    angles = rng.uniform(0, np.pi, len(footage))
    lengths = amount * rng.uniform(0.5, 1.5, len(footage))
    return footage.changed(
        [
            cv2.filter2D(
                frame,
                -1,
                line_kernel(float(length) * side(faces[0]), float(angle)),
                borderType=cv2.BORDER_REPLICATE,
            )
            for frame, faces, length, angle in zip(
                footage.frames, footage.faces, lengths, angles, strict=True
            )
        ]
    )


def line_kernel(length: float, angle: float) -> np.ndarray:
    """A line through the middle, `length` pixels long at `angle` (radians): float32 [k, k], k odd,
    sum 1. Length 0 gives the kernel that changes nothing."""
    reach = int(np.ceil(length / 2))
    size = 2 * reach + 1
    kernel = np.zeros((size + 1, size + 1))
    steps = np.linspace(-length / 2, length / 2, 8 * size + 1)
    for x, y in zip(reach + steps * np.cos(angle), reach + steps * np.sin(angle), strict=True):
        column, row = int(x), int(y)
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer([1 - down, down], [1 - right, right])
    # The last row and column only took in what rounding put over the edge: nothing.
    kernel = kernel[:size, :size]
    return (kernel / kernel.sum()).astype(np.float32)


def flicker(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """Every frame brighter or darker than the last, as under lamps or a nervous auto-exposure.

    Args:
        amount: deviation of the exposure in stops; a stop doubles the pixels' values.
    """
    stops = amount * np.clip(rng.standard_normal(len(footage)), -_MOST, _MOST)
    gains = 2.0**stops
    return footage.changed(
        [
            cv2.convertScaleAbs(frame, alpha=float(gain))
            for frame, gain in zip(footage.frames, gains, strict=True)
        ]
    )


def noise(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """Grain that is another in every frame, independent in each pixel and channel.

    Args:
        amount: deviation in grey levels.
    """
    return footage.changed([_grained(frame, amount, rng) for frame in footage.frames])


def _grained(frame: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    grain = rng.standard_normal(frame.shape, dtype=np.float32) * amount
    return np.clip(np.rint(frame + grain), 0, 255).astype(np.uint8)
