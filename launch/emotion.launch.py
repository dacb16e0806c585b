"""Starts the emotion node: `ros2 launch caer_ros emotion.launch.py --show-args`.

The node is Python, and component containers load C++ only. Who wants it in one process with nodes
of his own adds `caer_ros.ros.node.EmotionNode` to his executor: see docs/launch.md.
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction

from caer_ros.ros.launch_actions import declare, emotion_node, rviz, transport, values
from caer_ros.ros.launching import node_arguments
from caer_ros.ros.share import share_path

ARGUMENTS = node_arguments(str(share_path("config/emotion.yaml")))


def start(context: LaunchContext) -> list:
    """Node and RViz, once the arguments are known."""
    given = values(context, ARGUMENTS)
    return [emotion_node(given), *rviz(given)]


def generate_launch_description() -> LaunchDescription:
    """Arguments, the Fast DDS profile where none is set, the node, RViz where it is wanted."""
    return LaunchDescription([*declare(ARGUMENTS), *transport(), OpaqueFunction(function=start)])
