"""A camera made of files: plays photographs, a video or a real camera as sensor_msgs/Image."""

from __future__ import annotations

import sys

from caer_ros.ros.stop import Stop


def main(args: list[str] | None = None) -> int:
    """Play until the source or the time is over, or a signal comes.

    Returns:
        0 when it was asked to end or is through, 2 when the source can not be played.
    """
    # Before the slow imports, so that a signal during them ends the process as quietly as later.
    stop = Stop()
    from caer_ros.core import CaerError
    from caer_ros.ros import lifetime
    from caer_ros.ros.player import ImagePlayer

    lifetime.init(args)
    node = ImagePlayer()
    code = 0
    try:
        node.play(stop)
    except CaerError as error:
        node.get_logger().error(str(error))
        code = error.exit_code
    node.destroy_node()
    return lifetime.leave(code=code)


if __name__ == "__main__":
    sys.exit(main())
