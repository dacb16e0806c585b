"""Drawn scenes as annotated pictures, without files.

They have the pixels and labels, annotators' slips included, that `caer data scenes --layout emotic`
writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.reader import images_in
from caer_ros.datasets.emotic.splits import Tally
from caer_ros.datasets.scenes.emotic import emotic_image
from caer_ros.datasets.scenes.folders import EMOTIC_FOLDER
from caer_ros.datasets.scenes.stream import SceneStream


def scene_images(stream: SceneStream, count: int) -> MemoryImages:
    """The first `count` scenes of a stream, drawn now and kept.

    Args:
        stream: its split is `train`, `validation` or `test`.

    Raises:
        InputError: there is no scene.
    """
    if count < 1:
        raise InputError(f"The {stream.split} split has {count} scenes.", "Ask for at least one.")
    pixels, entries = [], []
    bar = tqdm(range(count), f"scenes {stream.split}", file=sys.stderr, disable=None)
    for index in bar:
        scene = stream.scene(index)
        pixels.append(np.ascontiguousarray(scene.image[..., ::-1]))
        name = f"{stream.split}_{index:06d}.png"
        entries.append(emotic_image(scene, name, EMOTIC_FOLDER, stream.split))
    images = images_in({stream.split: entries}, Path("emotic"), "combined", Tally(), "scenes")
    return MemoryImages(images[stream.split], pixels)
