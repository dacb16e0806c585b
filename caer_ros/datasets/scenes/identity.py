"""Who a drawn person is: colours, proportions, hair and clothes, without any emotion in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.scenes.pen import Colour, mix

HAIR_STYLES = ("bald", "short", "side", "long", "bob", "bun", "curly", "fringe", "spiky")
# BGR, from dark to light.
_SKIN_DARK, _SKIN_MIDDLE, _SKIN_LIGHT = (46, 66, 104), (96, 138, 196), (190, 212, 245)
_HAIRS: tuple[Colour, ...] = (
    (24, 22, 26),
    (30, 44, 70),
    (40, 66, 110),
    (90, 160, 205),
    (40, 80, 165),
    (150, 150, 155),
    (225, 225, 228),
)
_IRISES: tuple[Colour, ...] = ((40, 60, 90), (60, 90, 130), (150, 110, 60), (90, 120, 70))


@dataclass(frozen=True)
class Identity:
    """A person. Lengths in half heights of the face, colours BGR 0 to 255."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    clothes: Colour
    trim: Colour
    style: str
    face_width: float
    jaw: float
    eye_size: float
    eye_gap: float
    brow_thick: float
    nose_size: float
    mouth_size: float
    glasses: bool
    beard: float
    ears: float


def draw_identity(rng: np.random.Generator) -> Identity:
    """A random adult."""
    tone = float(rng.random())
    skin = (
        mix(_SKIN_DARK, _SKIN_MIDDLE, tone * 2)
        if tone < 0.5
        else mix(_SKIN_MIDDLE, _SKIN_LIGHT, tone * 2 - 1)
    )
    hair = mix(_HAIRS[int(rng.integers(len(_HAIRS)))], _any_colour(rng), 0.12 * rng.random())
    return Identity(
        skin=skin,
        hair=hair,
        iris=_IRISES[int(rng.integers(len(_IRISES)))],
        lips=mix(mix(skin, (60, 50, 150), 0.45), (40, 30, 60), 0.1 + 0.2 * float(rng.random())),
        clothes=_any_colour(rng),
        trim=_any_colour(rng),
        style=str(rng.choice(HAIR_STYLES)),
        face_width=float(rng.uniform(0.72, 0.84)),
        jaw=float(rng.uniform(0.05, 0.3)),
        eye_size=float(rng.uniform(0.9, 1.15)),
        eye_gap=float(rng.uniform(0.31, 0.36)),
        brow_thick=float(rng.uniform(0.06, 0.11)),
        nose_size=float(rng.uniform(0.85, 1.2)),
        mouth_size=float(rng.uniform(0.9, 1.1)),
        glasses=bool(rng.random() < 0.15),
        beard=float(rng.uniform(0.2, 0.6)) if rng.random() < 0.2 else 0.0,
        ears=float(rng.uniform(0.12, 0.17)),
    )


def _any_colour(rng: np.random.Generator) -> Colour:
    b, g, r = rng.uniform(25, 230, 3)
    return float(b), float(g), float(r)
