"""The node's parameters: declared from the table, read, and judged when somebody changes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from caer_ros.core import InputError
from caer_ros.perception import PipelineConfig
from caer_ros.ros.parameter_table import BY_NAME, SPECS, Spec, When

_PIPELINE_NAMES = tuple(each.name for each in fields(PipelineConfig) if each.name in BY_NAME)


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
    names = tuple(camera_topics(values))
    return PipelineConfig(**{n: values[n] for n in _PIPELINE_NAMES}, cameras=names)


def camera_topics(values: dict[str, Any]) -> dict[str, str]:
    """Topic by name of the camera: one without a name, or one for each of image_topics.

    A camera is called by the name before its topic's last one, which tells what is published:
    `/robot/front/image_raw` is `front`. Where that names two, all have their whole names.
    """
    topics = list(dict.fromkeys(topic for topic in values["image_topics"] if topic))
    if not topics:
        return {"": values["image_topic"]}
    short = [_words(topic)[-2:][0] for topic in topics]
    if len(set(short)) < len(short):
        short = ["_".join(_words(topic)) for topic in topics]
    return dict(zip(short, topics, strict=True))


def _words(topic: str) -> list[str]:
    """`/front/image_raw/compressed` is front, image_raw: names of transports do not count."""
    words = [word for word in topic.replace("~", "").split("/") if word]
    return words[:-1] if len(words) > 1 and words[-1] == "compressed" else words


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
    if spec.name in ("image_topic", "emotions_topic") and not value:
        return f"{spec.name} is empty: name a topic."
    return ""
