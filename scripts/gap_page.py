"""The page docs/domain-gap.md: what was measured of the renders, in tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gap_measures import (
    COMPARED,
    Real,
    Rendered,
    among_themselves,
    distances,
    draws,
    main_axes,
    tell_apart,
)

from caer_ros.core import CAER7
from caer_ros.evaluation.benet.tables import markdown

PICTURE = "images/domain-gap.jpg"
_DRAWS, _HALVES, _DEALS = 1000, 40, 10
_SEED = 7
# Fewer people than that are a trial.
_ENOUGH = 10
# The first is with all means, the last two lack more than one.
_OTHERS = 2


@dataclass(frozen=True)
class Measure:
    """values float64 [variants, draws]: each variant as it is, then of people drawn anew, the same
    people for all. `closer` is 1 where more is better, else -1."""

    title: str
    values: np.ndarray
    closer: int

    def change(self) -> np.ndarray:
        """Against the first variant: float64 [variants]."""
        return self.values[:, 0] - self.values[0, 0]

    def spread(self) -> np.ndarray:
        """Of `change`, 95 %: float64 [variants]."""
        return 1.96 * (self.values[:, 1:] - self.values[:1, 1:]).std(axis=1)

    def cells(self, at: int) -> list[str]:
        """A variant's value and its change."""
        value = f"{self.values[at, 0]:.2f}"
        return [value, f"{self.change()[at]:+.2f} ± {self.spread()[at]:.2f}" if at else ""]

    def verdict(self, names: Sequence[str]) -> str:
        """Which single means help, which hurt."""
        single = slice(1, len(names) - _OTHERS)
        gain = (-self.closer * self.change())[single]
        spread = self.spread()[single]
        listed = np.array([name.removeprefix("no ") for name in names[single]])
        helps, hurts = listed[gain > spread], listed[gain < -spread]
        rest = listed[np.abs(gain) <= spread]
        return _wrapped(
            f"- {self.title}: {_words(helps)} helped, {_words(hurts)} hurt; "
            f"within the spread: {_words(rest)}.",
            "  ",
        )


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 100, subsequent_indent=indent, break_on_hyphens=False)


