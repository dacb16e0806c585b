"""From TV videos to unlabelled clips: shots, faces, choice, files (CAER-Net section 4.1, Fig. 5).

What is found in each video is kept in a journal of its own, piece by piece, so that a killed run
goes on where it stopped; clips that are written already are not written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from caer_ros.core import Box, InputError
from caer_ros.datasets.clip_faces import write_clip_faces
from caer_ros.datasets.clip_writer import clip_rate, clip_size, write_clips
from caer_ros.datasets.clips import RATE
from caer_ros.datasets.face_boxes import detect_frames, parse_frames
from caer_ros.datasets.journal import Journal
from caer_ros.datasets.layouts import VIDEO_SUFFIXES
from caer_ros.datasets.media import VideoFacts, iterate_video, read_facts
from caer_ros.datasets.shot_choice import Choice, Rules, choose
from caer_ros.datasets.shots import Span, cut_pieces, find_shots
from caer_ros.perception.face_detector import FaceDetector

# Settings that all of a harvest shares.
BUILD = Path("work") / "build.jsonl"
_SUFFIXES = (*VIDEO_SUFFIXES, ".gif", ".ts", ".mpeg")
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Film:
    """One source video and the show that it belongs to."""

    path: Path
    show: str

    @property
    def name(self) -> str:
        """Show and file, fit for a file name; names its journal and begins its clips' names."""
        return f"{_UNFIT.sub('-', self.show)}_{_UNFIT.sub('-', self.path.stem)}"


@dataclass(frozen=True)
class Piece:
    """A shot or a part of one, judged: where it lies, and what was found in it.

    `frames` maps the source's frames that were looked at to their faces.
    """

    film: Film
    span: Span
    fps: float
    frames: Mapping[int, tuple[Box, ...]]
    choice: Choice

    @property
    def clip(self) -> str:
        """Name of the clip, unique in a harvest."""
        return f"{self.film.name}_{self.span.start:06d}"


def list_films(sources: Sequence[Path], show_is: str) -> list[Film]:
    """The videos that are named or lie below a named folder, sorted.

    Args:
        show_is: `folder`, the show is the folder that the video lies in; `file`, each is its own.

    Raises:
        InputError: a source is missing or holds no video, or two videos would get one name.
    """
    films: dict[str, Film] = {}
    for path in (path for source in sources for path in _videos(source)):
        show = path.resolve().parent.name if show_is == "folder" else path.stem
        film = Film(path, show)
        other = films.setdefault(film.name, film)
        if other.path.resolve() != path.resolve():
            raise InputError(
                f"{other.path} and {path} would both be called {film.name}.", "Rename one of them."
            )
    return [films[name] for name in sorted(films)]


def _videos(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputError(f"{source} does not exist.", "Name videos, or folders with videos.")
    found = sorted(p for p in source.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not found:
        raise InputError(f"{source} holds no video.", f"Videos end in {', '.join(_SUFFIXES)}.")
    return found


def harvest(
    film: Film,
    detector: FaceDetector,
    settings: Mapping[str, Any],
    rules: Rules,
    out: Path,
    height: int,
) -> list[Piece]:
    """Judge every piece of a video and write the chosen ones to `out`/clips/NAME.avi.

    Args:
        settings: what the detector's boxes depend on; a journal of other settings is refused.
        height: clips are shrunk to this many rows, never enlarged.

    Raises:
        InputError: the video can not be read, or `out` was begun with other settings.
    """
    facts = read_facts(film.path)
    header = {
        "schema": 1,
        "video": film.path.name,
        "bytes": film.path.stat().st_size,
        "rate": RATE,
        "min_seconds": rules.min_seconds,
        "max_seconds": rules.max_seconds,
        **settings,
    }
    with Journal(out / "work" / f"{film.name}.jsonl", header) as journal:
        spans = _spans(film, facts, rules, journal)
        _look(film, facts, spans, detector, journal)
        seen = {Span(*row["span"]): parse_frames(row["frames"]) for row in journal.rows[1:]}
    pieces = [
        Piece(film, span, facts.fps, seen[span], choose(seen[span], rules))
        for span in spans
        if span in seen
    ]
    chosen = {piece.clip: piece for piece in pieces if not piece.choice.reason}
    spans_of = {name: piece.span for name, piece in chosen.items()}
    write_clips(film.path, facts, spans_of, out / "clips", height)
    for name, piece in chosen.items():
        assert piece.choice.subject is not None
        subject, (width, _) = piece.choice.subject, clip_size(facts, height)
        scale = width / facts.width
        write_clip_faces(out / "clips" / name, piece.span, piece.frames, subject, scale)
    return pieces


def _spans(film: Film, facts: VideoFacts, rules: Rules, journal: Journal) -> list[Span]:
    """Pieces of all shots, from the journal's first row where it is there."""
    if not journal.rows:
        shots = find_shots(film.path, facts.fps)
        pieces = [
            piece
            for shot in shots
            for piece in cut_pieces(shot, facts.fps, rules.min_seconds, rules.max_seconds)
        ]
        journal.append({"shots": len(shots), "spans": [[p.start, p.end] for p in pieces]})
    return [Span(*pair) for pair in journal.rows[0]["spans"]]


def _look(
    film: Film, facts: VideoFacts, spans: list[Span], detector: FaceDetector, journal: Journal
) -> None:
    """Detect faces in the pieces that the journal does not hold, a row a piece."""
    seen = {Span(*row["span"]) for row in journal.rows[1:]}
    missing = [span for span in spans if span not in seen]
    if not missing:
        return
    frames = tqdm(
        iterate_video(film.path), film.name, facts.frames or None, unit="frame", disable=None
    )
    for span, piece in _pieces_of(enumerate(frames), missing):
        # The clip's own rate, so that these are the frames that its readers will sample.
        step = max(clip_rate(facts.fps) / RATE, 1.0)
        wanted = {span.start + int(i * step) for i in range(int(span.length / step) + 1)}
        found = detect_frames(((i, image) for i, image in piece if i in wanted), detector)
        if found:
            journal.append({"span": [span.start, span.end], "frames": found})


def _pieces_of(
    frames: Iterable[tuple[int, np.ndarray]], spans: list[Span]
) -> Iterator[tuple[Span, Iterator[tuple[int, np.ndarray]]]]:
    """Each span with its frames, which must be used up before the next is asked for."""
    stream = iter(frames)
    for span in spans:
        yield span, _take(stream, span)


def _take(stream: Iterator[tuple[int, np.ndarray]], span: Span) -> Iterator[tuple[int, np.ndarray]]:
    for index, frame in stream:
        if index >= span.start:
            yield index, frame
        # Stop at the last frame of this span, so that the next one's first is still to come.
        if index >= span.end - 1:
            return
