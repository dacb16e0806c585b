"""Every parameter of the emotion node in one table; config/emotion.yaml repeats the defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from caer_ros.core import InputError
from caer_ros.perception import PipelineConfig


class When(Enum):
    """When a parameter may be changed."""

    ANY_TIME = "at any time"
    UNCONFIGURED = "only while the node is unconfigured"
    AT_START = "only at start"


@dataclass(frozen=True)
class Spec:
    """One parameter. Numbers have a range (both ends allowed), some texts have choices."""

    name: str
    default: bool | int | float | str
    description: str
    when: When = When.UNCONFIGURED
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows."""
        text = ParameterDescriptor(
            description=f"{self.description} Changeable {self.when.value}.",
            read_only=self.when is When.AT_START,
            additional_constraints=f"one of: {', '.join(self.choices)}" if self.choices else "",
        )
        if isinstance(self.default, float):
            text.floating_point_range = [
                FloatingPointRange(from_value=self.low, to_value=self.high)
            ]
        elif isinstance(self.default, int) and not isinstance(self.default, bool):
            text.integer_range = [
                IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)
            ]
        return text


_PIPELINE = PipelineConfig()

SPECS = (
    Spec("image_topic", "camera/image_raw", "Topic of the images (sensor_msgs/Image)."),
    Spec("emotions_topic", "emotions", "Topic of the result (caer_msgs/PersonEmotionArray)."),
    Spec(
        "input_qos",
        "auto",
        "Reliability asked of the camera. sensor_data takes images from any publisher; reliable "
        "needs a reliable publisher; auto is reliable where every publisher is, else sensor_data.",
        choices=("auto", "sensor_data", "reliable"),
    ),
    Spec("model", _PIPELINE.model, "Emotion model: name of an installed bundle, or its folder."),
    Spec("detector", _PIPELINE.detector, "Face detector: name of an installed bundle, or folder."),
    Spec(
        "precision",
        _PIPELINE.precision,
        "Arithmetic of the emotion model.",
        choices=("fp32", "fp16", "int8"),
    ),
    Spec(
        "backend",
        _PIPELINE.backend,
        "Inference engine; auto takes TensorRT where `caer build` made the engines, else OpenVINO "
        "where it is installed, else ONNX Runtime.",
        choices=("auto", "tensorrt", "openvino", "onnxruntime"),
    ),
    Spec(
        "detector_size",
        _PIPELINE.detector_size,
        "Longer side of the picture that the face detector sees, in pixels; more finds smaller "
        "faces and costs time.",
        low=64,
        high=4096,
    ),
    Spec("max_people", _PIPELINE.max_people, "People a frame, at most.", low=1, high=256),
    Spec(
        "threads",
        _PIPELINE.threads,
        "CPU threads of one inference; 0 leaves the choice to the engine.",
        low=0,
        high=256,
    ),
    Spec(
        "detector_threshold",
        _PIPELINE.detector_threshold,
        "Least score of a face, in [0.05, 1]; less finds more faces and more mistakes.",
        When.ANY_TIME,
        0.05,
        1.0,
    ),
    Spec(
        "min_face",
        _PIPELINE.min_face,
        "Least shorter side of a face, in pixels of the camera image.",
        When.ANY_TIME,
        1.0,
        4096.0,
    ),
    Spec(
        "person_threshold",
        _PIPELINE.person_threshold,
        "Least score of a person, in [0, 1], where the model finds people itself (BENet); 0: the "
        "model's own.",
        When.ANY_TIME,
        0.0,
        1.0,
    ),
    Spec(
        "max_rate_hz",
        0.0,
        "Frames processed a second, at most; 0: as many as the machine can.",
        When.ANY_TIME,
        0.0,
        1000.0,
    ),
    Spec(
        "stale_after_s",
        2.0,
        "Seconds without an image after which diagnostics warn.",
        When.ANY_TIME,
        0.1,
        3600.0,
    ),
    Spec("autostart", True, "Configure and activate without being asked.", When.AT_START),
)

BY_NAME = {spec.name: spec for spec in SPECS}

_PIPELINE_NAMES = (
    "model",
    "detector",
    "precision",
    "backend",
    "detector_size",
    "detector_threshold",
    "min_face",
    "person_threshold",
    "max_people",
    "threads",
)


def declare(node: Node) -> None:
    """Declare every parameter of the table on `node`."""
    for spec in SPECS:
        node.declare_parameter(spec.name, spec.default, spec.descriptor())


def read(node: Node) -> dict[str, Any]:
    """The present value of every parameter.

    Raises:
        InputError: a text is none of its choices (ROS itself checks ranges, but no choices).
    """
    values = {spec.name: node.get_parameter(spec.name).value for spec in SPECS}
    for spec in SPECS:
        reason = _refusal(spec, values[spec.name])
        if reason:
            raise InputError(reason)
    return values


def pipeline_config(values: dict[str, Any]) -> PipelineConfig:
    """What the pipeline needs of the parameters."""
    return PipelineConfig(**{name: values[name] for name in _PIPELINE_NAMES})


def judge(changes: Iterable[Parameter], configured: bool) -> SetParametersResult:
    """May these parameters be set now? The reason of a refusal says when they may."""
    for change in changes:
        spec = BY_NAME.get(change.name)
        if spec is None:
            continue  # use_sim_time and other parameters of rclpy's own
        reason = _refusal(spec, change.value)
        if not reason and configured and spec.when is When.UNCONFIGURED:
            reason = (
                f"{spec.name} can change {spec.when.value}: deactivate and clean the node up first."
            )
        if reason:
            return SetParametersResult(successful=False, reason=reason)
    return SetParametersResult(successful=True)


def _refusal(spec: Spec, value: Any) -> str:
    if spec.choices and value not in spec.choices:
        return f"{spec.name} is '{value}': use one of {', '.join(spec.choices)}."
    if spec.name.endswith("_topic") and not value:
        return f"{spec.name} is empty: name a topic."
    return ""
