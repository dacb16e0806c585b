"""Samples for BENet's heads, batches of them, and the feed that makes them anew for every epoch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from caer_ros.core import EMOTIC26, Box, InputError
from caer_ros.datasets.emotic import examples
from caer_ros.datasets.emotic.examples import BACKGROUND, MAPS, PERSON, EmoticBatch, stack_examples
from caer_ros.datasets.emotic.geometry import STILL, Geometry
from caer_ros.datasets.emotic.images import FolderImages, MemoryImages
from caer_ros.datasets.emotic.photometric import NO_LIGHT
from caer_ros.datasets.emotic.reader import read_emotic
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.datasets.emotic.scene_images import scene_images
from caer_ros.datasets.emotic.source import EmoticSource, SampleChoice
from caer_ros.datasets.emotic.view_mix import ViewMix
from caer_ros.datasets.scenes.folders import SceneSet, write_scenes
from caer_ros.datasets.scenes.spec import SceneControls
from caer_ros.networks.benet import tasks
from caer_ros.training.benet.batch_targets import batch_targets
from caer_ros.training.benet.feed import EmoticFeed, view_batches

SIZE = 64
NAN = float("nan")


def _person(box: tuple[float, ...], names: set[str], known: int = 26, vad=(NAN, NAN, NAN)):
    categories = np.array([name in names for name in EMOTIC26], np.float32)
    return AnnotatedPerson(Box(*box), categories, np.arange(26) < known, np.array(vad, np.float32))


def _record(people: list[AnnotatedPerson], name: str = "a.png", size=(80, 64)) -> AnnotatedImage:
    return AnnotatedImage(Path(name), *size, tuple(people), "train")


def _pixels(record: AnnotatedImage, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 256, (record.height, record.width, 3), dtype=np.uint8)


TRIO = _record(
    [
        _person((10, 10, 26, 40), {"Peace", "Fear"}, vad=(0.5, NAN, -1)),
        _person((34, 8, 50, 36), {"Fear"}, vad=(-0.1, NAN, 0)),
        _person((56, 20, 70, 50), {"Anger"}, known=10),
    ]
)
SOLO = _record([_person((20, 20, 40, 50), {"Pain"})], "b.png")


def _source(*records: AnnotatedImage, **choice) -> EmoticSource:
    choice = {"size": SIZE, "geometry": STILL, "light": NO_LIGHT} | choice
    images = MemoryImages(records, [_pixels(r, k) for k, r in enumerate(records)])
    return EmoticSource(images, SampleChoice(**choice))


def _only(view: str) -> ViewMix:
    # `extract` and `mask_all` can not stand alone.
    rest = {"raw": 1e-9} if view in ("extract", "mask_all") else {}
    values = dict.fromkeys(("extract", "mask_all", "random_mask", "raw"), 0.0)
    return ViewMix(**values | rest | {view: 1.0})


def _draw(source: EmoticSource, index: int = 0, seed: int = 0):
    return source.draw(index, np.random.default_rng(seed))


def test_tasks_are_the_network_s() -> None:
    for name in ("MAPS", "PERSON", "BACKGROUND"):
        assert getattr(examples, name) == getattr(tasks, name)


def test_raw_pictures_train_the_detection() -> None:
    source = _source(TRIO, mix=_only("raw"))
    example = _draw(source)
    assert (example.task, example.trains_detection, example.trains_emotion) == (MAPS, True, False)
    # Scale 1 shows the middle square of 80x64 as it is.
    np.testing.assert_array_equal(example.image, source.images.pixels(0)[:, 8:72])
    np.testing.assert_allclose(
        example.boxes, [[2, 10, 18, 40], [26, 8, 42, 36], [48, 20, 62, 50]], atol=1e-5
    )
    assert [set(np.flatnonzero(row)) for row in example.categories] == [{15, 18}, {15}, {1}]
    np.testing.assert_array_equal(example.known[:, 20], [True, True, False])
    both = _draw(_source(TRIO, mix=_only("raw"), raw_emotion=True))
    assert (both.trains_detection, both.trains_emotion) == (True, True)


def test_masked_pictures_train_the_emotion_maps_of_those_who_stay() -> None:
    source = _source(TRIO, mix=_only("random_mask"))
    kept = set()
    for seed in range(20):
        example = _draw(source, 1, seed)
        assert (example.task, example.trains_detection, example.trains_emotion) == (
            MAPS,
            False,
            True,
        )
        for x1, y1, x2, y2 in example.boxes.astype(int):
            assert example.image[y1:y2, x1:x2].any(axis=2).all()
        assert {15} in [set(np.flatnonzero(row)) for row in example.categories]  # the subject
        kept.add(len(example.boxes))
    assert kept == {1, 2, 3}
    assert _draw(_source(TRIO, mix=_only("random_mask"), masked_detection=True)).trains_detection


def test_cut_outs_carry_the_subject_s_labels() -> None:
    source = _source(TRIO, mix=_only("extract"))
    for index, wanted in enumerate([{15, 18}, {15}, {1}]):
        example = _draw(source, index)
        assert (example.task, example.trains_detection, example.trains_emotion) == (
            PERSON,
            False,
            True,
        )
        assert set(np.flatnonzero(example.categories[0])) == wanted
        assert example.boxes.shape == (1, 4)
    # 14x30 of the picture, the long side fills the input: 64 pixels, and 30 across.
    np.testing.assert_allclose(example.boxes, [[17.07, 0, 46.93, 64]], atol=0.01)
    assert example.image[:, 18:46].any(axis=2).all()
    assert not example.image[:, :16].any()


def test_backgrounds_carry_everybody_s_emotions() -> None:
    source = _source(TRIO, mix=_only("mask_all"))
    example = _draw(source, 2)
    assert (example.task, example.trains_detection, example.trains_emotion) == (
        BACKGROUND,
        False,
        True,
    )
    assert example.boxes.tolist() == [[0, 0, SIZE, SIZE]]
    assert set(np.flatnonzero(example.categories[0])) == {1, 15, 18}
    # Of the third person the last 16 categories are unknown; what is there is known all the same.
    assert set(np.flatnonzero(example.known[0])) == {*range(10), 15, 18}
    np.testing.assert_allclose(example.vad, [[0.2, NAN, -0.5]], atol=1e-6)
    assert not example.image[20:50, 48:62].any()


def test_samples_by_person_and_by_image() -> None:
    by_person = _source(TRIO, SOLO, mix=_only("extract"))
    assert len(by_person) == 4
    labels = [set(np.flatnonzero(_draw(by_person, k).categories[0])) for k in range(4)]
    assert labels == [{15, 18}, {15}, {1}, {17}]
    by_image = _source(TRIO, SOLO, mix=_only("extract"), by="image")
    assert len(by_image) == 2
    drawn = {tuple(np.flatnonzero(_draw(by_image, 0, seed).categories[0])) for seed in range(30)}
    assert drawn == {(15, 18), (15,), (1,)}


def test_somebody_stays_in_the_input() -> None:
    # Two people at the far ends of a panorama: the middle square shows neither.
    wide = _record(
        [_person((0, 5, 8, 30), {"Fear"}), _person((190, 5, 200, 30), {"Pain"})], size=(200, 40)
    )
    source = _source(wide, mix=_only("raw"), geometry=Geometry((1, 1), 0, 0, 0, 0))
    example = _draw(source)
    assert len(example.boxes) == 2
    np.testing.assert_allclose(example.boxes[0, 0], 0, atol=1e-6)
    free = _source(wide, mix=_only("raw"), geometry=Geometry((1, 5), 0, 0.5, 0, 0.5))
    assert all(len(_draw(free, 0, seed).boxes) for seed in range(30))


def test_labels_follow_those_who_stay() -> None:
    wide = _record(
        [_person((0, 5, 8, 30), {"Fear"}), _person((90, 5, 110, 30), {"Pain"})], size=(200, 40)
    )
    example = _draw(_source(wide, mix=_only("raw")))
    assert [set(np.flatnonzero(row)) for row in example.categories] == [{17}]
    np.testing.assert_allclose(example.boxes, [[16, 8, 48, 48]], atol=1e-4)


def test_validation_views_are_whole_and_fixed() -> None:
    source = _source(TRIO, SOLO, geometry=Geometry(), light=NO_LIGHT, by="image")
    views = source.views(0)
    assert [view.task for view in views] == [MAPS, PERSON, PERSON, PERSON, BACKGROUND]
    assert (views[0].trains_detection, views[0].trains_emotion) == (True, True)
    # 80x64 becomes 64x51, with six rows of bars above.
    wanted = [8, 6 + 10 * 51 / 64, 20.8, 6 + 40 * 51 / 64]
    np.testing.assert_allclose(views[0].boxes[0], wanted, atol=1e-4)
    assert not views[0].image[:6].any()
    for one, two in zip(views, source.views(0), strict=True):
        np.testing.assert_array_equal(one.image, two.image)
    by_person = _source(TRIO, mix=ViewMix(0.5, 0, 0.5, 0))
    views = by_person.views(2)
    assert [view.task for view in views] == [MAPS, PERSON]
    assert (views[0].trains_detection, views[0].trains_emotion) == (False, True)
    assert set(np.flatnonzero(views[1].categories[0])) == {1}


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [({"size": 100}, "input of 100"), ({"size": 0}, "input of 0"), ({"by": "face"}, "by 'face'")],
)
def test_wrong_choices(choice: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        SampleChoice(**choice)


def test_no_pictures_and_wrong_arrays() -> None:
    with pytest.raises(InputError, match="no annotated picture"):
        _source()
    with pytest.raises(ValueError, match="not as annotated"):
        MemoryImages([SOLO], [np.zeros((64, 64, 3), np.uint8)])


def _crowd(count: int) -> list[AnnotatedImage]:
    return [TRIO if k % 3 == 0 else SOLO for k in range(count)]


def test_batches_keep_rows_together() -> None:
    source = _source(TRIO, SOLO, mix=_only("raw"))
    drawn = [_draw(source, 0), _draw(_source(TRIO, mix=_only("extract")), 1), _draw(source, 3)]
    drawn.append(_draw(_source(TRIO, mix=_only("mask_all"))))
    batch = stack_examples(list(zip([5, 6, 7, 8], drawn, strict=True)))
    assert batch.images.shape == (4, SIZE, SIZE, 3)
    assert batch.task.tolist() == [MAPS, PERSON, MAPS, BACKGROUND]
    assert batch.row.tolist() == [0, 0, 0, 1, 2, 3]
    assert batch.sample.tolist() == [5, 6, 7, 8]
    assert batch.trains_detection.tolist() == [True, False, True, False]
    assert batch.trains_emotion.tolist() == [False, True, False, True]
    kinds = (torch.uint8, torch.int64, torch.bool, torch.bool, torch.float32, torch.int64)
    kinds += (torch.float32, torch.bool, torch.float32, torch.int64)
    assert tuple(field.dtype for field in batch) == kinds
    for k, example in enumerate(drawn):
        np.testing.assert_array_equal(batch.boxes[batch.row == k], example.boxes)
        np.testing.assert_array_equal(batch.vad[batch.row == k], example.vad)
    assert isinstance(batch.to("cpu"), EmoticBatch)


def test_a_batch_may_have_no_people() -> None:
    empty = _draw(_source(SOLO, mix=_only("raw")))
    nobody = examples.EmoticExample(
        empty.image, MAPS, True, True, *(part[:0] for part in list(vars(empty).values())[4:])
    )
    batch = stack_examples([(0, nobody), (1, nobody)])
    assert batch.boxes.shape == (0, 4)
    assert batch.categories.shape == (0, 26)
    assert batch.row.dtype == torch.int64


def test_targets_of_a_batch_go_to_their_heads() -> None:
    drawn = [
        _draw(_source(TRIO, mix=_only("extract")), 2),
        _draw(_source(TRIO, mix=_only("raw"))),
        _draw(_source(TRIO, mix=_only("mask_all"))),
        _draw(_source(SOLO, mix=_only("random_mask"))),
    ]
    targets = batch_targets(stack_examples(list(enumerate(drawn))))
    assert [maps.heat.shape for maps in targets.maps] == [(2, 1, 16, 16), (2, 1, 32, 32)]
    assert targets.trains_detection.tolist() == [True, False]
    assert targets.trains_emotion.tolist() == [False, True]
    assert targets.maps[1].centres[:, 0].tolist() == [0, 0, 0, 1]
    np.testing.assert_array_equal(targets.maps[1].centres[3, 1:], [17, 11])
    assert set(np.flatnonzero(targets.person.categories[0])) == {1}
    assert set(np.flatnonzero(targets.background.categories[0])) == {1, 15, 18}
    assert targets.person.categories.shape == targets.background.known.shape == (1, 26)


def _epoch(feed: EmoticFeed, epoch: int, start: int = 0) -> list[EmoticBatch]:
    return list(feed.batches(epoch, start))


def _equal(one: EmoticBatch, two: EmoticBatch) -> bool:
    return all(torch.equal(a.nan_to_num(9), b.nan_to_num(9)) for a, b in zip(one, two, strict=True))


@pytest.fixture(scope="module")
def random_source() -> EmoticSource:
    records = _crowd(9)
    images = MemoryImages(records, [_pixels(record, k) for k, record in enumerate(records)])
    return EmoticSource(images, SampleChoice(size=SIZE, by="image"))


def test_a_feed_repeats_itself_and_goes_on_anywhere(random_source: EmoticSource) -> None:
    feed = EmoticFeed(random_source, 2, seed=3)
    assert feed.steps == 4
    first = _epoch(feed, 1)
    assert len(first) == 4
    assert all(_equal(a, b) for a, b in zip(first, _epoch(feed, 1), strict=True))
    assert all(_equal(a, b) for a, b in zip(first[2:], _epoch(feed, 1, 2), strict=True))
    seen = torch.cat([batch.sample for batch in first]).tolist()
    assert len(set(seen)) == 8
    other = torch.cat([batch.sample for batch in _epoch(feed, 2)]).tolist()
    assert other != seen
    # The same sample is another picture in another epoch, and with another seed.
    again = {int(b.sample[k]): b.images[k] for b in _epoch(feed, 2) for k in range(2)}
    changed = [
        not torch.equal(again[int(b.sample[k])], b.images[k])
        for b in first
        for k in range(2)
        if int(b.sample[k]) in again
    ]
    assert all(changed)
    assert not _equal(first[0], _epoch(EmoticFeed(random_source, 2, seed=4), 1)[0])


def test_workers_make_the_same_batches(random_source: EmoticSource) -> None:
    alone = _epoch(EmoticFeed(random_source, 4, seed=3), 0)
    helped = _epoch(EmoticFeed(random_source, 4, seed=3, workers=2), 0)
    assert all(_equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_processes_share_a_batch(random_source: EmoticSource) -> None:
    whole = _epoch(EmoticFeed(random_source, 4, seed=3), 0)
    halves = [_epoch(EmoticFeed(random_source, 4, 3, rank=rank, world=2), 0) for rank in range(2)]
    for batch, left, right in zip(whole, *halves, strict=True):
        assert left.sample.tolist() == batch.sample[::2].tolist()
        assert right.sample.tolist() == batch.sample[1::2].tolist()
        assert torch.equal(left.images, batch.images[::2])
    with pytest.raises(InputError, match="too small for 4 processes"):
        EmoticFeed(random_source, 4, 3, world=4)


def test_a_small_source_is_one_batch(random_source: EmoticSource) -> None:
    feed = EmoticFeed(random_source, 100, seed=0)
    (batch,) = _epoch(feed, 0)
    assert sorted(batch.sample.tolist()) == list(range(9))


def test_validation_batches_hold_all_views_in_order(random_source: EmoticSource) -> None:
    batches = list(view_batches(random_source, 4, 0))
    assert len(batches) == 3
    samples = torch.cat([batch.sample for batch in batches]).tolist()
    assert samples == sorted(samples)
    assert set(samples) == set(range(9))
    assert batches[0].sample.tolist()[:5] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_picture_stops_the_feed_with_its_name(tmp_path: Path, workers: int) -> None:
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    records = [_record(list(TRIO.people), str(path)) for path in paths]
    for record in records[:2]:
        cv2.imwrite(str(record.path), _pixels(record))
    paths[2].write_bytes(b"nothing")
    source = EmoticSource(FolderImages(records), SampleChoice(size=SIZE))
    with pytest.raises(InputError, match=r"c.png is not a readable image"):
        _epoch(EmoticFeed(source, 2, seed=0, workers=workers), 0)


def test_scenes_in_memory_are_those_of_a_folder(tmp_path: Path) -> None:
    controls = SceneControls(companions=2, width=240, height=120)
    wanted = SceneSet("emotic", {"validation": 5}, 4, controls)
    write_scenes(tmp_path / "e", wanted)
    folder = FolderImages(read_emotic(tmp_path / "e")["validation"])
    memory = scene_images(wanted.stream("validation"), 5)
    assert len(folder.records) == len(memory.records) == 5
    for k, (a, b) in enumerate(zip(folder.records, memory.records, strict=True)):
        np.testing.assert_array_equal(folder.pixels(k), memory.pixels(k))
        assert [p.box for p in a.people] == [p.box for p in b.people]
        for p, q in zip(a.people, b.people, strict=True):
            np.testing.assert_array_equal(p.categories, q.categories)
            np.testing.assert_array_equal(p.vad, q.vad)
    with pytest.raises(InputError, match="has 0 scenes"):
        scene_images(wanted.stream("test"), 0)
