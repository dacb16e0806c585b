"""The emotion node: parameters, life cycle and wiring. The work is in its parts."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from caer_msgs.msg import PersonEmotionArray
from caer_ros import __version__
from caer_ros.core import CaerError
from caer_ros.perception.pipeline_config import CHANGEABLE
from caer_ros.ros import checkup, diagnostics, fastdds, heap, parameters, qos
from caer_ros.ros.camera import Camera
from caer_ros.ros.frame_work import FrameWork
from caer_ros.ros.health import Health
from caer_ros.ros.machine import MachineReader
from caer_ros.ros.models import Models
from caer_ros.ros.parameter_table import BY_NAME, When
from caer_ros.ros.recorder import Recorder, RecordSettings
from caer_ros.ros.services import Services
from caer_ros.ros.snapshot import Snapshots
from caer_ros.ros.worker import Worker, one_line

_DIAGNOSTICS_PERIOD_S = 1.0
_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class EmotionNode(LifecycleNode):
    """Emotions of everybody in the cameras' images.

    Args:
        ending: True once the process is to end; loading a model is then given up.
        name: of the node.
        options: of rclpy.node.Node: `namespace`, `parameter_overrides`, `context`, ...
    """

    def __init__(
        self,
        ending: Callable[[], bool] = lambda: False,
        name: str = "emotion_node",
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self._ending = ending
        parameters.declare(self)
        self._state = "unconfigured"
        self._trouble = ""
        self._cameras: dict[str, Camera] = {}
        self._models: Models | None = None
        self._work: FrameWork | None = None
        self._emotions: Any = None
        self._hung = False
        self._quiet = False  # parameters that we set ourselves change nothing
        self._soon: deque[Callable[[], None]] = deque()
        self._wake = self.create_guard_condition(self._run_soon)
        values = self._values()
        self._machine = MachineReader()
        self._snapshots = Snapshots(values["snapshot_folder"], self._describe_state)
        self._recorder = Recorder(_record_settings(values), self.get_logger().warning)
        self._own_services = Services(
            self, self._snapshots, self._recorder, self._change, self._about, self._later
        )
        self.add_on_set_parameters_callback(self._parameters_change)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady: with use_sim_time and a stopped clock, diagnostics must go on.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._look_round, clock=steady)
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
        """Listen to the cameras."""
        result = super().on_activate(state)
        for camera in self._cameras.values():
            camera.input.open()
        self._state = "active"
        topics = ", ".join(camera.input.topic for camera in self._cameras.values())
        self.get_logger().info(f"Active, listening to {topics}.")
        self._report()  # who waits for the node need not wait for the timer
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; the frames in hand still go out, waiting ones are dropped."""
        assert self._models is not None
        for camera in self._cameras.values():
            camera.input.close()
        self._models.worker.discard()
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
        self._snapshots.close()
        self._recorder.close()
        return not self._hung

    # --- parts ---

    def _configure(self, values: dict[str, Any]) -> None:
        config = parameters.pipeline_config(values)
        self._emotions = self.create_lifecycle_publisher(
            PersonEmotionArray, values["emotions_topic"], qos.EMOTIONS
        )
        for name, topic in parameters.camera_topics(values).items():
            self._cameras[name] = Camera(self, name, topic, values, self._take)
        self._work = work = FrameWork(
            self._cameras,
            self._emotions,
            self._snapshots,
            self._recorder,
            self.get_clock(),
            self.get_logger(),
        )
        self._models = Models(
            config,
            lambda opened: Worker(
                opened,
                work.work,
                work.deliver,
                work.complain,
                values["max_rate_hz"],
                lambda old, new: new.adopt(old),
            ),
            self._later,
            self.get_logger(),
        )
        if not self._models.start(self._ending):
            raise CaerError("The process is ending.")
        if values["build_engines"]:
            self._models.build_missing()

    def _take(self, message: Any, camera: str) -> None:
        if self._models is not None:
            self._models.worker.offer(message, camera)

    def _release(self) -> None:
        for camera in self._cameras.values():
            camera.input.close()
        if self._models is not None and not self._models.stop():
            self._hung = True
            if not self._ending():
                self.get_logger().error("The inference engine hangs; its memory is not freed.")
        if self._work is not None:
            self._work.close()
        for camera in self._cameras.values():
            camera.close()
        if self._emotions is not None:
            self.destroy_lifecycle_publisher(self._emotions)
        self._cameras = {}
        self._models = self._work = self._emotions = None
        heap.give_back()

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

    # --- from other threads into the executor's ---

    def _later(self, job: Callable[[], None]) -> None:
        self._soon.append(job)
        with suppress(Exception):  # the context may be gone: then nobody waits for it
            self._wake.trigger()

    def _run_soon(self) -> None:
        while self._soon:
            self._soon.popleft()()

    # --- parameters ---

    def _parameters_change(self, changes: list[Parameter]) -> SetParametersResult:
        if self._quiet:
            return SetParametersResult(successful=True)
        verdict = parameters.judge(changes, self._state != "unconfigured")
        if verdict.successful:
            self._apply({change.name: change.value for change in changes})
        return verdict

    def _apply(self, changed: dict[str, Any]) -> None:
        """Take over what was set; what must be loaded is loaded beside what runs."""
        if "snapshot_folder" in changed:
            self._snapshots.folder = changed["snapshot_folder"]
        if any(name.startswith("record_") for name in changed):
            self._recorder.apply(_record_settings({**self._values(), **changed}))
        for camera in self._cameras.values():
            camera.apply(changed)
        if self._models is None:
            return
        if "max_rate_hz" in changed:
            self._models.worker.max_rate_hz = changed["max_rate_hz"]
        for_pipeline = {name: changed[name] for name in CHANGEABLE if name in changed}
        if for_pipeline:
            self._models.update(**for_pipeline)
        config = self._models.config
        to_load = {
            name: value
            for name, value in changed.items()
            if name in BY_NAME
            and BY_NAME[name].when is When.RELOAD
            and value != getattr(config, name)
        }
        if to_load:
            self._later(partial(self._change, to_load))

    def _change(
        self, wanted: dict[str, Any], done: Callable[[Any], None] = lambda error: None
    ) -> None:
        """Load other models beside those that run; the parameters follow what really runs."""
        models = self._models
        if models is None:
            done(CaerError("The node is not configured.", "Configure it first."))
            return

        def ended(error: BaseException | None) -> None:
            running = {name: getattr(models.config, name) for name in wanted}
            self._quiet = True
            try:
                self.set_parameters([Parameter(name, value=v) for name, v in running.items()])
            finally:
                self._quiet = False
            done(error)

        models.change(wanted, ended)

    # --- saying how it goes ---

    def _look_round(self) -> None:
        """Once a second: engines that hang, and diagnostics."""
        if self._models is not None:
            self._models.watch(self.get_parameter("watchdog_s").value)
        self._report()

    def _report(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        message.status = diagnostics.statuses(self.get_name(), self._health())
        self._diagnostics.publish(message)

    def _health(self) -> Health:
        if self._models is None or self._work is None:
            return Health(self._state, self._trouble)
        limits = checkup.thresholds(self._values())
        return checkup.gather_health(
            self._state, self._cameras, self._work, self._models, limits, self._machine
        )

    def _values(self) -> dict[str, Any]:
        return {name: self.get_parameter(name).value for name in BY_NAME}

    def _about(self) -> str:
        about = {} if self._models is None else self._models.about
        return ", ".join(f"{key}: {value}" for key, value in about.items())

    def _describe_state(self) -> dict[str, Any]:
        """For a bug report."""
        return {
            "caer_ros": __version__,
            "python": platform.python_version(),
            "machine": platform.platform(),
            "node": self.get_fully_qualified_name(),
            "state": self._state,
            "runs": {} if self._models is None else dict(self._models.about),
            "parameters": self._values(),
        }

    def _warn_of_transport(self) -> None:
        text = fastdds.warning(rclpy.get_rmw_implementation_identifier())
        if text:
            self.get_logger().warning(text)


def _record_settings(values: dict[str, Any]) -> RecordSettings:
    return RecordSettings(
        values["record_consent"], values["record_folder"], values["record_limit_mb"]
    )
