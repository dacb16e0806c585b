"""What a folder of renders says beside its lists: whose scene tells something, and all faces."""

from __future__ import annotations

import csv
from pathlib import Path

from caer_ros.core import Box
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.face_boxes import read_boxes
from caer_ros.datasets.photoreal.plan import is_photoreal
from caer_ros.datasets.samples import Sample

_TABLE, _KIND, _IDLE = "people.csv", "cue_kind", ("", "idle")


def planted_in(folder: Path, samples: list[Sample]) -> list[bool]:
    """Whether each sample's scene may tell something of its label.

    Of pictures by `caer data synth --photoreal` people.csv says so; of drawn ones, which may all
    have a cue, nothing does.
    """
    if is_photoreal(folder):
        return [False] * len(samples)
    kinds = _cue_kinds(folder / _TABLE)
    return [kinds.get(_name(folder, each), "unknown") not in _IDLE for each in samples]


def faces_in(folder: Path, samples: list[Sample]) -> list[list[Box]]:
    """Everybody's face in each sample's picture, the subject's first: what the context hides."""
    cache = folder / FACES
    known = read_boxes(cache) if cache.is_file() else {}
    faces = []
    for sample in samples:
        assert sample.box is not None
        found = known.get(_name(folder, sample))
        others = found.frames.get(0, ())[1:] if found else ()
        faces.append([sample.box, *others])
    return faces


def _cue_kinds(table: Path) -> dict[str, str]:
    if not table.is_file():
        return {}
    with table.open(newline="") as stream:
        return {row["file"]: row[_KIND] for row in csv.DictReader(stream) if _KIND in row}


def _name(folder: Path, sample: Sample) -> str:
    return sample.path.relative_to(folder).as_posix()
