"""A picture a clip to annotate by: frames in the order of time, the person meant in a green box."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from caer_ros.datasets.box_report import draw_faces
from caer_ros.datasets.harvest import Piece
from caer_ros.datasets.media import iterate_video
from caer_ros.perception.contact_sheet import contact_sheet
from caer_ros.perception.writer import write_image

_FRAMES = 6


def write_pictures(pieces: Iterable[Piece], folder: Path) -> int:
    """Write `folder`/CLIP.png of every chosen piece that has none yet; how many were written.

    Raises:
        InputError: a source video can not be read.
    """
    missing: dict[Path, list[Piece]] = {}
    for piece in pieces:
        if not piece.choice.reason and not (folder / f"{piece.clip}.png").is_file():
            missing.setdefault(piece.film.path, []).append(piece)
    written = 0
    for path, todo in tqdm(missing.items(), desc="pictures", unit="video", disable=None):
        written += _write_of_video(path, todo, folder)
    return written


def _write_of_video(path: Path, pieces: list[Piece], folder: Path) -> int:
    wanted = {frame: piece for piece in pieces for frame in _shown_frames(piece)}
    drawn: dict[str, list] = {piece.clip: [] for piece in pieces}
    for index, frame in enumerate(iterate_video(path)):
        if index not in wanted:
            continue
        piece = wanted[index]
        assert piece.choice.subject is not None
        drawn[piece.clip].append(draw_faces(frame, [piece.choice.subject.boxes[index]]))
        if len(drawn[piece.clip]) == len(_shown_frames(piece)):
            write_image(folder / f"{piece.clip}.png", contact_sheet(drawn.pop(piece.clip), 3, 320))
    return len(pieces) - len(drawn)


def _shown_frames(piece: Piece) -> list[int]:
    """Frames spread evenly over those in which the subject's face was found."""
    assert piece.choice.subject is not None
    frames = sorted(piece.choice.subject.boxes)
    return sorted({frames[i * len(frames) // _FRAMES] for i in range(_FRAMES)})
