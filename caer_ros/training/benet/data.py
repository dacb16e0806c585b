"""The pictures and samples that a recipe of BENet asks for."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.datasets.emotic.heco import open_heco
from caer_ros.datasets.emotic.images import FolderImages, Images, without_bad
from caer_ros.datasets.emotic.reader import open_emotic
from caer_ros.datasets.emotic.scene_images import scene_images
from caer_ros.datasets.emotic.source import EmoticSource, SampleChoice
from caer_ros.datasets.emotic.splits import choose_split, merge
from caer_ros.datasets.scenes import SceneStream
from caer_ros.training.benet.data_choice import EmoticData
from caer_ros.training.benet.recipe import is_benet, load_benet_recipe
from caer_ros.training.strict_yaml import build


def open_images(data: EmoticData, split: str) -> Images:
    """The annotated pictures of `train`, `validation` or `test`; `train` with others' if asked.

    Raises:
        InputError: a folder, split or annotation is missing or wrong.
    """
    if data.scenes is not None:
        stream = SceneStream(data.scenes.seed, split, data.scenes.controls)
        return scene_images(stream, getattr(data.scenes, split))
    assert data.folder is not None
    splits = open_emotic(data.folder, data.labels, data.annotations).images
    if split == "train":
        for folder in data.also:
            more = choose_split(open_emotic(folder, data.labels).images, split, folder)
            splits = merge(splits, {split: more})
        if data.heco is not None:
            splits = merge(splits, open_heco(data.heco, skip_bad=data.skip_bad).images)
    records = choose_split(splits, split, data.folder)
    if data.skip_bad:
        records, complaints = without_bad(records, f"{data.folder}, {split}", max(data.workers, 1))
        for complaint in complaints:
            print(f"caer: skipped: {complaint}", file=sys.stderr)
    return FolderImages(records)


def validation_source(images: Images, choice: SampleChoice) -> EmoticSource:
    """Samples to validate on: each picture once, with all its people, nothing drawn by chance."""
    return EmoticSource(images, replace(choice, by="image"))


def data_of(target: Path, trained: dict[str, Any] | None) -> EmoticData:
    """Where `caer evaluate --data TARGET` takes its pictures from.

    Args:
        target: EMOTIC's folder, or a recipe of BENet whose data are meant.
        trained: the recipe in a checkpoint's card, whose size and kind of labels a folder takes
            over.

    Raises:
        InputError: the recipe is wrong, or of another network.
    """
    if target.suffix.lower() in (".yaml", ".yml"):
        if not is_benet(target):
            raise InputError(
                f"{target} is no recipe of BENet, whose checkpoint is to be judged.",
                "Give EMOTIC's folder, or a recipe such as recipes/benet.yaml.",
            )
        return load_benet_recipe(target).data
    if trained is None:
        return EmoticData(folder=target)
    before = build(EmoticData, trained["data"], "the checkpoint's recipe: data")
    return replace(before, folder=target, scenes=None, also=(), heco=None, annotations=None)
