"""Pictures with the face boxes that lists beside them name, as `caer data synth` writes them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.samples import Sample


def list_samples(root: Path, split: str) -> list[Sample]:
    """All samples of `root`/`split` in the order of its list, each with a box.

    Raises:
        InputError: as `read_dataset`, or a sample has no face box.
    """
    samples = read_dataset(root).split(split)
    without = [sample.path for sample in samples if sample.box is None]
    if without:
        raise InputError(
            f"{len(without)} pictures of {root} have no face box, first {without[0]}.",
            f"Put {split}.csv with lines CLASS/FILE,LABEL,X1,Y1,X2,Y2 beside {split}/, or make a "
            "folder with `caer data synth`.",
        )
    return samples


def read_rgb(path: Path) -> np.ndarray:
    """A picture as uint8 RGB [H, W, 3].

    Raises:
        InputError: it is missing or not a picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path} is not a picture that can be read.", "Give a PNG or JPEG file.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
