"""Things behind a person: drawings of scenes/, given relief, light and a shadow, where they are
seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.photoreal.light import Light
from caer_ros.datasets.scenes.objects import Drawing, Thing
from caer_ros.datasets.scenes.pen import Placement

# Half a thing's height, as shares of the picture's.
_LEAST, _MOST = 0.09, 0.2
_TRIES = 60
# A thing that is hidden by more than this share does not count as seen.
_HIDDEN = 0.3
# A pixel is a thing's where more than this share of it is seen.
SEEN = 0.3
# These hang or fly; everything else stands on something.
_FREE = {
    "balloons", "rain_cloud", "ghost", "spider", "firework", "exclamation", "clock", "flame",
    "broken_heart", "picture", "lamp", "skull",
}  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """ground uint8 RGB [H, W, 3] with the thing; box of what nobody stands before, in pixels; alpha
    float32 [H, W]: how much of each pixel the thing covers, without its support and shadow."""

    ground: np.ndarray
    box: Box
    alpha: np.ndarray


def place_thing(
    ground: np.ndarray,
    drawing: Drawing,
    taken: np.ndarray,
    faces: list[Box],
    light: Light,
    rng: np.random.Generator,
    margin: int = 0,
) -> Placed | None:
    """Put a thing where it is well seen; None where there is no room.

    Args:
        ground: uint8 RGB [H, W, 3], kept as it is.
        taken: float [H, W], how much people cover of it, 0 to 1.
        faces: boxes that it must not touch, as context networks never see what is in them.
        margin: pixels along the edges that a camera may not show.
    """
    height, width = ground.shape[:2]
    tall = height - 2 * margin
    roll, seed = float(rng.normal(0, 5)), int(rng.integers(2**31))
    b, g, r = rng.uniform(40, 230, 3).tolist()
    largest = rng.uniform(_LEAST + 0.04, _MOST) * tall
    for attempt in range(_TRIES):
        half = max(_LEAST * tall, largest * 0.95 ** (attempt // 3))
        x = float(rng.uniform(margin + half, width - margin - half))
        y = float(rng.uniform(margin + half, height - margin - half))
        around = Box(x - half, y - half, x + half, y + half)
        if any(around.iou(face) > 0 for face in faces) or _share(taken, around) > 0.45:
            continue
        thing = Thing(drawing, Placement(x, y, half, roll), (b, g, r), seed)
        rgb, alpha = _cut_out(thing, height, width)
        if float((alpha * taken).sum()) > _HIDDEN * float(alpha.sum()):
            continue
        box = _tight(alpha * (1 - taken) > SEEN)
        if box is None:
            continue
        scene = ground.astype(np.float32)
        if thing.name not in _FREE:
            _support(scene, alpha, half, rng)
        return Placed(_blend(scene, rgb, alpha, half, light, rng), box, alpha)
    return None


def _share(taken: np.ndarray, box: Box) -> float:
    part = taken[int(box.y1) : int(box.y2) + 1, int(box.x1) : int(box.x2) + 1]
    return float(part.mean())


def _cut_out(thing: Thing, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour float32 RGB [H, W, 3] (multiplied by alpha) and alpha [H, W] of a drawing: what it
    leaves of black and of white."""
    dark = np.zeros((height, width, 3), np.uint8)
    light = np.full((height, width, 3), 255, np.uint8)
    thing.draw(dark)
    thing.draw(light)
    shown = (light.astype(np.float32) - dark).mean(axis=2) / 255
    return dark[..., ::-1].astype(np.float32), np.clip(1 - shown, 0, 1)


def _tight(seen: np.ndarray) -> Box | None:
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return None
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _support(scene: np.ndarray, alpha: np.ndarray, half: float, rng: np.random.Generator) -> None:
    """A board or a table below the thing, in place."""
    box = _tight(alpha > 0.5)
    if box is None:
        return
    wood = rng.uniform(30, 200) * np.array([1.0, 0.85, 0.7]) * rng.normal(1, 0.1, 3)
    left = int(box.x1 - half * rng.uniform(0.2, 1.6))
    right = int(box.x2 + half * rng.uniform(0.2, 1.6))
    top = int(box.y2 - 0.06 * half)
    down = scene.shape[0] if rng.random() < 0.5 else top + max(3, int(0.18 * half))
    layer = scene.copy()
    cv2.rectangle(layer, (left, top), (right, down), wood.tolist(), -1)
    edge = (0.75 * wood).tolist()
    cv2.rectangle(layer, (left, top + max(2, int(0.1 * half))), (right, down), edge, -1)
    scene[:] = cv2.GaussianBlur(layer, (0, 0), 0.8)


def _blend(
    scene: np.ndarray,
    rgb: np.ndarray,
    alpha: np.ndarray,
    half: float,
    light: Light,
    rng: np.random.Generator,
) -> np.ndarray:
    """The thing over the scene: rounded at its edges, lit from the lamp's side, a bit blurred."""
    soft = cv2.GaussianBlur(alpha, (0, 0), max(1.0, 0.12 * half))
    across = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=half / 16)
    down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=half / 16)
    lamp = light.lamp
    relief = np.clip(-across * lamp[0] + down * lamp[1], -1, 1)
    grain = cv2.GaussianBlur(rng.standard_normal(alpha.shape, np.float32), (0, 0), 1.5)
    level = (0.75 + 0.5 * relief + 0.1 * grain) * float(rng.uniform(0.7, 1.1))
    tint = np.clip(light.sky.mean(axis=0) / max(float(light.sky.mean()), 1e-6), 0.6, 1.5)
    lit = rgb * level[..., None] * tint
    shadow = np.roll(soft, (int(0.08 * half), int(-0.12 * half * np.sign(lamp[0]))), (0, 1))
    dark = scene * (1 - 0.35 * shadow[..., None])
    blur = float(rng.uniform(0.4, 1.4))
    mixed = lit + dark * (1 - alpha[..., None])
    sharp = cv2.GaussianBlur(alpha, (0, 0), blur + 1)[..., None]
    mixed = sharp * cv2.GaussianBlur(mixed, (0, 0), blur) + (1 - sharp) * dark
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
