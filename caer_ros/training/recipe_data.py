"""The samples that a recipe asks for, as sources ready to train and test on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.clip_source import ClipSource
from caer_ros.datasets.cuts import Cut
from caer_ros.datasets.examples import Example, MemorySource, Part, Source
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.face_boxes import read_boxes
from caer_ros.datasets.joined import Joined
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.picture_source import PictureSource
from caer_ros.datasets.readable import readable
from caer_ros.datasets.samples import SPLITS, Dataset, Sample
from caer_ros.datasets.scene_source import SceneSource
from caer_ros.networks.interface import EmotionNetwork, check_reads_people
from caer_ros.training.benet.recipe import is_benet
from caer_ros.training.strict_yaml import build
from caer_ros.training.supervised_recipe import DataChoice, load_supervised


def cut_for(network: EmotionNetwork, choice: DataChoice) -> Cut:
    """How a network wants its frames cut, with what the recipe says otherwise.

    Raises:
        InputError: the network reads no people (BENet), or a baseline that reads fixed cells gets
            another size (see its `classify`).
    """
    check_reads_people(network)
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

    A network that reads faces only gets the samples with a face.

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
        if choice.also and split == "train":
            alone = replace(choice, also=(), faces=None, lists=None)
            more = [_from_folder(network, alone, each, split, cut) for each in choice.also]
            source = Joined([source, *more])
    if choice.skip_bad:
        found = readable(source, split)
        for complaint in found.complaints:
            print(f"caer: skipped: {complaint}", file=sys.stderr)
        source = found.part
    if network.reads_context:
        return source
    return Part(source, _with_a_face(source, split))


def open_pictures(choice: DataChoice, split: str) -> PictureSource | SceneSource:
    """The whole pictures of a split, for a bundle.

    Raises:
        InputError: as `open_split`, or the data set holds videos.
    """
    if choice.scenes is not None:
        count = getattr(choice.scenes, split)
        return SceneSource(choice.scenes.seed, split, choice.scenes.controls, count, Cut())
    assert choice.folder is not None
    return _pictures(choice, read_dataset(choice.folder, choice.lists), split, Cut())


def data_of(target: Path, trained: dict[str, Any] | None) -> DataChoice:
    """Where `caer evaluate --data TARGET` takes its samples from.

    Args:
        target: a folder, or a recipe whose data are meant.
        trained: the recipe in a checkpoint's card, whose sizes and hiding a folder takes over.

    Raises:
        InputError: the recipe is wrong.
    """
    if target.suffix.lower() in (".yaml", ".yml"):
        if is_benet(target):
            raise InputError(
                f"{target} is a recipe of BENet, and another network is to be judged.",
                "Give a folder laid out like CAER-S or CAER, or a recipe of that network.",
            )
        return load_supervised(target).data
    if trained is None:
        return DataChoice(folder=target)
    before = build(DataChoice, trained["data"], "the checkpoint's recipe: data")
    return replace(before, folder=target, scenes=None, also=(), faces=None, lists=None)


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


def _with_a_face(source: Source, split: str) -> np.ndarray:
    places = np.flatnonzero(source.present)
    if not len(places):
        raise InputError(
            f"Nobody in the {split} split has a face, and the network reads nothing else.",
            "Give a network with a context stream, or face boxes.",
        )
    if len(places) < len(source):
        count = len(source) - len(places)
        print(f"caer: {count} {split} samples without a face are left out", file=sys.stderr)
    return places


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
    if data.kind == "image":
        return _pictures(choice, data, split, cut)
    cache = choice.faces or folder / FACES
    if not cache.is_file():
        raise InputError(
            f"{cache} does not exist.", f"Detect the faces once: caer data boxes {folder}"
        )
    samples = _split_samples(data, split, choice.validation_share)
    return ClipSource(folder, samples, cut, read_boxes(cache))


def _pictures(choice: DataChoice, data: Dataset, split: str, cut: Cut) -> PictureSource:
    if data.kind != "image":
        raise InputError(f"{data.root} holds videos.", "Give a folder of pictures.")
    cache = choice.faces or data.root / FACES
    # Lists may name the faces: only a cache that was asked for has to be there.
    boxes = read_boxes(cache) if choice.faces or cache.is_file() else None
    samples = _split_samples(data, split, choice.validation_share)
    return PictureSource(data.root, samples, cut, boxes)


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
