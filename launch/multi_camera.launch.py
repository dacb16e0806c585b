"""Starts one emotion node for several cameras: `ros2 launch caer_ros multi_camera.launch.py \
image_topics:="[/front/image_raw, /rear/image_raw]"`.

The frames of all cameras go through the networks together, which are loaded once. Each camera has
its own debug topics, such as /emotion_node/front/debug/overlay; /emotions is one topic for all, and
frame_id tells the cameras apart.
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction

from caer_ros.ros.launch_actions import declare, emotion_node, rviz, transport, values
from caer_ros.ros.launching import Argument, node_arguments
from caer_ros.ros.share import share_path

ARGUMENTS = [
    Argument(
        "image_topics",
        None,
        "Topics of the cameras, as [a, b] or a,b; each names its camera: /front/image is front.",
    ),
    *(
        argument
        for argument in node_arguments(str(share_path("config/emotion.yaml")))
        if argument.name not in ("image_topic", "image_topics")
    ),
    Argument("rviz_camera", "", "The camera that RViz shows; empty: the first."),
]


def start(context: LaunchContext) -> list:
    """Node and RViz, once the arguments are known."""
    given = values(context, ARGUMENTS)
    return [emotion_node(given), *rviz(given)]


def generate_launch_description() -> LaunchDescription:
    """Arguments, the Fast DDS profile where none is set, the node, RViz where it is wanted."""
    return LaunchDescription([*declare(ARGUMENTS), *transport(), OpaqueFunction(function=start)])
