"""Shows the emotion node at work without a camera: `ros2 launch caer_ros demo.launch.py`.

Plays photographs (or `source:=clip.mp4`, a folder, /dev/video0) as a camera topic to the node, and
shows the overlay in RViz where that is installed. `make demo` is the same without ROS installed.
"""

from dataclasses import replace

from launch import LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from caer_ros.ros.launch_actions import declare, emotion_node, rviz, transport, values
from caer_ros.ros.launching import Argument, node_arguments
from caer_ros.ros.share import share_path

DEFAULTS = {"image_topic": "camera/image_raw", "rviz": "auto"}

ARGUMENTS = [
    *(
        replace(argument, default=DEFAULTS.get(argument.name, argument.default))
        for argument in node_arguments(str(share_path("config/emotion.yaml")))
        if argument.name != "image_topics"
    ),
    Argument(
        "source", "photos", "Image, folder, video or /dev/videoN; photos: the demo's photographs."
    ),
]


def start(context: LaunchContext) -> list:
    """Player, node and RViz, once the arguments are known."""
    given = values(context, ARGUMENTS)
    texts = {name: given[name] for name in ("source", "image_topic")}
    player = Node(
        package="caer_ros",
        executable="image_player",
        namespace=given["namespace"],
        parameters=[
            {name: ParameterValue(text, value_type=str) for name, text in texts.items()},
        ],
        output="screen",
        emulate_tty=True,
    )
    return [player, emotion_node(given), *rviz(given)]


def generate_launch_description() -> LaunchDescription:
    """Arguments, the Fast DDS profile where none is set, player, node, RViz where there is one."""
    return LaunchDescription([*declare(ARGUMENTS), *transport(), OpaqueFunction(function=start)])
