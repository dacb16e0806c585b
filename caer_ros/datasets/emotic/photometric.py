"""Light, colour, sharpness and noise of a training sample (section 3.3, second part).

The published ranges, but two-sided: pictures get brighter as well as darker.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import cv2
import numpy as np

from caer_ros.core import InputError

# How much red, green and blue count for how bright a colour looks (ITU-R BT.601, as in OpenCV).
_GREY = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Light:
    """How far the random changes go; each part is drawn evenly.

    Attributes:
        chance: share of the samples that are changed at all.
        noise: most variance of the Gaussian noise, of values in [0, 1].
        blur: least and most standard deviation of a 3x3 Gaussian, in pixels; most 0 is none.
        brightness, contrast, saturation: most that each factor differs from 1, both ways.
        hue: most turn of the circle of colours, both ways; 0.5 is the opposite colour.

    Raises:
        InputError: a value is out of its range.
    """

    chance: float = 1.0
    noise: float = 5e-4
    blur: tuple[float, float] = (0.1, 2.0)
    brightness: float = 0.15
    contrast: float = 0.15
    saturation: float = 0.15
    hue: float = 0.1

    def __post_init__(self) -> None:
        for name in ("chance", "noise", "brightness", "contrast", "saturation"):
            _check(name, 0 <= getattr(self, name) <= 1, "0 to 1")
        _check("blur", 0 <= self.blur[0] <= self.blur[1] <= 10, "two, 0 to 10, rising")
        _check("hue", 0 <= self.hue <= 0.5, "0 to 0.5")


def relight(image: np.ndarray, settings: Light, rng: np.random.Generator) -> np.ndarray:
    """A changed copy of uint8 [h, w, 3] RGB: noise, blur, colours, rounded once at the end.

    The same number of draws whatever the settings, up to the noise, which comes last.
    """
    on, variance = rng.random(), rng.uniform(0, settings.noise)
    sigma = rng.uniform(*settings.blur)
    brightness, contrast, saturation, hue = rng.uniform(-1, 1, 4)
    if on >= settings.chance:
        return image.copy()
    pixels = image.astype(np.float32)
    if variance:
        # Before all else, as a camera's noise is; drawn last, as its amount depends on the size.
        levels = _normal_levels() * np.float32(255 * np.sqrt(variance))
        pixels += levels[rng.integers(0, len(levels), image.shape, np.uint16)]
    if settings.blur[1] and sigma:
        pixels = cv2.GaussianBlur(pixels, (3, 3), sigma)
    pixels = cv2.transform(
        pixels,
        _colours(
            float(np.dot(cv2.mean(pixels)[:3], _GREY)),
            1 + settings.brightness * brightness,
            1 + settings.contrast * contrast,
            1 + settings.saturation * saturation,
        ),
    )
    np.clip(pixels, 0, 255, out=pixels)
    if settings.hue:
        pixels = _turn(pixels, settings.hue * hue)
    return np.rint(pixels, out=pixels).astype(np.uint8)


def _colours(grey: float, brightness: float, contrast: float, saturation: float) -> np.ndarray:
    """The three changes, one after the other, as one map of colours: float32 [3, 4].

    Contrast scales distances from the picture's mean `grey`, saturation those from each pixel's
    grey; neither moves a colour that is the mean grey.
    """
    turn = saturation * np.eye(3) + (1 - saturation) * np.tile(_GREY, (3, 1))
    shift = np.full((3, 1), (1 - contrast) * brightness * grey)
    return np.hstack([brightness * contrast * turn, shift]).astype(np.float32)


@lru_cache(maxsize=1)
def _normal_levels() -> np.ndarray:
    """The normal distribution as 65,536 equally likely values, float32.

    Looking them up takes a fifth of the time of drawing normal numbers, which would otherwise be
    most of the time that a sample takes.
    """
    normal = NormalDist()
    return np.array([normal.inv_cdf((k + 0.5) / 65536) for k in range(65536)], np.float32)


def _turn(pixels: np.ndarray, turn: float) -> np.ndarray:
    """Colours turned round the circle of hues; float32 RGB in [0, 255], as HSV's value is too."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    # OpenCV takes hues outside of 0 to 360 degrees.
    hsv[..., 0] += np.float32(360 * turn)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _check(name: str, good: bool, allowed: str) -> None:
    if not good:
        raise InputError(f"augment.light: {name} is out of range.", f"Use {allowed}.")


NO_LIGHT = Light(chance=0.0)
