"""BENet's losses against numbers worked out by hand, and against the published form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.networks.benet.maps import BenetMaps, BenetOutput
from caer_ros.training.benet.loss_terms import (
    centre_loss,
    emotion_loss,
    size_loss,
    vad_loss,
)
from caer_ros.training.benet.losses import BenetTargets, LossWeights, benet_loss
from caer_ros.training.benet.targets import (
    ImagePeople,
    map_targets,
    person_targets,
    stack_targets,
)

LN2 = math.log(2)
ALL = torch.ones(1, dtype=torch.bool)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def people(*boxes: tuple[float, ...], emotions: int = 26, seed: int = 0) -> ImagePeople:
    rng = np.random.default_rng(seed)
    k = len(boxes)
    return ImagePeople(
        np.array(boxes, np.float32).reshape(k, 4),
        rng.integers(0, 2, (k, emotions)).astype(np.float32),
        np.ones((k, emotions), bool),
        rng.uniform(-1, 1, (k, 3)).astype(np.float32),
    )


def output_for(
    images: list[ImagePeople], side: int = 32, vad: bool = True, seed: int = 0
) -> BenetOutput:
    """Random outputs for `images` of side x side pixels, one person and one background row."""
    torch.manual_seed(seed)
    n = len(images)

    def maps(cells: int) -> BenetMaps:
        heat, size, emotion, affect = (
            torch.randn(n, c, cells, cells, requires_grad=True) for c in (1, 2, 26, 3)
        )
        return BenetMaps(heat, size, emotion, affect if vad else None)

    def rows(columns: int) -> torch.Tensor:
        return torch.randn(1, columns, requires_grad=True)

    return BenetOutput(
        (maps(side // 4), maps(side // 2)),
        rows(26),
        rows(26),
        rows(3) if vad else None,
        rows(3) if vad else None,
    )


def targets_for(
    images: list[ImagePeople],
    side: int = 32,
    detection: list[bool] | None = None,
    emotion: list[bool] | None = None,
) -> BenetTargets:
    everyone = [True] * len(images)
    vector = person_targets(people((1, 1, 9, 9), seed=5), 0)
    return BenetTargets(
        (map_targets(images, side, side, 4), map_targets(images, side, side, 2)),
        torch.tensor(everyone if detection is None else detection),
        torch.tensor(everyone if emotion is None else emotion),
        vector,
        vector,
    )


# Equation 1


def test_centre_loss_of_one_centre_among_zeros_at_one_half() -> None:
    heat = torch.zeros(1, 1, 4, 4)
    heat[0, 0, 1, 2] = 1
    assert centre_loss(torch.zeros_like(heat), heat, ALL).item() == pytest.approx(4 * LN2, abs=1e-6)


@pytest.mark.parametrize(("p", "wanted"), [(0.5, 30.094814), (0.1, 2.047021), (0.01, 4.513701)])
def test_centre_loss_of_the_whole_patch(p: float, wanted: float) -> None:
    heat = map_targets([people((0, 0, 30, 30))], 30, 30, 2).heat
    assert heat.shape == (1, 1, 15, 15)
    got = centre_loss(torch.full_like(heat, logit(p)), heat, ALL)
    assert got.item() == pytest.approx(wanted, abs=2e-6 * wanted)


def test_centre_loss_is_divided_by_the_people_of_its_own_image() -> None:
    heat = torch.zeros(2, 1, 4, 4)
    heat[0, 0, 0, 0] = 1
    heat[1, 0, 0, 0] = heat[1, 0, 3, 3] = 1
    loss = centre_loss(torch.zeros_like(heat), heat, torch.tensor([True, True]))
    # 16 cells of ln2 / 4 each, whether a centre or not: by 1 and by 2 people, then the mean.
    assert loss.item() == pytest.approx((4 * LN2 + 2 * LN2) / 2, abs=1e-6)


def test_an_empty_scene_teaches_that_nobody_is_there() -> None:
    heat = torch.zeros(1, 1, 4, 4)
    logits = torch.zeros_like(heat, requires_grad=True)
    loss = centre_loss(logits, heat, ALL)
    assert loss.item() == pytest.approx(4 * LN2, abs=1e-6)
    loss.backward()
    assert (logits.grad > 0).all()


def test_the_gradient_survives_where_the_network_is_sure_and_wrong() -> None:
    heat = torch.zeros(1, 1, 1, 2)
    heat[..., 0] = 1
    logits = torch.tensor([[[[-60.0, 60.0]]]], requires_grad=True)
    loss = centre_loss(logits, heat, ALL)
    loss.backward()
    assert loss.item() == pytest.approx(120, rel=1e-5)
    assert logits.grad.flatten().tolist() == pytest.approx([-1, 1], rel=1e-5)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_nothing_overflows(size: float) -> None:
    logits = torch.full((1, 26), size, requires_grad=True)
    categories = torch.eye(26)[:1]
    loss = emotion_loss(logits, categories, categories >= 0).sum()
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_both_focal_losses_agree_with_the_published_form(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    # Where the published 1e-6 inside the logarithm does not matter.
    logits = torch.empty(1, 1, 2, 2).uniform_(-1, 1, generator=generator)
    heat = torch.rand(1, 1, 2, 2, generator=generator)
    heat[..., 0, 0] = 1
    p, eps = logits.sigmoid().double(), 1e-6
    centre = (heat == 1).double()
    published = -(
        centre * (1 - p) ** 2 * (p + eps).log()
        + (1 - centre) * (1 - heat) ** 4 * p**2 * (1 - p + eps).log()
    ).sum()
    assert centre_loss(logits, heat, ALL).item() == pytest.approx(published.item(), abs=1e-5)
    y = (heat > 0.5).double()
    published = -(y * (1 - p) ** 2 * (p + eps).log() + (1 - y) * p**2 * (1 - p + eps).log()).sum()
    got = emotion_loss(logits.reshape(1, 4), y.reshape(1, 4), torch.ones(1, 4, dtype=torch.bool))
    assert got.item() == pytest.approx(published.item(), abs=1e-5)


# Equations 2 and 3


def test_size_loss() -> None:
    loss = size_loss(torch.zeros(1, 2), torch.tensor([[10.0, 4.0]]))
    assert loss.tolist() == [14]


def test_size_loss_counts_a_tenth_and_reads_the_centre() -> None:
    # 8 x 20 pixels round (13, 15): cell (3, 3) at 1/4 and (7, 6) at 1/2.
    images = [people((9, 5, 17, 25))]
    output, targets = output_for(images), targets_for(images)
    with torch.no_grad():
        for maps, (y, x), (h, w) in zip(
            output.maps, ((3, 3), (7, 6)), ((5, 2), (10, 4)), strict=True
        ):
            maps.size.fill_(99)
            maps.size[0, 0, y, x] = h + 1
            maps.size[0, 1, y, x] = w - 2
    parts = benet_loss(output, targets)
    assert (parts.size_quarter.item(), parts.size_half.item()) == (3, 3)
    centres = parts.centre_quarter + parts.centre_half
    assert (parts.detection - centres).item() == pytest.approx(0.6, abs=1e-5)


# Equation 5


@pytest.mark.parametrize("seed", range(3))
def test_emotion_loss_at_one_half_is_the_same_whatever_the_labels(seed: int) -> None:
    categories = torch.from_numpy(people((0, 0, 1, 1), (0, 0, 1, 1), seed=seed).categories)
    loss = emotion_loss(torch.zeros(2, 26), categories, torch.ones(2, 26, dtype=torch.bool))
    assert loss.tolist() == pytest.approx([4.505457] * 2, abs=1e-6)


def test_unknown_emotions_contribute_nothing() -> None:
    logits = torch.randn(1, 26, requires_grad=True)
    known = torch.zeros(1, 26, dtype=torch.bool)
    known[0, :4] = True
    loss = emotion_loss(logits, torch.ones(1, 26), known)
    alone = emotion_loss(logits[:, :4], torch.ones(1, 4), known[:, :4])
    assert loss.item() == pytest.approx(alone.item(), abs=1e-6)
    loss.sum().backward()
    assert (logits.grad[0, 4:] == 0).all()
    assert (logits.grad[0, :4] != 0).all()


def test_who_has_no_known_emotion_is_not_in_the_mean() -> None:
    one, two = people((2, 2, 10, 10)), people((2, 2, 10, 10), (20, 20, 28, 28))
    two.known[1] = False
    two.categories[0] = one.categories[0]
    outputs = output_for([one])
    for images in ([one], [two]):
        parts = benet_loss(outputs, targets_for(images))
        assert parts.emotion_half.item() == pytest.approx(
            emotion_loss(
                outputs.maps[1].emotion[:, :, 3, 3],
                torch.from_numpy(one.categories),
                torch.from_numpy(one.known),
            ).item(),
            rel=1e-6,
        )


def test_emotions_are_averaged_over_people_then_over_images() -> None:
    images = [people((2, 2, 6, 6)), people(*[(8 * i, 2, 8 * i + 4, 6) for i in range(3)])]
    output, targets = output_for(images), targets_for(images)
    quarter, wanted = output.maps[0], targets.maps[0]
    terms = [
        emotion_loss(
            quarter.emotion[row, :, y, x][None],
            wanted.people.categories[i][None],
            wanted.people.known[i][None],
        ).item()
        for i, (row, y, x) in enumerate(wanted.centres.tolist())
    ]
    got = benet_loss(output, targets).emotion_quarter.item()
    assert got == pytest.approx((terms[0] + np.mean(terms[1:])) / 2, rel=1e-5)


# Valence, arousal, dominance


def test_vad_loss_reads_what_is_annotated() -> None:
    wanted = torch.tensor([[0.5, math.nan, -1.0], [math.nan] * 3])
    vad = torch.tensor([[0.0, 9, 0], [9, 9, 9]], requires_grad=True)
    loss, counted = vad_loss(vad, wanted)
    # Half of the squares of .5 and 1, mean of two.
    assert loss.tolist() == pytest.approx([(0.125 + 0.5) / 2, 0])
    assert counted.tolist() == [True, False]
    loss.sum().backward()
    assert vad.grad.isfinite().all()
    assert (vad.grad[1] == 0).all()
    assert vad.grad[0, 1] == 0
    assert vad.grad[0, 0] < 0 < vad.grad[0, 2]


def test_nothing_annotated_gives_zero_and_a_gradient() -> None:
    images = [people((2, 2, 10, 10))]
    images[0].vad[:] = math.nan
    targets = targets_for(images)
    nobody = person_targets(images[0], 0)
    output = output_for(images)
    parts = benet_loss(output, targets._replace(person=nobody, background=nobody))
    assert parts.vad.item() == 0
    parts.vad.backward()
    assert (output.maps[0].vad.grad == 0).all()
    assert (output.person_vad.grad == 0).all()


def test_vad_adds_to_the_total_only() -> None:
    images = [people((2, 2, 10, 10))]
    output, targets = output_for(images), targets_for(images)
    parts = benet_loss(output, targets, LossWeights(vad=3))
    assert parts.vad.item() > 0
    parts.vad.backward(retain_graph=True)
    for source in (*(maps.vad for maps in output.maps), output.person_vad, output.background_vad):
        assert source.grad.any()
    total = parts.detection + parts.categories + 3 * parts.vad
    assert parts.total.item() == pytest.approx(total.item(), rel=1e-6)
    without = output_for(images, vad=False)
    parts = benet_loss(without, targets)
    assert parts.vad.item() == 0
    assert parts.total.item() == pytest.approx((parts.detection + parts.categories).item())


# Who trains what


def test_parts_add_up() -> None:
    images = [people((2, 2, 10, 10)), people((5, 6, 30, 31), (1, 20, 9, 30))]
    parts = benet_loss(output_for(images), targets_for(images), LossWeights(2.0, 0.5))
    detection = 2 * (parts.centre_quarter + parts.centre_half)
    detection = detection + 0.5 * (parts.size_quarter + parts.size_half)
    assert parts.detection.item() == pytest.approx(detection.item(), rel=1e-6)
    four = (parts.emotion_quarter, parts.emotion_half, parts.person, parts.background)
    assert len({round(part.item(), 4) for part in four}) >= 3
    assert parts.categories.item() == pytest.approx(sum(p.item() for p in four), rel=1e-6)


def test_rows_train_only_what_they_are_for() -> None:
    images = [people((2, 2, 10, 10)), people((5, 6, 30, 31))]
    output = output_for(images)
    targets = targets_for(images, detection=[True, False], emotion=[False, True])
    benet_loss(output, targets).total.backward()
    for maps in output.maps:
        assert [bool(row.any()) for row in maps.heat.grad] == [True, False]
        assert [bool(row.any()) for row in maps.size.grad] == [True, False]
        assert [bool(row.any()) for row in maps.emotion.grad] == [False, True]
        assert [bool(row.any()) for row in maps.vad.grad] == [False, True]
    alone = [images[0]]
    first = BenetMaps(*(field[:1] for field in output.maps[0]))
    other = output._replace(maps=(first, BenetMaps(*(field[:1] for field in output.maps[1]))))
    # The other image is not in the mean either.
    wanted = benet_loss(other, targets_for(alone)).detection.item()
    assert benet_loss(output, targets).detection.item() == pytest.approx(wanted, rel=1e-6)


def test_images_without_people_count_for_centres_only() -> None:
    images = [people((2, 2, 10, 10)), people()]
    output = output_for(images)
    parts = benet_loss(output, targets_for(images))
    alone = targets_for(images[:1])
    first = tuple(BenetMaps(*(field[:1] for field in maps)) for maps in output.maps)
    single = benet_loss(output._replace(maps=first), alone)
    assert parts.emotion_half.item() == pytest.approx(single.emotion_half.item(), rel=1e-6)
    assert parts.size_half.item() == pytest.approx(single.size_half.item(), rel=1e-6)
    assert parts.centre_half.item() != pytest.approx(single.centre_half.item(), rel=1e-3)


def test_a_batch_without_rows_is_zero_with_a_gradient() -> None:
    output = output_for([])
    output = output._replace(person=output.person[:0], background=output.background[:0])
    nobody = stack_targets([])
    targets = targets_for([])._replace(person=nobody, background=nobody)
    output = output._replace(person_vad=output.person_vad[:0], background_vad=None)
    parts = benet_loss(output, targets)
    assert [part.item() for part in parts] == [0] * 12
    parts.total.backward()


def test_a_network_without_detection_learns_emotions() -> None:
    images = [people((2, 2, 10, 10))]
    output = output_for(images)
    without = tuple(maps._replace(heat=None, size=None) for maps in output.maps)
    parts = benet_loss(output._replace(maps=without), targets_for(images))
    assert parts.detection.item() == 0
    assert parts.categories.item() == benet_loss(output, targets_for(images)).categories.item()


def test_half_precision_outputs_are_computed_in_float32() -> None:
    logits = torch.full((1, 26), 12.0, dtype=torch.float16)
    known = torch.ones(1, 26, dtype=torch.bool)
    exact = emotion_loss(logits.double().float(), torch.ones(1, 26), known)
    assert emotion_loss(logits, torch.ones(1, 26), known).item() == exact.item() > 0


def test_outputs_and_targets_of_different_batches_are_refused() -> None:
    images = [people((2, 2, 10, 10))]
    output, targets = output_for(images), targets_for(images)
    with pytest.raises(InputError, match="emotion maps"):
        benet_loss(output_for(images * 2), targets)
    with pytest.raises(InputError, match="emotion maps"):
        benet_loss(output_for(images, side=64), targets)
    with pytest.raises(InputError, match="one bool"):
        benet_loss(output, targets._replace(trains_emotion=torch.ones(2, dtype=torch.bool)))
    with pytest.raises(InputError, match=r"emotions of shape"):
        benet_loss(output._replace(person=torch.zeros(3, 26)), targets)
