"""Optimisation profiles: which sizes of its dynamic axes an engine is built for.

Axes go by the names that the ONNX file gives them. Rows (`people`, `scenes`, `images`) get profiles
of one fixed size each, which the engine fills up, so that every shape repeats and its CUDA graph is
replayed; sides of pictures get a range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caer_ros.core import InputError
from caer_ros.engines.base import TensorSpec

Shape = tuple[int, ...]

# Rows of an engine by default: the pipeline gives up to 32 people at once.
ROWS = (1, 4, 8, 16, 32)
# Frames of several cameras in one run; the pipeline gives up to as many at once.
FRAMES = 4
_DETECTOR_SIDE = 640
_FORM = "Write AXIS=SIZE or AXIS=LEAST:BEST:MOST, with commas between, e.g. people=4,scenes=1"


@dataclass(frozen=True)
class Range:
    """Sizes of one axis: the least, the one to be fastest at, the most."""

    least: int
    best: int
    most: int

    def __str__(self) -> str:
        if self.least == self.most:
            return str(self.least)
        return f"{self.least}:{self.best}:{self.most}"


@dataclass(frozen=True)
class Profile:
    """Sizes of every dynamic axis, by its name."""

    axes: Mapping[str, Range]

    def __str__(self) -> str:
        return ",".join(f"{name}={size}" for name, size in sorted(self.axes.items()))

    def shapes(self, name: str, spec: TensorSpec) -> tuple[Shape, Shape, Shape]:
        """Least, best and largest shape of an input.

        Raises:
            InputError: the profile does not say how large one of its axes is.
        """
        ranges = [
            Range(axis, axis, axis) if isinstance(axis, int) else self._of(name, axis)
            for axis in spec.shape
        ]
        return (
            tuple(r.least for r in ranges),
            tuple(r.best for r in ranges),
            tuple(r.most for r in ranges),
        )

    def _of(self, name: str, axis: str) -> Range:
        if axis not in self.axes:
            raise InputError(
                f"Profile '{self}' does not say how large axis '{axis}' of input '{name}' is.",
                _FORM + ".",
            )
        return self.axes[axis]


def parse_profile(text: str) -> Profile:
    """Read what `caer build --profile` takes, e.g. `height=512,width=512:704:1024`.

    Raises:
        InputError: it is written in another way, or sizes are not in order.
    """
    axes = {}
    for part in text.split(","):
        name, _, sizes = part.partition("=")
        try:
            numbers = [int(size) for size in sizes.split(":")]
            least, best, most = numbers if len(numbers) == 3 else numbers * 3
        except ValueError as error:
            raise InputError(f"Profile '{text}' can not be read at '{part}'.", _FORM) from error
        if not (name and 1 <= least <= best <= most):
            raise InputError(f"Profile '{text}': '{part}' is not in order.", _FORM)
        axes[name.strip()] = Range(least, best, most)
    return Profile(axes)


def join_profiles(profiles: Sequence[Profile]) -> str:
    """All profiles of an engine in one line; the same line means the same profiles."""
    return " ".join(map(str, profiles))


def default_profiles(inputs: Mapping[str, Mapping[str, Any]]) -> tuple[Profile, ...]:
    """What an engine is built for unless the user says otherwise.

    Args:
        inputs: the `inputs` of a bundle's model.yaml.

    Returns:
        For CAER-Net one profile for each number of people in ROWS, and one for the most people of
        FRAMES cameras; for BENet landscape frames
        from square to 2:1, fastest at 4:3; for face detectors frames shrunk to 640 pixels.
    """
    names = {axis for entry in inputs.values() for axis in entry["shape"] if isinstance(axis, str)}
    axes = {name: Range(1, 1, 1) for name in names}
    for entry in inputs.values():
        if {"height", "width"} <= set(entry["shape"]):
            axes["height"], axes["width"] = _sides(entry)
    if "people" not in axes:
        return (Profile(axes),)
    profiles = [Profile(axes | {"people": Range(rows, rows, rows)}) for rows in ROWS]
    if "scenes" in axes:
        many = {"scenes": Range(FRAMES, FRAMES, FRAMES)}
        profiles.append(Profile({**profiles[-1].axes, **many}))
    return tuple(profiles)


def _sides(entry: Mapping[str, Any]) -> tuple[Range, Range]:
    """Heights and widths of a picture that keeps the frame's proportions."""
    step = int(entry.get("multiple_of", 32))
    if "short_side" not in entry:
        most = -(-_DETECTOR_SIDE // step) * step
        return Range(step, most * 3 // 4 // step * step, most), Range(step, most, most)
    short = -(-int(entry["short_side"]) // step) * step
    best = -(-short * 4 // 3 // step) * step
    return Range(short, short, short), Range(short, best, 2 * short)
