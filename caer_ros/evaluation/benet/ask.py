"""What a BENet says of annotated pictures: its maps, and what is read from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.labels import Labels
from caer_ros.datasets.emotic.records import AnnotatedImage
from caer_ros.datasets.loader import load
from caer_ros.evaluation.benet.predictions import AtTruth, ImageDetections
from caer_ros.networks.benet.maps import BenetMaps
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.perception.benet_decode import BenetDecode, decode, read_at
from caer_ros.perception.benet_maps import MapPair, arrays_of
from caer_ros.perception.fit_frame import Fit, fit_letterbox, fit_short_side


@dataclass(frozen=True)
class Asking:
    """How pictures get into the network, and people out of its maps.

    Attributes:
        size: of the input in pixels, a multiple of 32 (64 with `short_side`).
        fit: `letterbox`: the whole picture in a square; `short_side`: the short side has `size`
            pixels, whatever the long one then has (the published protocol).
        flip: average with what the network says of the mirrored picture.
        decode: see there.
        batch: pictures at a time; with `short_side` it is always one.
        workers: processes that load.

    Raises:
        InputError: a size or batch that is not possible.
    """

    size: int = 512
    fit: Literal["letterbox", "short_side"] = "letterbox"
    flip: bool = False
    decode: BenetDecode = field(default_factory=BenetDecode)
    batch: int = 8
    workers: int = 0

    def __post_init__(self) -> None:
        multiple = 32 if self.fit == "letterbox" else 64
        if self.size < multiple or self.size % multiple:
            raise InputError(
                f"Pictures of {self.size} pixels are not possible.",
                f"Use a multiple of {multiple}.",
            )
        if self.batch < 1:
            raise InputError(f"A batch of {self.batch} pictures is not possible.", "Use 1 or more.")

    def place(self, width: int, height: int) -> Fit:
        """Where a picture of this size lies in the input."""
        if self.fit == "letterbox":
            return fit_letterbox(width, height, self.size)
        return fit_short_side(width, height, self.size)


def published(size: int = 512) -> Asking:
    """The published test protocol; of it, the paper mentions neither flip nor top 15."""
    return Asking(size, "short_side", True, BenetDecode(top_k=15, full_size=True))


class Asked(NamedTuple):
    """One picture's maps.

    index: of the picture. fit: where it lies in the input. maps, mirrored: see decode.
    """

    index: int
    fit: Fit
    maps: MapPair
    mirrored: MapPair | None


def ask_maps(
    graph: PicturesGraph, images: Images, asking: Asking, chosen: Sequence[int] | None = None
) -> Iterator[Asked]:
    """The maps of all pictures, or of the chosen ones, in order.

    Args:
        graph: in evaluation mode, on any device.

    Raises:
        InputError: a picture can not be read.
    """
    records = images.records
    indices = list(range(len(records))) if chosen is None else list(chosen)
    batch = asking.batch if asking.fit == "letterbox" else 1
    rows = [indices[k : k + batch] for k in range(0, len(indices), batch)]
    for numbers, pixels in load(partial(_fitted, images, asking), rows, asking.workers, stacked):
        maps = run_maps(graph, pixels)
        mirrored = run_maps(graph, pixels.flip(2)) if asking.flip else [None] * len(maps)
        for index, own, other in zip(numbers, maps, mirrored, strict=True):
            record = records[int(index)]
            yield Asked(int(index), asking.place(record.width, record.height), own, other)


def read_people(
    asked: Asked, record: AnnotatedImage, config: BenetDecode
) -> tuple[AtTruth, ImageDetections | None]:
    """What the maps say at the true centres, and whom they find; None without detection."""
    boxes = asked.fit.to_input(Labels.of(record).boxes)
    said = read_at(asked.maps, boxes, config, asked.mirrored)
    has_vad = asked.maps[1].vad is not None
    at_truth = AtTruth(said.emotions, said.vad if has_vad else None)
    if asked.maps[1].heat is None:
        return at_truth, None
    found = decode(asked.maps, config, asked.mirrored)
    detections = ImageDetections(
        asked.fit.to_source(found.boxes),
        found.scores,
        found.emotions,
        found.vad if has_vad else None,
    )
    return at_truth, detections


@torch.no_grad()
def run_maps(graph: PicturesGraph, pixels: Tensor) -> list[MapPair]:
    """The maps of each picture of uint8 [B, H, W, 3], on the CPU."""
    maps = graph(pixels.to(graph.normalize.scale.device)).maps
    return map_pairs(maps, len(pixels))


def map_pairs(maps: tuple[BenetMaps, BenetMaps], count: int) -> list[MapPair]:
    """A batch's maps, picture by picture, on the CPU."""
    quarter, half = (_on_cpu(each) for each in maps)
    return [(arrays_of(quarter, row), arrays_of(half, row)) for row in range(count)]


def stacked(made: Sequence[tuple[Any, np.ndarray]]) -> tuple[list[Any], Tensor]:
    """Keys and pictures as keys and uint8 [B, H, W, 3]."""
    return [key for key, _ in made], torch.from_numpy(np.stack([pixels for _, pixels in made]))


def _on_cpu(maps: BenetMaps) -> BenetMaps:
    return BenetMaps(*(None if field is None else field.float().cpu() for field in maps))


def _fitted(images: Images, asking: Asking, index: int) -> list[tuple[int, np.ndarray]]:
    record = images.records[index]
    fit = asking.place(record.width, record.height)
    return [(index, fit.apply(images.pixels(index)))]
