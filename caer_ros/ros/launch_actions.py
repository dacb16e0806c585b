"""What the launch files are made of. Imported by them only: ROS's launch is not on PyPI."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import List  # noqa: UP035

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, LogInfo, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from caer_ros.ros.fastdds import profile_environment
from caer_ros.ros.launching import Argument, node_options, overrides, private_topic, shown_camera
from caer_ros.ros.share import share_path

# launch_ros compares types with those of `typing`.
_TEXTS = List[str]  # noqa: UP006

# The topics that rviz/emotion.rviz shows, as the node's own name and namespace would have them.
_SHOWN = ("debug/overlay", "markers")


def declare(arguments: Iterable[Argument]) -> list[DeclareLaunchArgument]:
    """What `--show-args` shows. To be declared at the top level, where it looks for them."""
    return [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for argument in arguments
    ]


def transport() -> list[SetEnvironmentVariable]:
    """The Fast DDS profile for raw images, for all that is started, unless one is set already."""
    return [
        SetEnvironmentVariable(name, value)
        for name, value in profile_environment(os.environ).items()
    ]


def values(context: LaunchContext, arguments: Iterable[Argument]) -> dict[str, str]:
    """The text of every argument, now that it is known."""
    return {
        argument.name: LaunchConfiguration(argument.name).perform(context) for argument in arguments
    }


def emotion_node(given: Mapping[str, str]) -> Node:
    """The emotion node as the arguments say."""
    return Node(
        package="caer_ros",
        executable="emotion_node",
        namespace=given["namespace"],
        name=given["name"],
        parameters=[given["params_file"], _typed(overrides(given))],
        ros_arguments=node_options(given),
        output="screen",
        emulate_tty=True,
    )


def rviz(given: Mapping[str, str]) -> list[Node | LogInfo]:
    """RViz with one camera's overlay and markers, where the argument `rviz` wants it."""
    if given["rviz"] == "false":
        return []
    if given["rviz"] == "auto" and not _is_installed("rviz2"):
        return [LogInfo(msg="RViz is not installed, so it is not started.")]
    camera = shown_camera(given)
    topics = {topic: f"{camera}/{topic}" if camera else topic for topic in _SHOWN}
    return [
        Node(
            package="rviz2",
            executable="rviz2",
            arguments=["-d", str(share_path("rviz/emotion.rviz"))],
            remappings=[
                (f"/emotion_node/{topic}", private_topic(given, own))
                for topic, own in topics.items()
            ],
        )
    ]


def _typed(parameters: Mapping[str, object]) -> dict[str, ParameterValue]:
    """With types, or launch would read a model called "7" as a number."""
    return {
        name: ParameterValue(value, value_type=_TEXTS if isinstance(value, list) else type(value))
        for name, value in parameters.items()
    }


def _is_installed(package: str) -> bool:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
