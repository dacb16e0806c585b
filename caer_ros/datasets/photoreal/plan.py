"""What a folder of renders is to hold, and the work shared out to processes, one unit at a time.

A unit is a person in all seven emotions, or one picture of a group. It is finished when its record
is written, so that a run that was cut off goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import InputError
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.parts import Part
from caer_ros.datasets.photoreal.person import Studio, open_studio

SHARE = 0.1
_NOTE, _KIND = "plan.json", "photoreal"


@dataclass(frozen=True)
class Plan:
    """What is written below `out`: units 0 to `units` - 1 under `seed`.

    layout: `caer-s`, `caer` or `emotic`. frames: of a clip. cues: probability of a cue. masks:
    whether they are written too.
    """

    out: Path
    units: int
    seed: int
    layout: str = "caer-s"
    frames: int = 1
    cues: float = 0.0
    masks: bool = False

    def split(self, number: int) -> str:
        """A unit's split: the first tenth is for testing, the next, save of CAER-S which has none,
        for validation."""
        held = max(1, round(self.units * SHARE))
        if number < held:
            return "test"
        return "validation" if self.layout != "caer-s" and number < 2 * held else "train"

    def record(self, number: int) -> Path:
        """Where it is written what a unit holds."""
        return self.out / "people" / f"{number:05d}.json"

    def note(self) -> dict[str, Any]:
        """What plan.json says; of plain pictures as long as there have been any. Where there are
        masks, it names the values of those of parts."""
        note: dict[str, Any] = {"kind": _KIND, "people": self.units, "seed": self.seed}
        if self.cues:
            note |= {"kind": f"{_KIND} with cues", "cues": self.cues}
        if self.layout != "caer-s":
            note |= {"kind": f"{_KIND} {self.layout}", "cues": self.cues, "frames": self.frames}
        if self.masks:
            note |= {"masks": True, "parts": {part.name.lower(): int(part) for part in Part}}
        return note

    def rows(self) -> list[dict[str, Any]]:
        """All that the records hold."""
        return [row for n in range(self.units) for row in json.loads(self.record(n).read_text())]


def is_photoreal(folder: Path) -> bool:
    """Whether a folder holds `caer data synth --photoreal` pictures without planted cues."""
    note = folder / _NOTE
    return note.is_file() and f'"{_KIND}"' in note.read_text()


def claim(plan: Plan) -> None:
    """Take the folder for this plan.

    Raises:
        InputError: it holds something else.
    """
    wanted = json.dumps(plan.note()) + "\n"
    note = plan.out / _NOTE
    if note.is_file():
        if note.read_text() != wanted:
            raise InputError(f"{plan.out} was begun with other arguments.", "Name a new folder.")
    elif plan.out.exists() and any(plan.out.iterdir()):
        raise InputError(f"{plan.out} is not empty.", "Name a new folder.")
    write_atomically(note, wanted.encode())


Write = Callable[[Studio, Plan, int], None]
_STATE: dict[str, Any] = {}


def carry_out(model: FaceModel, plan: Plan, write: Write, jobs: int) -> None:
    """Call `write` for every unit without a record, in `jobs` processes.

    `write` is a function of a module; it writes the unit's files, and its record last.
    """
    todo = [n for n in range(plan.units) if not plan.record(n).is_file()]
    bar = tqdm(total=plan.units, initial=plan.units - len(todo), desc="render", unit="unit")
    for _ in _each(model, plan, write, todo, jobs):
        bar.update()
    bar.close()


def _start(model: FaceModel, plan: Plan, write: Write) -> None:
    cv2.setNumThreads(1)
    _STATE.update(studio=open_studio(model), plan=plan, write=write)


def _work(number: int) -> int:
    _STATE["write"](_STATE["studio"], _STATE["plan"], number)
    return number


def _each(
    model: FaceModel, plan: Plan, write: Write, todo: Sequence[int], jobs: int
) -> Iterator[int]:
    if jobs <= 1 or len(todo) < 2:
        if todo:
            _start(model, plan, write)
        yield from map(_work, todo)
        return
    with get_context("spawn").Pool(jobs, _start, (model, plan, write)) as pool:
        yield from pool.imap_unordered(_work, todo)
