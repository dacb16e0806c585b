"""What the node publishes of a frame beside /emotions: one file an output, made by the registry."""

from caer_ros.ros.outputs.registry import make_outputs
from caer_ros.ros.outputs.settings import OutputSettings

__all__ = ["OutputSettings", "make_outputs"]
