"""The clips of a harvest: DIR/clips.json, what annotation and aggregation go by."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from caer_ros.bundles import write_atomically
from caer_ros.core import InputError
from caer_ros.datasets.clip_writer import SUFFIX
from caer_ros.datasets.harvest import Piece

_NAME, _DROPPED = "clips.json", "dropped.csv"
_DROPPED_COLUMNS = ("show", "video", "start_s", "seconds", "people", "reason")
_REMEDY = "Name the --out folder of a finished `caer data build`."


@dataclass(frozen=True)
class ClipEntry:
    """One unlabelled clip: its name, show, source video, and where in it, in frames and seconds."""

    clip: str
    show: str
    video: str
    start: int
    frames: int
    fps: float

    @property
    def begins(self) -> float:
        """Seconds from the start of the source video."""
        return self.start / self.fps

    @property
    def ends(self) -> float:
        return (self.start + self.frames) / self.fps

    def file(self, harvest: Path) -> Path:
        """The clip's file in the harvest's folder."""
        return harvest / "clips" / f"{self.clip}{SUFFIX}"


def write_manifest(pieces: Sequence[Piece], out: Path) -> list[ClipEntry]:
    """Write clips.json of the chosen pieces and dropped.csv of the others, with the reasons.

    What earlier calls found in videos that `pieces` does not come from is kept.

    Returns:
        All clips, sorted by name.

    Raises:
        InputError: the files that exist are damaged.
    """
    renewed = {(piece.film.show, piece.film.path.name) for piece in pieces}
    entries = [e for e in _read_entries(out / _NAME) if (e.show, e.video) not in renewed]
    dropped = [row for row in _read_dropped(out / _DROPPED) if (row[0], row[1]) not in renewed]
    for piece in pieces:
        show, video = piece.film.show, piece.film.path.name
        start, length = piece.span.start, piece.span.length
        if piece.choice.reason:
            times = f"{start / piece.fps:.2f}", f"{length / piece.fps:.2f}"
            dropped.append([show, video, *times, f"{piece.choice.people:g}", piece.choice.reason])
        else:
            entries.append(ClipEntry(piece.clip, show, video, start, length, piece.fps))
    entries.sort(key=lambda entry: entry.clip)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([_DROPPED_COLUMNS, *dropped])
    write_atomically(out / _DROPPED, stream.getvalue().encode())
    text = json.dumps([asdict(entry) for entry in entries], indent=1)
    write_atomically(out / _NAME, text.encode())
    return entries


def read_manifest(folder: Path) -> list[ClipEntry]:
    """The clips of a harvest, sorted by name.

    Raises:
        InputError: `folder` was not finished by `caer data build`, or it has no clip.
    """
    entries = _read_entries(folder / _NAME)
    if not entries:
        raise InputError(f"{folder / _NAME} lists no clip or does not exist.", _REMEDY)
    return entries


def _read_entries(path: Path) -> list[ClipEntry]:
    if not path.is_file():
        return []
    try:
        return [ClipEntry(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is no list of clips: {error}.", _REMEDY) from error


def _read_dropped(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.reader(stream) if len(row) == len(_DROPPED_COLUMNS)][1:]
