"""The launch files' arguments and what they mean. Needs no launch, so that it is tested anywhere.

Arguments that are parameters of the node repeat the words and choices of the parameter table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from caer_ros.core import InputError
from caer_ros.ros.parameter_table import SPECS, Spec
from caer_ros.ros.parameters import camera_topics

# What an argument holds that leaves the parameter to params_file. Any other text wins over it.
FROM_FILE = ""

# The parameters that one sets by the way; params_file has all of them.
PARAMETERS = (
    "image_topic",
    "image_topics",
    "image_transport",
    "emotions_topic",
    "model",
    "body_model",
    "detector",
    "precision",
    "backend",
    "threads",
    "max_rate_hz",
    "tracking",
    "blur_faces",
    "autostart",
)

_SWITCH = ("true", "false")
_BY_NAME = {spec.name: spec for spec in SPECS}


@dataclass(frozen=True)
class Argument:
    """One launch argument. `default` None: it must be given. No `choices`: any text goes."""

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()


def node_arguments(params_file: str) -> list[Argument]:
    """The arguments of every launch file that starts the node.

    Args:
        params_file: path of config/emotion.yaml.
    """
    return [
        Argument("namespace", "", "Namespace of the node and its relative topics."),
        Argument("name", "emotion_node", "Name of the node."),
        Argument("params_file", params_file, "YAML file with the node's parameters."),
        *(_of_parameter(_BY_NAME[name]) for name in PARAMETERS),
        Argument(
            "use_sim_time", "false", "Take the time from /clock, as with bags, simulators.", _SWITCH
        ),
        Argument("enclave", "", "SROS 2 enclave of the node, see docs/security.md. Empty: none."),
        Argument(
            "log_level",
            "info",
            "Least severity that the node logs.",
            ("debug", "info", "warn", "error", "fatal"),
        ),
        Argument(
            "rviz",
            "false",
            "Also show overlay and markers in RViz; auto: where it is installed.",
            ("auto", *_SWITCH),
        ),
    ]


def overrides(given: Mapping[str, str]) -> dict[str, bool | int | float | str | list[str]]:
    """The node parameters that launch arguments set over params_file, each of its own type.

    Args:
        given: text of each argument by name; names that are no parameter are left out.

    Raises:
        InputError: a text is no number, switch or list where the parameter is one.
    """
    values = {
        name: _typed(_BY_NAME[name], given[name])
        for name in PARAMETERS
        if given.get(name, FROM_FILE) != FROM_FILE
    }
    if "image_topic" in values:  # or several cameras of params_file would win over it
        values.setdefault("image_topics", [""])
    return {**values, "use_sim_time": given.get("use_sim_time") == "true"}


def node_options(given: Mapping[str, str]) -> list[str]:
    """The node's ROS arguments besides parameters: log level and, where given, the enclave."""
    options = ["--log-level", given["log_level"]]
    return [*options, "--enclave", given["enclave"]] if given["enclave"] else options


def shown_camera(given: Mapping[str, str]) -> str:
    """The camera that RViz shows: `rviz_camera`, else the first; empty where there is one."""
    if given.get("rviz_camera"):
        return given["rviz_camera"]
    topics = overrides(given).get("image_topics", [])
    return next(iter(camera_topics({"image_topics": topics, "image_topic": ""})))


def private_topic(given: Mapping[str, str], topic: str) -> str:
    """Full name of the node's topic `~/<topic>`."""
    parts = [given["namespace"].strip("/"), given["name"], topic]
    return "/" + "/".join(part for part in parts if part)


def _of_parameter(spec: Spec) -> Argument:
    choices: tuple[str, ...] = ()
    if isinstance(spec.default, bool):
        choices = (FROM_FILE, *_SWITCH)
    elif spec.choices:
        choices = (FROM_FILE, *spec.choices)
    listed = " As [a, b] or a,b." if isinstance(spec.default, list) else ""
    return Argument(
        spec.name, FROM_FILE, f"{spec.description}{listed} Not given: from params_file.", choices
    )


def _typed(spec: Spec, text: str) -> bool | int | float | str | list[str]:
    if isinstance(spec.default, bool):
        return text == "true"
    if isinstance(spec.default, list):
        return _texts(spec, text)
    if isinstance(spec.default, str):
        return text
    try:
        return type(spec.default)(text)
    except ValueError as error:
        raise InputError(f"{spec.name}:={text} is no number.", "See --show-args.") from error


def _texts(spec: Spec, text: str) -> list[str]:
    """A list as YAML writes it, or texts with commas between them."""
    try:
        parts = yaml.safe_load(text) if text.startswith("[") else text.split(",")
    except yaml.YAMLError as error:
        raise InputError(f"{spec.name}:={text} is no list.", "Write [a, b].") from error
    texts = [str(part).strip() for part in parts]
    if not any(texts):
        raise InputError(f"{spec.name}:={text} is an empty list.", "Write [a, b].")
    return [part for part in texts if part]
