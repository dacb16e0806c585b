"""The samples that a recipe asks for, as sources ready to train and test on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.clip_source import ClipSource
from caer_ros.datasets.cuts import Cut
from caer_ros.datasets.examples import Example, MemorySource, Part, Source
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.face_boxes import read_boxes
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.picture_source import PictureSource
from caer_ros.datasets.samples import SPLITS, Dataset, Sample
from caer_ros.datasets.scene_source import SceneSource
from caer_ros.networks.interface import EmotionNetwork
from caer_ros.training.supervised_recipe import DataChoice


def cut_for(network: EmotionNetwork, choice: DataChoice) -> Cut:
    """How a network wants its frames cut, with what the recipe says otherwise.

    Raises:
        InputError: a baseline that reads fixed cells gets another size (see its `classify`).
    """
    hide = network.hides_faces if choice.hide_faces is None else choice.hide_faces
    return Cut(
        face=choice.face_size or network.face_shape[-1],
        context=choice.context_size or network.context_shape[-1],
        cropped=network.dims == 3,
        hide_faces=hide,
        jitter=choice.jitter,
    )


def open_split(network: EmotionNetwork, choice: DataChoice, split: str) -> Source:
    """The samples of `train`, `validation` or `test` that the network can learn from or be asked.

    A network that reads faces only gets the samples with a face; `left_out` says how many that
    leaves out.

    Raises:
        InputError: a folder, split, list or face cache is missing or wrong, or pictures are given
            to a network of clips or the other way round.
    """
    cut = cut_for(network, choice)
    if choice.scenes is not None:
        count = getattr(choice.scenes, split)
        frames = network.context_shape[1] if network.dims == 3 else 0
        drawn = SceneSource(choice.scenes.seed, split, choice.scenes.controls, count, cut, frames)
        source: Source = in_memory(drawn, f"scenes {split}") if choice.scenes.cached else drawn
    else:
        assert choice.folder is not None
        source = _from_folder(network, choice, choice.folder, split, cut)
    if network.reads_context:
        return source
    return Part(source, np.flatnonzero(source.present))


def in_memory(source: Source, name: str) -> MemorySource:
    """The first test view of every sample, in memory."""
    examples: list[Example] = [
        source.views(index)[0]
        for index in tqdm(range(len(source)), desc=name, file=sys.stderr, disable=None)
    ]
    return MemorySource(
        np.stack([example.face for example in examples]),
        np.stack([example.context for example in examples]),
        np.array([example.label for example in examples], np.int64),
        np.array([example.face_present for example in examples]),
    )


def _from_folder(
    network: EmotionNetwork, choice: DataChoice, folder: Path, split: str, cut: Cut
) -> Source:
    data = read_dataset(folder, choice.lists)
    wanted = "video" if network.dims == 3 else "image"
    if data.kind != wanted:
        raise InputError(
            f"{folder} holds {data.kind}s, and {network.architecture} reads {wanted}s.",
            "Use caer_net or c3d for videos and the other networks for pictures.",
        )
    samples = _split_samples(data, split, choice.validation_share)
    cache = choice.faces or folder / FACES
    if choice.faces is None and not cache.is_file():
        if data.kind == "video":
            raise InputError(
                f"{cache} does not exist.", f"Detect the faces once: caer data boxes {folder}"
            )
        return PictureSource(folder, samples, cut)
    boxes = read_boxes(cache)
    if data.kind == "video":
        return ClipSource(folder, samples, cut, boxes)
    return PictureSource(folder, samples, cut, boxes)


def _split_samples(data: Dataset, split: str, share: float) -> list[Sample]:
    """A split; where there is no validation split, a share of the training samples is one.

    The paper validates on nothing that it names, and CAER-S has no validation split. Taking the
    test split for it, as re-implementations do, would choose the epoch by the test score.
    """
    if split == "test" or SPLITS[1] in data.splits():
        return data.split(split)
    samples = data.split("train")
    held = last_of_each_class([sample.label for sample in samples], share)
    return [s for s, out in zip(samples, held, strict=True) if out == (split == SPLITS[1])]


def last_of_each_class(labels: Sequence[int], share: float) -> np.ndarray:
    """bool [N]: the last `share` of each class, at least one of it and never all of it."""
    every = np.asarray(labels)
    held = np.zeros(len(every), bool)
    for label in np.unique(every):
        places = np.flatnonzero(every == label)
        count = min(max(round(share * len(places)), 1), len(places) - 1)
        held[places[len(places) - count :]] = True
    return held
