"""Where a person's head is in the picture and where the eyes look."""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.head import rotation
from caer_ros.datasets.photoreal.pose import View

WIDTH, HEIGHT = 400, 300
SMALLEST, LARGEST = 32.0, 200.0


def sample_view(label: str, weights: dict[str, float], rng: np.random.Generator) -> View:
    """Where the head is and looks, in degrees and pixels."""
    yaw = float(np.clip(rng.normal(0, 17), -50, 50))
    pitch = float(np.clip(rng.normal(NOD.get(label, 0.0), 8), -25, 25))
    roll = float(np.clip(rng.normal(0, 7), -20, 20))
    face = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    centre = (float(rng.uniform(0.25, 0.75) * WIDTH), float(rng.uniform(0.35, 0.55) * HEIGHT))
    body = 0.4 * yaw + float(rng.normal(0, 14))
    to_camera = rotation(yaw, pitch, roll).T @ np.array([0, 0, 1.0])
    share = 1.0 if rng.random() < 0.6 else float(rng.uniform(0, 0.7))
    across = np.degrees(np.arctan2(to_camera[0], to_camera[2])) * share + rng.normal(0, 5)
    up = np.degrees(np.arcsin(to_camera[1])) * share + rng.normal(0, 4)
    up -= 28 * (weights.get("eyeLookDown_L", 0.0) + weights.get("eyeLookDown_R", 0.0)) / 2
    gaze = (float(np.clip(across, -28, 28)), float(np.clip(up, -28, 18)))
    return View(yaw, pitch, roll, body, gaze, face, centre, float(rng.uniform(45, 250)))


# Whoever is sad hangs the head a little. Positive pitch looks down.
NOD = {"Sad": 4.0, "Anger": 2.0, "Surprise": -2.0}


def follow_gaze(weights: dict[str, float], view: View) -> None:
    """Lids follow the eyes, in place."""
    up = view.gaze[1]
    for side in ("L", "R"):
        weights[f"eyeLookUp_{side}"] = max(0.0, up / 22)
        weights[f"eyeLookDown_{side}"] = max(0.0, -up / 32)
