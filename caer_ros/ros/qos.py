"""Quality of service: what the node asks of a camera, and what it offers."""

from __future__ import annotations

from collections.abc import Iterable

from rclpy.qos import QoSProfile, ReliabilityPolicy

# The newest frame wins, so nothing is worth queueing.
_SENSOR_DATA = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)

# Best effort matches every publisher, and the next frame brings the next one.
CAMERA_INFO = _SENSOR_DATA

EMOTIONS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
# Reliable, because that is what RViz asks for by default; a best-effort viewer matches it too.
OVERLAY = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)


def input_profile(mode: str, offered: Iterable[ReliabilityPolicy]) -> QoSProfile:
    """The subscription for `input_qos` = `mode`, given the reliability of each publisher.

    `auto` asks for reliable only where everybody offers it: a lost packet then costs a resend and
    not the image, which matters where images are larger than the transport's buffers.
    """
    policies = list(offered)
    if mode == "reliable":
        return _RELIABLE
    if mode == "auto" and policies and all(p == ReliabilityPolicy.RELIABLE for p in policies):
        return _RELIABLE
    return _SENSOR_DATA


def name_of(policy: ReliabilityPolicy) -> str:
    """`best effort` or `reliable`, as people write it."""
    return str(policy.name).lower().replace("_", " ")
