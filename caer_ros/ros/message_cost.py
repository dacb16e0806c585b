"""What ROS messages cost around the pipeline: `python -m caer_ros.ros.message_cost` prints JSON.

One process makes, packs and unpacks the messages; what the network between processes takes is
measured by the node itself, see /diagnostics.
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from caer_ros.core import CAER7, Box, EmotionEstimate, PersonEmotion
from caer_ros.ros.messages import image_message, image_view, people_message

STEPS = ("unpack image", "view image", "make people", "pack people")


def message_cost(width: int, height: int, people: int, rounds: int) -> dict[str, float]:
    """Median milliseconds of each of STEPS.

    Args:
        width, height: of a bgr8 image.
        people: in the message that goes out, each with a CAER estimate.
    """
    packed = serialize_message(image_message(Header(), np.zeros((height, width, 3), np.uint8)))
    found = tuple(_person() for _ in range(people))
    samples = []
    for _ in range(rounds):
        times = [perf_counter()]
        message = deserialize_message(packed, Image)
        times.append(perf_counter())
        image_view(message)
        times.append(perf_counter())
        answer = people_message(message.header, found)
        times.append(perf_counter())
        serialize_message(answer)
        times.append(perf_counter())
        samples.append(np.diff(times))
    medians = 1000 * np.median(samples, axis=0)
    return dict(zip(STEPS, medians.tolist(), strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=200)
    args = parser.parse_args(arguments)
    print(json.dumps(message_cost(args.width, args.height, args.people, args.rounds)))
    return 0


def _person() -> PersonEmotion:
    probabilities = np.full(len(CAER7), 1 / len(CAER7), np.float32)
    estimate = EmotionEstimate("caer_net_s", CAER7, probabilities)
    return PersonEmotion(face=Box(10, 10, 100, 100, 0.9), estimates=(estimate,))


if __name__ == "__main__":
    raise SystemExit(main())
