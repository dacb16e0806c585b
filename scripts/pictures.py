"""Makes the pictures of README.md: `make pictures`, or of a video of your own.

make pictures                                     docs/images, from the demo photographs in motion
make pictures SOURCE=clip.mp4 OUT=my_pictures     the same of your film
"""

import argparse
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from caer_ros.perception import Pipeline, PipelineConfig, draw_overlay
from caer_ros.perception.sources import open_moving
from caer_ros.perception.writer import write_image

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = (640, 360)


def main() -> None:
    """One frame with everybody in it, and four of a film, as the node sees and draws them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="photos", help="film, folder or photos (%(default)s)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (%(default)s)")
    parser.add_argument("--frames", type=int, default=150, help="of the film (%(default)s)")
    args = parser.parse_args()
    with Pipeline.open(PipelineConfig()) as pipeline:
        drawn = []
        for frame in islice(open_moving(args.source, *SIZE), args.frames):
            result = pipeline.process(frame.image, "bgr8", want_maps=True, stamp=frame.time)
            drawn.append((len(result.people), draw_overlay(frame.image, "bgr8", result)))
    most = max(people for people, _ in drawn)
    crowded = [picture for people, picture in drawn if people == most]
    write_image(args.out / "overlay.png", crowded[len(crowded) // 2])
    four = [drawn[round(k)][1] for k in np.linspace(len(drawn) * 0.1, len(drawn) - 1, 4)]
    sheet = np.vstack([np.hstack(four[:2]), np.hstack(four[2:])])
    write_image(
        args.out / "film.jpg",
        cv2.resize(sheet, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA),
    )
    print(f"{args.out}/overlay.png and film.jpg: {len(drawn)} frames, at most {most} people")


if __name__ == "__main__":
    main()
