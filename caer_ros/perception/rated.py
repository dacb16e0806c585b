"""A model that looks at some frames only, and what people keep of it in the frames between."""

from __future__ import annotations

import math
from collections.abc import Sequence

from caer_ros.core import InputError
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.scene import Scene
from caer_ros.perception.stage import PlainStage, Stage, timed
from caer_ros.perception.static_stage import add_estimate

# Farther back than so many seconds, a stamp is of another recording.
_BACK = 1.0
# Stamps are seconds since 1970, as float64 good to about a quarter of a microsecond.
_ROUNDING = 1e-5


class Rated:
    """See Stage. Gives the stage inside as many frames a second of every camera as asked, at most.

    Time is cut into ticks of 1 / rate seconds by the camera's stamps, the first frame in the middle
    of tick 0, and the first frame of each tick is given on. So a camera of 30 Hz at a rate of 10 Hz
    gives every third frame, also where it jitters; two frames may be nearer than a tick, but never
    are there more of them than ticks.

    Args:
        stage: closed with this one.
        config: `body_rate_hz` is the rate; 0 gives on every frame.
    """

    def __init__(self, stage: Stage, config: PipelineConfig) -> None:
        self._stage = stage
        self._rate = config.body_rate_hz
        self._clocks: dict[str, _Clock] = {}

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run; scenes that are not due only learn that no body was sought in them.

        Raises:
            InputError: a stamp is not finite.
        """
        for scene in scenes:
            scene.bodies_sought = self._is_due(scene)
        due = [scene for scene in scenes if scene.bodies_sought]
        if due:
            self._stage.run(due, timings)

    def apply(self, config: PipelineConfig) -> None:
        """See Stage.apply: the rate, and what the stage inside takes over."""
        if config.body_rate_hz != self._rate:
            self._rate = config.body_rate_hz
            self._clocks.clear()
        self._stage.apply(config)

    def warm_up(self) -> None:
        """See Stage.warm_up."""
        self._stage.warm_up()

    def run_bare(self, people: int) -> None:
        """See Stage.run_bare."""
        self._stage.run_bare(people)

    def close(self) -> None:
        """See Stage.close."""
        self._stage.close()

    def _is_due(self, scene: Scene) -> bool:
        if not math.isfinite(scene.stamp):
            raise InputError(f"stamp is {scene.stamp}.", "Give the camera's time in seconds.")
        if self._rate <= 0:
            return True
        clock = self._clocks.get(scene.camera)
        if clock is None or scene.stamp < clock.last - _BACK:
            self._clocks[scene.camera] = _Clock(scene.stamp)
            return True
        return clock.ticks(scene.stamp, self._rate)


class _Clock:
    """One camera's ticks.

    Attributes:
        last: stamp of the last frame that was given on.
    """

    def __init__(self, stamp: float) -> None:
        self.last = stamp
        self._start = stamp
        self._tick = 0

    def ticks(self, stamp: float, rate: float) -> bool:
        """Whether a frame is the first of a tick."""
        tick = math.floor((stamp - self._start) * rate + 0.5 + _ROUNDING)
        if tick <= self._tick:
            return False
        self._tick, self.last = tick, stamp
        return True


class Recall(PlainStage):
    """Holds what one model says of people with ids, and gives it to those of whom it says nothing.
    Its heat map is held likewise.

    Belongs behind the stage that gives ids. What is given has a lag that has grown by the seconds
    since the model looked; see HeldEstimates.

    Args:
        model: name of its bundle.
    """

    def __init__(self, model: str) -> None:
        self.model = model

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run."""
        with timed(timings, "track"):
            for scene in scenes:
                self._recall(scene)

    def _recall(self, scene: Scene) -> None:
        assert scene.memory is not None
        held, people = scene.memory.held, []
        for person in scene.people:
            said = [each for each in person.estimates if each.model == self.model]
            if person.track_id and said:
                held.keep(person.track_id, said[0], scene.stamp)
            elif person.track_id:
                kept = held.recall(person.track_id, self.model, scene.stamp)
                person = person if kept is None else add_estimate(person, kept)
            people.append(person)
        scene.people = tuple(people)
        if scene.heat is not None:
            held.keep_map(self.model, scene.heat, scene.stamp)
        elif scene.want_maps:
            scene.heat = held.recall_map(self.model, scene.stamp)
