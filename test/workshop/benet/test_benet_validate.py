"""Validation: nothing is left to chance, and the loss is a mean over all that has a say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from caer_ros.datasets.emotic.examples import BACKGROUND, MAPS, PERSON, stack_examples
from caer_ros.evaluation.benet.ask import Asking
from caer_ros.evaluation.benet.judge_benet import judge_benet
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.training.benet import validate
from caer_ros.training.benet.batches import of_task, with_targets
from caer_ros.training.benet.data import validation_source
from caer_ros.training.benet.feed import view_batches
from caer_ros.training.benet.losses import benet_loss
from caer_ros.training.benet.validate import Validator

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def graph(tiny_benet: Callable) -> PicturesGraph:
    """A network that finds some people: heat everywhere about the threshold."""
    torch.manual_seed(0)
    network = BENet(replace(tiny_benet().config, vad=True))
    with torch.no_grad():
        for head in (network.maps.heat, network.maps.size):
            for answer in (head.quarter_answer, head.half_answer):
                answer[-1].bias += 15 if head is network.maps.size else 2
                answer[-1].weight *= 30
    return PicturesGraph(network).eval()


@pytest.fixture(scope="module")
def validator(tiny_benet: Callable, tiny_scenes: Callable) -> Validator:
    recipe = tiny_benet()
    source = validation_source(tiny_scenes("validation"), recipe.samples)
    return Validator(source, recipe.decode, recipe.loss)


def test_of_task_keeps_samples_and_their_people(validator: Validator) -> None:
    source = validator.source
    views = [(i, view) for i in range(3) for view in source.views(i)]
    batch = stack_examples(views)
    found = 0
    for task in (MAPS, PERSON, BACKGROUND):
        part = of_task(batch, task)
        wanted = stack_examples([(i, v) for i, v in views if v.task == task])
        for name, value in part._asdict().items():
            torch.testing.assert_close(value, getattr(wanted, name), equal_nan=True)
        found += len(part.task)
    assert found == len(views)
    assert of_task(of_task(batch, MAPS), PERSON) is None


def test_the_same_twice_whatever_the_batch(
    graph: PicturesGraph, validator: Validator, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = validator.scores(graph)
    assert once == validator.scores(graph)
    monkeypatch.setattr(validate, "_BATCH", 2)
    again = validator.scores(graph)
    assert once == pytest.approx(again, rel=1e-4)
    assert set(once) == {"loss", "detection_loss", "category_loss", "map", "person_ap", "joint"}


def test_the_loss_is_that_of_all_views_at_once(graph: PicturesGraph, validator: Validator) -> None:
    (batch,) = view_batches(validator.source, len(validator.source), 0)
    whole = with_targets(batch)
    with torch.no_grad():
        parts = benet_loss(graph(whole.images, whole.task), whole.targets, validator.weights)
    found = validator.scores(graph)
    assert found["loss"] == pytest.approx(float(parts.total), rel=1e-4)
    assert found["detection_loss"] == pytest.approx(float(parts.detection), rel=1e-4)
    assert found["category_loss"] == pytest.approx(float(parts.categories), rel=1e-4)


def test_scores_are_those_of_caer_evaluate(
    graph: PicturesGraph, validator: Validator, tiny_scenes: Callable
) -> None:
    found = validator.scores(graph)
    asking = Asking(64, decode=validator.decode, batch=4)
    verdict = judge_benet(graph.network, tiny_scenes("validation"), asking)
    assert found["map"] == pytest.approx(verdict.scores.emotions.mean, abs=1e-6)
    assert found["person_ap"] == pytest.approx(verdict.scores.person.ap, abs=1e-6)
    (strict,) = (form for form in verdict.scores.joint if form.form == "strict")
    assert found["joint"] == pytest.approx(strict.average, abs=1e-6)
    assert verdict.scores.vad is not None


def test_without_detection_there_is_nothing_to_find(
    tiny_benet: Callable, validator: Validator
) -> None:
    torch.manual_seed(0)
    network = BENet(replace(tiny_benet().config, detection=False))
    found = validator.scores(PicturesGraph(network).eval())
    assert set(found) == {"loss", "detection_loss", "category_loss", "map"}
    assert found["detection_loss"] == 0
    assert np.isfinite(found["loss"])
