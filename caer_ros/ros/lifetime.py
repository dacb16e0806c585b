"""Starting and ending a node's process so that nothing is cut off half-way."""

from __future__ import annotations

import os
import sys

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from caer_ros.ros.stop import Stop

# A signal that Python handles does not wake rclpy, so its wait is cut into pieces of this length.
_PATIENCE_S = 0.1


def init(args: list[str] | None = None) -> None:
    """rclpy.init without rclpy's signal handling, which raises in the middle of work."""
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)


def spin(node: Node, stop: Stop) -> None:
    """Serve `node` until a signal comes or its context is shut down."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while rclpy.ok() and not stop():
        executor.spin_once(timeout_sec=_PATIENCE_S)
    executor.shutdown()


def leave(clean: bool = True, code: int = 0) -> int:
    """Shut ROS down and return `code`; not `clean`: a thread hangs in native code, so end at once.

    Python would unload libraries under such a thread, which may crash.
    """
    rclpy.try_shutdown()
    if not clean:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
