"""What happens to image messages: they become people on /emotions, and whatever else is watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.publisher import Publisher
from rclpy.time import Time

from caer_ros.core import CaerError, InputError
from caer_ros.perception import STAGES, Pipeline, Result, Scene
from caer_ros.ros.camera import Camera
from caer_ros.ros.image_messages import read_message
from caer_ros.ros.messages import people_message
from caer_ros.ros.meter import Meter
from caer_ros.ros.output import Output, Shown
from caer_ros.ros.recorder import Recorder
from caer_ros.ros.snapshot import Snapshots
from caer_ros.ros.worker import one_line

_QUIET_S = 5.0  # the same complaint at most once in this time


@dataclass(frozen=True)
class Round:
    """Frames that were processed together: message, scene and result by camera, and what failed."""

    messages: Mapping[str, Any]
    scenes: Mapping[str, Scene]
    results: Mapping[str, Result]
    wrong: Mapping[str, Exception]
    looking: Mapping[str, Sequence[Output]]


class FrameWork:
    """Runs in the worker's thread.

    Attributes:
        stages: seconds by stage of the pipeline; `total` is all of them together.
    """

    def __init__(
        self,
        cameras: Mapping[str, Camera],
        emotions: Publisher,
        snapshots: Snapshots,
        recorder: Recorder,
        clock: Clock,
        logger: RcutilsLogger,
    ) -> None:
        self._cameras = cameras
        self._emotions = emotions
        self._snapshots = snapshots
        self._recorder = recorder
        self._clock = clock
        self._logger = logger
        self._pool = ThreadPoolExecutor(4, "caer_decode") if len(cameras) > 1 else None
        self.stages = {stage: Meter() for stage in (*STAGES, "total")}

    def work(self, pipeline: Pipeline, messages: Mapping[str, Any]) -> Round:
        """Read and process one message of each camera that has one.

        Raises:
            EngineError: the inference failed: for all of them.
        """
        looking = {
            name: [output for output in self._cameras[name].outputs if output.wanted()]
            for name in messages
        }
        scenes: dict[str, Scene] = {}
        wrong: dict[str, Exception] = {}
        for name, read in self._read_all(messages).items():
            if isinstance(read, Exception):
                wrong[name] = read
            else:
                read.want_maps = self._snapshots.wanted(name) or any(
                    output.needs_maps for output in looking[name]
                )
                scenes[name] = read
        results: dict[str, Result] = {}
        for name, result in zip(scenes, pipeline.process_many(list(scenes.values())), strict=True):
            if isinstance(result, CaerError):
                wrong[name] = result
            else:
                results[name] = result
        return Round(messages, scenes, results, wrong, looking)

    def deliver(self, done: Round) -> Mapping[str, Exception]:
        """Publish what was found; people of all cameras first, then what people look at."""
        wrong = dict(done.wrong)
        for name, result in done.results.items():
            header = done.messages[name].header
            try:
                self._emotions.publish(people_message(header, result.people))
            except Exception as error:  # a transport that is flooded
                wrong[name] = error
                continue
            self._record(self._cameras[name], header, result)
        for name, result in done.results.items():
            scene = done.scenes[name]
            shown = Shown(done.messages[name].header, scene.image, scene.encoding, result)
            self._show(name, shown, done.looking[name])
        return wrong

    def complain(self, error: Exception) -> None:
        """Log why a frame was lost; a stream of bad frames does not flood the log."""
        hint = "" if isinstance(error, InputError) else " (the node goes on with the next frame)"
        self._logger.error(
            f"Frame skipped: {one_line(error)}{hint}", throttle_duration_sec=_QUIET_S
        )

    def close(self) -> None:
        """End the threads that read."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def _read_all(self, messages: Mapping[str, Any]) -> dict[str, Scene | Exception]:
        """Several cameras' messages are read at the same time: JPEGs take their time."""
        if self._pool is None or len(messages) == 1:
            return {name: self._read(name, message) for name, message in messages.items()}
        read = self._pool.map(self._read, messages.keys(), messages.values())
        return dict(zip(messages, read, strict=True))

    def _read(self, name: str, message: Any) -> Scene | Exception:
        try:
            image, encoding = read_message(message, self._cameras[name].reader)
        except Exception as error:
            return error
        return Scene(image, encoding, self._seconds(message.header.stamp), name)

    def _seconds(self, stamp: Any) -> float:
        """The camera's time; the node's own where the driver leaves the stamp empty."""
        nanoseconds = Time.from_msg(stamp).nanoseconds or self._clock.now().nanoseconds
        return float(nanoseconds) * 1e-9

    def _record(self, camera: Camera, header: Any, result: Result) -> None:
        stamp = Time.from_msg(header.stamp, clock_type=self._clock.clock_type)
        if stamp.nanoseconds:  # an empty stamp is no latency
            camera.latency.add((self._clock.now() - stamp).nanoseconds / 1e9)
        for stage, seconds in result.timings.items():
            if stage in self.stages:
                self.stages[stage].add(seconds)
        camera.done.add()
        camera.people = len(result.people)
        for line in result.warnings:
            self._logger.warning(line, throttle_duration_sec=_QUIET_S)

    def _show(self, name: str, shown: Shown, looking: Sequence[Output]) -> None:
        for output in looking:
            self._try(output.publish, shown)
        self._cameras[name].overlays += any(output.needs_maps for output in looking)
        self._try(self._snapshots.offer, shown, name)
        self._try(self._recorder.offer, shown, name)

    def _try(self, show: Callable[..., None], *what: Any) -> None:
        # The people are out already: a picture that fails must not turn them into a failed frame,
        # nor keep the other outputs from theirs.
        try:
            show(*what)
        except Exception as error:
            self._logger.warning(f"Not shown: {one_line(error)}", throttle_duration_sec=_QUIET_S)
