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
    """A frame with everybody in it, four frames of a film, and two of each as a bottom-up model
    answers, as the node sees and draws them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="photos", help="film, folder or photos (%(default)s)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (%(default)s)")
    args = parser.parse_args()
    static, bottom_up = PipelineConfig(), PipelineConfig(model="benet_w18")
    drawn = draw_all(args.source, static)
    most = max(people for people, _ in drawn)
    crowded = [picture for people, picture in drawn if people == most]
    write_image(args.out / "overlay.png", crowded[len(crowded) // 2])
    film = draw_all("film", static) if args.source == "photos" else drawn
    write_image(args.out / "film.jpg", np.hstack(pick(film, 4)))
    found = pick(draw_all(args.source, bottom_up), 2)
    found += pick(draw_all("film", bottom_up), 2) if args.source == "photos" else []
    write_image(args.out / "benet_w18-scenes.jpg", np.hstack(fit(found)))
    print(f"{args.out}: overlay.png, film.jpg, benet_w18-scenes.jpg; at most {most} in a frame")


def pick(drawn: list[tuple[int, np.ndarray]], count: int) -> list[np.ndarray]:
    """So many of the pictures, evenly spread, without how a film begins and ends."""
    return [drawn[round(k)][1] for k in np.linspace(len(drawn) * 0.1, len(drawn) * 0.75, count)]


def fit(pictures: list[np.ndarray]) -> list[np.ndarray]:
    """All in the height of the first."""
    height = len(pictures[0])
    return [cv2.resize(p, (round(p.shape[1] * height / len(p)), height)) for p in pictures]


def draw_all(source: str, config: PipelineConfig) -> list[tuple[int, np.ndarray]]:
    """Number of people and overlay of each frame; small frames are enlarged to be readable."""
    drawn = []
    with Pipeline.open(config) as pipeline:
        for frame in islice(open_moving(source, *SIZE), MOST):
            scale = max(1, round(SMALL / frame.image.shape[1]))
            image = cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            result = pipeline.process(image, "bgr8", want_maps=True, stamp=frame.time)
            drawn.append((len(result.people), draw_overlay(image, "bgr8", result)))
    return drawn


if __name__ == "__main__":
    main()
