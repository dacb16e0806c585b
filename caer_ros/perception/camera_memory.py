"""What is known of a camera from the frames before: who is who, how they felt, their clips."""

from __future__ import annotations

import importlib.util
from string import ascii_lowercase

from caer_ros.perception.clip_buffer import ClipBuffer
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.held import HeldEstimates
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.smoothing import EmotionSmoother
from caer_ros.perception.smoothing_config import SmoothingConfig
from caer_ros.perception.tracker_config import TrackerConfig
from caer_ros.perception.tracks import PeopleTracker


class CameraMemory:
    """One camera's past. It outlives the models: a new pipeline may take it over.

    Args:
        config: how to follow and smooth.
        camera: its place among `config.cameras`, which makes its ids its own.

    Raises:
        CaerError: tracking is wanted, but norfair is not installed.
    """

    def __init__(self, config: PipelineConfig, camera: int = 0) -> None:
        self.tracks = tracking_wanted(config)
        self.tracker = PeopleTracker(
            TrackerConfig(
                enabled=self.tracks,
                max_gap=config.track_timeout_s,
                min_hits=config.track_min_hits,
                prefix=_prefix(camera),
            )
        )
        self.smoother = EmotionSmoother(smoothing(config))
        self.held = HeldEstimates()
        self.clips: ClipBuffer | None = None

    def keep_clips(self, config: ClipConfig | None) -> None:
        """Collect clips as a model reads them, from now on; None: no model does."""
        if config is None:
            self.clips = None
        elif self.clips is None or self.clips.config != config:
            self.clips = ClipBuffer(config)

    def apply(self, config: PipelineConfig) -> None:
        """Take over what may change while running."""
        self.smoother.config = smoothing(config)


def tracking_wanted(config: PipelineConfig) -> bool:
    """Whether people get ids: `auto` asks whether norfair is installed."""
    if config.tracking == "auto":
        return importlib.util.find_spec("norfair") is not None
    return config.tracking == "always"


def smoothing(config: PipelineConfig) -> SmoothingConfig:
    """The filter that the pipeline's configuration describes."""
    return SmoothingConfig(
        time_constant=config.smoothing_s,
        label_margin=config.label_margin,
        label_time=config.label_time_s,
        forget_after=config.track_timeout_s,
    )


def _prefix(camera: int) -> str:
    """p, pb, pc, ...: a letter before the number, so that no two cameras make the same id."""
    if camera == 0:
        return "p"
    letters = ""
    while camera:
        camera, letter = divmod(camera, 26)
        letters = ascii_lowercase[letter] + letters
    return f"p{letters}"
