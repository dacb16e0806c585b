"""What happens to one image message: it becomes people on /emotions and, if watched, an overlay."""

from __future__ import annotations

from typing import Any

from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.publisher import Publisher
from rclpy.time import Time
from sensor_msgs.msg import Image

from caer_ros.core import InputError
from caer_ros.perception import STAGES, Pipeline, Result, draw_overlay
from caer_ros.ros.messages import image_message, image_view, people_message
from caer_ros.ros.meter import Meter
from caer_ros.ros.worker import one_line

_QUIET_S = 5.0  # the same complaint at most once in this time


class FrameWork:
    """Runs in the worker's thread.

    Attributes:
        latency: seconds from the camera's stamp to the publishing of the people.
        stages: seconds by stage of the pipeline; `total` is all of them together.
        people: people in the latest frame.
        overlays: overlays drawn so far.
    """

    def __init__(
        self, emotions: Publisher, overlay: Publisher, clock: Clock, logger: RcutilsLogger
    ) -> None:
        self._emotions = emotions
        self._overlay = overlay
        self._clock = clock
        self._logger = logger
        self.latency = Meter()
        self.stages = {stage: Meter() for stage in (*STAGES, "total")}
        self.people = 0
        self.overlays = 0

    def handle(self, pipeline: Pipeline, message: Image) -> None:
        """Process one image and publish.

        Raises:
            CaerError: the image or the inference was bad.
        """
        image = image_view(message)
        watched = self._overlay.get_subscription_count() > 0
        result = pipeline.process(image, message.encoding, want_maps=watched)
        self._emotions.publish(people_message(message.header, result.people))
        self._record(message, result)
        if watched:
            self._draw(message, image, result)

    def complain(self, error: Exception) -> None:
        """Log why a frame was lost; a stream of bad frames does not flood the log."""
        hint = "" if isinstance(error, InputError) else " (the node goes on with the next frame)"
        self._logger.error(
            f"Frame skipped: {one_line(error)}{hint}", throttle_duration_sec=_QUIET_S
        )

    def _record(self, message: Image, result: Result) -> None:
        stamp = Time.from_msg(message.header.stamp, clock_type=self._clock.clock_type)
        if stamp.nanoseconds:  # some drivers leave the stamp empty: that is no latency
            self.latency.add((self._clock.now() - stamp).nanoseconds / 1e9)
        for stage, seconds in result.timings.items():
            if stage in self.stages:
                self.stages[stage].add(seconds)
        self.people = len(result.people)
        for line in result.warnings:
            self._logger.warning(line, throttle_duration_sec=_QUIET_S)

    def _draw(self, message: Image, image: Any, result: Result) -> None:
        # The people are out already: a picture that fails must not turn them into a failed frame.
        try:
            drawn = draw_overlay(image, message.encoding, result)
            self.overlays += 1
            self._overlay.publish(image_message(message.header, drawn))
        except Exception as error:
            self._logger.warning(
                f"Overlay skipped: {one_line(error)}", throttle_duration_sec=_QUIET_S
            )
