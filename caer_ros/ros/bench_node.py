"""`python -m caer_ros.ros.bench_node`: the node over DDS beside the bare pipeline, as JSON.

Both work on the same picture with the same configuration, in turns, so that the ratio holds on a
busy machine. The camera and the listener are in this process, the node is in one of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from caer_ros.perception import Pipeline, PipelineConfig
from caer_ros.perception.sources import read_image
from caer_ros.ros import fastdds
from caer_ros.ros.bench_peer import Peer, node_arguments
from caer_ros.ros.processes import Processes


@dataclass(frozen=True)
class NodeReport:
    """What `bench_node` measured. Times in milliseconds, [p50, p95]; rates in frames a second.

    Attributes:
        bare: the bare pipeline.
        inside: the pipeline inside the node, as its diagnostics tell.
        end_to_end: from publishing the image to the arrival of its answer, one frame at a time:
            what the node does and DDS twice.
        overhead: end_to_end over bare, less 1; median over the rounds.
        bare_rate, node_rate: frames a second, of the node with a camera that is faster than it.
        rate_overhead: bare_rate over node_rate, less 1; median over the rounds.
        lost: images that the transport lost.
    """

    about: dict[str, str]
    width: int
    height: int
    people: int
    rounds: int
    bare: tuple[float, float]
    inside: tuple[float, float]
    end_to_end: tuple[float, float]
    overhead: float
    bare_rate: float
    node_rate: float
    rate_overhead: float
    lost: int


def bench_node(
    image: np.ndarray,
    config: PipelineConfig,
    rounds: int,
    frames: int,
    say: Callable[[str], None] = lambda line: None,
) -> NodeReport:
    """Measure on a BGR image (uint8 [h, w, 3]).

    Args:
        rounds: turns of bare pipeline, single frames through the node, and a fast camera.
        frames: frames a turn.

    Raises:
        CaerError: the models can not be opened, or the node does not answer.
    """
    with Pipeline.open(config) as pipeline, Processes() as processes, Peer(image) as peer:
        say("starting the node")
        peer.wait_for(processes.start("caer_ros.ros.emotion_node", node_arguments(config)))
        people = _warm_up(pipeline, peer, image)
        bare, through, bare_rates, node_rates = [], [], [], []
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            bare.append([_process(pipeline, image) for _ in range(frames)])
            through.append([peer.ask() for _ in range(frames)])
            bare_rates.append(frames / sum(bare[-1]))
            node_rates.append(peer.flood(frames, 0.8 / bare_rates[-1]))
        inside = peer.inside()
        about, lost = pipeline.describe(), peer.lost
    ratios = [np.median(node) / np.median(alone) for node, alone in zip(through, bare, strict=True)]
    slower = np.array(bare_rates) / np.array(node_rates)
    height, width = image.shape[:2]
    return NodeReport(
        about,
        width,
        height,
        people,
        rounds,
        _spread(bare),
        inside,
        _spread(through),
        float(np.median(ratios)) - 1,
        float(np.median(bare_rates)),
        float(np.median(node_rates)),
        float(np.median(slower)) - 1,
        lost,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print JSON; 2 where the models can not be opened or the node does not answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--image", type=Path, required=True, help="as large as a frame")
    parser.add_argument("--config", default="{}", help="fields of PipelineConfig, as JSON")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--frames", type=int, default=10)
    args = parser.parse_args(arguments)
    _isolate()
    from caer_ros.core import CaerError
    from caer_ros.ros import lifetime

    lifetime.init([])
    try:
        config = PipelineConfig(**json.loads(args.config))
        report = bench_node(read_image(args.image), config, args.rounds, args.frames, _say)
    except CaerError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        lifetime.leave()
    print(json.dumps(asdict(report)))
    return 0


def _warm_up(pipeline: Pipeline, peer: Peer, image: np.ndarray) -> int:
    """Three frames through both; people in the picture."""
    for _ in range(3):
        peer.ask()
        found = pipeline.process(image, "bgr8").people
    return len(found)


def _process(pipeline: Pipeline, image: np.ndarray) -> float:
    start = perf_counter()
    pipeline.process(image, "bgr8", stamp=start)
    return perf_counter() - start


def _spread(turns: Sequence[Sequence[float]]) -> tuple[float, float]:
    """p50 and p95 of all turns, in milliseconds."""
    seconds = np.concatenate([np.array(turn) for turn in turns])
    return 1000 * float(np.median(seconds)), 1000 * float(np.percentile(seconds, 95))


def _isolate() -> None:
    """This machine only, a domain of our own, and images through shared memory."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    os.environ.update(fastdds.profile_environment(os.environ))


def _say(line: str) -> None:
    print(f"caer bench: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
