"""Videos of a data set on disk as training and test see them (CAER, AFEW; section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.datasets.clips import (
    LENGTH,
    STRIDE,
    all_windows,
    sample_frames,
    training_clip,
)
from caer_ros.datasets.cuts import CENTRE, Choice, Cut, choose, cut_context, cut_face, no_face
from caer_ros.datasets.examples import Example
from caer_ros.datasets.face_boxes import FileFaces
from caer_ros.datasets.media import read_facts, read_video_frames
from caer_ros.datasets.samples import Sample


class ClipSource:
    """Labelled videos; see `Source`.

    Training draws one clip of 16 frames at 10 a second, testing takes all windows with 8 in common.
    A frame without a detected face borrows the box of the nearest frame that has one.

    Args:
        root: folder that the names in `boxes` are relative to.
        samples: which videos.
        cut: sizes and switches.
        boxes: faces by name, see `detect_all`.
        length: frames a clip.

    Raises:
        InputError: no sample, or the cache does not hold one.
    """

    def __init__(
        self,
        root: Path,
        samples: Sequence[Sample],
        cut: Cut,
        boxes: Mapping[str, FileFaces],
        length: int = LENGTH,
    ) -> None:
        if not samples:
            raise InputError(f"{root}: the split is empty.", "Name another split or folder.")
        self._samples, self._cut, self._length = list(samples), cut, length
        self.labels = np.array([sample.label for sample in samples], np.int64)
        self._faces = [_faces_of(root, sample, boxes) for sample in samples]
        self.present = np.array([faces.found > 0 for faces in self._faces])

    def __len__(self) -> int:
        return len(self._samples)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source."""
        frames = self._sampled(index)
        places = training_clip(len(frames), rng, self._length)
        return self._clips(index, [frames[places]], choose(self._cut, rng))[0]

    def views(self, index: int) -> list[Example]:
        """See Source: one example a window."""
        frames = self._sampled(index)
        windows = all_windows(len(frames), self._length, min(STRIDE, self._length))
        return self._clips(index, [frames[places] for places in windows], CENTRE)

    def _sampled(self, index: int) -> np.ndarray:
        """Indices of the frames that 10 samples a second take, int64 [n]."""
        # Headers are often wrong about the length; the cache knows which frames can be read.
        count = max(self._faces[index].frames) + 1
        return sample_frames(count, read_facts(self._samples[index].path).fps)

    def _clips(self, index: int, clips: list[np.ndarray], choice: Choice) -> list[Example]:
        wanted = np.unique(np.concatenate(clips))
        pictures = read_video_frames(self._samples[index].path, wanted)
        faces = self._faces[index].frames
        parts = {
            int(frame): self._cut_frame(image, int(frame), faces, choice)
            for frame, image in zip(wanted, pictures, strict=True)
        }
        present, label = bool(self.present[index]), int(self.labels[index])
        return [
            Example(
                np.stack([parts[int(frame)][0] for frame in clip]),
                np.stack([parts[int(frame)][1] for frame in clip]),
                label,
                present,
            )
            for clip in clips
        ]

    def _cut_frame(
        self, image: np.ndarray, frame: int, faces: Mapping[int, tuple[Box, ...]], choice: Choice
    ) -> tuple[np.ndarray, np.ndarray]:
        seen = faces.get(frame) or _nearest(faces, frame)
        context = cut_context(image, seen, self._cut, choice)
        face = cut_face(image, seen[0], self._cut, choice) if seen else no_face(self._cut)
        return face, context


def _faces_of(root: Path, sample: Sample, boxes: Mapping[str, FileFaces]) -> FileFaces:
    name = sample.path.relative_to(root).as_posix()
    if name not in boxes or not boxes[name].frames:
        raise InputError(f"The face cache does not hold {name}.", "Run `caer data boxes` again.")
    return boxes[name]


def _nearest(faces: Mapping[int, tuple[Box, ...]], frame: int) -> tuple[Box, ...]:
    """Boxes of the frame nearest in time that has any; () where none has."""
    there = [index for index, found in faces.items() if found]
    return faces[min(there, key=lambda index: abs(index - frame))] if there else ()
