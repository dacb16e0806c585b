"""What a scene is before it is drawn: the controls, and one scene's outcome of the dice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from caer_ros.core import CAER7, InputError
from caer_ros.datasets.scenes.ceilings import (
    Ceilings,
    Range,
    as_range,
    ceilings,
    check_share,
    face_posterior,
)

MIN_WIDTH, MIN_HEIGHT = 160, 120
MAX_SIDE = 4096
# Frames in a whole turn of the slowest head movement: clips are at least as long, as CAER-Net's.
CLIP = 16
FPS = 10.0


@dataclass(frozen=True)
class SceneControls:
    """How hard scenes are, and what they look like.

    Attributes:
        ambiguity: of the faces, in [0, 1]; a pair (low, high) draws one for each scene, uniformly.
            0: the face alone tells the label. 1: it can not tell the label from its confuser.
        reliability: probability in [0, 1] that the planted object is of the label's class.
        absent: share in [0, 1] of the other scenes that have no object; the rest have one of
            another class.
        companions: most other people a scene (0 to 3); fewer where there is no room.
        agreement: probability that a companion shows the label; else it is one of the other six.
            At 1/7 companions say nothing. Ceilings suppose that their faces are hidden.
        distractors: most things without meaning a scene (0 to 12).
        habit: deviation of each facial movement that is the person's own, 0 to 0.3.
        noise: most grey levels of noise, 0 to 40.
        motion: in clips, heads move in a way that tells a face's emotion from its confuser; else
            they move in a random one of the same ways. Stills show nothing of it.
        width, height: of the picture, in pixels.

    Raises:
        InputError: a value is out of its range.
    """

    ambiguity: float | Range = 0.0
    reliability: float = 1.0
    absent: float = 0.25
    companions: int = 0
    agreement: float = 1 / 7
    distractors: int = 4
    habit: float = 0.06
    noise: float = 8.0
    motion: bool = False
    width: int = 320
    height: int = 240

    def __post_init__(self) -> None:
        as_range(self.ambiguity)
        check_share("Reliability", self.reliability)
        check_share("Absent share", self.absent)
        check_share("Agreement", self.agreement)
        _check("Companions", self.companions, 0, 3)
        _check("Distractors", self.distractors, 0, 12)
        _check("Habit", self.habit, 0, 0.3)
        _check("Noise", self.noise, 0, 40)
        _check("Width", self.width, MIN_WIDTH, MAX_SIDE)
        _check("Height", self.height, MIN_HEIGHT, MAX_SIDE)

    def ceilings(self) -> Ceilings:
        """Bayes-optimal accuracies for stills under these controls."""
        return ceilings(self.ambiguity, self.reliability, self.absent)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SceneControls:
        """The controls that `as_dict` gave, also by way of JSON.

        Raises:
            InputError: an unknown name or a value out of its range.
        """
        unknown = sorted(values.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise InputError(f"Unknown scene control {unknown[0]}.", "Another version wrote it.")
        ambiguity = values.get("ambiguity", 0.0)
        if isinstance(ambiguity, list):
            values = {**values, "ambiguity": (float(ambiguity[0]), float(ambiguity[1]))}
        return cls(**values)


@dataclass(frozen=True)
class Expression:
    """A face: emotion `label` with `share` in [0, 1] of `confuser`. At share 0 it is pure."""

    label: str
    confuser: str
    share: float


@dataclass(frozen=True)
class SceneSpec:
    """One scene, wholly determined; `draw_scene` is a pure function of it.

    Attributes:
        seed: 64 bits, for all that is drawn by chance and says nothing of the label.
        subject: whose emotion is the label, and how it shows.
        ambiguity: of this scene's faces.
        planted: emotion that the planted object stands for, or None for no object.
        others: expressions of companions.
        split, index: where in a stream it came from.
    """

    seed: int
    subject: Expression
    ambiguity: float = 0.0
    planted: str | None = None
    others: tuple[Expression, ...] = ()
    controls: SceneControls = field(default_factory=SceneControls)
    split: str = ""
    index: int = 0

    @property
    def label(self) -> str:
        return self.subject.label

    @property
    def label_index(self) -> int:
        """Place of the label in CAER7."""
        return CAER7.index(self.label)

    @property
    def outcome(self) -> str:
        """What the object says: `right`, `wrong`, or `none` where there is no object."""
        if self.planted is None:
            return "none"
        return "right" if self.planted == self.label else "wrong"

    @property
    def face_certainty(self) -> float:
        """P(label | face) for who knows this scene's ambiguity: 1 certain, 1/2 no idea."""
        return face_posterior(self.subject.share, self.ambiguity)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} {value:g} is not within {low:g} to {high:g}.", "Choose another.")
