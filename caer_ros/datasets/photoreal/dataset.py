"""Writes rendered people as a CAER-S-like data set; the same seed gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import Picture, person_of, take
from caer_ros.datasets.photoreal.render import LANDMARKS

TEST_SHARE = 0.1
_SHEET_PEOPLE = 12
_FACE = 128
_FIELDS = (
    "file",
    "person",
    "label",
    "ita",
    "yaw",
    "pitch",
    "roll",
    "face",
    *(f"{n}_{a}" for n in LANDMARKS for a in "xy"),
)


@dataclass(frozen=True)
class Plan:
    """What is written: `people` persons, each once in every class, under `seed` below `out`."""

    out: Path
    people: int
    seed: int

    @property
    def test_people(self) -> int:
        return max(1, round(self.people * TEST_SHARE))

    def path(self, number: int, label: str) -> Path:
        """Where the picture of person `number` posing `label` lies, from `out`."""
        split = "test" if number < self.test_people else "train"
        return Path(split, label, f"{number:05d}.png")


def write_photoreal(
    model: FaceModel, out: Path, count: int, seed: int, jobs: int = 1
) -> dict[str, int]:
    """Write `count` pictures (rounded up to whole people) under `out`; how many each split has.

    A run that was cut off goes on where it was, if called with the same count and seed. Beside
    {train,test}/CLASS/NNNNN.png and {train,test}.csv there are people.csv (pose, skin tone as ITA,
    landmarks), contact_sheet.png and plan.json.

    Args:
        jobs: processes; the bytes do not depend on it.

    Raises:
        InputError: `out` holds something else, or count is too small for both splits.
    """
    plan = Plan(out, -(-count // len(CAER7)), seed)
    if plan.people < 2:
        raise InputError(f"--count {count} is too small.", f"Use more than {len(CAER7)}.")
    _claim(plan)
    todo = [n for n in range(plan.people) if not _record(plan, n).is_file()]
    bar = tqdm(total=plan.people, initial=plan.people - len(todo), desc="render", unit="person")
    for _ in _each(model, plan, todo, jobs):
        bar.update()
    bar.close()
    return _finish(plan)


def _claim(plan: Plan) -> None:
    wanted = json.dumps({"kind": "photoreal", "people": plan.people, "seed": plan.seed}) + "\n"
    note = plan.out / "plan.json"
    if note.is_file():
        if note.read_text() != wanted:
            raise InputError(f"{plan.out} was begun with other arguments.", "Name a new folder.")
    elif plan.out.exists() and any(plan.out.iterdir()):
        raise InputError(f"{plan.out} is not empty.", "Name a new folder.")
    write_atomically(note, wanted.encode())


def _record(plan: Plan, number: int) -> Path:
    return plan.out / "people" / f"{number:05d}.json"


_STATE: dict[str, object] = {}


def _start(model: FaceModel, plan: Plan) -> None:
    cv2.setNumThreads(1)
    _STATE["studio"], _STATE["plan"] = open_studio(model), plan


def _work(number: int) -> int:
    studio, plan = _STATE["studio"], _STATE["plan"]
    assert isinstance(studio, Studio)
    assert isinstance(plan, Plan)
    _write_person(studio, plan, number)
    return number


def _each(model: FaceModel, plan: Plan, todo: list[int], jobs: int) -> Iterator[int]:
    if jobs <= 1 or len(todo) < 2:
        _start(model, plan)
        yield from map(_work, todo)
        return
    with get_context("spawn").Pool(jobs, _start, (model, plan)) as pool:
        yield from pool.imap_unordered(_work, todo)


def _write_person(studio: Studio, plan: Plan, number: int) -> None:
    person = person_of(studio, plan.seed, number)
    rows = []
    for label in CAER7:
        picture = take(studio, person, plan.seed, number, label)
        path = plan.path(number, label)
        write_atomically(plan.out / path, _png(picture.image))
        rows.append(_row(path, number, label, picture))
    # The record comes last: a person without one is written again.
    write_atomically(_record(plan, number), json.dumps(rows).encode())


def _row(path: Path, number: int, label: str, picture: Picture) -> dict[str, object]:
    box, view = picture.box, picture.view
    return {
        "file": path.as_posix(), "person": number, "label": label,
        "box": [round(v, 1) for v in (box.x1, box.y1, box.x2, box.y2)],
        "ita": round(picture.ita, 1), "yaw": round(view.yaw, 1), "pitch": round(view.pitch, 1),
        "roll": round(view.roll, 1), "face": round(view.face, 1),
        "landmarks": [round(float(v), 1) for v in picture.landmarks.ravel()],
    }  # fmt: skip


def _finish(plan: Plan) -> dict[str, int]:
    rows = [row for n in range(plan.people) for row in json.loads(_record(plan, n).read_text())]
    lists: dict[str, list[list[object]]] = {"train": [], "test": []}
    table: list[list[object]] = [list(_FIELDS)]
    for row in rows:
        split, name = row["file"].split("/", 1)
        lists[split].append([name, CAER7.index(row["label"]), *(f"{v:.1f}" for v in row["box"])])
        table.append([row[k] for k in _FIELDS[:8]] + row["landmarks"])
    for split, lines in lists.items():
        write_atomically(plan.out / f"{split}.csv", _csv(lines))
    write_atomically(plan.out / "people.csv", _csv(table))
    write_atomically(plan.out / "contact_sheet.png", _png(contact_sheet(plan.out, rows)))
    return {split: len(lines) for split, lines in lists.items()}


def contact_sheet(out: Path, rows: list[dict]) -> np.ndarray:
    """Faces with some surroundings, a row for each emotion, a column a person: uint8 RGB."""
    columns = []
    for start in range(0, min(len(rows), _SHEET_PEOPLE * len(CAER7)), len(CAER7)):
        tiles = [_cut(out / row["file"], row["box"]) for row in rows[start : start + len(CAER7)]]
        columns.append(np.vstack(tiles))
    return np.hstack(columns)


def _cut(path: Path, box: list[float]) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
    side = max(box[2] - box[0], box[3] - box[1]) * 1.5
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    scale = _FACE / side
    move = np.array(
        [[scale, 0, _FACE / 2 - middle[0] * scale], [0, scale, _FACE / 2 - middle[1] * scale]]
    )
    return cv2.warpAffine(
        np.ascontiguousarray(image),
        move,
        (_FACE, _FACE),
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )


def _png(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 2])[1].tobytes()


def _csv(rows: list[list[object]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()
