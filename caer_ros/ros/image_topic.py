"""Which topic and message a camera's images come by, and why none may come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from caer_ros.ros.qos import name_of

_SUFFIX = "/compressed"  # as image_transport names the compressed companion of a raw topic
_TYPE_NAMES = {"sensor_msgs/msg/Image": Image, "sensor_msgs/msg/CompressedImage": CompressedImage}
_TRANSPORTS = {Image: "raw", CompressedImage: "compressed"}


@dataclass(frozen=True)
class ImageTopic:
    """Topic, with its full name, and message type: Image or CompressedImage."""

    name: str
    kind: type


def choose_topic(node: Node, topic: str, transport: str) -> ImageTopic:
    """What to subscribe to, given who publishes now.

    Args:
        topic: relative or absolute; remapping applies.
        transport: `raw` and `auto` take this very topic. `compressed` takes its companion, which
            ends in "/compressed", unless this one is compressed itself. `auto` goes by the message
            that is published there; where nobody does, or both, a name that ends in "/compressed"
            is compressed.
    """
    name = node.resolve_topic_name(topic)
    by_name = name.endswith(_SUFFIX)
    if transport == "raw":
        return ImageTopic(name, Image)
    published = {_TYPE_NAMES.get(found.topic_type) for found in publishers(node, name)}
    compressed = published == {CompressedImage}
    if transport == "compressed":
        companion = by_name or compressed
        return ImageTopic(name if companion else name + _SUFFIX, CompressedImage)
    if not compressed and published != {Image}:
        compressed = by_name
    return ImageTopic(name, CompressedImage if compressed else Image)


def info_topic(images: str) -> str:
    """The CameraInfo beside the images at `images`, as image_transport pairs them."""
    return images.removesuffix(_SUFFIX).rpartition("/")[0] + "/camera_info"


def publishers(node: Node, name: str) -> list[Any]:
    """Who publishes `name`, with quality of service."""
    return list(node.get_publishers_info_by_topic(name))


def offered(node: Node, topic: ImageTopic) -> list[ReliabilityPolicy]:
    """The reliability of each publisher that sends the right message."""
    return [
        found.qos_profile.reliability
        for found in publishers(node, topic.name)
        if _TYPE_NAMES.get(found.topic_type) is topic.kind
    ]


def explain_silence(node: Node, topic: ImageTopic, asked: ReliabilityPolicy) -> str:
    """Why no image may arrive: the topic, and what each side asks and offers."""
    found = publishers(node, topic.name)
    if not found:
        return f"nobody publishes {topic.name}; {_other_transport(node, topic)}"
    policies = offered(node, topic)
    if not policies:
        types = ", ".join(sorted({publisher.topic_type for publisher in found}))
        return (
            f"{len(found)} publisher(s) of {topic.name} send {types}, this node asks for "
            f"{topic.kind.__name__}: set image_transport to auto, or choose another topic"
        )
    names = ", ".join(sorted({name_of(policy) for policy in policies}))
    text = (
        f"{len(policies)} publisher(s) of {topic.name} offer {names}, "
        f"this node asks for {name_of(asked)}"
    )
    if asked == ReliabilityPolicy.RELIABLE and ReliabilityPolicy.BEST_EFFORT in policies:
        return f"{text}: these never match, set input_qos to sensor_data"
    return f"{text}: these match, so the camera is silent or the transport loses its images"


def _other_transport(node: Node, topic: ImageTopic) -> str:
    """What to do about a topic that nobody publishes."""
    other, kind = topic.name + _SUFFIX, CompressedImage
    if topic.name.endswith(_SUFFIX):
        other, kind = topic.name.removesuffix(_SUFFIX), Image
    if offered(node, ImageTopic(other, kind)):
        return f"{other} is published: set image_topic to it and image_transport to auto"
    return "check the topic's name and the camera"
