"""People of whom nothing is known but where they are: read, drawn, learnt from, and not judged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.examples import MAPS, stack_examples
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.reader import open_emotic
from caer_ros.datasets.emotic.source import EmoticSource
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.training.benet.batches import with_targets
from caer_ros.training.benet.data import data_of, open_images, validation_source
from caer_ros.training.benet.data_choice import EmoticData
from caer_ros.training.benet.losses import benet_loss
from caer_ros.training.benet.run import train_benet
from caer_ros.training.benet.start import start_emotions
from caer_ros.training.benet.validate import Validator

pytestmark = pytest.mark.usefixtures("one_thread")
HAPPY, FEAR = EMOTIC26.index("Happiness"), EMOTIC26.index("Fear")


def _unknown(images: MemoryImages, *places: int) -> MemoryImages:
    """The same, but nothing is known of the people of some pictures (of all, without a place)."""
    records = list(images.records)
    for place in places or range(len(records)):
        people = tuple(
            replace(
                person,
                categories=np.zeros(26, np.float32),
                known=np.zeros(26, bool),
                vad=np.full(3, np.nan, np.float32),
            )
            for person in records[place].people
        )
        records[place] = replace(records[place], people=people)
    return MemoryImages(tuple(records), images.arrays)


def _write(root: Path, **splits: list[dict[str, Any]]) -> Path:
    """A folder like EMOTIC with one picture a split that holds these people."""
    found: dict[str, list[dict[str, Any]]] = {}
    for split, people in splits.items():
        path = root / "emotic" / "a" / f"{root.name}_{split}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((80, 100, 3), 90, np.uint8))
        size = {"n_col": 100, "n_row": 80}
        found[split] = [
            {"filename": path.name, "folder": "a", "image_size": size, "person": people}
        ]
    (root / "Annotations.json").write_text(json.dumps(found))
    return root


def _person(names: list[str], **more: Any) -> dict[str, Any]:
    return {"body_bbox": [10, 5, 50, 75], "annotations_categories": {"categories": names}, **more}


def test_records_may_say_what_is_known(tmp_path: Path) -> None:
    root = _write(
        tmp_path,
        train=[
            _person([], known_categories=[]),
            _person(["Happiness"], known_categories=["Fear"]),
            _person(["Happiness"]),
            _person([]),
        ],
    )
    read = open_emotic(root)
    nothing, some, whole = read.images["train"][0].people
    assert (nothing.known.any(), nothing.categories.any()) == (False, False)
    assert np.flatnonzero(some.known).tolist() == sorted([HAPPY, FEAR])
    assert np.flatnonzero(some.categories).tolist() == [HAPPY]
    assert whole.known.all()
    # EMOTIC's own people without a category are left out as before.
    assert read.tally.unlabelled == 1
    assert len(open_emotic(root, "majority").images["train"][0].people) == 3
    with pytest.raises(InputError, match="Joy"):
        open_emotic(_write(tmp_path, train=[_person([], known_categories=["Joy"])]))


def test_further_folders_add_training_pictures_only(tmp_path: Path) -> None:
    sure = [_person(["Fear"])]
    base = _write(tmp_path / "base", train=sure, val=sure)
    more = _write(tmp_path / "more", train=[_person([], known_categories=[])], val=sure)
    data = EmoticData(folder=base, also=(more,))
    names = [record.path.name for record in open_images(data, "train").records]
    assert names == ["base_train.png", "more_train.png"]
    names = [record.path.name for record in open_images(data, "validation").records]
    assert names == ["base_val.png"]
    held = _write(tmp_path / "held", test=sure)
    with pytest.raises(InputError, match=r"held has no train pictures"):
        open_images(replace(data, also=(held,)), "train")
    with pytest.raises(InputError, match=r"data.also adds to 'folder'"):
        EmoticData(folder=None, scenes=object(), also=(more,))  # type: ignore[arg-type]
    trained = {"data": {"folder": str(base), "also": [str(more)], "size": 128}}
    judged = data_of(held, trained)
    assert (judged.folder, judged.also, judged.size) == (held, (), 128)


def test_no_view_is_drawn_for_whom_nothing_is_known(
    tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    choice = tiny_benet().samples
    rng, images = np.random.default_rng(0), tiny_scenes("train")
    few = MemoryImages(images.records[:2], images.arrays[:2])
    source = EmoticSource(_unknown(few, 1), choice)
    kinds = Counter(source.draw(1, rng).task for _ in range(40))
    assert kinds == {MAPS: 40}
    drawn = [source.draw(1, rng) for _ in range(20)]
    assert all(example.trains_detection for example in drawn)
    # Of the first picture all is known, and other heads learn from it, too.
    assert len(Counter(source.draw(0, rng).task for _ in range(60))) > 1
    # Masked pictures teach the detection where they are asked to.
    masked = EmoticSource(_unknown(few), replace(choice, masked_detection=True))
    assert {masked.draw(1, rng).trains_emotion for _ in range(40)} == {True, False}


def test_the_subject_is_somebody_of_whom_anything_is_known(
    tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    images = tiny_scenes("train")
    place = next(k for k, r in enumerate(images.records) if len(r.people) > 1)
    record, nobody = images.records[place], _unknown(images).records[place]
    people = (*nobody.people[:-1], record.people[-1])
    mixed = MemoryImages((replace(record, people=people),), (images.arrays[place],))
    source = EmoticSource(mixed, tiny_benet().samples)
    rng = np.random.default_rng(0)
    subjects = [e for e in (source.draw(0, rng) for _ in range(80)) if e.task == 1]
    assert subjects
    assert all(example.known.all() for example in subjects)


def test_who_is_unknown_teaches_where_he_is_and_nothing_else(
    tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    torch.manual_seed(0)
    recipe = tiny_benet(network={"vad": True})
    network = BENet(recipe.config).train()
    images = tiny_scenes("train")
    source = validation_source(_unknown(images), recipe.samples)
    # Cut-outs and pictures without people as well, as if a sample had drawn them.
    views = [(k, view) for k in range(len(source)) for view in source.views(k)]
    batch = with_targets(stack_examples(views))
    assert set(batch.task.tolist()) == {0, 1, 2}
    parts = benet_loss(PicturesGraph(network)(batch.images, batch.task), batch.targets)
    assert torch.isfinite(parts.total)
    assert parts.categories.item() == parts.vad.item() == 0
    assert parts.centre_quarter.item() > 0
    assert parts.size_half.item() > 0
    parts.total.backward()
    heads = {
        "emotion": network.maps.emotion,
        "person": network.person,
        "background": network.background,
    }
    for name, head in heads.items():
        assert all(not p.grad.any() for p in head.parameters() if p.grad is not None), name
    assert any(p.grad.any() for p in network.maps.heat.parameters())
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_a_mixed_batch_has_the_emotion_loss_of_its_known_people(
    tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    torch.manual_seed(0)
    recipe = tiny_benet()
    network = PicturesGraph(BENet(recipe.config).eval())
    images = tiny_scenes("train")
    few = MemoryImages(images.records[:3], images.arrays[:3])

    def loss(images: MemoryImages) -> torch.Tensor:
        source = validation_source(images, recipe.samples)
        views = [(k, source.views(k)[0]) for k in range(len(source))]
        batch = with_targets(stack_examples(views))
        with torch.no_grad():
            return benet_loss(network(batch.images, batch.task), batch.targets).categories

    alone = MemoryImages(few.records[:1], few.arrays[:1])
    torch.testing.assert_close(loss(_unknown(few, 1, 2)), loss(alone))
    assert abs(float(loss(few) - loss(alone))) > 1e-4


def test_emotions_start_from_known_people_alone(
    tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    recipe, images = tiny_benet(), tiny_scenes("train")
    half = len(images.records) // 2
    known = MemoryImages(images.records[:half], images.arrays[:half])

    def started(images: MemoryImages) -> torch.Tensor:
        network = BENet(recipe.config)
        start_emotions(network, images)
        return network.maps.emotion.quarter_answer[-1].bias.detach()

    torch.testing.assert_close(started(_unknown(images, *range(half, 2 * half))), started(known))
    assert not started(_unknown(images)).any()


def test_training_with_unknown_people(
    tiny_benet: Callable, tiny_scenes: Callable, tmp_path: Path
) -> None:
    recipe = tiny_benet(epochs=1, size_start="mean", emotion_start="shares")
    train, validation = tiny_scenes("train"), tiny_scenes("validation")
    places = range(1, len(train.records), 2)
    metrics = train_benet(recipe, tmp_path, images=(_unknown(train, *places), validation))
    head, row = (tmp_path / "log.csv").read_text().splitlines()
    logged = dict(zip(head.split(","), row.split(","), strict=True))
    for name in ("train_loss", "loss", "map", "person_ap", "joint"):
        if name in logged:
            assert np.isfinite(float(logged[name])), name
    assert metrics["epochs"] == 1


def test_unknown_people_are_judged_by_where_they_are(
    tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    recipe = tiny_benet()
    images = tiny_scenes("validation")
    source = validation_source(_unknown(images, 0, 1), recipe.samples)
    torch.manual_seed(0)
    graph = PicturesGraph(BENet(recipe.config).eval())
    scores = Validator(source, recipe.decode, recipe.loss).scores(graph)
    assert np.isfinite([scores["loss"], scores["map"], scores["person_ap"]]).all()
