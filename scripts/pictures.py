"""Makes the pictures of README.md from the demo photographs: `make pictures`."""

from itertools import islice
from pathlib import Path

from caer_ros.perception import Pipeline, PipelineConfig, draw_overlay
from caer_ros.perception.sources import open_moving
from caer_ros.perception.writer import write_image

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """One frame with everybody in it, as the node sees and draws it."""
    frames = islice(open_moving("photos", 800, 480, fps=2), 18)
    together = [frame.image for frame in frames if frame.name.startswith("together")]
    with Pipeline.open(PipelineConfig()) as pipeline:
        image = together[2]
        result = pipeline.process(image, "bgr8", want_maps=True)
        write_image(FOLDER / "overlay.png", draw_overlay(image, "bgr8", result))


if __name__ == "__main__":
    main()
