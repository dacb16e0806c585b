"""Drawn copies of CAER-S, CAER, AFEW and SFEW in the layouts of their archives; see archives.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, Box
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.face_boxes import cache_header
from caer_ros.datasets.scenes.clip import Clip
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.datasets.scenes.media import encode_avi, encode_jpeg, encode_png
from caer_ros.datasets.scenes.spec import CLIP, SceneControls
from caer_ros.datasets.scenes.stream import SceneStream

# Drawn at 10 frames a second, shown at 30: each frame comes three times.
_TIMES = 3
# The shortest videos of CAER have 30 frames: fewer samples than a clip takes.
_SHORT = 10
_SFEW_SIZE = (143, 181)


@dataclass(frozen=True)
class Copy:
    """What to draw.

    counts: split -> samples; splits that the archive does not have are passed over.
    """

    counts: Mapping[str, int]
    seed: int = 0
    controls: SceneControls = field(default_factory=lambda: SceneControls(companions=2))

    def streams(self, *splits: str) -> Iterator[tuple[str, SceneStream, range]]:
        """Split, its scenes, and the indices to take of them."""
        for split in splits:
            count = self.counts.get(split, 0)
            if count:
                yield split, SceneStream(self.seed, split, self.controls), range(count)


def write_caer_s(out: Path, copy: Copy) -> None:
    """CAER-S: no validation split, and two spellings of the first class."""
    rows = []
    for split, stream, indices in copy.streams("train", "test"):
        for index in indices:
            scene = stream.scene(index)
            folder = _angry(scene.label) if split == "train" else scene.label
            name = f"{split}/{folder}/{index:04d}.png"
            rows.append(_write(out, name, encode_png(scene.image), [(0, scene)]))
    _write_cache(out, "image", rows)


def write_caer(out: Path, copy: Copy) -> None:
    """CAER: every third video is shorter than a clip of 16 samples."""
    rows = []
    for split, stream, indices in copy.streams("train", "validation", "test"):
        for index in indices:
            clip = stream.clip(index, CLIP + 2)
            name = f"{split}/{clip.label}/{index:04d}.avi"
            rows.append(_write_video(out, name, clip, _SHORT if index % 3 == 0 else CLIP + 2))
    _write_cache(out, "video", rows)


def write_afew(out: Path, copy: Copy) -> None:
    """AFEW: labelled training and validation videos, test videos without labels, aligned faces."""
    rows = []
    for split, stream, indices in copy.streams("train", "validation", "test"):
        folder = {"train": "Train", "validation": "Val", "test": "Test"}[split]
        for index in indices:
            clip = stream.clip(index, CLIP)
            stem = f"{index * 120:09d}"
            below = f"{folder}/{_angry(clip.label)}" if split != "test" else folder
            row = _write_video(out, f"{below}/{stem}.avi", clip, CLIP)
            if split == "test":
                continue
            rows.append(row)
            for number, scene in enumerate(clip.scenes[:3]):
                face = _aligned(scene, (128, 128))
                name = f"{folder}_Aligned_Faces/{stem}/{number:03d}.jpg"
                write_atomically(out / name, encode_jpeg(face))
    _write_cache(out, "video", rows)


def write_sfew(out: Path, copy: Copy) -> None:
    """SFEW 2.0: aligned faces of films, the test faces without labels."""
    rows = []
    for split, stream, indices in copy.streams("train", "validation", "test"):
        folder = {"train": "Train", "validation": "Val", "test": "Test"}[split] + "_Aligned_Faces"
        for index in indices:
            scene = stream.scene(index)
            name = f"DrawnFilm_{index * 2500:09d}_{index:08d}.png"
            face = encode_png(_aligned(scene, _SFEW_SIZE))
            if split == "test":
                write_atomically(out / folder / name, face)
                continue
            columns, lines = _SFEW_SIZE
            whole = Box(0.0, 0.0, float(columns), float(lines))
            path = f"{folder}/{_angry(scene.label)}/{name}"
            write_atomically(out / path, face)
            rows.append(_row(path, len(face), _SFEW_SIZE, [(0, (whole,))]))
    _write_cache(out, "image", rows)


def _angry(label: str) -> str:
    """The class as AFEW, SFEW and the training half of CAER-S spell it."""
    return "Angry" if label == CAER7[0] else label


def _aligned(scene: Scene, size: tuple[int, int]) -> np.ndarray:
    """The subject's face alone, uint8 BGR; `size` is its width and height."""
    box = scene.faces[0]
    height, width = scene.image.shape[:2]
    top, left = max(int(box.y1), 0), max(int(box.x1), 0)
    cut = scene.image[top : min(int(box.y2), height), left : min(int(box.x2), width)]
    return cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR)


def _write_video(out: Path, name: str, clip: Clip, samples: int) -> dict[str, Any]:
    """Write the first `samples` scenes of a clip as a video; gives its row of the face cache."""
    scenes = clip.scenes[:samples]
    frames = [scene.image for scene in scenes for _ in range(_TIMES)]
    data = encode_avi(frames, 10.0 * _TIMES)
    # The frames that 10 samples a second take.
    return _write(out, name, data, [(k * _TIMES, scene) for k, scene in enumerate(scenes)])


def _write(
    out: Path, name: str, data: bytes, scenes: Sequence[tuple[int, Scene]]
) -> dict[str, Any]:
    write_atomically(out / name, data)
    height, width = scenes[0][1].image.shape[:2]
    return _row(name, len(data), (width, height), [(k, scene.faces) for k, scene in scenes])


def _row(
    name: str, size: int, shape: tuple[int, int], frames: Sequence[tuple[int, tuple[Box, ...]]]
) -> dict[str, Any]:
    """A row of the face cache; the subject has the best score, as a detector would have it."""
    found = [
        [k, [[b.x1, b.y1, b.x2, b.y2, 0.9 if place else 1.0] for place, b in enumerate(faces)]]
        for k, faces in frames
    ]
    return {"file": name, "bytes": size, "width": shape[0], "height": shape[1], "frames": found}


def _write_cache(out: Path, kind: str, rows: Sequence[dict[str, Any]]) -> None:
    lines = [cache_header(kind, {"detector": "exact"}), *rows]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    write_atomically(out / FACES, text.encode())
