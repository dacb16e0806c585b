"""Which outputs a camera has: those whose messages are installed."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo

from caer_ros.core import InputError
from caer_ros.ros.output import Output
from caer_ros.ros.outputs.annotations import Annotations
from caer_ros.ros.outputs.attention import AttentionImage
from caer_ros.ros.outputs.detections import Detections
from caer_ros.ros.outputs.hri import HriOutput
from caer_ros.ros.outputs.markers import Markers
from caer_ros.ros.outputs.optional import messages_of
from caer_ros.ros.outputs.overlay_images import OverlayImages
from caer_ros.ros.outputs.settings import OutputSettings

_OPTIONAL = {"vision_msgs": "~/detections", "foxglove_msgs": "~/annotations", "hri_msgs": "/humans"}


def make_outputs(
    node: LifecycleNode,
    camera: str,
    settings: OutputSettings,
    camera_info: Callable[[], CameraInfo | None],
) -> list[Output]:
    """Everything that one camera's frames are published as, beside /emotions.

    Args:
        camera: its name; empty where there is one.
        camera_info: the camera's latest CameraInfo; None until one came. Called in the worker's
            thread.

    Raises:
        InputError: `hri` is `always`, but hri_msgs is not installed; `depth_topic` is no name of a
            topic.
    """
    installed = {package: messages_of(package) for package in _OPTIONAL}
    hri = _hri_messages(settings.hri, installed.pop("hri_msgs"))
    vision, foxglove = installed["vision_msgs"], installed["foxglove_msgs"]
    _tell_missing(node, settings.hri, {**installed, "hri_msgs": hri})
    # The only one that may refuse its settings comes first: then nothing else is left open.
    outputs: list[Output] = [
        Markers(node, camera, camera_info, settings.depth_topic),
        OverlayImages(node, camera, settings),
        AttentionImage(node, camera),
    ]
    if vision is not None:
        outputs.append(Detections(node, camera, vision))
    if foxglove is not None:
        outputs.append(Annotations(node, camera, foxglove))
    if hri is not None:
        outputs.append(HriOutput(node, camera, hri))
    return outputs


def _hri_messages(mode: str, messages: ModuleType | None) -> ModuleType | None:
    if mode == "always" and messages is None:
        raise InputError(
            "hri is 'always', but hri_msgs is not installed.",
            "Install it (apt install ros-$ROS_DISTRO-hri-msgs), or set hri to auto.",
        )
    return None if mode == "never" else messages


def _tell_missing(node: LifecycleNode, mode: str, used: dict[str, ModuleType | None]) -> None:
    """One line in the log, once a process, of what is not published because of messages."""
    missing = [
        f"{package} ({_OPTIONAL[package]})"
        for package, messages in used.items()
        if messages is None and not (package == "hri_msgs" and mode == "never")
    ]
    if missing:
        node.get_logger().info(f"Not installed, so not published: {', '.join(missing)}.", once=True)
