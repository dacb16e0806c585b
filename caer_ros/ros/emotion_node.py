"""The process of the emotion node: `ros2 run caer_ros emotion_node`."""

from __future__ import annotations

import sys

from caer_ros.ros.heap import limit_heaps
from caer_ros.ros.stop import Stop


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM.

    Returns:
        0 when it was asked to end, 2 when a parameter given at start is of a wrong type or range.
    """
    # Before the slow imports, so that a signal during them ends the process as quietly as later.
    stop = Stop()
    limit_heaps()
    import rclpy.exceptions

    from caer_ros.ros import lifetime
    from caer_ros.ros.node import EmotionNode

    lifetime.init(args)
    try:
        node = EmotionNode(stop)
    except (
        rclpy.exceptions.InvalidParameterTypeException,
        rclpy.exceptions.InvalidParameterValueException,
    ) as error:
        print(
            f"emotion_node: {error} Correct it and start again (a number with a range in decimals "
            "needs a decimal point: 10.0).",
            file=sys.stderr,
        )
        return lifetime.leave(code=2)
    lifetime.spin(node, stop)
    clean = node.close()
    node.destroy_node()
    return lifetime.leave(clean)


if __name__ == "__main__":
    sys.exit(main())
