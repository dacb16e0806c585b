"""Fast DDS's default transport loses raw images; this notices and says what to do."""

from __future__ import annotations

import os
from collections.abc import Mapping

from caer_ros.ros.share import share_path

_OLD = "FASTRTPS_DEFAULT_PROFILES_FILE"  # up to Jazzy; Kilted warns that it is deprecated
_NEW = "FASTDDS_DEFAULT_PROFILES_FILE"  # from Kilted on; earlier ones do not read it
_OLD_DISTRIBUTIONS = ("humble", "iron", "jazzy")
_OTHER_WAYS = ("FASTDDS_BUILTIN_TRANSPORTS", "FASTDDS_ENVIRONMENT_FILE")


def profile_path() -> str:
    """The profile that comes with this package: shared memory large enough for raw images."""
    return str(share_path("config/fastdds_shm.xml"))


def profile_variable(environment: Mapping[str, str]) -> str:
    """The variable that this ROS distribution's Fast DDS reads a profile's path from."""
    return _OLD if environment.get("ROS_DISTRO") in _OLD_DISTRIBUTIONS else _NEW


def profile_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What to add to `environment` so that Fast DDS uses the profile; {} where one is set."""
    if any(environment.get(name) for name in (_OLD, _NEW)):
        return {}
    return {profile_variable(environment): profile_path()}


def warning(rmw: str, environment: Mapping[str, str] | None = None) -> str:
    """One line for the log where this middleware will lose images, else an empty text.

    Args:
        rmw: identifier of the middleware, as rclpy gives it.
        environment: defaults to this process's.
    """
    environment = os.environ if environment is None else environment
    set_up = any(environment.get(name) for name in (_OLD, _NEW, *_OTHER_WAYS))
    if "fastrtps" not in rmw or set_up:
        return ""
    return (
        "Fast DDS runs with its default transport, which loses most raw images of a best-effort "
        f"camera. Start camera and node with {profile_variable(environment)}={profile_path()}; "
        "the launch file does."
    )
