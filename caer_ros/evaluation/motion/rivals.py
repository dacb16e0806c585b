"""A static and a clip model before the same footage, in the robot's code, with its smoothing."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import EmotionEstimate, InputError, PersonEmotion
from caer_ros.evaluation.motion.footage import Footage
from caer_ros.perception import PipelineConfig, Scene
from caer_ros.perception.caer_clip import CaerClipStage
from caer_ros.perception.camera_memory import CameraMemory
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.smoothing import EmotionSmoother
from caer_ros.perception.smoothing_config import SmoothingConfig
from caer_ros.perception.stage import Stage
from caer_ros.perception.static_stage import StaticStage

# Both stages hold and smooth by id; there is one person.
_NAME = "somebody"
STATIC, SMOOTHED, CLIP, BOTH = "static", "static+smoothing", "3D", "3D+smoothing"
RIVALS = (STATIC, SMOOTHED, CLIP, BOTH)


@dataclass(frozen=True, eq=False)
class Said:
    """What was said of the person, frame by frame of the footage.

    Attributes:
        probabilities: float64 [T, K]; NaN where nothing was said.
        shown: int64 [T], place of the label that is shown; -1 where nothing was said.
        lag: float64 [T], seconds, see EmotionEstimate; NaN likewise.
    """

    probabilities: np.ndarray
    shown: np.ndarray
    lag: np.ndarray

    @property
    def spoke(self) -> np.ndarray:
        """bool [T], where anything was said."""
        return self.shown >= 0


def said(estimates: list[EmotionEstimate | None], labels: int) -> Said:
    """The estimates of T frames, of `labels` labels each, as arrays."""
    nothing = np.full(labels, np.nan)
    return Said(
        np.array([nothing if e is None else e.probabilities for e in estimates], np.float64),
        np.array([-1 if e is None else e.top_index for e in estimates], np.int64),
        np.array([np.nan if e is None else e.lag for e in estimates], np.float64),
    )


class Rivals:
    """The four: each model as it is and with the pipeline's smoothing. Close it after use.

    The boxes of the footage stand in for the detector's and the tracker's, so that the networks
    alone differ; of a frame whose face has left the picture nobody says anything new.

    Args:
        static, clip: bundles of tasks `caer_static` and `caer_clip`, with the same labels.
        precision, backend: see Pipeline.
        smoothing: the filter.
        hop: ticks from one clip to the next, instead of the bundle's own.
        threads: for one inference; 0 leaves the choice to the back end.

    Raises:
        InputError: the labels differ.
        CaerError: a bundle can not be opened so, see Pipeline.open.
    """

    def __init__(
        self,
        static: Bundle,
        clip: Bundle,
        precision: str = "fp32",
        backend: str = "onnxruntime",
        smoothing: SmoothingConfig | None = None,
        hop: int | None = None,
        threads: int = 0,
    ) -> None:
        if static.labels != clip.labels:
            raise InputError(
                f"'{static.name}' and '{clip.name}' have other labels.",
                "Compare models of the same labels.",
            )
        if hop is not None:
            clip = replace(clip, decode={**clip.decode, "hop": hop})
        self.labels = static.labels
        self.smoothing = smoothing or SmoothingConfig()
        # Clips ask whether people have ids; here everybody has one.
        self._config = PipelineConfig(
            precision=precision, threads=threads, max_people=1, tracking="always"
        )
        with ExitStack() as opened:
            self._static: Stage = StaticStage.open(static, self._config, backend)
            opened.callback(self._static.close)
            stage = CaerClipStage.open(clip, self._config, backend)
            self.clip_config = stage.clip_config
            self._clip: Stage = stage
            opened.pop_all()

    def ask(self, footage: Footage) -> dict[str, Said]:
        """What each of RIVALS says of a clip, whose ticks are `clip_config.rate` a second."""
        stamps = [tick / self.clip_config.rate for tick in footage.ticks]
        found = {}
        for bare, smooth, stage in ((STATIC, SMOOTHED, self._static), (CLIP, BOTH, self._clip)):
            estimates = watch(stage, footage, stamps, self.clip_config)
            found[bare] = said(estimates, len(self.labels))
            found[smooth] = said(smoothed(estimates, stamps, self.smoothing), len(self.labels))
        return found

    def close(self) -> None:
        """Release both networks."""
        self._static.close()
        self._clip.close()

    def __enter__(self) -> Rivals:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def watch(
    stage: Stage, footage: Footage, stamps: list[float], clips: ClipConfig
) -> list[EmotionEstimate | None]:
    """What a stage says of the footage's person, frame by frame, having seen nothing before."""
    memory = CameraMemory(PipelineConfig(tracking="never"))
    memory.keep_clips(clips)
    estimates: list[EmotionEstimate | None] = []
    for image, faces, stamp in zip(footage.frames, footage.faces, stamps, strict=True):
        height, width = image.shape[:2]
        inside = tuple(face for face in faces if face.clipped(width, height) is not None)
        seen = inside[:1] if inside[:1] == faces[:1] else ()
        people = tuple(PersonEmotion(face=face, track_id=_NAME) for face in seen)
        scene = Scene(image, "bgr8", stamp, people=people, faces=inside, memory=memory)
        stage.run([scene], {})
        given = [estimate for person in scene.people for estimate in person.estimates]
        estimates.append(given[0] if given else None)
    return estimates


def smoothed(
    estimates: list[EmotionEstimate | None], stamps: list[float], config: SmoothingConfig
) -> list[EmotionEstimate | None]:
    """One person's estimates behind the pipeline's filter."""
    smoother = EmotionSmoother(config)
    after: list[EmotionEstimate | None] = []
    for estimate, stamp in zip(estimates, stamps, strict=True):
        there = () if estimate is None else (estimate,)
        (person,) = smoother.update([PersonEmotion(estimates=there, track_id=_NAME)], stamp)
        after.append(person.estimates[0] if person.estimates else None)
    return after
