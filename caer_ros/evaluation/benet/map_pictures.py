"""Pictures of a split with the maps that a network makes of them (Fig. 2)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from scipy.special import expit

from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.labels import Labels
from caer_ros.evaluation.benet.ask import Asked, Asking, ask_maps, read_people
from caer_ros.evaluation.benet.map_figure import draw_maps
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.perception.benet_maps import doubled, merged_heat, views_of


def draw_pictures(
    graph: PicturesGraph, images: Images, asking: Asking, count: int, out: Path
) -> list[Path]:
    """Write `count` pictures, evenly spread over the split, as maps-N.png; returns the files.

    Args:
        graph: in evaluation mode.
        asking: how they are shown to it.

    Raises:
        InputError: a picture can not be read.
    """
    total = len(images.records)
    chosen = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int)).tolist()
    files = []
    for asked in ask_maps(graph, images, asking, chosen):
        record = images.records[asked.index]
        heat, emotions = maps_over(asked)
        found = read_people(asked, record, asking.decode)[1]
        files.append(out / f"maps-{asked.index}.png")
        draw_maps(
            files[-1],
            np.ascontiguousarray(images.pixels(asked.index)[..., ::-1]),
            heat,
            emotions,
            Labels.of(record).boxes,
            None if found is None else found.boxes,
        )
    return files


def maps_over(asked: Asked) -> tuple[np.ndarray | None, np.ndarray]:
    """Heat float32 [h, w] and emotions [E, h, w], in [0, 1], over the picture and nothing else.

    h and w are those of the picture's copy in the input. Heat is None without a detection head.
    """
    views = views_of(asked.maps, asked.mirrored)
    emotions = np.mean(
        [
            (expit(np.stack([doubled(each) for each in quarter.emotion])) + expit(half.emotion)) / 2
            for quarter, half in views
        ],
        axis=0,
    )
    heat = None if asked.maps[1].heat is None else _over(merged_heat(views), asked)
    return heat, np.stack([_over(each, asked) for each in emotions])


def _over(field: np.ndarray, asked: Asked) -> np.ndarray:
    """A map at 1/2 of the input, cut to the picture."""
    fit = asked.fit
    whole = cv2.resize(
        np.ascontiguousarray(field, np.float32),
        (fit.width, fit.height),
        interpolation=cv2.INTER_LINEAR,
    )
    return whole[fit.top : fit.top + fit.inner[1], fit.left : fit.left + fit.inner[0]]
