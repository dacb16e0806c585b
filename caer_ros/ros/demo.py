"""`make demo`: the real node, a camera made of files, and somebody who watches both.

Starts the two as processes, prints what arrives, leaves a video and a contact sheet, and ends.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from caer_ros.ros.stop import Stop

if TYPE_CHECKING:
    from caer_ros.ros.demo_watcher import Watcher

_LOADING_S = 60.0  # the first load of a large model may compile it
_FIRST_ANSWER_S = 20.0


def main(args: list[str] | None = None) -> int:
    """Run the demonstration.

    Returns:
        0 when emotions of at least one person arrived (or the user ended it), 1 otherwise, 2 when
        the call is wrong.
    """
    options = _parse(args)
    stop = Stop()
    _isolate()
    from caer_ros.core import CaerError
    from caer_ros.ros import fastdds, lifetime

    os.environ.update(fastdds.profile_environment(os.environ))
    lifetime.init([])
    try:
        return _show(options, stop)
    except CaerError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"demo: {error}. Name a folder for --out that can be written.", file=sys.stderr)
        return 2
    finally:
        lifetime.leave()


def _isolate() -> None:
    """This machine only, and a domain of our own: no robot nearby and no second demo is heard."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)


def _show(options: argparse.Namespace, stop: Stop) -> int:
    from caer_ros.ros.demo_watcher import Watcher
    from caer_ros.ros.processes import Processes

    with Watcher(options.out) as watcher, Processes() as processes:
        print("Starting the emotion node ...", flush=True)
        model = ["-p", f"model:={options.model}"] if options.model else []
        node = processes.start("caer_ros.ros.emotion_node", model)
        if not watcher.wait_until_active(_LOADING_S, lambda: stop() or node.poll() is not None):
            if not stop():
                why = watcher.trouble() or "it ended or is very slow; see its messages above"
                print(f"demo: the node is not active: {why}", file=sys.stderr)
            return 0 if stop() else 1
        print(f"Playing {options.source} for {options.seconds:g} s ...", flush=True)
        player = processes.start("caer_ros.ros.image_player", ["-p", f"source:={options.source}"])

        def over() -> bool:
            return stop() or node.poll() is not None or player.poll() is not None

        watcher.wait_for_people(_FIRST_ANSWER_S, over)
        watcher.watch(options.seconds, over)
        if player.poll():  # it said why on its own
            print(f"demo: {options.source} could not be played.", file=sys.stderr)
            return 2
    return _conclude(watcher, stop())


def _conclude(watcher: Watcher, stopped: bool) -> int:
    print()
    for line in watcher.summary.lines():
        print(line)
    if watcher.recorder.frames:
        print(f"Overlay video:  {watcher.recorder.video}")
        print(f"Contact sheet:  {watcher.recorder.sheet}")
    if watcher.summary.with_people or stopped:
        return 0
    print(
        f"demo: nobody was seen. Do the pictures show faces of 16 pixels and more? "
        f"The node says of its input: {watcher.input_says()}.",
        file=sys.stderr,
    )
    return 1


def _parse(args: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="caer_ros.ros.demo", description="See the emotion node at work, without a robot."
    )
    parser.add_argument(
        "--source",
        default="photos",
        help="image, folder, video or /dev/videoN; photos or film: the installed ones (photos)",
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="play for so long (default 10)")
    parser.add_argument(
        "--out", type=Path, default=Path("demo_out"), help="folder for video and contact sheet"
    )
    parser.add_argument("--model", default="", help="emotion model: bundle name or folder")
    options = parser.parse_args(args)
    if not 1 <= options.seconds <= 3600:
        parser.error("--seconds must be 1 to 3600")
    return options


if __name__ == "__main__":
    sys.exit(main())
