"""How pictures are asked, the other heads at test time, and one answer of all three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.evaluation.benet.ask import Asked, Asking, ask_maps, published, read_people
from caer_ros.evaluation.benet.heads import (
    ALL_THREE,
    BU_AND_PC,
    LEARNED,
    HeadAnswers,
    ask_heads,
    refined,
)
from caer_ros.evaluation.benet.judge_benet import SplitReading, judge_benet, tune_on
from caer_ros.evaluation.benet.map_pictures import maps_over
from caer_ros.evaluation.benet.predictions import AtTruth, GroundTruth
from caer_ros.evaluation.benet.tuning_record import tuning_of, tuning_record
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.networks.benet.tasks import BACKGROUND, MAPS, PERSON
from caer_ros.perception.benet_maps import MapArrays
from caer_ros.perception.fit_frame import fit_letterbox
from caer_ros.training.benet.fuse import fit_fusion
from caer_ros.training.benet.recipe import FusionTraining

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def graph(tiny_benet: Callable, tiny_scenes: Callable) -> PicturesGraph:
    torch.manual_seed(0)
    network = BENet(replace(tiny_benet().config, fusion="learned"))
    with torch.no_grad():
        # From their start near zero, answers would hardly differ.
        for layer in (
            network.maps.emotion.quarter_answer[-1],
            network.maps.emotion.half_answer[-1],
            network.person.emotion,
            network.background.emotion,
        ):
            layer.weight.normal_(std=0.5)
    return settled(PicturesGraph(network), tiny_scenes("train"))


def settled(graph: PicturesGraph, images: MemoryImages) -> PicturesGraph:
    """With statistics of real pictures in its norms: at 0 and 1, outputs are in the thousands."""
    pixels = torch.cat([_input(images.pixels(k)) for k in range(6)])
    for module in graph.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        graph.train()(pixels, torch.tensor([MAPS, PERSON, BACKGROUND] * 2))
    return graph.eval()


def _input(pixels: np.ndarray) -> torch.Tensor:
    fit = fit_letterbox(pixels.shape[1], pixels.shape[0], 64)
    return torch.from_numpy(fit.apply(np.ascontiguousarray(pixels)))[None]


def test_heads_by_hand(graph: PicturesGraph, tiny_scenes: Callable) -> None:
    images = tiny_scenes("validation")
    answers = ask_heads(graph, images, Asking(64, batch=5))
    assert len(answers) == len(images.records)
    place = max(range(len(images.records)), key=lambda k: len(images.records[k].people))
    people, pixels = images.records[place].people, images.pixels(place)
    assert answers[place].person.shape == (len(people), 26)
    box = people[-1].box
    x1, y1, x2, y2 = int(box.x1), int(box.y1), int(np.ceil(box.x2)), int(np.ceil(box.y2))
    masked = pixels.copy()
    for person in people:
        b = person.box
        masked[int(b.y1) : int(np.ceil(b.y2)), int(b.x1) : int(np.ceil(b.x2))] = 0
    with torch.no_grad():
        cut = graph(_input(pixels[y1:y2, x1:x2]), torch.tensor([PERSON])).person
        scene = graph(_input(masked), torch.tensor([BACKGROUND])).background
    np.testing.assert_allclose(answers[place].person[-1], cut[0].sigmoid(), atol=1e-5)
    for row in answers[place].background:
        np.testing.assert_allclose(row, scene[0].sigmoid(), atol=1e-5)


def test_joined_by_hand(graph: PicturesGraph) -> None:
    rng = np.random.default_rng(0)
    own, person, scene = (rng.uniform(0.1, 0.9, (2, 26)) for _ in range(3))
    found = refined(graph.network, [AtTruth(own)], [HeadAnswers(person, scene)])
    np.testing.assert_allclose(found[BU_AND_PC][0].emotions, (own + person) / 2)
    np.testing.assert_allclose(found[ALL_THREE][0].emotions, (own + person + scene) / 3)
    with torch.no_grad():
        logits = [torch.from_numpy(logit(p).astype(np.float32)) for p in (own, person, scene)]
        fused = graph.network.fuse(*logits)
    np.testing.assert_allclose(found[LEARNED][0].emotions, expit(fused.numpy()), atol=1e-5)


def test_only_heads_that_there_are_are_joined(tiny_benet: Callable) -> None:
    network = BENet(replace(tiny_benet().config, background=False))
    said = AtTruth(np.full((1, 26), 0.5))
    assert set(refined(network, [said], [HeadAnswers(said.emotions, None)])) == {BU_AND_PC}


def test_flips_are_averaged(graph: PicturesGraph, tiny_scenes: Callable) -> None:
    images = tiny_scenes("validation")
    plain, flipped = (next(ask_maps(graph, images, Asking(64, flip=f), [2])) for f in (0, 1))
    assert plain.mirrored is None
    for own, other in zip(plain.maps, flipped.maps, strict=True):
        np.testing.assert_allclose(own.emotion, other.emotion, atol=1e-5)
    with torch.no_grad():
        wanted = graph(_input(images.pixels(2)).flip(2)).maps[1].emotion[0]
    np.testing.assert_allclose(flipped.mirrored[1].emotion, wanted, atol=1e-4)
    config = Asking(64).decode
    both = read_people(flipped, images.records[2], config)[0].emotions
    one = read_people(plain, images.records[2], config)[0].emotions
    assert not np.allclose(one, both, atol=1e-3)
    heads = [ask_heads(graph, images, Asking(64, flip=f))[2].person for f in (False, True)]
    assert not np.allclose(*heads, atol=1e-3)


def test_the_published_protocol(graph: PicturesGraph, tiny_scenes: Callable) -> None:
    images = tiny_scenes("validation")
    asking = published(64)
    assert (asking.flip, asking.decode.top_k, asking.decode.full_size) == (True, 15, True)
    asked = next(ask_maps(graph, images, asking, [1]))
    # 160 x 200: the short side becomes 64 pixels, the long one 80, and that is padded to 128.
    assert asked.maps[1].cells == (64, 32)
    assert asked.fit.inner == (64, 80)


@pytest.mark.parametrize(
    ("size", "fit"), [(100, "letterbox"), (96, "short_side"), (0, "letterbox")]
)
def test_impossible_sizes(size: int, fit: str) -> None:
    with pytest.raises(InputError, match="multiple of"):
        Asking(size, fit)


def test_maps_over_the_picture_alone() -> None:
    # 160 x 200 in 64 x 64: 51 x 64 pixels, 6 from the left edge. One cell of each map at 1/2 is
    # hot, that over the input's pixels 30 to 32 across and 40 to 42 down.
    fit = fit_letterbox(160, 200, 64)
    assert (fit.inner, fit.left, fit.top) == ((51, 64), 6, 0)
    hot = np.full((32, 32), -9, np.float32)
    hot[20, 15] = 9
    quarter = MapArrays(np.full((1, 16, 16), -9, "f4"), None, np.full((26, 16, 16), -9, "f4"))
    half = MapArrays(hot[None], None, np.stack([hot, *[np.full_like(hot, -9)] * 25]))
    heat, emotions = maps_over(Asked(0, fit, (quarter, half), None))
    assert heat.shape == (64, 51)
    assert emotions.shape == (26, 64, 51)
    for field in (heat, emotions[0]):
        y, x = np.unravel_index(field.argmax(), field.shape)
        assert x in (24, 25)
        assert y in (40, 41)
        # At its place the mean of both resolutions, a little less between pixels.
        assert 0.25 < field.max() <= 0.5
    assert emotions[1:].max() < 0.01
    blind = [MapArrays(None, None, each.emotion) for each in (quarter, half)]
    assert maps_over(Asked(0, fit, tuple(blind), None))[0] is None


def test_fusion_learns_whom_to_trust(tiny_benet: Callable, tiny_scenes: Callable) -> None:
    """The person head knows, the others do not: the fused answer comes to follow it."""
    torch.manual_seed(0)
    network = BENet(replace(tiny_benet().config, fusion="learned"))
    truths = [GroundTruth.of(record) for record in tiny_scenes("train").records]
    rng = np.random.default_rng(1)
    read = [AtTruth(rng.uniform(0.1, 0.9, t.categories.shape)) for t in truths]
    knowing = [
        HeadAnswers(0.1 + 0.8 * t.categories, rng.uniform(0.1, 0.9, t.categories.shape))
        for t in truths
    ]
    others = {n: p.clone() for n, p in network.named_parameters() if "fusion" not in n}
    found = SplitReading(truths, read, None)
    before, after = fit_fusion(network, found, knowing, FusionTraining(steps=200))
    assert after < 0.6 * before
    for name, value in network.named_parameters():
        if "fusion" not in name:
            torch.testing.assert_close(value, others[name], rtol=0, atol=0)
            assert value.grad is None


def test_tuning_comes_back_from_json(graph: PicturesGraph, tiny_scenes: Callable) -> None:
    images = tiny_scenes("validation")
    tuning = tune_on(graph, images, Asking(64))
    again = tuning_of(tuning_record(tuning))
    assert not tuning.thresholds.chosen.all()  # few people: some emotions nobody has
    for part in ("thresholds", "calibration"):
        one, other = getattr(tuning, part), getattr(again, part)
        for name, value in vars(one).items():
            np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)
    scores = [judge_benet(graph.network, images, Asking(64), t).as_dict() for t in (tuning, again)]
    assert scores[0]["named"] == scores[1]["named"]
    assert scores[0]["calibration"] == scores[1]["calibration"]
    with pytest.raises(InputError, match="unreadable"):
        tuning_of({"thresholds": {EMOTIC26[0]: 0.5}})


def test_joining_needs_the_head(tiny_benet: Callable, tiny_scenes: Callable) -> None:
    network = BENet(replace(tiny_benet().config, person=False))
    with pytest.raises(InputError, match="no person-centric head"):
        judge_benet(network, tiny_scenes("test"), Asking(64), with_heads=True)


def test_maps_task_is_the_default(graph: PicturesGraph, tiny_scenes: Callable) -> None:
    pixels = _input(tiny_scenes("test").pixels(0))
    with torch.no_grad():
        one, other = graph(pixels), graph(pixels, torch.tensor([MAPS]))
    torch.testing.assert_close(one.maps[1].emotion, other.maps[1].emotion)
