"""Makes the pictures of README.md: `make pictures`, or of a film of your own.

make pictures                                   docs/images, of the demo's photographs and film
make pictures SOURCE=clip.mp4 OUT=my_pictures   of your film
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
MOST = 150
SMALL = 480


def main() -> None:
    """A frame with everybody in it, and four frames of a film, as the node sees and draws them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="photos", help="film, folder or photos (%(default)s)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (%(default)s)")
    args = parser.parse_args()
    drawn = draw_all(args.source)
    most = max(people for people, _ in drawn)
    crowded = [picture for people, picture in drawn if people == most]
    write_image(args.out / "overlay.png", crowded[len(crowded) // 2])
    film = draw_all("film") if args.source == "photos" else drawn
    four = [film[round(k)][1] for k in np.linspace(len(film) * 0.1, len(film) * 0.75, 4)]
    write_image(args.out / "film.jpg", np.hstack(four))
    print(f"{args.out}/overlay.png and film.jpg: at most {most} people in a frame")


def draw_all(source: str) -> list[tuple[int, np.ndarray]]:
    """Number of people and overlay of each frame; small frames are enlarged to be readable."""
    drawn = []
    with Pipeline.open(PipelineConfig()) as pipeline:
        for frame in islice(open_moving(source, *SIZE), MOST):
            scale = max(1, round(SMALL / frame.image.shape[1]))
            image = cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            result = pipeline.process(image, "bgr8", want_maps=True, stamp=frame.time)
            drawn.append((len(result.people), draw_overlay(image, "bgr8", result)))
    return drawn


if __name__ == "__main__":
    main()
