"""What a CAER-Net bundle says of labelled videos: its stage on the robot, fed frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import Box, PersonEmotion
from caer_ros.datasets.clips import sample_frames
from caer_ros.datasets.face_boxes import FileFaces
from caer_ros.datasets.media import read_facts, read_video_frames
from caer_ros.datasets.samples import Sample
from caer_ros.engines import Engine, open_engine
from caer_ros.engines.base import EngineBase
from caer_ros.evaluation.answers import (
    Answer,
    Answers,
    OnBad,
    Pictures,
    ask_pictures,
    check_labels,
    each,
)
from caer_ros.perception import PipelineConfig, Scene
from caer_ros.perception.caer_clip import CaerClipStage
from caer_ros.perception.camera_memory import CameraMemory
from caer_ros.perception.cpu_hint import hint_for

_NAME = "subject"
Frames = list[tuple[np.ndarray, tuple[Box, ...]]]


class Videos:
    """Labelled videos with their faces; `labels` int64 [N].

    Args:
        root: folder that the names in `boxes` are relative to.
        samples: which videos.
        boxes: faces by name, subject first, see `detect_all`.
    """

    def __init__(
        self, root: Path, samples: Sequence[Sample], boxes: Mapping[str, FileFaces]
    ) -> None:
        self._root, self.samples, self._boxes = root, list(samples), boxes
        self.labels = np.array([sample.label for sample in samples], np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    def frames(self, index: int, rate: float, least: int) -> Frames:
        """uint8 BGR frames, `rate` a second, each with all its faces. A video of fewer than `least`
        of them is played again from its start, as training and test do.

        Raises:
            InputError: the video or its boxes can not be read.
        """
        path = self.samples[index].path
        name = path.relative_to(self._root).as_posix()
        found = self._boxes.get(name)
        known = found.frames if found is not None else {}
        # Headers are often wrong about the length; the cache knows which frames can be read.
        places = sample_frames(max(known, default=0) + 1, read_facts(path).fps, rate)
        frames = read_video_frames(path, places)
        pairs = [(f, known.get(int(p), ())) for f, p in zip(frames, places, strict=True)]
        return [pairs[i % len(pairs)] for i in range(max(len(pairs), least))]


def ask_bundle(
    bundle: Bundle,
    samples: Pictures | Videos,
    precision: str,
    backend: str,
    on_bad: OnBad | None = None,
    cpu_hint: str = "auto",
) -> Answers:
    """`ask_videos` or `ask_pictures`, whichever the samples are for."""
    if isinstance(samples, Videos):
        return ask_videos(bundle, samples, precision, backend, on_bad, cpu_hint)
    return ask_pictures(bundle, samples, precision, backend, on_bad, cpu_hint)


def ask_videos(
    bundle: Bundle,
    videos: Videos,
    precision: str,
    backend: str,
    on_bad: OnBad | None = None,
    cpu_hint: str = "auto",
) -> Answers:
    """Ask a CAER-Net bundle, one answer a clip that is due.

    Args:
        bundle, precision, backend, cpu_hint: see CaerClipStage.open.
        videos: what it is asked about.
        on_bad: told of each unreadable video, which is then left out; without it, that raises.

    Raises:
        InputError: the bundle's labels are not CAER's seven, a video can not be read, or nobody's
            face is seen for a clip.
        BundleError: it is of another task, or has no such precision.
    """
    check_labels(bundle)
    hint = hint_for(bundle, precision, backend, cpu_hint)
    engine = _Listening(open_engine(bundle.model_file(precision, backend), backend, 0, hint))
    rows: list[Answer] = []
    silent = 0
    try:
        stage = CaerClipStage(bundle, engine, max_people=1)
        clip = stage.clip_config

        def read(index: int) -> Frames:
            return videos.frames(index, clip.rate, clip.frames)

        for index, frames in each(len(videos), "video", read, on_bad):
            found = _watch(stage, engine, frames, index)
            silent += not found
            rows += found
    finally:
        engine.close()
    return Answers.of(rows, silent)


def _watch(stage: CaerClipStage, engine: _Listening, frames: Frames, index: int) -> list[Answer]:
    """One video before a stage that has seen nothing yet."""
    memory = CameraMemory(PipelineConfig(tracking="never"))
    memory.keep_clips(stage.clip_config)
    rows: list[Answer] = []
    sides: list[float] = []
    for tick, (image, faces) in enumerate(frames):
        people = tuple(PersonEmotion(face=face, track_id=_NAME) for face in faces[:1])
        sides += [min(face.width, face.height) for face in faces[:1]]
        stamp = tick / stage.clip_config.rate
        scene = Scene(image, "bgr8", stamp, people=people, faces=faces, memory=memory)
        engine.heard = None
        stage.run([scene], {})
        if engine.heard is not None:
            face = float(np.mean(sides[-stage.clip_config.frames :]))
            rows.append(Answer(index, engine.heard[0], scene.people[0].estimates[0], face))
    return rows


class _Listening(EngineBase):
    """An engine that keeps the logits of its last run: `heard`, float32 [people, K], or None."""

    def __init__(self, engine: Engine) -> None:
        self.backend, self.inputs, self.outputs = engine.backend, engine.inputs, engine.outputs
        self._engine = engine
        self.heard: np.ndarray | None = None

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        answer = self._engine.run(arrays, outputs)
        self.heard = answer["logits"].copy()
        return answer

    def close(self) -> None:
        self._engine.close()
