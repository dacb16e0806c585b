"""One labelled picture of the data set: a person, a face, a view, a light, a place, a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.core import CAER7, Box
from caer_ros.datasets.head import rotation
from caer_ros.datasets.photoreal.camera import develop
from caer_ros.datasets.photoreal.colour import to_linear, to_srgb
from caer_ros.datasets.photoreal.emotions import sample_face
from caer_ros.datasets.photoreal.ground import draw_ground, occlude
from caer_ros.datasets.photoreal.light import sample_light
from caer_ros.datasets.photoreal.person import Person, Studio, make_person
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.render import shoot

WIDTH, HEIGHT = 400, 300
SMALLEST, LARGEST = 32.0, 200.0


@dataclass(frozen=True)
class Picture:
    """image uint8 RGB [HEIGHT, WIDTH, 3], the face's box, landmarks float32 [16, 2] in pixels, the
    view, and the skin's individual typology angle in degrees."""

    image: np.ndarray
    box: Box
    landmarks: np.ndarray
    view: View
    ita: float


def person_of(studio: Studio, seed: int, number: int) -> Person:
    """Person `number` under `seed`: a pure function of its arguments."""
    return make_person(studio, np.random.default_rng([seed, number, 0]))


def take(studio: Studio, person: Person, seed: int, number: int, label: str) -> Picture:
    """The picture of person `number` posing `label` under `seed`: a pure function of these."""
    rng = np.random.default_rng([seed, number, CAER7.index(label), 1])
    weights = sample_face(label, rng, studio.model.expressions)
    view = sample_view(label, weights, rng)
    follow_gaze(weights, view)
    shot = shoot(studio, person, weights, view, sample_light(rng), (WIDTH, HEIGHT))
    ground = to_linear(draw_ground(rng, WIDTH, HEIGHT) / np.float32(255))
    mixed = shot.rgb + ground * (1 - shot.alpha[..., None])
    clean = (255 * np.clip(to_srgb(_shoulder(mixed)), 0, 1) + 0.5).astype(np.uint8)
    if rng.random() < 0.07:
        occlude(clean, shot.box, 255 * to_srgb(person.looks.skin), rng)
    image = develop(clean, shot.box.height, rng)
    return Picture(image, shot.box, shot.landmarks, view, person.looks.ita)


def _shoulder(linear: np.ndarray) -> np.ndarray:
    """Bend what is brighter than 0.7 towards 1, as cameras do, instead of cutting it off."""
    over = np.maximum(linear - 0.7, 0)
    return np.where(linear > 0.7, 0.7 + 0.3 * (1 - np.exp(-over / 0.3)), linear)


def sample_view(label: str, weights: dict[str, float], rng: np.random.Generator) -> View:
    """Where the head is and looks, in degrees and pixels."""
    yaw = float(np.clip(rng.normal(0, 17), -50, 50))
    pitch = float(np.clip(rng.normal(_NOD.get(label, 0.0), 8), -25, 25))
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
_NOD = {"Sad": 4.0, "Anger": 2.0, "Surprise": -2.0}


def follow_gaze(weights: dict[str, float], view: View) -> None:
    """Lids follow the eyes, in place."""
    up = view.gaze[1]
    for side in ("L", "R"):
        weights[f"eyeLookUp_{side}"] = max(0.0, up / 22)
        weights[f"eyeLookDown_{side}"] = max(0.0, -up / 32)
