"""The emotion node: parameters, life cycle and wiring. The work is in its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

from caer_msgs.msg import PersonEmotionArray
from caer_ros.core import CaerError
from caer_ros.perception import Pipeline
from caer_ros.ros import diagnostics, fastdds, parameters, qos
from caer_ros.ros.frame_work import FrameWork
from caer_ros.ros.image_input import ImageInput
from caer_ros.ros.worker import Worker, one_line

_DIAGNOSTICS_PERIOD_S = 1.0
_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class EmotionNode(LifecycleNode):
    """Emotions of everybody in the camera's image.

    Args:
        ending: True once the process is to end; loading a model is then given up.
    """

    def __init__(self, ending: Callable[[], bool] = lambda: False) -> None:
        super().__init__("emotion_node")
        self._ending = ending
        parameters.declare(self)
        self._state = "unconfigured"
        self._trouble = ""
        self._about: dict[str, str] = {}
        self._notice = ""
        self._work: FrameWork | None = None
        self._worker: Worker[Pipeline, Image] | None = None
        self._input: ImageInput | None = None
        self._publishers_made: list[Any] = []
        self._hung = False
        self.add_on_set_parameters_callback(self._parameters_change)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady: with use_sim_time and a stopped clock, diagnostics must go on.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._report, clock=steady)
        self._autostart = self.create_timer(0.0, self._start_by_itself, clock=steady)
        self._warn_of_transport()

    # --- life cycle ---

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the models. Failing leaves the node unconfigured and says why."""
        try:
            self._configure(parameters.read(self))
        except Exception as error:
            self._release()
            if self._ending():
                return _FAILURE
            self._trouble = one_line(error)
            self.get_logger().error(f"Not configured: {self._trouble}")
            self._report()
            if not isinstance(error, CaerError):
                self.get_logger().error("This is a bug of caer_ros; please report it.")
            return _FAILURE
        self._trouble = ""
        self._state = "inactive"
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen to the camera."""
        assert self._input is not None
        result = super().on_activate(state)
        self._input.open()
        self._state = "active"
        self.get_logger().info(f"Active, listening to {self._input.topic}.")
        self._report()  # who waits for the node need not wait for the timer
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; the frame in hand still goes out, a waiting one is dropped."""
        assert self._input is not None
        assert self._worker is not None
        self._input.close()
        self._worker.discard()
        self._state = "inactive"
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the models' memory."""
        self._release()
        self._state = "unconfigured"
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything for good."""
        self._release()
        self._state = "finalized"
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Whatever went wrong in a transition, end where it can be tried again."""
        self._release()
        self._state = "unconfigured"
        return _SUCCESS

    def close(self) -> bool:
        """Free everything before the process ends; False where an engine hangs."""
        self._release()
        return not self._hung

    # --- parts ---

    def _configure(self, values: dict[str, Any]) -> None:
        config = parameters.pipeline_config(values)
        emotions = self.create_lifecycle_publisher(
            PersonEmotionArray, values["emotions_topic"], qos.EMOTIONS
        )
        overlay = self.create_lifecycle_publisher(Image, "~/debug/overlay", qos.OVERLAY)
        self._publishers_made = [emotions, overlay]
        self._work = FrameWork(emotions, overlay, self.get_clock(), self.get_logger())
        worker: Worker[Pipeline, Image] = Worker(
            lambda: Pipeline.open(config),
            self._work.handle,
            self._work.complain,
            values["max_rate_hz"],
        )
        self._worker = worker
        self._input = ImageInput(self, values["image_topic"], values["input_qos"], worker.offer)
        worker.post(self._introduce)
        if not worker.start(self._ending):
            raise CaerError("The process is ending.")

    def _introduce(self, pipeline: Pipeline) -> None:
        self._about = pipeline.describe()
        self._notice = pipeline.notice
        self.get_logger().info(", ".join(f"{k}: {v}" for k, v in self._about.items()))
        if self._notice:
            self.get_logger().warning(self._notice)

    def _release(self) -> None:
        if self._input is not None:
            self._input.close()
        if self._worker is not None and not self._worker.stop():
            self._hung = True
            if not self._ending():
                self.get_logger().error("The inference engine hangs; its memory is not freed.")
        for publisher in self._publishers_made:
            self.destroy_lifecycle_publisher(publisher)
        self._publishers_made = []
        self._worker = self._work = self._input = None
        self._about, self._notice = {}, ""

    def _start_by_itself(self) -> None:
        self._autostart.cancel()
        if not self.get_parameter("autostart").value or self._state != "unconfigured":
            return
        if self.trigger_configure() == _SUCCESS:
            self.trigger_activate()
        elif not self._ending():
            self.get_logger().info(
                "Waiting: once that is mended, configure and activate me (`ros2 lifecycle set`)."
            )

    def _parameters_change(self, changes: list[Parameter]) -> SetParametersResult:
        verdict = parameters.judge(changes, self._state != "unconfigured")
        if verdict.successful and self._worker is not None:
            self._apply({change.name: change.value for change in changes})
        return verdict

    def _apply(self, changed: dict[str, Any]) -> None:
        assert self._worker is not None
        if "max_rate_hz" in changed:
            self._worker.max_rate_hz = changed["max_rate_hz"]
        for_pipeline = {
            name: changed[name]
            for name in ("detector_threshold", "min_face", "person_threshold")
            if name in changed
        }
        if for_pipeline:
            self._worker.post(lambda pipeline: pipeline.update(**for_pipeline))

    # --- saying how it goes ---

    def _report(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        message.status = diagnostics.statuses(self.get_name(), self._health())
        self._diagnostics.publish(message)

    def _health(self) -> diagnostics.Health:
        worker, work, images = self._worker, self._work, self._input
        if worker is None or work is None or images is None:
            return diagnostics.Health(self._state, self._trouble)
        stale_after = self.get_parameter("stale_after_s").value
        silent_for, silence = images.silent_for(), ""
        if self._state == "active" and silent_for > min(stale_after, _DIAGNOSTICS_PERIOD_S):
            images.adapt()
            silence = images.explain_silence()
        return diagnostics.Health(
            state=self._state,
            topic=images.topic,
            input_rate=images.arrivals.rate(),
            output_rate=work.stages["total"].rate(),
            silent_for=silent_for,
            stale_after=stale_after,
            silence=silence,
            counts=worker.counts(),
            people=work.people,
            overlays=work.overlays,
            latency=_half_and_most(work.latency),
            stages={stage: _half_and_most(meter) for stage, meter in work.stages.items()},
            about=self._about,
            notice=self._notice,
        )

    def _warn_of_transport(self) -> None:
        text = fastdds.warning(rclpy.get_rmw_implementation_identifier())
        if text:
            self.get_logger().warning(text)


def _half_and_most(meter: Any) -> tuple[float, float]:
    return meter.percentile(0.5), meter.percentile(0.95)
