"""What a data set is made of: labelled files, whatever folder layout they came from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from caer_ros.core import Box, InputError

# Split names as CAER spells them; the order in which they are shown.
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sample:
    """One labelled picture or clip.

    `label` is its place in CAER7. `box` is the subject's face in the picture's pixels, None where
    no list names one. `clip` names the clip that a picture was taken from, empty where nobody
    knows; a video is its own clip.
    """

    path: Path
    label: int
    box: Box | None = None
    split: str = ""
    clip: str = ""


@dataclass(frozen=True)
class Dataset:
    """A data set as it lies on disk.

    `kind` is `image` or `video`. `unlisted` counts files of the folders that no list names (they
    belong to no split), and `notes` are remarks for people.
    """

    root: Path
    kind: str
    samples: tuple[Sample, ...]
    unlisted: int = 0
    notes: tuple[str, ...] = ()

    def split(self, name: str) -> list[Sample]:
        """The samples of one split, in a fixed order.

        Raises:
            InputError: the split is missing or empty.
        """
        found = [sample for sample in self.samples if sample.split == name]
        if not found:
            there = ", ".join(self.splits()) or "none"
            raise InputError(
                f"{self.root} has no {name} split (it has {there}).",
                "Name another split, or make one with `caer data check --write-split`.",
            )
        return found

    def splits(self) -> list[str]:
        """Names of the splits that exist, in the order of SPLITS."""
        counts = Counter(sample.split for sample in self.samples)
        return [name for name in SPLITS if counts[name]]

    def relative(self, sample: Sample) -> str:
        """The sample's path below the root, with forward slashes: its name in lists and caches."""
        return sample.path.relative_to(self.root).as_posix()
