"""Every parameter of the emotion node in one table; config/emotion.yaml repeats the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from caer_ros.perception import PipelineConfig
from caer_ros.ros.health import Thresholds


class When(Enum):
    """When a parameter may be changed."""

    ANY_TIME = "at any time"
    # While the node is configured: what it asks for is loaded beside what runs, then changed to.
    RELOAD = "at any time; a configured node loads it beside what runs, then changes over"
    UNCONFIGURED = "only while the node is unconfigured"
    AT_START = "only at start"


@dataclass(frozen=True)
class Spec:
    """One parameter. Numbers have a range (both ends allowed), some texts have choices."""

    name: str
    default: bool | int | float | str | list[str]
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
_THRESHOLDS = Thresholds()

SPECS = (
    Spec("image_topic", "camera/image_raw", "Topic of the images (sensor_msgs/Image)."),
    Spec(
        "image_topics",
        [""],
        "Topics of several cameras, in place of image_topic; each names its camera: "
        "/front/image_raw is front. Empty texts do not count.",
    ),
    Spec("emotions_topic", "emotions", "Topic of the result (caer_msgs/PersonEmotionArray)."),
    Spec(
        "input_qos",
        "auto",
        "Reliability asked of the camera. sensor_data takes images from any publisher; reliable "
        "needs a reliable publisher; auto is reliable where every publisher is, else sensor_data.",
        choices=("auto", "sensor_data", "reliable"),
    ),
    Spec(
        "model",
        _PIPELINE.model,
        "Emotion model: name of an installed bundle, or its folder.",
        When.RELOAD,
    ),
    Spec(
        "body_model",
        _PIPELINE.body_model,
        "BENet bundle that runs beside a model that reads faces, so that people have a body and 26 "
        "more emotions; empty: none.",
        When.RELOAD,
    ),
    Spec(
        "detector",
        _PIPELINE.detector,
        "Face detector: name of an installed bundle, or folder.",
        When.RELOAD,
    ),
    Spec(
        "precision",
        _PIPELINE.precision,
        "Arithmetic of the emotion models.",
        When.RELOAD,
        choices=("fp32", "fp16", "int8"),
    ),
    Spec(
        "backend",
        _PIPELINE.backend,
        "Inference engine; auto takes TensorRT where `caer build` made the engines, else OpenVINO "
        "where it is installed, else ONNX Runtime.",
        When.RELOAD,
        choices=("auto", "tensorrt", "openvino", "onnxruntime"),
    ),
    Spec(
        "detector_size",
        _PIPELINE.detector_size,
        "Longer side of the picture that the face detector sees, in pixels; more finds smaller "
        "faces and costs time.",
        When.RELOAD,
        64,
        4096,
    ),
    Spec("max_people", _PIPELINE.max_people, "People a frame, at most.", When.RELOAD, 1, 256),
    Spec(
        "threads",
        _PIPELINE.threads,
        "CPU threads of one inference; 0 leaves the choice to the engine.",
        When.RELOAD,
        0,
        256,
    ),
    Spec(
        "cpu_hint",
        _PIPELINE.cpu_hint,
        "Arithmetic of OpenVINO for layers that are not INT8; auto takes the fastest that `caer "
        "calibrate` found within the model's limits, else FP32.",
        When.RELOAD,
        choices=("auto", "f32", "bf16", "f16"),
    ),
    Spec(
        "build_engines",
        True,
        "With backend auto on a machine with TensorRT and a GPU: build missing engines in the "
        "background while the models run on the CPU, then change over.",
    ),
    Spec(
        "body_rate_hz",
        _PIPELINE.body_rate_hz,
        "Frames a second, at most, that body_model looks at; between them people with an id keep "
        "its last estimate. 0: every frame.",
        When.ANY_TIME,
        0.0,
        1000.0,
    ),
    Spec(
        "tracking",
        _PIPELINE.tracking,
        "Ids for people; auto gives them where norfair is installed. Without them nothing is "
        "smoothed.",
        choices=("auto", "always", "never"),
    ),
    Spec(
        "track_timeout_s",
        _PIPELINE.track_timeout_s,
        "Seconds for which somebody who is not seen keeps his id.",
        low=0.05,
        high=60.0,
    ),
    Spec(
        "track_min_hits",
        _PIPELINE.track_min_hits,
        "Sightings before somebody gets an id.",
        low=1,
        high=100,
    ),
    Spec(
        "smoothing_s",
        _PIPELINE.smoothing_s,
        "Time constant of the filter over probabilities, in seconds; 0: none. Its lag is in each "
        "estimate.",
        When.ANY_TIME,
        0.0,
        60.0,
    ),
    Spec(
        "label_margin",
        _PIPELINE.label_margin,
        "Lead in probability that another label needs to become the top label.",
        When.ANY_TIME,
        0.0,
        1.0,
    ),
    Spec(
        "label_time_s",
        _PIPELINE.label_time_s,
        "Seconds for which it must lead so.",
        When.ANY_TIME,
        0.0,
        60.0,
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
    Spec(
        "watchdog_s",
        20.0,
        "Seconds after which an inference that does not end is given up and the models are loaded "
        "anew; 0: never.",
        When.ANY_TIME,
        0.0,
        3600.0,
    ),
    Spec("autostart", True, "Configure and activate without being asked.", When.AT_START),
    Spec(
        "snapshot_folder",
        "",
        "Folder that snapshots for bug reports are written to; empty: there are none.",
        When.ANY_TIME,
    ),
    Spec(
        "record_consent",
        False,
        "Whether everybody in view agreed to be recorded for training. Taken back, the clip under "
        "way is deleted.",
        When.ANY_TIME,
    ),
    Spec(
        "record_folder",
        "",
        "Folder that recorded clips are written to; empty: nothing is recorded.",
        When.ANY_TIME,
    ),
    Spec(
        "record_limit_mb",
        1000,
        "Megabytes of record_folder; a clip that reaches them ends.",
        When.ANY_TIME,
        1,
        1_000_000,
    ),
    Spec(
        "latency_warn_s",
        _THRESHOLDS.latency_warn_s,
        "Seconds from the camera's stamp to publishing, kept by 95 % of the frames, above which "
        "diagnostics warn.",
        When.ANY_TIME,
        0.001,
        3600.0,
    ),
    Spec(
        "latency_error_s",
        _THRESHOLDS.latency_error_s,
        "The same, above which diagnostics report an error.",
        When.ANY_TIME,
        0.001,
        3600.0,
    ),
    Spec(
        "min_rate_hz",
        _THRESHOLDS.min_rate_hz,
        "Frames processed a second of each camera below which diagnostics warn; 0: not checked.",
        When.ANY_TIME,
        0.0,
        1000.0,
    ),
    Spec(
        "temperature_warn_c",
        _THRESHOLDS.temperature_warn_c,
        "Degrees Celsius of the machine's hottest place above which diagnostics warn.",
        When.ANY_TIME,
        0.0,
        200.0,
    ),
    Spec(
        "temperature_error_c",
        _THRESHOLDS.temperature_error_c,
        "Degrees Celsius above which diagnostics report an error.",
        When.ANY_TIME,
        0.0,
        200.0,
    ),
    Spec(
        "image_transport",
        "auto",
        "How the images come. raw: sensor_msgs/Image on image_topic; compressed: "
        "sensor_msgs/CompressedImage (JPEG or PNG) on image_topic with /compressed behind it; "
        "auto: whatever is published on image_topic itself.",
        choices=("auto", "raw", "compressed"),
    ),
    Spec(
        "blur_faces",
        False,
        "Take faces out of the overlay: what is left of each can not be undone. A face that the "
        "detector missed stays.",
        When.ANY_TIME,
    ),
    Spec(
        "overlay_jpeg_quality",
        80,
        "Quality of ~/debug/overlay/compressed.",
        When.ANY_TIME,
        1,
        100,
    ),
    Spec(
        "hri",
        "auto",
        "Topics of REP 155 (/humans/...) for people with an id; auto: where hri_msgs is installed.",
        choices=("auto", "always", "never"),
    ),
    Spec(
        "depth_topic",
        "",
        "Depth images (16UC1 in millimetres or 32FC1 in metres) registered to the camera's, for "
        "the distances of ~/markers; {camera} in it stands for the camera's name. Empty: "
        "distances are estimated from the size of faces.",
    ),
)

BY_NAME = {spec.name: spec for spec in SPECS}