def _words(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def page(rendered: Sequence[Rendered], reals: Sequence[Real], command: str) -> str:
    """The page, from variants (all means first, the drawn ones last) and folders of real faces."""
    rng = np.random.default_rng(_SEED)
    people = len(np.unique(rendered[0].faces.who))
    parts = [
        _head(rendered, people, command),
        *(_against(rendered, real, rng) for real in reals),
        _poses(rendered, rng),
        _LIMITS,
    ]
    return "\n".join(parts).replace("\n\n\n", "\n\n")


def _table(rendered: Sequence[Rendered], measures: Sequence[Measure]) -> str:
    names = [one.name for one in rendered]
    head = ["", *(word for one in measures for word in (one.title, "change"))]
    rows = [
        [name, *(cell for one in measures for cell in one.cells(at))]
        for at, name in enumerate(names)
    ]
    return markdown(head, rows) + "\n\n" + "\n".join(one.verdict(names) for one in measures)


def _against(rendered: Sequence[Rendered], real: Real, rng: np.random.Generator) -> str:
    """One folder's section."""
    compared = [one.faces.of(np.isin(one.faces.pose, COMPARED)) for one in rendered]
    axes = main_axes(real.faces)
    times = draws(compared[0].who, _DRAWS, rng), draws(real.faces.who, _DRAWS, rng)
    far = np.stack([distances(faces, real.faces, axes, times) for faces in compared])
    apart = np.stack([
        tell_apart(faces, real.faces, _DEALS, _SEED).accuracy(times) for faces in compared
    ])  # fmt: skip
    floor = among_themselves(real.faces, axes, len(compared[0]) // len(COMPARED), _HALVES, rng)
    counts = [int((real.faces.pose == pose).sum()) for pose in COMPARED]
    words = " and ".join(f"{n} {CAER7[p]}" for n, p in zip(counts, COMPARED, strict=True))
    measures = [Measure("distance", far, -1), Measure("told apart", apart, -1)]
    told = (
        f"{real.total} faces of which the teacher calls {words}; those, of "
        f"{len(np.unique(real.faces.who))} sources. One half of the sources is {floor.mean():.2f} "
        f"(standard deviation {floor.std():.2f}) from the other: no renders can be asked to come "
        "nearer."
    )
    return f"""
## Against `{real.name}`

{_wrapped(told)}

{_table(rendered, measures)}
"""


def _poses(rendered: Sequence[Rendered], rng: np.random.Generator) -> str:
    """What the teacher and the detector make of all seven poses."""
    times = draws(rendered[0].faces.who, _DRAWS, rng)
    weights = times / times.sum(axis=1, keepdims=True)
    named = np.stack([weights @ (one.said == one.faces.pose) for one in rendered])
    measures = [Measure("pose named", named, 1)]
    if rendered[0].found is not None:
        found = np.stack([weights @ one.found for one in rendered])
        measures.append(Measure("face found", found, 1))
    return f"""
## All seven poses

Shares of the {len(rendered[0].faces)} renders of each row.

{_table(rendered, measures)}
"""


def _head(rendered: Sequence[Rendered], people: int, command: str) -> str:
    lacks = "\n".join(f"| {one.name} | {one.without} |" for one in rendered)
    box = "the exact box"
    if rendered[0].found is not None:
        box = "the detector's box (where it does not find the face, by the exact one)"
    trial = "" if people >= _ENOUGH else f"**A trial: nothing follows from {people} people.**\n\n"
    return f"""# The gap between renders and photographs

```
{command}
```

renders of {people} people in seven poses with all means of the generator, with one means switched
off at a time, with none of them, and as the older, drawn generator does. All rows but the last show
the same people in the same poses, places and light, save for what is switched off.

![One person's same picture in every row of the tables]({PICTURE})

| row | switched off |
| --- | --- |
{lacks}

{trial}How to read the tables. All figures come from the teacher's network, which sees a face as the
robot cuts it, by {box}.

- **Distance**: squared Fréchet distance between 256 features of renders and of photographs, as
  normal distributions. {people} people are too few for a full covariance of 256 features: it is
  taken as diagonal in the principal axes of the photographs, so that how features go together off
  these axes is not compared. 1 is the photographs' own variance. Photographs show people who smile
  or do not, so only the poses Happy and Neutral are compared, and both weigh the same on either
  side. What a photograph shows is what the teacher says of it.
- **Told apart**: how often a linear classifier (ridge, cross-validated, other people in training
  than in testing) tells renders from photographs: .5 is not at all, 1 always.
- **Pose named**: the teacher names the emotion that was posed. **Face found**: by YuNet.
- **Change**: against the full generator, ± 95 %: 1.96 standard deviations over {_DRAWS} draws of
  people with replacement (rendered and real ones, the same for all rows). The classifier is not
  trained anew in these draws. Of so many figures one in twenty is beyond its spread by chance.
- **Helped** is a means without which the figure is worse by more than its spread.
"""


_LIMITS = """
## What this does not say

One small network looks, the one whose guesses the shipped CAER-Net-S learns from, and which was at
hand when the poses were made. What it does not look at may be far off at no cost here. Renders turn
their heads and are seen by poor cameras in odd light on purpose, portraits are not: a means that
makes renders as varied as a robot's pictures takes them away from portraits, so that "hurt" is no
reason by itself to drop it. Means are switched off one by one: two that do the same hide each
other. Shape of the head, tone of the skin and things before the face are in all rows but the last.
Pose of the head, gaze, bodies and cues were not switched off at all.
Nothing was trained here; a nearer render need not teach better.
"""
