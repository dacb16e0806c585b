"""Colours: what skin, hair, eyes and cloth may have, and the ways between sRGB, linear and Lab."""

from __future__ import annotations

import numpy as np

# sRGB, 0 to 1.
_HAIR = np.array(
    [[0.06, 0.05, 0.05], [0.13, 0.09, 0.07], [0.24, 0.15, 0.10], [0.36, 0.24, 0.14],
     [0.55, 0.42, 0.26], [0.72, 0.60, 0.42], [0.45, 0.20, 0.10], [0.60, 0.58, 0.56],
     [0.82, 0.81, 0.79]]
)  # fmt: skip
_IRIS = np.array(
    [[0.16, 0.09, 0.05], [0.25, 0.15, 0.08], [0.36, 0.27, 0.14], [0.36, 0.42, 0.32],
     [0.38, 0.48, 0.56], [0.46, 0.54, 0.62]]
)  # fmt: skip


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1] to linear light."""
    srgb = np.asarray(srgb, np.float32)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light, >= 0, to sRGB."""
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055
    )


def lab_to_linear(lightness: float, a: float, b: float) -> np.ndarray:
    """CIE Lab (D65) to linear sRGB [3], clipped to [0.01, 1]."""
    fy = (lightness + 16) / 116
    f = np.array([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.9505, 1.0, 1.089]
    matrix = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.204, 1.057]]
    )
    return np.clip(matrix @ xyz, 0.01, 1).astype(np.float32)


def sample_skin(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Skin as linear RGB [3] and its individual typology angle in degrees (-50 dark, 60 light)."""
    ita = float(rng.uniform(-50, 60))
    b = float(np.clip(rng.normal(15.5, 2.0), 10, 20))
    if ita < -20:
        b = min(b, 15.0)
    a = float(np.clip(rng.normal(11.5 - 0.02 * ita, 1.5), 6, 16))
    lightness = 50 + b * np.tan(np.radians(ita))
    return lab_to_linear(float(np.clip(lightness, 22, 80)), a, b), ita


def sample_hair(rng: np.random.Generator, ita: float, grey: float) -> np.ndarray:
    """Linear RGB [3]; the darker the skin, the darker as a rule, and `grey` (0 to 1) with age."""
    if rng.random() < grey:
        place = int(rng.integers(7, 9))
    elif rng.random() < 0.04:
        return to_linear(rng.uniform(0.1, 0.8, 3))
    else:
        place = int(min(rng.gamma(1.5, 1.2), 6)) if ita > 15 else int(rng.integers(0, 2))
    return to_linear(np.clip(_HAIR[place] * rng.normal(1, 0.1) * rng.normal(1, 0.03, 3), 0.02, 1))


def sample_iris(rng: np.random.Generator, ita: float) -> np.ndarray:
    """Linear RGB [3] of an iris."""
    place = int(rng.integers(0, 6)) if ita > 25 else int(rng.integers(0, 2))
    return to_linear(np.clip(_IRIS[place] * rng.normal(1, 0.1, 3), 0.03, 1))


def sample_cloth(rng: np.random.Generator) -> np.ndarray:
    """Linear RGB [3]: mostly muted, sometimes loud."""
    grey = rng.uniform(0.04, 0.95)
    loud = rng.uniform(0, 0.9) ** 2
    return to_linear(np.clip(grey * (1 - loud) + loud * rng.uniform(0, 1, 3), 0.02, 0.98))
