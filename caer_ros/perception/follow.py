"""Stages that carry knowledge from frame to frame: ids before the face models, a filter after."""

from __future__ import annotations

from collections.abc import Sequence

from caer_ros.perception.scene import Scene
from caer_ros.perception.stage import PlainStage, timed


class TrackStage(PlainStage):
    """Gives everybody his id; see PeopleTracker."""

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run."""
        with timed(timings, "track"):
            for scene in scenes:
                assert scene.memory is not None
                scene.people = scene.memory.tracker.update(
                    scene.people, scene.stamp, scene.bodies_sought
                )


class SmoothStage(PlainStage):
    """Smooths everybody's estimates; see EmotionSmoother."""

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run."""
        with timed(timings, "track"):
            for scene in scenes:
                assert scene.memory is not None
                scene.people = scene.memory.smoother.update(scene.people, scene.stamp)
