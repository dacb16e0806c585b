"""An endless, seeded, balanced row of scenes, any of which can be had alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from caer_ros.core import CAER7, InputError
from caer_ros.datasets.scenes.ceilings import as_range
from caer_ros.datasets.scenes.clip import Clip, draw_clip
from caer_ros.datasets.scenes.draw import Scene, draw_scene
from caer_ros.datasets.scenes.facs import confusers, draw_blend
from caer_ros.datasets.scenes.spec import CLIP, Expression, SceneControls, SceneSpec


def seed_of(seed: int, split: str, index: int) -> int:
    """64 bits for one sample: the first of SHA-256 of `seed/split/index`."""
    digest = hashlib.sha256(f"{seed}/{split}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


@dataclass(frozen=True)
class SceneStream:
    """Scenes 0, 1, 2, ... of a split; every seven in a row show every label once.

    Splits never share a person, a room or a noise, as all of it hangs on (seed, split, index).
    Plain data: it pickles, so workers of a loader can each draw their own indices.

    Attributes:
        seed: any integer.
        split: any name.
        controls: ambiguity, reliability and looks, see SceneControls.
    """

    seed: int
    split: str = "train"
    controls: SceneControls = field(default_factory=SceneControls)

    def spec(self, index: int) -> SceneSpec:
        """What scene `index` is, without drawing it.

        Raises:
            InputError: the index is negative.
        """
        if index < 0:
            raise InputError(f"There is no scene {index}.", "Indices start at 0.")
        block, place = divmod(index, len(CAER7))
        order = np.random.default_rng(seed_of(self.seed, f"{self.split}/order", block))
        label = CAER7[int(order.permutation(len(CAER7))[place])]
        seed = seed_of(self.seed, self.split, index)
        rng = np.random.default_rng([seed, 0])
        ambiguity = float(rng.uniform(*as_range(self.controls.ambiguity)))
        subject = _expression(label, ambiguity, rng)
        planted = _planted(label, self.controls, rng)
        others = tuple(
            _expression(_companion(label, self.controls.agreement, rng), ambiguity, rng)
            for _ in range(int(rng.integers(self.controls.companions + 1)))
        )
        return SceneSpec(
            seed, subject, ambiguity, planted, others, self.controls, self.split, index
        )

    def scene(self, index: int) -> Scene:
        """Scene `index`, drawn. Raises InputError where the index is negative."""
        return draw_scene(self.spec(index))

    def clip(self, index: int, frames: int = CLIP) -> Clip:
        """Scene `index` as a clip. Raises InputError for a negative index or too few frames."""
        return draw_clip(self.spec(index), frames)

    def scenes(self, count: int, start: int = 0) -> Iterator[Scene]:
        """`count` scenes from `start` on."""
        return (self.scene(index) for index in range(start, start + count))


def _expression(label: str, ambiguity: float, rng: np.random.Generator) -> Expression:
    confuser = confusers(label)[int(rng.integers(2))]
    return Expression(label, confuser, draw_blend(ambiguity, rng))


def _planted(label: str, controls: SceneControls, rng: np.random.Generator) -> str | None:
    # All three dice are always thrown, so that controls do not shift what comes after.
    right, absent, other = rng.random(), rng.random(), int(rng.integers(len(CAER7) - 1))
    if right < controls.reliability:
        return label
    return None if absent < controls.absent else _others(label)[other]


def _companion(label: str, agreement: float, rng: np.random.Generator) -> str:
    agrees, other = rng.random(), int(rng.integers(len(CAER7) - 1))
    return label if agrees < agreement else _others(label)[other]


def _others(label: str) -> list[str]:
    return [name for name in CAER7 if name != label]
