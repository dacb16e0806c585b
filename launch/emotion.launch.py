"""Starts the emotion node: `ros2 launch caer_ros emotion.launch.py --show-args`."""

import os

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from caer_ros.ros.fastdds import profile_environment
from caer_ros.ros.share import share_path

# Empty: what params_file says holds. Otherwise the argument wins over the file.
FROM_FILE = ""

ARGUMENTS = [
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node."),
    DeclareLaunchArgument("name", default_value="emotion_node", description="Name of the node."),
    DeclareLaunchArgument(
        "params_file",
        default_value=str(share_path("config/emotion.yaml")),
        description="YAML file with the node's parameters.",
    ),
    DeclareLaunchArgument(
        "image_topic",
        default_value=FROM_FILE,
        description="Topic of the images (sensor_msgs/Image). Empty: from params_file.",
    ),
    DeclareLaunchArgument(
        "emotions_topic",
        default_value=FROM_FILE,
        description="Topic of the result (PersonEmotionArray). Empty: from params_file.",
    ),
    DeclareLaunchArgument(
        "model",
        default_value=FROM_FILE,
        description="Emotion model: bundle name or folder. Empty: from params_file.",
    ),
    DeclareLaunchArgument(
        "detector",
        default_value=FROM_FILE,
        description="Face detector: bundle name or folder. Empty: from params_file.",
    ),
    DeclareLaunchArgument(
        "precision",
        default_value=FROM_FILE,
        choices=[FROM_FILE, "fp32", "fp16", "int8"],
        description="Arithmetic of the emotion model. Empty: from params_file.",
    ),
    DeclareLaunchArgument(
        "backend",
        default_value=FROM_FILE,
        choices=[FROM_FILE, "auto", "tensorrt", "openvino", "onnxruntime"],
        description="Inference engine. Empty: from params_file.",
    ),
    DeclareLaunchArgument(
        "autostart",
        default_value="true",
        choices=["true", "false"],
        description="Configure and activate the node; false leaves that to a lifecycle manager.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description="Take the time from /clock, as with bags and simulators.",
    ),
    DeclareLaunchArgument(
        "log_level",
        default_value="info",
        choices=["debug", "info", "warn", "error", "fatal"],
        description="Least severity that the node logs.",
    ),
    DeclareLaunchArgument(
        "rviz",
        default_value="false",
        choices=["true", "false"],
        description="Also show the overlay in RViz.",
    ),
]

TEXTS = ("image_topic", "emotions_topic", "model", "detector", "precision", "backend")
SWITCHES = ("autostart", "use_sim_time")


def overrides(arguments: dict[str, str]) -> dict[str, object]:
    """The node parameters that the launch arguments set over params_file."""
    texts = {name: arguments[name] for name in TEXTS if arguments[name] != FROM_FILE}
    return {**texts, **{name: arguments[name] == "true" for name in SWITCHES}}


def make_node(context: LaunchContext) -> list[Node]:
    """The emotion node, once the arguments are known."""
    given = {name: LaunchConfiguration(name).perform(context) for name in (*TEXTS, *SWITCHES)}
    # Typed, or launch would read a model called "7" as a number.
    typed = {
        name: ParameterValue(value, value_type=type(value))
        for name, value in overrides(given).items()
    }
    return [
        Node(
            package="caer_ros",
            executable="emotion_node",
            namespace=LaunchConfiguration("namespace"),
            name=LaunchConfiguration("name"),
            parameters=[LaunchConfiguration("params_file"), typed],
            ros_arguments=["--log-level", LaunchConfiguration("log_level")],
            output="screen",
            emulate_tty=True,
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Arguments, the Fast DDS profile where none is set, the node, RViz where it is wanted."""
    profile = profile_environment(os.environ)
    overlay = [LaunchConfiguration("namespace"), "/", LaunchConfiguration("name"), "/debug/overlay"]
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", str(share_path("rviz/emotion.rviz"))],
        remappings=[("/emotion_node/debug/overlay", overlay)],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    environment = [SetEnvironmentVariable(name, value) for name, value in profile.items()]
    return LaunchDescription([*ARGUMENTS, *environment, OpaqueFunction(function=make_node), rviz])
